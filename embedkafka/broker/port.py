"""The choke point: the one object per broker through which every client reaches it.

The listener and the embedded client call the same methods, so fault rules, ACLs, quotas and metrics are attached here once
and hold for both.  A method is one of Kafka's APIs, takes and gives the values of :mod:`embedkafka.broker.api`, and works
per batch, never per record.

A call that may wait takes ``complete``, called exactly once, on any thread, with no lock held, possibly before the method
returns.  Calls that never wait return their reply.  No method raises for what a peer can cause; it answers with a code.
"""
