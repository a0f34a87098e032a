"""Groups of the consumer protocol: the coordinator assigns, members reconcile one by one (KIP-848).

Theory of operation.  A group has an *epoch*, which grows whenever what decides the assignment changes (members,
subscriptions, topics); a *target assignment*, computed for an epoch by a server-side assignor; and per member a
*current assignment* with a member epoch.  A heartbeat brings its member a step from its current assignment towards the
target (:mod:`reconcile`): first it gives up, then its epoch moves, then it gets what others have given up.  Nobody
waits for anybody but the member whose partition is still in other hands.

All of that is durable, so there is no soft state: :class:`~embedkafka.coordinator.consumer.group.ConsumerGroup` is what
its records say.  A command works on a copy to which it applies the records that it wants written
(:mod:`~embedkafka.coordinator.consumer.turn`).

``heartbeat`` is the way in and on, ``leave`` the way out (also of those that are thrown out), ``classic_member`` serves
members that speak the classic protocol, ``migration`` turns groups of one type into the other, ``target`` and
``assignors`` compute, ``subscription`` knows what members read.

Source: Kafka 4.3's ``GroupMetadataManager``, ``ConsumerGroup`` and ``CurrentAssignmentBuilder``; KIP-848, KIP-1082
(member ids by the client), KIP-1101 (hash of topics), KIP-1263 (interval between assignments).
"""
