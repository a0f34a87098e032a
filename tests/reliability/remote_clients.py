"""Remote clients that work while their server dies and comes back, each in a thread, and what they were promised.

None of them is ever made anew: a client that cannot go on by itself is a failure, and ends the run with its error.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import confluent_kafka
import kafka as kafka_python
from kafka import errors as their_errors

INPUT, OUTPUT, PLAIN = "input", "output", "plain"
PARTITIONS = 2
COMMITTING, TRANSFORMING = "committing", "transforming"

_PATIENT: dict[str, Any] = {
    # librdkafka (2.16) forgets all brokers when the last one is gone and goes on waiting for the forgotten group
    # coordinator in send_offsets_to_transaction, for ever: with Apache Kafka, too.
    "metadata.recovery.strategy": "none",
    "reconnect.backoff.ms": 20,
    "reconnect.backoff.max.ms": 200,
    "retry.backoff.ms": 20,
    "retry.backoff.max.ms": 100,
    "log_level": 0,
}
_GIVING_UP_S = 60

_AROUND_A_RESTART = (
    their_errors.KafkaConnectionError,
    their_errors.NodeNotReadyError,
    their_errors.Cancelled,
    their_errors.KafkaTimeoutError,
    their_errors.RequestTimedOutError,
    their_errors.CoordinatorLoadInProgressError,
    their_errors.CoordinatorNotAvailableError,
    their_errors.NotCoordinatorError,
    their_errors.CommitFailedError,
    their_errors.UnknownMemberIdError,
    their_errors.IllegalGenerationError,
    their_errors.RebalanceInProgressError,
)
"""What a commit may be refused with while its server, and with it the group's coordinator, goes and comes back."""


class Worker(ABC):
    """One client in a thread.

    Attributes:
        done: how much it was promised so far; grows.
        error: what it could not go on after.
        went_on_after: the errors that it could, each with how often.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.done = 0
        self.error: BaseException | None = None
        self.went_on_after: Counter[str] = Counter()
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let it end what it has begun, then close it."""
        self.stopping.set()
        self._thread.join(_GIVING_UP_S)
        assert not self._thread.is_alive(), f"{type(self).__name__} did not come to its end"

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as error:
            self.error = error

    def __repr__(self) -> str:
        return f"<{type(self).__name__} done={self.done} error={self.error!r} went on after {dict(self.went_on_after)}>"

    @abstractmethod
    def work(self) -> None:
        """Work until ``stopping`` is set."""


class IdempotentProducer(Worker):
    """librdkafka's: numbers in order into both partitions of the input, many in flight.

    ``promised`` is, by partition, the number at each offset that was acknowledged; ``sent`` every number, in order.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.promised: dict[int, dict[int, int]] = defaultdict(dict)
        self.sent: dict[int, list[int]] = defaultdict(list)
        self._failed: confluent_kafka.KafkaError | None = None

    def work(self) -> None:
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": self.address, "enable.idempotence": True, "linger.ms": 1, **_PATIENT}
        )
        number = 0
        while not self.stopping.is_set():
            partition = number % PARTITIONS
            producer.produce(INPUT, str(number), partition=partition, on_delivery=self._delivered)
            self.sent[partition].append(number)
            number += 1
            producer.poll(0.001)
            while len(producer) > 200 and not self.stopping.is_set():
                producer.poll(0.01)
        left = producer.flush(_GIVING_UP_S)
        assert not left, f"{left} records were neither acknowledged nor refused"
        assert self._failed is None, self._failed

    def _delivered(self, error: confluent_kafka.KafkaError | None, message: confluent_kafka.Message) -> None:
        if error is not None:
            self._failed = error
            return
        offset, value = message.offset(), message.value()
        assert offset is not None
        assert value is not None
        self.promised[message.partition() or 0][offset] = int(value)
        self.done += 1


class OtherProducer(Worker):
    """kafka-python's, with ``acks=all`` and idempotence: numbers into one partition.  As above."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.promised: dict[int, int] = {}
        self.sent: list[int] = []

    def work(self) -> None:
        producer = kafka_python.KafkaProducer(
            bootstrap_servers=self.address,
            acks="all",
            enable_idempotence=True,
            linger_ms=1,
            reconnect_backoff_ms=20,
            reconnect_backoff_max_ms=200,
            retry_backoff_ms=20,
        )
        waiting: list[tuple[int, Any]] = []
        number = 0
        while not self.stopping.is_set() or waiting:
            if not self.stopping.is_set():
                waiting.append((number, producer.send(PLAIN, str(number).encode(), partition=0)))
                self.sent.append(number)
                number += 1
            if len(waiting) > 100 or self.stopping.is_set():
                first, future = waiting.pop(0)
                self.promised[future.get(_GIVING_UP_S).offset] = first
                self.done += 1
        producer.close()


class Committer(Worker):
    """kafka-python's consumer in a group: reads the input and commits what it has read.

    ``committed`` is the last acknowledged commit of each partition, ``committing`` what was begun after it.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.committed: dict[int, int] = {}
        self.committing: dict[int, set[int]] = defaultdict(set)

    def work(self) -> None:
        consumer = kafka_python.KafkaConsumer(
            INPUT,
            bootstrap_servers=self.address,
            group_id=COMMITTING,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            reconnect_backoff_ms=20,
            reconnect_backoff_max_ms=200,
            retry_backoff_ms=20,
        )
        while not self.stopping.is_set():
            polled = consumer.poll(timeout_ms=100, max_records=50)
            for partition, records in polled.items():
                self.committing[partition.partition].add(records[-1].offset + 1)
            if not polled:
                continue
            try:
                consumer.commit()
            except _AROUND_A_RESTART as error:
                self.went_on_after[repr(error)] += 1
                continue  # nothing is promised: what was read comes again, or the next commit covers it
            for partition in consumer.assignment():
                if (position := consumer.position(partition)) and self.committing[partition.partition]:
                    self.committed[partition.partition] = position
                    self.committing[partition.partition] = {position}
            self.done += 1
        consumer.close()


class Transformer(Worker):
    """librdkafka's: each input once to the output, in transactions with the offsets of what was read."""

    def work(self) -> None:
        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": TRANSFORMING,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                **_PATIENT,
            }
        )
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": self.address, "transactional.id": "transformer", "linger.ms": 1, **_PATIENT}
        )
        self._until_done(producer.init_transactions, 5)
        consumer.subscribe([INPUT])
        try:
            while not self.stopping.is_set():
                messages = [each for each in consumer.consume(20, 0.1) if each.error() is None]
                if messages:
                    self._transform(producer, consumer, messages)
        finally:
            consumer.close()

    def _transform(
        self,
        producer: confluent_kafka.Producer,
        consumer: confluent_kafka.Consumer,
        messages: list[confluent_kafka.Message],
    ) -> None:
        try:
            producer.begin_transaction()
            for message in messages:
                producer.produce(OUTPUT, message.value(), partition=message.partition() or 0)
            positions = [each for each in consumer.position(consumer.assignment()) if each.offset >= 0]
            self._until_done(producer.send_offsets_to_transaction, positions, consumer.consumer_group_metadata(), 5)
            self._until_done(producer.commit_transaction, 5)
        except confluent_kafka.KafkaException as failure:
            if not failure.args[0].txn_requires_abort():
                raise
            self.went_on_after[str(failure)] += 1
            self._until_done(producer.abort_transaction, 5)
            self._go_back(consumer)
        else:
            self.done += 1

    def _go_back(self, consumer: confluent_kafka.Consumer) -> None:
        """Read again from what is committed."""
        for each in self._until_done(consumer.committed, consumer.assignment(), 5):
            if each.offset < 0:
                each.offset = confluent_kafka.OFFSET_BEGINNING
            consumer.seek(each)

    def _until_done(self, call: Callable[..., Any], *args: Any) -> Any:
        """Repeat what may be repeated."""
        while True:
            try:
                return call(*args)
            except confluent_kafka.KafkaException as failure:
                if not failure.args[0].retriable():
                    raise
                self.went_on_after[str(failure)] += 1


def stored_offsets(address: str, group: str) -> dict[int, int]:
    """What a group has committed of the input, by partition; negative for nothing."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": address, "group.id": group, **_PATIENT})
    try:
        asked = [confluent_kafka.TopicPartition(INPUT, number) for number in range(PARTITIONS)]
        return {each.partition: each.offset for each in consumer.committed(asked, _GIVING_UP_S)}
    finally:
        consumer.close()
