"""A share partition with its machine: read the log, decide, store, apply, note, and a timer for the locks.

It works as a coordinator's shard does (:mod:`embedkafka.broker.shard`), only that its durable changes go to the share
coordinator instead of a log of its own.  Before the first effect it is marked as suspect, and unmarked after the last;
an exception in between (Ctrl-C) leaves the mark, and whoever comes next starts again from what is stored.  Who has
acquired what is forgotten then, as when Kafka's leader changes: those records are delivered again.

``lock`` may be taken while a lane's lock is held (a sender wakes a reader that waits), so nothing that seals a lane
happens under it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from embedkafka.broker.fetching import read_error
from embedkafka.broker.partition import Partition
from embedkafka.broker.share.dead_letters import bury
from embedkafka.broker.share.host import (
    READ_COMMITTED,
    DeadLetterTopicMissing,
    ShareGroupSettings,
    SharesHost,
    machine_settings,
)
from embedkafka.broker.share.offsets import reset_offset
from embedkafka.broker.share.visible import Extents
from embedkafka.clock import Timer
from embedkafka.coordinator.share_partition.api import AcknowledgementBatch, AcknowledgeType, AcquiredRecords
from embedkafka.coordinator.share_partition.decision import (
    Acknowledge,
    Acquire,
    Command,
    Decision,
    EndLocks,
    MoveStart,
    Refusal,
    ReleaseMember,
    StateChange,
)
from embedkafka.coordinator.share_partition.machine import SharePartitionMachine
from embedkafka.coordinator.share_partition.straight import accept
from embedkafka.coordinator.share_state.api import NO_OFFSET, DeliveryState, ShareStateWrite, StateBatch
from embedkafka.coordinator.share_state.state import SharePartitionKey
from embedkafka.errors import (
    BrokerResponseError,
    FencedLeaderEpochError,
    FencedStateEpochError,
    InvalidRequestError,
    NotLeaderForPartitionError,
    UnknownError,
    for_code,
)
from embedkafka.model import TopicIdPartition

_log = logging.getLogger(__name__)

_READ_BYTES = 1 << 20  # of a partition at a time; nothing is copied
_RETRY_MS = 1_000  # until locks are looked at again that could not be ended

R = TypeVar("R")


class Waiting(Protocol):
    """A reader that waits for records."""

    def woken(self) -> None:
        """There may be some now.  Called with no lock held but a producer's lane."""


class Wanted(NamedTuple):
    """How much a reader asks for, and how."""

    member_id: str
    max_records: int
    max_bytes: int
    batch_size: int
    mode: int


class Taken(NamedTuple):
    """Whole batches, and which of their offsets are the reader's."""

    records: tuple[memoryview, ...] = ()
    acquired: Sequence[AcquiredRecords] = ()


NOTHING = Taken()


class LedSharePartition:
    """One group's view of one partition, on the broker that leads it."""

    __slots__ = (
        "_group_id",
        "_host",
        "_is_closed",
        "_key",
        "_machine",
        "_shard",
        "_state_epoch",
        "_suspect",
        "_timer",
        "_to_wake",
        "lock",
        "parked",
        "partition",
    )

    def __init__(self, host: SharesHost, group_id: str, partition_id: TopicIdPartition, partition: Partition) -> None:
        self.lock = threading.Lock()
        self.partition = partition
        self.parked: dict[Waiting, None] = {}
        self._host = host
        self._group_id = group_id
        self._key = SharePartitionKey(group_id, *partition_id)
        self._shard = host.states.shard_of(self._key)
        self._machine = SharePartitionMachine(0)
        self._state_epoch = 0
        self._suspect = True  # what is stored has to be read first
        self._is_closed = False
        self._timer: Timer | None = None
        self._to_wake: list[Partition] = []

    # Readers ----------------------------------------------------------------------------------------------------------

    @property
    def needs_loading(self) -> bool:
        """Whether what is stored has to be read before anything can be acquired."""
        return self._suspect

    def acquire(self, wanted: Wanted, settings: ShareGroupSettings) -> Taken:
        """Give a reader records that nobody else has.

        Raises:
            BrokerResponseError: why not, with the code to answer.
        """
        return self._locked(lambda: self._acquire(wanted, settings), wakes=False)

    def available_bytes(self, limit: int, settings: ShareGroupSettings) -> int:
        """About how many bytes a reader could have now, up to a limit.

        Raises:
            BrokerResponseError: why that cannot be said.
        """
        return self._locked(lambda: self._available_bytes(limit, settings), wakes=False)

    def acknowledge(
        self, member_id: str, batches: Sequence[AcknowledgementBatch], settings: ShareGroupSettings
    ) -> Refusal | None:
        """Let a reader's acknowledgements count, all of them or none; they are stored when this returns."""
        try:
            if len(batches) == 1:
                first, last, types = batches[0]
                is_accepted = len(types) == 1 and types[0] == AcknowledgeType.ACCEPT
                if is_accepted and self._accept_straight(member_id, first, last):
                    return None
            decision = self._locked(lambda: self._caught_up_turn(Acknowledge(member_id, batches), settings))
        except BrokerResponseError as error:
            return Refusal(error.errno, str(error.args[0]) if error.args else error.message)
        refusal = decision.reply
        assert refusal is None or isinstance(refusal, Refusal)
        return refusal

    def release(self, member_id: str, settings: ShareGroupSettings) -> None:
        """Take back what a reader has acquired, whose session is closed."""
        try:
            self._locked(lambda: None if self._suspect else self._turn(ReleaseMember(member_id), settings))
        except BrokerResponseError as error:
            _log.warning("what %r had acquired of %s comes back with its locks: %s", member_id, self, error)

    def reload(self) -> None:
        """Begin again from what is stored, which somebody else has changed."""
        with self.lock:
            self._suspect = True

    def close(self) -> None:
        """End the timer; nothing is given any more."""
        with self.lock:
            self._is_closed = True
            if self._timer is not None:
                self._timer.cancel()

    def __str__(self) -> str:
        return f"share partition {self.partition.topic_partition} of {self._group_id!r}"

    # Under the lock -------------------------------------------------------------------------------------------------

    def _acquire(self, wanted: Wanted, settings: ShareGroupSettings) -> Taken:
        clock = self._host.clock
        if self._timer is not None and self._timer.deadline_ms <= clock.monotonic_ms():
            try:
                self._end_locks(settings)
            except DeadLetterTopicMissing:
                clock.call_soon(self._locks_due)  # which may create it: it holds no lock, not even a lane's
        self._catch_up(settings)
        machine = self._machine
        log_start_offset = self.partition.log.log_start_offset
        if machine.start_offset < log_start_offset:
            self._turn(MoveStart(log_start_offset), settings)
        while True:
            offset = machine.next_offset
            if self._is_closed or (
                offset == machine.end_offset and machine.in_flight_count >= settings.share_partition_max_record_locks
            ):
                return NOTHING
            chunks = self._read(offset, min(wanted.max_bytes, _READ_BYTES), settings)
            if not chunks:
                return NOTHING
            extents = self._extents(chunks, offset, wanted, settings)
            command = Acquire(
                wanted.member_id, offset, extents.fetched, wanted.max_records, wanted.batch_size, wanted.mode
            )
            acquired = self._turn(command, settings).reply
            assert isinstance(acquired, list)
            if acquired:
                return Taken(extents.bytes_of(acquired[0].first_offset, acquired[-1].last_offset), acquired)
            if machine.next_offset == offset:
                return NOTHING

    def _available_bytes(self, limit: int, settings: ShareGroupSettings) -> int:
        self._catch_up(settings)
        chunks = self._read(self._machine.next_offset, min(limit, _READ_BYTES), settings)
        return sum(len(chunk) for chunk in chunks)

    def _read(self, offset: int, max_bytes: int, settings: ShareGroupSettings) -> Sequence[memoryview]:
        log = self.partition.log
        end_offset = log.end_offset
        if settings.share_isolation_level == READ_COMMITTED:
            end_offset = min(end_offset, log.last_stable_offset)
        if not log.log_start_offset <= offset < end_offset:
            return ()
        return log.read(offset, max_bytes=max_bytes, max_offset=end_offset)

    def _extents(
        self, chunks: Sequence[memoryview], offset: int, wanted: Wanted, settings: ShareGroupSettings
    ) -> Extents:
        log = self.partition.log
        wanted_offset = offset + wanted.max_records - 1
        if settings.share_isolation_level != READ_COMMITTED:
            return Extents(chunks, wanted_offset)
        return Extents(chunks, wanted_offset, log.aborted_transactions(offset, log.last_stable_offset))

    def _caught_up_turn(self, command: Command, settings: ShareGroupSettings) -> Decision:
        self._catch_up(settings)
        return self._turn(command, settings)

    def _accept_straight(self, member_id: str, first_offset: int, last_offset: int) -> bool:
        """Store that a reader has done a range of records; False where that is to be done another way."""
        with self.lock:
            if self._suspect or self.parked:  # who waits may want to know
                return False
            change = accept(self._machine, member_id, first_offset, last_offset)
            if change is None:
                return False
            self._suspect = True
            self._store(change)
            self._machine.apply(change)
            self._suspect = False
        return True

    def _turn(self, command: Command, settings: ShareGroupSettings) -> Decision:
        now_ms = self._host.clock.monotonic_ms()
        decision = self._machine.handle(command, machine_settings(settings), now_ms)
        if decision.dead_letters:
            target = bury(self._host, self._group_id, settings, self.partition, decision.dead_letters)
            if target is not None:
                self._to_wake.append(target)
        self._suspect = True
        if decision.change is not None:
            self._store(decision.change)
            self._machine.apply(decision.change)
        if decision.events:
            self._machine.note(decision.events)
            self._watch_locks(settings.share_record_lock_duration_ms)
        self._suspect = False
        return decision

    def _store(self, change: StateChange) -> None:
        """Have a change stored; where it is not, nothing has changed."""
        error_code = self._shard.write(
            self._key, ShareStateWrite(self._state_epoch, self.partition.leader_epoch, *change)
        )
        if not error_code:
            return
        if error_code in (FencedStateEpochError.errno, FencedLeaderEpochError.errno, InvalidRequestError.errno):
            raise NotLeaderForPartitionError(f"{self} was set up anew")
        if error_code != UnknownError.errno:
            self._suspect = False  # it is not in the log
        raise for_code(error_code)(f"the state of {self} could not be stored")

    # Loading ----------------------------------------------------------------------------------------------------------

    def _catch_up(self, settings: ShareGroupSettings) -> None:
        """Have the machine say what is stored."""
        if self._suspect:
            self._load(settings)

    def _load(self, settings: ShareGroupSettings) -> None:
        partition = self.partition
        state = self._host.states.read(self._group_id, TopicIdPartition(*self._key[1:]), partition.leader_epoch)
        if state.error_code == InvalidRequestError.errno:
            raise UnknownError(f"{self} was not initialized by its group")
        if state.error_code:
            raise for_code(state.error_code)(state.error_message or f"the state of {self} cannot be read")
        self._state_epoch = state.state_epoch
        end_offset = partition.log.end_offset
        start_offset = state.start_offset
        if start_offset == NO_OFFSET:
            start_offset = reset_offset(partition.log, settings, self._host.clock.now_ms())
        batches, lost = _cut(state.batches, end_offset)
        machine = SharePartitionMachine(min(start_offset, end_offset), batches)
        if lost or machine.start_offset != state.start_offset:
            self._store(StateChange(machine.start_offset, machine.complete_count, lost))
        self._machine = machine
        self._suspect = False

    # Locks ------------------------------------------------------------------------------------------------------------

    def _watch_locks(self, delay_ms: float) -> None:
        timer = self._timer
        if timer is not None and timer.deadline_ms <= self._host.clock.monotonic_ms() + delay_ms:
            return
        self._set_timer(delay_ms)

    def _set_timer(self, delay_ms: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if delay_ms is not None and not self._is_closed:
            self._timer = self._host.clock.call_later(delay_ms, self._locks_due)

    def _locks_due(self) -> None:
        """A lock may have ended: what it held is available to others."""
        settings = self._host.settings(self._group_id)
        try:
            self._locked(lambda: self._end_locks(settings))
        except Exception:
            _log.exception("locks of %s could not be ended", self)
            with self.lock:
                self._set_timer(_RETRY_MS)

    def _end_locks(self, settings: ShareGroupSettings) -> None:
        """The timer goes last: where this is interrupted, the next reader sees that it is due."""
        next_ms = None
        if not self._suspect and not self._is_closed:
            self._turn(EndLocks(), settings)
            next_ms = self._machine.next_lock_end_ms
        self._set_timer(None if next_ms is None else max(1.0, next_ms - self._host.clock.monotonic_ms()))

    # Around the lock --------------------------------------------------------------------------------------------------

    def _locked(self, work: Callable[[], R], *, wakes: bool = True) -> R:
        """Do something under the lock, and then wake whoever has more now.

        Args:
            wakes: False for who looks on behalf of one that waits: that one's lock is held.
        """
        has_more = False
        to_wake: list[Partition] = []
        try:
            while True:
                try:
                    with self.lock:
                        try:
                            before = self._offer() if wakes and self.parked else None
                            result = work()
                            has_more = before is not None and _is_more(before, self._offer())
                        finally:
                            to_wake, self._to_wake = self._to_wake, to_wake
                    break
                except DeadLetterTopicMissing as missing:
                    self._host.create_dead_letter_topic(missing.topic)
        except OSError as error:
            raise read_error(self.partition, error) from error
        finally:
            for partition in to_wake:
                if wakes:
                    partition.wake_readers()
                else:
                    self._host.clock.call_soon(partition.wake_readers)
        if has_more:
            for waiting in list(self.parked):
                waiting.woken()
        return result

    def _offer(self) -> tuple[int, int]:
        """Where the next reader begins, and how much is in flight."""
        return self._machine.next_offset, self._machine.in_flight_count


def _is_more(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether there may be more to acquire: something came back, or more may be in flight."""
    return after[0] < before[0] or after[1] < before[1]


def _cut(batches: Sequence[StateBatch], end_offset: int) -> tuple[list[StateBatch], list[StateBatch]]:
    """What is stored of offsets that the log holds, and that the rest stands for nothing any more.

    A power cut can take records from the log's end that were acknowledged before.  Their offsets are given to others,
    which nobody has acknowledged.
    """
    if not batches or batches[-1].last_offset < end_offset:
        return list(batches), []
    kept = [
        batch._replace(last_offset=min(batch.last_offset, end_offset - 1))
        for batch in batches
        if batch.first_offset < end_offset
    ]
    return kept, [StateBatch(end_offset, batches[-1].last_offset, DeliveryState.AVAILABLE, 0)]
