"""The straight way of the acknowledgement that most are: one range of a member's records is done.

It gives the change that :func:`~embedkafka.coordinator.share_partition.acknowledge.acknowledge` would, or nothing where
that one has to be asked.
"""

from __future__ import annotations

from bisect import bisect_left

from embedkafka.coordinator.share_partition.decision import StateChange
from embedkafka.coordinator.share_partition.partition import SharePartition
from embedkafka.coordinator.share_partition.standing import ACKNOWLEDGED, ACQUIRED
from embedkafka.coordinator.share_state.api import StateBatch


def accept(known: SharePartition, member_id: str, first: int, last: int) -> StateChange | None:
    """What changes when these records, which stand alike, are done; None where something about them is special."""
    standings = known.standings
    index = bisect_left(standings.lasts, first)
    if index == len(standings.lasts) or first < standings.firsts[index] or not first <= last <= standings.lasts[index]:
        return None
    state, delivery_count, owner, _ = standings.values[index]
    if state != ACQUIRED or owner != member_id:
        return None
    batch = StateBatch(first, last, ACKNOWLEDGED, delivery_count)
    if first != known.start_offset:
        return StateChange(known.start_offset, known.complete_count + last - first + 1, (batch,))
    if last < standings.lasts[index]:
        return StateChange(last + 1, known.complete_count, (batch,))
    return known.changed((batch,))
