"""Kafka's message schemas, declared once and compiled on first use.

How it works: a message is a plain dataclass whose fields carry their wire type and version range
(:func:`~embedkafka.protocol.fields.wire`); a :class:`~embedkafka.protocol.schema.Schema` binds the class to its valid
and flexible versions.  The first encode or decode of a version generates one straight-line Python function for it
(:mod:`~embedkafka.protocol.encoder` and :mod:`~embedkafka.protocol.decoder` write it out), so a field costs what
hand-written ``struct`` code would.

The layout is the index:

* ``apis/``      what clients and brokers say to each other, one file per API, numbered by its key
* ``headers.py`` what stands before each of those
* ``internal/``  records of internal topics (``__consumer_offsets``), one file per schema
* ``consumer/``  what group members tell each other through the coordinator (``ConsumerProtocol``)
"""
