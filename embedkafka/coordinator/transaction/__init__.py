"""The transaction coordinator as a pure machine (DESIGN section 6).

Theory of operation.  A transactional id has one :class:`~embedkafka.coordinator.transaction.transaction.Transaction`:
whose producer it is, in which state, and which partitions it has written to.  Everything in it is durable, as a record
of ``__transaction_state``.  A :class:`~embedkafka.coordinator.transaction.machine.TransactionMachine` is asked with a
command and answers with a decision: a reply, the records to append, and the transactions that are *prepared*.

A transaction ends in two steps.  The first record (``PrepareCommit`` or ``PrepareAbort``) decides about it, once and
for all; whatever happens afterwards, a marker goes into every partition it has written to.  The second record says
that all markers are there (``CompleteCommit``, ``CompleteAbort``), and the next transaction may begin.  In between the
coordinator answers CONCURRENT_TRANSACTIONS.  Writing markers is the shell's work (``broker/transactions/shard.py``),
done without the machine's lock; after a crash the machine names what is still prepared, and the shell writes the
markers again.

``apply(record)`` is the only writer of durable state.  Soft is one thing only, as in Kafka: the epoch before the
last bump, by which a repeated InitProducerId is recognised (KIP-360); ``note(event)`` writes it.

Two generations of clients are served.  *Version 1* adds partitions before it writes to them, and keeps its epoch from
transaction to transaction.  With *version 2* (KIP-890) the coordinator raises the epoch with every transaction, so that
what is left of an old one cannot slip into the next, and a partition is added by the write itself.

``state`` is the table of states and transitions; the other files are split by command: ``init_producer``, ``add``,
``end``, ``upkeep``, ``describe``.
"""
