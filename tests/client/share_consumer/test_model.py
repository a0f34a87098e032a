"""Any sequence of what share consumers do, against a plain model of a queue.

Nothing that was accepted or rejected comes again, nothing else is lost, nobody gets what another holds, and the
delivery count says how often a record came.
"""

from __future__ import annotations

from typing import Any

import pytest
from client.share_consumer.jobs import GROUP, LOCK_MS, configure, records
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from embedkafka import AcknowledgeType, ConsumerRecord, EmbeddedKafka, KafkaShareConsumer, ManualClock, errors

ACCEPT, RELEASE, REJECT, RENEW = AcknowledgeType
PARTITIONS = 2
DELIVERIES = 4  # share.delivery.count.limit

Place = tuple[int, int]


class Worker:
    """A consumer, what it holds (until when), and what it has said and not sent."""

    def __init__(self, consumer: KafkaShareConsumer) -> None:
        self.consumer = consumer
        self.held: dict[Place, tuple[ConsumerRecord, float]] = {}
        self.said: dict[Place, AcknowledgeType] = {}
        self.again: dict[Place, tuple[ConsumerRecord, float]] = {}


class Queue(RuleBasedStateMachine):
    workers = Bundle("workers")

    @initialize(mode=st.sampled_from(["batch_optimized", "record_limit"]))
    def open(self, mode: str) -> None:
        self.mode = mode
        self.kafka = EmbeddedKafka(clock=ManualClock(), num_partitions=PARTITIONS)
        limits = {"share.auto.offset.reset": "earliest", "share.delivery.count.limit": str(DELIVERIES)}
        configure(self.kafka, **limits)
        self.producer = self.kafka.producer()
        self.ends = [0] * PARTITIONS
        self.finished: set[Place] = set()
        self.delivered: dict[Place, int] = {}
        self.open_workers: list[Worker] = []
        self.lock_ends = 0  # occasions on which locks may have ended

    def teardown(self) -> None:
        if not hasattr(self, "kafka"):
            return
        for worker in self.open_workers:
            self._sent(worker)
            worker.consumer.close()
        self._everything_left_comes_out()
        self.producer.close()
        self.kafka.close()

    def _everything_left_comes_out(self) -> None:
        """Nothing was lost: whoever comes last gets all that was neither finished nor given up."""
        self.kafka.clock.advance(LOCK_MS)  # type: ignore[attr-defined]
        got: set[Place] = set()
        with self.kafka.share_consumer("jobs", group_id=GROUP) as last:
            while polled := records(last.poll()):
                assert not got & {place(record) for record in polled}
                got |= {place(record) for record in polled}
        unfinished = {(p, o) for p in range(PARTITIONS) for o in range(self.ends[p])} - self.finished
        # Whole batches are locked with the records asked for: those count as delivered, too, when the lock ends.
        unseen = self.lock_ends if self.mode == "batch_optimized" else 0
        given_up = {each for each in unfinished if self.delivered.get(each, 0) + unseen >= DELIVERIES}
        assert not got & self.finished
        assert unfinished - given_up <= got <= unfinished

    @property
    def now_ms(self) -> float:
        return self.kafka.clock.monotonic_ms()

    @rule(target=workers)
    def join(self) -> Any:
        if len(self.open_workers) >= 3:
            return multiple()
        worker = Worker(
            self.kafka.share_consumer(
                "jobs", group_id=GROUP, share_acknowledgement_mode="explicit", share_acquire_mode=self.mode
            )
        )
        self.open_workers.append(worker)
        return worker

    @rule(partition=st.integers(0, PARTITIONS - 1), count=st.integers(1, 6))
    def send(self, partition: int, count: int) -> None:
        for _ in range(count):
            self.producer.send("jobs", b"", partition=partition)
        self.producer.flush()
        self.ends[partition] += count

    @rule(worker=workers, limit=st.integers(1, 5))
    def poll(self, worker: Worker, limit: int) -> None:
        if any(each not in worker.said for each in worker.held):
            with pytest.raises(errors.IllegalStateError):
                worker.consumer.poll(0, limit)
            return
        self._sent(worker)
        polled = records(worker.consumer.poll(0, limit))
        assert len(polled) <= limit
        for record in polled:
            self._receive(worker, record)

    def _receive(self, worker: Worker, record: ConsumerRecord) -> None:
        here = place(record)
        assert here not in self.finished, f"{here} was finished and came again"
        for other in self.open_workers:
            if other is not worker:
                for holding in (other.held, other.again):
                    assert here not in holding or holding[here][1] <= self.now_ms, f"{here} is another's"
        assert record.delivery_count is not None
        if here in worker.again:
            _, until_ms = worker.again.pop(here)
            assert until_ms > self.now_ms
        else:
            # Locked in one poll and handed out in a later one, a record may have been counted before.
            assert self.delivered.get(here, 0) < record.delivery_count <= DELIVERIES
            until_ms = self.now_ms + LOCK_MS
        self.delivered[here] = record.delivery_count
        worker.held[here] = (record, until_ms)

    @rule(worker=workers, data=st.data())
    def acknowledge(self, worker: Worker, data: Any) -> None:
        places = sorted(worker.held)
        if places:
            here = data.draw(st.sampled_from(places))
            worker.said[here] = type_ = data.draw(st.sampled_from([ACCEPT, ACCEPT, RELEASE, REJECT, RENEW]))
            worker.consumer.acknowledge(worker.held[here][0], type_)

    @rule(worker=workers)
    def acknowledge_the_rest(self, worker: Worker) -> None:
        for here, (record, _) in worker.held.items():
            if here not in worker.said:
                worker.said[here] = ACCEPT
                worker.consumer.acknowledge(record)

    @rule(worker=workers)
    def commit(self, worker: Worker) -> None:
        said = {partition for partition, _ in worker.said}
        overdue = {partition for partition, _ in self._sent(worker)}
        results = {partition.partition: error for partition, error in worker.consumer.commit_sync().items()}
        assert results.keys() == said
        assert {partition for partition, error in results.items() if error is not None} == overdue

    def _sent(self, worker: Worker) -> set[Place]:
        """What a worker has said counts, by partition, unless one of its locks had ended; gives back which had."""
        overdue = {here for here in worker.said if worker.held[here][1] <= self.now_ms}
        refused = {partition for partition, _ in overdue}
        for here, type_ in worker.said.items():
            record, _ = worker.held.pop(here)
            if here[0] in refused:
                continue  # a refused acknowledgement changes nothing
            if type_ in (ACCEPT, REJECT):
                self.finished.add(here)
            elif type_ == RENEW:
                worker.again[here] = (record, self.now_ms + LOCK_MS)
        worker.said = {}
        return overdue

    @rule(ms=st.sampled_from([1, LOCK_MS // 2, LOCK_MS - 1, LOCK_MS]))
    def time_passes(self, ms: int) -> None:
        self.kafka.clock.advance(ms)  # type: ignore[attr-defined]
        self.lock_ends += 1

    @rule(worker=consumes(workers), crash=st.booleans())
    def leave(self, worker: Worker, crash: bool) -> None:
        self.open_workers.remove(worker)
        self.lock_ends += 1
        if crash:
            worker.consumer._kill()
            self.kafka.clock.advance(LOCK_MS)  # type: ignore[attr-defined]
        else:
            self._sent(worker)
            worker.consumer.close()

    @invariant()
    def the_lag_is_what_is_not_finished(self) -> None:
        if not hasattr(self, "kafka") or not any(self.delivered):
            return
        with self.kafka.admin() as admin:
            offsets = admin.list_share_group_offsets(GROUP)[GROUP]
        for partition, info in offsets.items():
            if info.lag is not None:
                finished = sum(1 for each in self.finished if each[0] == partition.partition)
                assert info.lag <= self.ends[partition.partition] - finished


def place(record: ConsumerRecord) -> Place:
    return record.partition, record.offset


TestQueue = Queue.TestCase
