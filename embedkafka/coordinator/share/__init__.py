"""Share groups: members share partitions, the coordinator only says which (KIP-932).

Theory of operation.  As in a consumer group (:mod:`embedkafka.coordinator.consumer`) there is a group epoch, a target
assignment computed for an epoch, and per member what it reads and its epoch.  But nobody owns a partition: several
members may read it, so none has to give it up before another gets it, and a member takes its target with its next
heartbeat.  Which records it gets of them is not decided here but by the partition (``broker/share_partitions.py``).

What a group has of a partition is a *state*, kept by the share coordinator in ``__share_group_state``.  A partition is
assigned once its state is initialized.  The group knows which are *initializing*, *initialized* and *deleting*
(:mod:`states`); the shell, which asks for them with no lock held, tells the other coordinator and reports back
(:class:`~embedkafka.coordinator.share.commands.StatesInitialized` and its like).  So a crash in between leaves a record
that says what is to be done again.

All of that is durable, so there is no soft state.  ``heartbeat`` is the way in and on, ``leave`` the way out,
``target`` and ``assignor`` compute, ``offsets`` are an operator's hand, ``upkeep`` answers the shell.

Source: Kafka 4.3's ``GroupMetadataManager``, ``ShareGroup``, ``ShareGroupAssignmentBuilder`` and ``SimpleAssignor``.
"""
