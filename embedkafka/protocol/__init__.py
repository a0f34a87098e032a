"""Kafka's message schemas, declared once and compiled on first use.

How it works: a message is a plain dataclass whose fields carry their wire type and version range
(:func:`~embedkafka.protocol.fields.wire`); a :class:`~embedkafka.protocol.schema.Schema` binds the class to its valid
and flexible versions.  The first encode or decode of a version generates one straight-line Python function for it
(:mod:`embedkafka.protocol.compiler`), so a field costs what hand-written ``struct`` code would.

The layout is the index:

* ``internal/``  records of internal topics (``__consumer_offsets``), one file per schema
* ``consumer/``  what group members tell each other through the coordinator (``ConsumerProtocol``)
"""
