"""The group coordinator as a pure machine (DESIGN section 6).

Theory of operation.  A :class:`~embedkafka.coordinator.machine.GroupMachine` is asked with a command and answers with a
:class:`~embedkafka.coordinator.decision.Decision`: a reply or the promise of one, records to append, events, timers.
Asking changes nothing.  The shell (``broker/groups/groups.py``) appends the records and then lets them take effect:

* ``apply(record)`` is the only writer of *durable* state: groups at their last stable moment, and committed offsets;
* ``note(event)`` is the only writer of *soft* state: joins and syncs in progress, members that were told their id.

So a fresh machine that is fed every record holds the same durable state, and behaves as Kafka's coordinator does
after a fail-over.  Time and ids are arguments; a time-out is a command that the shell sends back when a timer runs
out.

Types of groups stand side by side, each split by command: ``classic/`` with the classic protocol, ``consumer/`` with
that of KIP-848, ``share/`` (KIP-932), ``streams/`` (KIP-1071).  What they share stands here, also by command
(``commit``, ``fetch``, ``delete``, ``describe``, ``expire``), and asks a group through ``group_type`` what differs.

Offsets that a producer commits in a transaction (KIP-447) are durable too: pending, until ``apply_marker`` lets them
count or go.
"""
