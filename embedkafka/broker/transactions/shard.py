"""The transactions of one ``__transaction_state`` partition: the shard's shell, and then the markers.

A transaction that a decision has *prepared* is completed with ``lock`` released: the markers are written, then the
record that says so.  ``_markers_lock`` lets one thread at a time do that, from looking at the transaction to that
record; a second thread would find it complete.  Without it a marker that comes late could end the same producer's next
transaction, which with KIP-890 has the marker's own epoch.  What is left prepared, by a crash, an interrupt or a disk
that fails, is completed by whoever comes next: the engine's turn, a timer, or a command that has to wait for it anyhow.

``lock`` may be taken while a lane's lock is held (the first write of a transaction adds its partition), so nothing that
seals a lane happens under it; ``_markers_lock`` may not.
"""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import Any

from embedkafka.broker.shard import Shard
from embedkafka.broker.topic import TRANSACTION_STATE
from embedkafka.broker.transactions.errors import error_reply
from embedkafka.broker.transactions.host import StateLog, TransactionsHost
from embedkafka.clock import Timer
from embedkafka.coordinator.transaction import records
from embedkafka.coordinator.transaction.api import ListTransactionsRequest, TxnMarker
from embedkafka.coordinator.transaction.config import TransactionConfig
from embedkafka.coordinator.transaction.decision import (
    AbortTimedOut,
    Command,
    Decision,
    DescribeTransactions,
    EndTransaction,
    InitProducer,
    Loaded,
    MarkersWritten,
)
from embedkafka.coordinator.transaction.machine import TransactionMachine
from embedkafka.coordinator.transaction.state import TransactionState
from embedkafka.coordinator.transaction.transaction import Transaction
from embedkafka.errors import (
    BrokerResponseError,
    InvalidProducerEpochError,
    UnknownTopicOrPartitionError,
)
from embedkafka.model import TopicPartition

_log = logging.getLogger(__name__)

_COORDINATOR_EPOCH = 0  # the leader epoch of the partition, see Partition.leader_epoch
_RETRY_MS = 1_000  # until markers are tried again that a disk refused

# A marker that a partition will never take: it is gone, or a younger producer has ended the transaction there.
_SETTLED = frozenset({0, UnknownTopicOrPartitionError.errno, InvalidProducerEpochError.errno})


class TransactionShard(Shard[TransactionMachine, StateLog, Decision, None]):
    """The transactions whose ids fall on one partition; those that a command prepares are complete when it returns,
    unless a disk fails.

    Args:
        index: the partition's number.
        read_only: answer from the log; change nothing, start no timer.
    """

    creating = (InitProducer,)
    reading = (DescribeTransactions, ListTransactionsRequest)

    def __init__(
        self, index: int, host: TransactionsHost, config: TransactionConfig, *, read_only: bool = False
    ) -> None:
        machine = partial(TransactionMachine, config)
        super().__init__(TRANSACTION_STATE, index, host.clock, records, machine, host.state_log, read_only=read_only)
        self._markers_lock = threading.Lock()
        self._host = host
        self._config = config
        self._timeouts: Timer | None = None
        self._retry: Timer | None = None

    def load(self) -> None:
        """Load the log now, and go on with what a crash has left; errors are logged."""
        self._recover()

    def close(self) -> None:
        """End every timer; from here on the coordinator is not available."""
        with self.lock:
            self._closed = True
            for timer in (self._timeouts, self._retry):
                if timer is not None:
                    timer.cancel()

    # Commands -------------------------------------------------------------------------------------------------------

    def _serve(self, command: Command, asker: None) -> Any:
        if isinstance(command, (InitProducer, EndTransaction)):
            self._make_ready(command)
        decision = self._decide(command)
        if decision.needs_producer_id:
            assert isinstance(command, (InitProducer, EndTransaction))
            decision = self._decide(command._replace(fresh_producer_id=self._host.next_producer_id()))
        if decision.records and self._log is not None:
            self._log.wake_readers()
        self._complete_all(decision)
        return decision.reply

    def _failed(self, command: Command, error_code: int) -> Any:
        self._try_again()
        return error_reply(command, error_code)

    def _decide(self, command: Command) -> Decision:
        with self.lock:
            if refusal := self._refusal(command):
                return Decision(reply=error_reply(command, refusal))
            self._catch_up()
            return self._turn(command)

    def _handle(self, command: Command, now_ms: int) -> Decision:
        return self._machine.handle(command, now_ms)

    def _take_effect(self, command: Command, decision: Decision, asker: None) -> None:
        for event in decision.events:
            self._machine.note(event)
        if decision.watch_timeouts and self._timeouts is None and not self._read_only:
            delay_ms = self._config.abort_timed_out_interval_ms
            self._timeouts = self._clock.call_later(delay_ms, self._abort_timed_out)

    # Markers ----------------------------------------------------------------------------------------------------------

    def _make_ready(self, command: InitProducer | EndTransaction) -> None:
        """Complete what the command would be told to wait for."""
        transactional_id = (
            command.transactional_id if isinstance(command, InitProducer) else command.request.transactional_id
        )
        known = self._machine.find(transactional_id)
        if self._suspect or (known is not None and known.state.is_prepared):
            self._complete(transactional_id)

    def _complete_all(self, decision: Decision) -> None:
        for transactional_id in decision.prepared:
            self._complete(transactional_id)

    def _complete(self, transactional_id: str) -> None:
        """Write the markers of a prepared transaction and the record that it is complete; may be repeated."""
        try:
            with self._markers_lock:
                prepared = self._prepared(transactional_id)
                if prepared is None:
                    return
                refused = self._write_markers(prepared)
                if refused:
                    _log.warning("transaction %r waits for markers: %s", transactional_id, refused)
                    self._try_again()
                    return
                self._decide(MarkersWritten(transactional_id, prepared.producer_id, prepared.producer_epoch))
        except BrokerResponseError as error:
            _log.warning("transaction %r is not complete yet: %s", transactional_id, error)
            self._try_again()
            return
        if self._log is not None:
            self._log.wake_readers()

    def _prepared(self, transactional_id: str) -> Transaction | None:
        with self.lock:
            if self._closed or self._read_only:
                return None
            self._catch_up()
            known = self._machine.find(transactional_id)
            return known if known is not None and known.state.is_prepared else None

    def _write_markers(self, prepared: Transaction) -> dict[TopicPartition, int]:
        """Returns the partitions that have to be tried again, with their errors."""
        marker = TxnMarker(
            prepared.producer_id,
            prepared.producer_epoch,
            prepared.state is TransactionState.PREPARE_COMMIT,
            sorted(prepared.partitions),
            _COORDINATOR_EPOCH,
            prepared.client_version,
        )
        error_codes = self._host.write_markers(marker)
        return {each: code for each, code in error_codes.items() if code not in _SETTLED}

    def _try_again(self) -> None:
        with self.lock:
            if not self._closed:
                self._retry = self._clock.call_later(_RETRY_MS, self._recover, background=True)

    # Loading, and going on -------------------------------------------------------------------------------------------

    def _loaded(self) -> None:
        """What the log holds prepared is completed at the engine's next turn."""
        if self._turn(Loaded()).prepared and not self._read_only:
            self._clock.call_soon(self._complete_left)

    def _complete_left(self) -> None:
        with self.lock:
            left = self._machine.handle(Loaded(), self._clock.now_ms())
        self._complete_all(left)

    def _recover(self) -> None:
        """Load the log again and complete what is prepared: after opening, an interrupt, or a disk that failed."""
        try:
            self._find_log(create=False)
            with self.lock:
                if self._closed or self._read_only:
                    return
                self._reload()
            self._complete_left()
        except Exception:
            _log.exception("%s cannot be loaded", self)
        except BaseException:
            self._clock.call_soon(self._recover)
            raise

    def _abort_timed_out(self) -> None:
        self._timeouts = None
        self.run(AbortTimedOut())
