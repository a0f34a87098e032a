"""A share partition's machine over a log of batches, as its shell drives it, and its stored state beside it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from embedkafka.coordinator.share_partition.api import AcknowledgementBatch, AcquiredRecords, AcquireMode
from embedkafka.coordinator.share_partition.config import ShareSettings
from embedkafka.coordinator.share_partition.decision import (
    Acknowledge,
    Acquire,
    Command,
    DeadLetters,
    Decision,
    EndLocks,
    Fetched,
    MoveStart,
    Refusal,
    ReleaseMember,
)
from embedkafka.coordinator.share_partition.machine import SharePartitionMachine
from embedkafka.coordinator.share_partition.standing import Standing
from embedkafka.coordinator.share_state.api import ShareStateWrite
from embedkafka.coordinator.share_state.config import ShareStateConfig
from embedkafka.coordinator.share_state.decision import InitializeStates, ReadState, WriteState
from embedkafka.coordinator.share_state.machine import ShareStateMachine
from embedkafka.coordinator.share_state.state import SharePartitionKey

KEY = SharePartitionKey("g", UUID(int=7), 0)


class Driver:
    """``log`` holds batches as (first offset, last offset, whether they may be seen); offsets may be missing."""

    def __init__(self, settings: ShareSettings | None = None, *, start_offset: int = 0) -> None:
        self.settings = settings or ShareSettings()
        self.states = ShareStateMachine(ShareStateConfig())
        self._store(InitializeStates({KEY: start_offset}, 0))
        self.machine = SharePartitionMachine(start_offset)
        self.log: list[tuple[int, int, bool]] = []
        self.log_start_offset = 0
        self.now_ms = 0.0
        self.dead_letters: list[DeadLetters] = []
        self.decisions: list[Decision] = []

    # The log ----------------------------------------------------------------------------------------------------------

    @property
    def end_offset(self) -> int:
        return self.log[-1][1] + 1 if self.log else self.log_start_offset

    def append(self, *sizes: int, is_visible: bool = True) -> None:
        """Batches of so many records."""
        for size in sizes:
            first = self.end_offset
            self.log.append((first, first + size - 1, is_visible))

    # Commands ---------------------------------------------------------------------------------------------------------

    def send(self, command: Command) -> Decision:
        before = repr(self.machine.standings), self.machine.start_offset, self.machine.end_offset
        decision = self.machine.handle(command, self.settings, self.now_ms)
        assert before == (repr(self.machine.standings), self.machine.start_offset, self.machine.end_offset)
        self.dead_letters += decision.dead_letters
        if decision.change is not None:
            change = decision.change
            write = ShareStateWrite(0, 0, change.start_offset, change.delivery_complete_count, change.batches)
            assert self._store(WriteState(KEY, write)) == 0
            self.machine.apply(change)
        self.machine.note(decision.events)
        self.decisions.append(decision)
        self.check()
        return decision

    def acquire(
        self,
        member_id: str = "m",
        max_records: int = 500,
        *,
        batch_size: int = 500,
        mode: int = AcquireMode.BATCH_OPTIMIZED,
        read_batches: int = 100,
    ) -> list[tuple[int, int, int]]:
        """First offset, last offset and delivery count of what the member gets, as the shell's loop does it."""
        while True:
            offset = self.machine.next_offset
            batches = [batch for batch in self.log if batch[1] >= offset][:read_batches]
            is_full = self.machine.in_flight_count >= self.settings.partition_max_record_locks
            if not batches or (is_full and offset == self.machine.end_offset):
                return []
            command = Acquire(member_id, offset, fetched(batches), max_records, batch_size, mode)
            reply = self.send(command).reply
            assert isinstance(reply, list)
            if reply or self.machine.next_offset == offset:
                return [tuple(each) for each in reply if isinstance(each, AcquiredRecords)]

    def acknowledge(self, *batches: tuple[int, int, Sequence[int] | int], member_id: str = "m") -> int:
        """Kafka's error code."""
        asked = [
            AcknowledgementBatch(first, last, (types,) if isinstance(types, int) else types)
            for first, last, types in batches
        ]
        refusal = self.send(Acknowledge(member_id, asked)).reply
        return refusal.error_code if isinstance(refusal, Refusal) else 0

    def release(self, member_id: str = "m") -> None:
        self.send(ReleaseMember(member_id))

    def end_locks(self, after_ms: float = 0.0) -> None:
        self.now_ms += after_ms
        self.send(EndLocks())

    def move_start(self, offset: int) -> None:
        self.log_start_offset = offset
        self.log = [batch for batch in self.log if batch[1] >= offset]
        self.send(MoveStart(offset))

    # Looking ----------------------------------------------------------------------------------------------------------

    def standings(self) -> dict[int, Standing]:
        return {
            offset: standing for first, last, standing in self.machine.standings for offset in range(first, last + 1)
        }

    def states_by_offset(self) -> dict[int, tuple[int, int]]:
        return {offset: (each.state, each.delivery_count) for offset, each in self.standings().items()}

    def failed_over(self) -> SharePartitionMachine:
        """What the next leader knows."""
        state = self.states.handle(ReadState(KEY, 0), 0).reply
        return SharePartitionMachine(state.start_offset, state.batches)  # type: ignore[attr-defined]

    def check(self) -> None:
        """From start to end every offset stands somewhere, and the counters are right."""
        machine = self.machine
        offsets = [offset for first, last, _ in machine.standings for offset in range(first, last + 1)]
        assert offsets == list(range(machine.start_offset, machine.end_offset))
        done = [offset for offset, each in self.standings().items() if each.state not in (0, 1)]
        assert machine.complete_count == len(done)
        assert machine.start_offset not in done, "the start stands on something that is done"
        available = [offset for offset, each in self.standings().items() if each.state == 0]
        assert machine.next_offset == min(available, default=machine.end_offset)

    def _store(self, command: InitializeStates | WriteState) -> object:
        decision = self.states.handle(command, 0)
        for record in decision.records:
            self.states.apply(record)
        return decision.reply


def fetched(batches: Sequence[tuple[int, int, bool]]) -> Fetched:
    spans: list[tuple[int, int]] = []
    for first, last, is_visible in batches:
        if not is_visible:
            continue
        if spans and spans[-1][1] + 1 == first:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return Fetched(spans, [last for _, last, _ in batches])
