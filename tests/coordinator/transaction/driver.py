"""Drives a transaction machine as the shell does, without one: records go through their bytes, markers wait."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from embedkafka.coordinator.transaction import records
from embedkafka.coordinator.transaction.api import EndTxnReply, EndTxnRequest, TxnPartitions
from embedkafka.coordinator.transaction.config import TransactionConfig
from embedkafka.coordinator.transaction.decision import (
    Command,
    Decision,
    EndTransaction,
    InitProducer,
    InitProducerReply,
    Loaded,
    MarkersWritten,
)
from embedkafka.coordinator.transaction.machine import TransactionMachine
from embedkafka.coordinator.transaction.state import PREDECESSORS, TransactionState
from embedkafka.coordinator.transaction.transaction import Transaction
from embedkafka.model import TopicPartition

START_MS = 1_700_000_000_000
P0, P1 = TopicPartition("t", 0), TopicPartition("t", 1)


class Driver:
    """A machine with its log and the transactions whose markers are on their way."""

    def __init__(self, config: TransactionConfig | None = None, machine: TransactionMachine | None = None) -> None:
        self.config = config or TransactionConfig()
        self.machine = machine or TransactionMachine(self.config)
        self.log: list[tuple[bytes, bytes | None]] = []
        self.prepared: list[str] = []
        self.watches_timeouts = False
        self.now_ms = START_MS
        self.next_producer_id = 1000

    def send(self, command: Command) -> Decision:
        """Handle a command and let the decision take effect; checks that handling changed nothing."""
        decision = self._asked(command)
        if decision.needs_producer_id:
            assert isinstance(command, (InitProducer, EndTransaction)), command
            decision = self._asked(command._replace(fresh_producer_id=self.next_producer_id))
            self.next_producer_id += 1
        for record in decision.records:
            self._check_transition(record)
            key, value = records.encode(record)
            self.log.append((key, value))
            assert records.decode(key, value) == record
            self.machine.apply(record)
        for event in decision.events:
            self.machine.note(event)
        self.prepared += decision.prepared
        self.watches_timeouts |= decision.watch_timeouts
        return decision

    def _asked(self, command: Command) -> Decision:
        before = copy.deepcopy(self.machine.__dict__)
        decision = self.machine.handle(command, self.now_ms)
        assert self.machine.__dict__ == before, f"{command} changed the machine"
        assert not (decision.needs_producer_id and decision.records)
        return decision

    def _check_transition(self, record: records.TransactionRecord) -> None:
        before = self.machine.find(record.transactional_id)
        if record.transaction is None:
            assert before is not None
            assert before.state in PREDECESSORS[TransactionState.DEAD]
        elif before is None:
            assert record.transaction.state is TransactionState.EMPTY
        else:
            fenced = before.state is TransactionState.ONGOING
            assert before.state in PREDECESSORS[record.transaction.state] or fenced

    def replayed(self) -> TransactionMachine:
        """A fresh machine that was fed every record."""
        machine = TransactionMachine(self.config)
        for key, value in self.log:
            record = records.decode(key, value)
            assert record is not None
            machine.apply(record)
        return machine

    def failed_over(self) -> Driver:
        """Another driver over the same log, as a new coordinator starts."""
        other = Driver(self.config, self.replayed())
        other.log = list(self.log)
        other.now_ms = self.now_ms
        other.next_producer_id = self.next_producer_id
        other.send(Loaded())
        return other

    # The requests, shorter ------------------------------------------------------------------------------------------

    def find(self, transactional_id: str = "x") -> Transaction:
        found = self.machine.find(transactional_id)
        assert found is not None
        return found

    @property
    def state(self) -> TransactionState:
        return self.find().state

    def init(
        self, transactional_id: str = "x", *, producer_id: int = -1, epoch: int = -1, timeout_ms: int = 60_000
    ) -> InitProducerReply:
        reply: Any = self.send(InitProducer(transactional_id, timeout_ms, producer_id, epoch)).reply
        assert isinstance(reply, InitProducerReply)
        return reply

    def add(
        self,
        partitions: Iterable[TopicPartition] = (P0,),
        transactional_id: str = "x",
        *,
        producer_id: int | None = None,
        epoch: int | None = None,
        version: int = 2,
        verify_only: bool = False,
    ) -> dict[TopicPartition, int]:
        """Add partitions as the current producer unless another one is given; the error codes."""
        current = self.machine.find(transactional_id)
        request = TxnPartitions(
            transactional_id,
            (current.producer_id if current else 0) if producer_id is None else producer_id,
            (current.producer_epoch if current else 0) if epoch is None else epoch,
            tuple(partitions),
            verify_only,
            version,
        )
        reply: Any = self.send(request).reply
        return dict(reply.error_codes)

    def end(
        self,
        transactional_id: str = "x",
        *,
        commit: bool = True,
        producer_id: int | None = None,
        epoch: int | None = None,
        version: int = 2,
    ) -> EndTxnReply:
        current = self.machine.find(transactional_id)
        request = EndTxnRequest(
            transactional_id,
            (current.producer_id if current else 0) if producer_id is None else producer_id,
            (current.producer_epoch if current else 0) if epoch is None else epoch,
            commit,
            version,
        )
        reply: Any = self.send(EndTransaction(request)).reply
        assert isinstance(reply, EndTxnReply)
        return reply

    def write_markers(self) -> None:
        """Let every marker that is on its way arrive."""
        while self.prepared:
            transactional_id = self.prepared.pop(0)
            prepared = self.machine.find(transactional_id)
            if prepared is not None:
                self.send(MarkersWritten(transactional_id, prepared.producer_id, prepared.producer_epoch))

    def put(self, **fields: Any) -> None:
        """Let the log say something about "x" that would take long to arrive at."""
        record = records.TransactionRecord("x", self.find()._replace(**fields))
        self.log.append(records.encode(record))
        self.machine.apply(record)
