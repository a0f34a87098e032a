"""The machine: commands in, decisions out; records in, state changed."""

from __future__ import annotations

from collections.abc import Mapping

from embedkafka.coordinator.share_state.api import (
    NO_OFFSET,
    UNKNOWN_COUNT,
    ShareState,
    ShareStateSummary,
)
from embedkafka.coordinator.share_state.config import ShareStateConfig
from embedkafka.coordinator.share_state.decision import (
    Command,
    Decision,
    DeleteStates,
    ForgetTopics,
    InitializeStates,
    ReadState,
    ReadSummaries,
    SnapshotCold,
    WriteState,
)
from embedkafka.coordinator.share_state.records import ShareStateRecord
from embedkafka.coordinator.share_state.state import SharePartitionKey, Snapshot, StoredState, Update
from embedkafka.errors import FencedLeaderEpochError, FencedStateEpochError, InvalidRequestError

_UNINITIALIZED = -1  # the leader epoch of a state that nobody has read yet


class ShareStateMachine:
    """The share partitions of one ``__share_group_state`` partition."""

    def __init__(self, config: ShareStateConfig) -> None:
        self.config = config
        self._states: dict[SharePartitionKey, StoredState] = {}
        self._snapshot_offsets: dict[SharePartitionKey, int] = {}

    def durable(self) -> Mapping[SharePartitionKey, StoredState]:
        """What the log holds; comparable, not to be changed."""
        return self._states

    def apply(self, record: ShareStateRecord, offset: int = NO_OFFSET) -> None:
        """Let a record that is in the log take effect.

        Args:
            offset: where in the log it is.
        """
        key, change = record
        if isinstance(change, Update):
            known = self._states.get(key)
            if known is not None:  # else its snapshot was pruned with it half way: a tombstone follows
                known.update(change)
            return
        if change is None:
            self._states.pop(key, None)
            self._snapshot_offsets.pop(key, None)
            return
        self._states[key] = StoredState(change)
        self._snapshot_offsets[key] = offset

    def prunable_before(self, end_offset: int) -> int:
        """The offset below which the log says nothing that still holds.

        Args:
            end_offset: the log's end.
        """
        return min(self._snapshot_offsets.values(), default=end_offset)

    def handle(self, command: Command, now_ms: int) -> Decision:
        """Decide about a command; changes nothing.

        Args:
            command: what to do.
            now_ms: the wall clock, milliseconds since the epoch; stamps snapshots.
        """
        if isinstance(command, WriteState):
            return self._write(command, now_ms)
        if isinstance(command, ReadState):
            return self._read(command, now_ms)
        if isinstance(command, ReadSummaries):
            return Decision(reply={key: self._summary(key) for key in command.keys})
        if isinstance(command, InitializeStates):
            return self._initialize(command, now_ms)
        if isinstance(command, DeleteStates):
            known = [key for key in command.keys if key in self._states]
            return Decision(dict.fromkeys(command.keys, 0), [ShareStateRecord(key, None) for key in known])
        if isinstance(command, ForgetTopics):
            gone = sorted(key for key in self._states if key.topic_id in command.topic_ids)
            return Decision(records=[ShareStateRecord(key, None) for key in gone])
        assert isinstance(command, SnapshotCold), f"not a command: {command!r}"
        return self._snapshot_cold(command.before_offset, now_ms)

    def _initialize(self, command: InitializeStates, now_ms: int) -> Decision:
        error_codes: dict[SharePartitionKey, int] = {}
        records = []
        for key, start_offset in command.start_offsets.items():
            known = self._states.get(key)
            if known is not None and command.state_epoch < known.state_epoch:
                error_codes[key] = FencedStateEpochError.errno
                continue
            error_codes[key] = 0
            snapshot_epoch = 0 if known is None else known.snapshot_epoch + 1
            settled = 0 if start_offset >= 0 else UNKNOWN_COUNT
            snapshot = Snapshot(
                snapshot_epoch, command.state_epoch, _UNINITIALIZED, start_offset, settled, now_ms, now_ms
            )
            records.append(ShareStateRecord(key, snapshot))
        return Decision(error_codes, records)

    def _write(self, command: WriteState, now_ms: int) -> Decision:
        key, change = command
        known = self._states.get(key)
        if known is None:
            return Decision(InvalidRequestError.errno)
        if change.leader_epoch < known.leader_epoch:
            return Decision(FencedLeaderEpochError.errno)
        if change.state_epoch < known.state_epoch:
            return Decision(FencedStateEpochError.errno)
        update = Update(
            known.snapshot_epoch,
            change.leader_epoch,
            change.start_offset,
            change.delivery_complete_count,
            change.batches,
        )
        if known.updates < self.config.snapshot_update_records_per_snapshot:
            return Decision(0, [ShareStateRecord(key, update)])
        merged = StoredState(known.as_snapshot())
        merged.update(update)
        return Decision(0, [ShareStateRecord(key, _renewed(merged, now_ms))])

    def _read(self, command: ReadState, now_ms: int) -> Decision:
        known = self._states.get(command.key)
        if known is None:
            return _failed(InvalidRequestError.errno, "Read operation on uninitialized share partition not allowed.")
        if command.leader_epoch < known.leader_epoch:
            message = f"leader epoch {command.leader_epoch} is older than {known.leader_epoch}"
            return _failed(FencedLeaderEpochError.errno, message)
        reply = ShareState(0, None, known.state_epoch, known.start_offset, known.batches)
        if command.leader_epoch == known.leader_epoch:
            return Decision(reply)
        snapshot = _renewed(known, now_ms)._replace(leader_epoch=command.leader_epoch)
        return Decision(reply, [ShareStateRecord(command.key, snapshot)])

    def _summary(self, key: SharePartitionKey) -> ShareStateSummary:
        known = self._states.get(key)
        if known is None:
            return ShareStateSummary()
        return ShareStateSummary(
            0, None, known.state_epoch, known.leader_epoch, known.start_offset, known.delivery_complete_count
        )

    def _snapshot_cold(self, before_offset: int, now_ms: int) -> Decision:
        """Nothing where everything is cold: then nothing new was written that could be pruned."""
        latest_ms = now_ms - self.config.cold_snapshot_interval_ms
        cold = sorted(
            key
            for key, known in self._states.items()
            if known.written_ms <= latest_ms or self._snapshot_offsets[key] < before_offset
        )
        if len(cold) == len(self._states):
            return Decision()
        return Decision(records=[ShareStateRecord(key, _renewed(self._states[key], now_ms)) for key in cold])


def _renewed(known: StoredState, now_ms: int) -> Snapshot:
    return known.as_snapshot()._replace(snapshot_epoch=known.snapshot_epoch + 1, written_ms=now_ms)


def _failed(error_code: int, message: str) -> Decision:
    return Decision(ShareState(error_code, message))
