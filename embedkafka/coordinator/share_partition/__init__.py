"""A share partition as a pure machine: which records a share group has done, and who works on the others.

Theory of operation.  A consumer group remembers one offset per partition; a share group (KIP-932) remembers what became
of each record.  Everything below ``start_offset`` (Kafka's SPSO) is done, nothing from ``end_offset`` (SPEO) on was
given to anybody; in between every offset stands somewhere (:mod:`~embedkafka.coordinator.share_partition.standing`).
Offsets that stand alike are one range: a batch that is acquired or acknowledged as a whole costs as much as a record.

A reader *acquires* records for as long as a lock lasts, then acknowledges them: done, available again, undeliverable.
A lock that ends makes the records available to others.  A record that was given out too often is undeliverable, too;
what is undeliverable is named to the shell, which may put it on a dead-letter topic.

Durable is what Kafka's share coordinator stores (``StateChange``): where the start is, and how a record stands with its
delivery count, whenever it leaves the acquired state.  Soft, and lost when the broker ends, is who has acquired what
and until when (``events``), and which offsets hold no record that may be seen: markers, aborted and compacted records.
So after a crash an acquired record is available with the delivery count it had before.

The files are split by command: ``acquire`` and ``acknowledge``; a closed session and a lock that ended are in
``release``.
"""
