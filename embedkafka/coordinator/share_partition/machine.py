"""The machine: commands in, decisions out; changes and events in, state changed."""

from __future__ import annotations

from collections.abc import Sequence

from embedkafka.coordinator.share_partition.acknowledge import acknowledge
from embedkafka.coordinator.share_partition.acquire import acquire
from embedkafka.coordinator.share_partition.config import ShareSettings
from embedkafka.coordinator.share_partition.decision import (
    Acknowledge,
    Acquire,
    Command,
    Decision,
    EndLocks,
    MoveStart,
    ReleaseMember,
)
from embedkafka.coordinator.share_partition.partition import SharePartition
from embedkafka.coordinator.share_partition.release import end_locks, move_start, release_member
from embedkafka.coordinator.share_state.api import StateBatch

__all__ = ["SharePartitionMachine"]


class SharePartitionMachine(SharePartition):
    """A share partition that can be asked."""

    __slots__ = ()

    def __init__(self, start_offset: int, batches: Sequence[StateBatch] = ()) -> None:
        super().__init__(start_offset, batches)

    def handle(self, command: Command, settings: ShareSettings, now_ms: float) -> Decision:
        """Decide about a command; changes nothing.

        Args:
            command: what to do.
            settings: the group's, as they are now.
            now_ms: a clock that never goes back, in milliseconds.
        """
        if isinstance(command, Acknowledge):
            return acknowledge(self, command, settings, now_ms)
        if isinstance(command, Acquire):
            return acquire(self, command, settings, now_ms)
        if isinstance(command, EndLocks):
            return end_locks(self, command, settings, now_ms)
        if isinstance(command, ReleaseMember):
            return release_member(self, command, settings)
        assert isinstance(command, MoveStart), f"not a command: {command!r}"
        return move_start(self, command)
