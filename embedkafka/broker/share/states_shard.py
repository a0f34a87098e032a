"""One ``__share_group_state`` partition with its machine: the shard's shell, and pruning.

Some time after a write, or after very many, what the log says no more is pruned: first what has not changed for long
gets a new snapshot, then everything before the oldest snapshot goes.  An idle shard has no timer.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from embedkafka.broker.shard import Shard
from embedkafka.broker.share.states_host import ShareStateLog, ShareStatesHost
from embedkafka.broker.share.states_straight import UpdateBatches
from embedkafka.broker.topic import SHARE_GROUP_STATE
from embedkafka.clock import Timer
from embedkafka.coordinator.share_state import records
from embedkafka.coordinator.share_state.api import UNKNOWN_COUNT, ShareState, ShareStateSummary, ShareStateWrite
from embedkafka.coordinator.share_state.config import ShareStateConfig
from embedkafka.coordinator.share_state.decision import (
    Command,
    Decision,
    DeleteStates,
    InitializeStates,
    ReadState,
    ReadSummaries,
    SnapshotCold,
    WriteState,
)
from embedkafka.coordinator.share_state.machine import ShareStateMachine
from embedkafka.coordinator.share_state.state import SharePartitionKey, Update
from embedkafka.errors import BrokerResponseError
from embedkafka.record import BatchHeader, Record, encode_batch

_log = logging.getLogger(__name__)

_PRUNE_AFTER_RECORDS = 20_000  # loading takes about 8 us a record


class ShareStateShard(Shard[ShareStateMachine, ShareStateLog, Decision, None]):
    """The share partitions whose keys fall on one partition.

    Args:
        index: the partition's number.
        read_only: answer from the log; change nothing, start no timer.
    """

    creating = (InitializeStates,)
    reading = (ReadSummaries,)

    def __init__(self, index: int, host: ShareStatesHost, config: ShareStateConfig, *, read_only: bool = False) -> None:
        machine = partial(ShareStateMachine, config)
        super().__init__(
            SHARE_GROUP_STATE, index, host.clock, records, machine, host.share_state_log, read_only=read_only
        )
        self._config = config
        self._pruning: Timer | None = None
        self._pruned_at = 0
        self._batches: dict[SharePartitionKey, UpdateBatches] = {}

    def close(self) -> None:
        """End the timer; from here on the coordinator is not available."""
        with self.lock:
            self._closed = True
            if self._pruning is not None:
                self._pruning.cancel()

    def write(self, key: SharePartitionKey, change: ShareStateWrite) -> int:
        """Store a change: straight where it is one more update with one range, else as any command.

        Returns:
            Kafka's error code.
        """
        if len(change.batches) == 1 and self._write_straight(key, change):
            return 0
        error_code: int = self.run(WriteState(key, change))
        return error_code

    def _write_straight(self, key: SharePartitionKey, change: ShareStateWrite) -> bool:
        """Returns False where it is to be done another way; what went wrong is noticed there, too."""
        log = self._log
        if log is None or self._read_only:
            return False
        with self.lock:
            known = self._machine.durable().get(key)
            if (
                self._suspect
                or self._closed
                or self._pruning is None
                or known is None
                or known.leader_epoch != change.leader_epoch
                or known.state_epoch != change.state_epoch
                or known.updates >= self._config.snapshot_update_records_per_snapshot
                or change.delivery_complete_count == UNKNOWN_COUNT
            ):
                return False
            batches = self._batches.get(key)
            if batches is None:
                batches = self._batches[key] = UpdateBatches(key)
            now_ms = self._clock.now_ms()
            _, leader_epoch, start_offset, complete_count, state_batches = change
            update = Update(known.snapshot_epoch, leader_epoch, start_offset, complete_count, state_batches)
            self._suspect = True
            try:
                log.append(batches.encode(update, now_ms), 1, now_ms)
            except BrokerResponseError:
                return False
            known.update(update)
            self._suspect = False
        log.wake_readers()
        return True

    # Commands -------------------------------------------------------------------------------------------------------

    def _serve(self, command: Command, asker: None) -> Any:
        with self.lock:
            if refusal := self._refusal(command):
                return self._failed(command, refusal)
            self._catch_up()
            decision = self._turn(command)
        if decision.records and self._log is not None:
            self._log.wake_readers()
        return decision.reply

    def _failed(self, command: Command, error_code: int) -> Any:
        if isinstance(command, WriteState):
            return error_code
        if isinstance(command, ReadState):
            return ShareState(error_code)
        if isinstance(command, InitializeStates):
            return dict.fromkeys(command.start_offsets, error_code)
        if isinstance(command, DeleteStates):
            return dict.fromkeys(command.keys, error_code)
        if isinstance(command, ReadSummaries):
            return dict.fromkeys(command.keys, ShareStateSummary(error_code))
        return None

    def _handle(self, command: Command, now_ms: int) -> Decision:
        return self._machine.handle(command, now_ms)

    def _append(self, decision: Decision, now_ms: int) -> None:
        log = self._writable_log()
        offset = log.end_offset
        batch = encode_batch([(now_ms, *records.encode(record), ()) for record in decision.records])
        log.append(batch, len(decision.records), now_ms)
        for index, record in enumerate(decision.records):
            self._machine.apply(record, offset + index)

    def _take_effect(self, command: Command, decision: Decision, asker: None) -> None:
        if not decision.records or isinstance(command, SnapshotCold):
            return
        if self._pruning is None:
            self._pruning = self._clock.call_later(self._config.prune_interval_ms, self._prune, background=True)
        self._watch_length(self._writable_log())

    # Loading --------------------------------------------------------------------------------------------------------

    def _replay(self, machine: ShareStateMachine, header: BatchHeader, entries: Any) -> None:
        if header.is_control:
            return
        entry: Record
        for entry in entries:
            record = None if entry.key is None else records.decode(entry.key, entry.value)
            if record is not None:
                machine.apply(record, entry.offset)

    def _loaded(self) -> None:
        """Everything is durable."""

    def _recover(self) -> None:
        """Nobody waits: whoever comes next loads the log."""

    # Pruning --------------------------------------------------------------------------------------------------------

    def _watch_length(self, log: ShareStateLog) -> None:
        """Looked at with every record that did not go straight: each snapshot is one."""
        end_offset = log.end_offset
        if end_offset >= self._pruned_at + _PRUNE_AFTER_RECORDS:
            self._pruned_at = end_offset
            self._clock.call_soon(self._prune)

    def _prune(self) -> None:
        if self._pruning is not None:
            self._pruning.cancel()
            self._pruning = None
        self.run(SnapshotCold(self._pruned_at - _PRUNE_AFTER_RECORDS // 2))
        with self.lock:
            log = self._log
            if log is None or self._suspect or self._closed:
                return
            self._pruned_at = log.end_offset
            offset = self._machine.prunable_before(self._pruned_at)
        try:
            log.prune(offset)
        except BrokerResponseError as error:
            _log.warning("%s is not pruned: %s", self, error)
