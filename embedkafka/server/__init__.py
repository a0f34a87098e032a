"""The listener: Kafka's wire protocol on TCP, for clients in any language.

How it works.  One thread runs one asyncio loop per listener, and everything a connection is made of lives on it.
Bytes become *frames* (:mod:`framing`), a frame becomes a *call* (:mod:`requests`, :mod:`call`), a call is answered by
its API's *handler* (:mod:`handlers`), which knows no socket: it translates between the messages of
:mod:`embedkafka.protocol.apis` and the values of :mod:`embedkafka.broker.api` and asks the ``BrokerPort``.

The loop never waits.  A handler runs on a thread of a small bounded pool (:mod:`workers`) unless it says that it
cannot block; what it answers comes back through :mod:`mailbox`.  Produce and fetch, which are most of the traffic, ask
the port for an answer that needs no waiting and go to the pool only where there is none.

A connection works on one call at a time, as Kafka's does: replies keep the order of requests by themselves, and a
batch never overtakes the one before it.  What arrives meanwhile waits in the socket, and the peer's window closes:
that is the back-pressure.  :mod:`limits` bounds everything that a peer could make grow.
"""
