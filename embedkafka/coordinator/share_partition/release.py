"""Records that come back without an acknowledgement: a session is closed, a lock has ended, the log was cut off."""

from __future__ import annotations

from collections.abc import Callable

from embedkafka.coordinator.share_partition.config import ShareSettings
from embedkafka.coordinator.share_partition.decision import (
    DeadLetters,
    Decision,
    EndLocks,
    MoveStart,
    ReleaseMember,
    StateChange,
)
from embedkafka.coordinator.share_partition.partition import SharePartition
from embedkafka.coordinator.share_partition.standing import ACQUIRED, ARCHIVED, AVAILABLE, IS_DONE, Standing
from embedkafka.coordinator.share_state.api import StateBatch


def release_member(known: SharePartition, command: ReleaseMember, settings: ShareSettings) -> Decision:
    """Take back what a member has acquired."""
    return _take_back(known, settings, lambda standing: standing.member_id == command.member_id)


def end_locks(known: SharePartition, command: EndLocks, settings: ShareSettings, now_ms: float) -> Decision:
    """Take back what was acquired for too long."""
    return _take_back(known, settings, lambda standing: standing.locked_until_ms <= now_ms)


def _take_back(known: SharePartition, settings: ShareSettings, is_meant: Callable[[Standing], bool]) -> Decision:
    """Acquired records are available again; undeliverable where they have no delivery left."""
    batches: list[StateBatch] = []
    dead_letters: list[DeadLetters] = []
    for first, last, standing in known.standings:
        if standing.state != ACQUIRED or not is_meant(standing):
            continue
        count = standing.delivery_count
        if count < settings.delivery_count_limit:
            batches.append(StateBatch(first, last, AVAILABLE, count))
        else:
            batches.append(StateBatch(first, last, ARCHIVED, count))
            dead_letters.append(DeadLetters(first, last, count, is_rejected=False))
    return Decision(None, known.changed(batches) if batches else None, dead_letters=dead_letters)


def move_start(known: SharePartition, command: MoveStart) -> Decision:
    """Forget what the log has lost, also what somebody has acquired."""
    if command.log_start_offset <= known.start_offset:
        return Decision()
    start_offset = known.start_after([(known.start_offset, command.log_start_offset - 1)])
    passed = sum(
        last - first + 1
        for first, last, standing in known.standings.overlapping(known.start_offset, start_offset - 1)
        if IS_DONE[standing.state]
    )
    return Decision(None, StateChange(start_offset, known.complete_count - passed))
