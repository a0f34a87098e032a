"""One ``__transaction_state`` partition with its machine: handle -> append -> apply -> note, then markers.

As in :mod:`embedkafka.broker.groups_shard`, an append that fails, or an exception that hits the thread anywhere between
(Ctrl-C), leaves the shard marked as suspect, and whoever comes next loads the machine from its log again.

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
from typing import Any

from embedkafka.broker.transactions_errors import append_error_code, error_reply
from embedkafka.broker.transactions_host import StateLog, TransactionsHost
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
    CoordinatorNotAvailableError,
    InvalidProducerEpochError,
    UnknownError,
    UnknownTopicOrPartitionError,
)
from embedkafka.model import TopicPartition
from embedkafka.record import decode_batch, encode_batch, iter_headers

_log = logging.getLogger(__name__)

_READS = (DescribeTransactions, ListTransactionsRequest)
_COORDINATOR_EPOCH = 0  # the leader epoch of the partition, see Partition.leader_epoch
_RETRY_MS = 1_000  # until markers are tried again that a disk refused

# A marker that a partition will never take: it is gone, or a younger producer has ended the transaction there.
_SETTLED = frozenset({0, UnknownTopicOrPartitionError.errno, InvalidProducerEpochError.errno})


class TransactionShard:
    """The transactions whose ids fall on one partition.

    Args:
        index: the partition's number.
        read_only: answer from the log; change nothing, start no timer.
    """

    def __init__(
        self, index: int, host: TransactionsHost, config: TransactionConfig, *, read_only: bool = False
    ) -> None:
        self.index = index
        self.lock = threading.Lock()
        self._markers_lock = threading.Lock()
        self._host = host
        self._clock = host.clock
        self._config = config
        self._read_only = read_only
        self._log: StateLog | None = None
        self._machine = TransactionMachine(config)
        self._suspect = False
        self._closed = False
        self._timeouts: Timer | None = None
        self._retry: Timer | None = None

    def run(self, command: Command) -> Any:
        """Do what a command asks; transactions that it prepares are complete when this returns, unless a disk fails.

        Returns:
            The reply.  Never raises for the state of transactions or log: the reply carries the error.
        """
        try:
            self._find_log(create=isinstance(command, InitProducer))
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
        except BrokerResponseError as error:
            self._try_again()
            return error_reply(command, append_error_code(error))
        except Exception:
            _log.exception("shard %d of the transactions failed on %r", self.index, command)
            self._try_again()
            return error_reply(command, UnknownError.errno)
        except BaseException:
            self._clock.call_soon(self._recover)
            raise

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

    # Under the lock -------------------------------------------------------------------------------------------------

    def _decide(self, command: Command) -> Decision:
        with self.lock:
            if self._closed or (self._read_only and not isinstance(command, _READS)):
                return Decision(reply=error_reply(command, CoordinatorNotAvailableError.errno))
            if self._suspect:
                self._reload()
            return self._turn(command)

    def _turn(self, command: Command) -> Decision:
        now_ms = self._clock.now_ms()
        decision = self._machine.handle(command, now_ms)
        if not (decision.records or decision.events or decision.watch_timeouts):
            return decision
        self._suspect = True
        if decision.records:
            if self._log is None:
                raise CoordinatorNotAvailableError(f"__transaction_state-{self.index} cannot be written")
            self._log.append(encode_batch([(now_ms, *records.encode(record), ()) for record in decision.records]))
            for record in decision.records:
                self._machine.apply(record)
        for event in decision.events:
            self._machine.note(event)
        if decision.watch_timeouts and self._timeouts is None and not self._read_only:
            delay_ms = self._config.abort_timed_out_interval_ms
            self._timeouts = self._clock.call_later(delay_ms, self._abort_timed_out)
        self._suspect = False
        return decision

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
            if self._suspect:
                self._reload()
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

    def _find_log(self, *, create: bool) -> None:
        if self._log is not None:
            return
        log = self._host.state_log(self.index, create and not self._read_only)
        if log is None:
            return
        with self.lock:
            if self._log is None:
                self._suspect = True  # what is there has to be loaded first
                self._log = log

    def _reload(self) -> None:
        """Start again from the log; what it holds prepared is completed at the engine's next turn."""
        machine = TransactionMachine(self._config)
        for chunk in self._log.read_all() if self._log is not None else ():
            for position, header in iter_headers(chunk):
                if header.is_control:
                    continue
                for entry in decode_batch(chunk, position):
                    record = None if entry.key is None else records.decode(entry.key, entry.value)
                    if record is not None:
                        machine.apply(record)
        self._machine = machine
        self._suspect = False
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
            _log.exception("shard %d of the transactions cannot be loaded", self.index)
        except BaseException:
            self._clock.call_soon(self._recover)
            raise

    def _abort_timed_out(self) -> None:
        self._timeouts = None
        self.run(AbortTimedOut())
