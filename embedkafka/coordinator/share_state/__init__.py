"""The share coordinator as a pure machine (DESIGN section 6).

Theory of operation.  How far a share group is in a partition must outlive the broker that leads the partition, so the
leader (:mod:`embedkafka.coordinator.share_partition`) has every change stored by a coordinator before it counts.  A
:class:`~embedkafka.coordinator.share_state.machine.ShareStateMachine` keeps one
:class:`~embedkafka.coordinator.share_state.state.StoredState` for each group and partition: an offset before which all
is done, and behind it ranges of offsets with delivery state and delivery count.  What is acquired at the moment is not
stored: after a crash it is available again.

A record of ``__share_group_state`` is a *snapshot*, which is the whole state, or an *update*, which changes it.  After
so many updates comes a snapshot; what lies before the oldest snapshot that still holds can be pruned from the log,
which is why this topic is not compacted.  A share partition that nobody changes gets a new snapshot from time to time,
so that it holds nobody back.

Two epochs fence.  The group's coordinator raises the *state epoch* when it sets the partition up anew (an admin moved
its offset); whoever writes with an older one is refused.  The *leader epoch* does the same for leaders; with one broker
it never changes.

``apply(record)`` is the only writer; there is no soft state.
"""
