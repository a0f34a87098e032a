"""Streams groups: the coordinator knows the topology of a Kafka Streams application and assigns its tasks (KIP-1071).

Theory of operation.  A member sends its *topology* when it joins: sub-topologies with the topics they read, the
repartition topics and changelogs between and behind them (:mod:`topology`).  :mod:`configured` holds that against the
topics there are: how many partitions each internal topic has to have, which are missing, which are wrong, and so how
many *tasks* each sub-topology has, one per partition.  While something is missing, nothing is assigned, and every
member is told why by a *status* in its reply; the shell creates the internal topics (``broker/groups/streams_groups``).

The rest is as in a consumer group (:mod:`embedkafka.coordinator.consumer`): a group epoch, a target assignment for an
epoch (:mod:`assignor`), members that go there step by step (:mod:`reconcile`).  What is assigned are tasks: active
ones, which process and have one owner, and standby ones, which keep a copy of the state in another process.

All of that is durable.  *Soft* is only what a new coordinator may forget (:class:`~.commands.Soft`): that a new group
still waits for more members, that a member wants the application to end, and the number of the news about who serves
which partitions.

``heartbeat`` is the way in and on, ``leave`` the way out, ``target`` computes, ``classic_member`` turns others away.

Source: Kafka 4.3's ``GroupMetadataManager``, ``StreamsGroup``, ``InternalTopicManager``, ``StickyTaskAssignor`` and
``CurrentAssignmentBuilder``.  Not there either: static members, source topics by regular expression, warm-up tasks.
"""
