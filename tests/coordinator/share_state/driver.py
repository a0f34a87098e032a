"""A share state machine with a log beside it, as its shell drives it."""

from __future__ import annotations

from uuid import UUID

from embedkafka.coordinator.share_state import records
from embedkafka.coordinator.share_state.api import ShareState, ShareStateSummary, ShareStateWrite, StateBatch
from embedkafka.coordinator.share_state.config import ShareStateConfig
from embedkafka.coordinator.share_state.decision import (
    Command,
    DeleteStates,
    InitializeStates,
    ReadState,
    ReadSummaries,
    SnapshotCold,
    WriteState,
)
from embedkafka.coordinator.share_state.machine import ShareStateMachine
from embedkafka.coordinator.share_state.state import SharePartitionKey

KEY = SharePartitionKey("g", UUID(int=7), 0)
OTHER = SharePartitionKey("g", UUID(int=7), 1)


class Driver:
    """``log`` holds keys and values as bytes; ``start`` is how far it was pruned."""

    def __init__(self, config: ShareStateConfig | None = None) -> None:
        self.config = config or ShareStateConfig(snapshot_update_records_per_snapshot=3)
        self.machine = ShareStateMachine(self.config)
        self.log: list[tuple[bytes, bytes | None]] = []
        self.start = 0
        self.now_ms = 1_700_000_000_000

    def send(self, command: Command) -> object:
        decision = self.machine.handle(command, self.now_ms)
        for record in decision.records:
            self.log.append(records.encode(record))
            self.machine.apply(record, len(self.log) - 1)
        return decision.reply

    def initialize(self, *keys: SharePartitionKey, start_offset: int = -1, state_epoch: int = 0) -> list[int]:
        reply = self.send(InitializeStates(dict.fromkeys(keys or (KEY,), start_offset), state_epoch))
        assert isinstance(reply, dict)
        return list(reply.values())

    def write(
        self,
        *batches: tuple[int, int, int, int],
        key: SharePartitionKey = KEY,
        start_offset: int = -1,
        state_epoch: int = 0,
        leader_epoch: int = 0,
    ) -> object:
        change = ShareStateWrite(state_epoch, leader_epoch, start_offset, 0, [StateBatch(*batch) for batch in batches])
        return self.send(WriteState(key, change))

    def read(self, key: SharePartitionKey = KEY, leader_epoch: int = 0) -> ShareState:
        reply = self.send(ReadState(key, leader_epoch))
        assert isinstance(reply, ShareState)
        return reply

    def summary(self, key: SharePartitionKey = KEY) -> ShareStateSummary:
        reply = self.send(ReadSummaries([key]))
        assert isinstance(reply, dict)
        found: ShareStateSummary = reply[key]
        return found

    def delete(self, *keys: SharePartitionKey) -> object:
        return self.send(DeleteStates(keys or (KEY,)))

    def prune(self) -> None:
        self.send(SnapshotCold())
        self.start = max(self.start, self.machine.prunable_before(len(self.log)))

    def replayed(self) -> ShareStateMachine:
        """A fresh machine, fed what is left of the log."""
        machine = ShareStateMachine(self.config)
        for offset in range(self.start, len(self.log)):
            record = records.decode(*self.log[offset])
            assert record is not None
            machine.apply(record, offset)
        return machine
