from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from embedkafka import EmbeddedKafka, KafkaProducer, ManualClock
from embedkafka.broker.api import NewTopicSpec, PartitionProduceReply
from embedkafka.model import TopicPartition
from embedkafka.record import decode_batch, iter_headers


class World:
    """An engine on a clock that stands still, its producers, and a look into its logs."""

    def __init__(self, **configs: Any) -> None:
        self.clock = ManualClock()
        self.kafka = EmbeddedKafka(clock=self.clock, **configs)
        self.producers: list[KafkaProducer] = []

    def producer(self, **configs: Any) -> KafkaProducer:
        producer = KafkaProducer(bootstrap_servers=self.kafka, **configs)
        self.producers.append(producer)
        return producer

    @property
    def engine(self) -> Any:
        return self.producers[0]._link.engine

    def create(self, topic: str, partitions: int = 1, **configs: str) -> None:
        if not self.producers:
            self.producer()
        context = self.producers[0]._link.context
        (result,) = self.engine.ports[0].create_topics(context, [NewTopicSpec(topic, partitions, configs=configs)])
        assert not result.error_code, result

    def batches(self, topic: str = "t", partition: int = 0) -> list[Any]:
        """``(header, records)`` of each batch in the log, without sealing anything."""
        found = self.engine.topics.partition(TopicPartition(topic, partition))
        chunks = [] if found is None else found.log.read(0, max_bytes=1 << 30)
        return [
            (header, decode_batch(chunk, position, header))
            for chunk in chunks
            for position, header in iter_headers(chunk)
        ]

    def values(self, topic: str = "t", partition: int = 0) -> list[bytes | None]:
        return [record.value for _, records in self.batches(topic, partition) for record in records]

    def close(self) -> None:
        for producer in self.producers:
            producer.close()
        self.kafka.close()


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


class FailingPort:
    """Stands between a producer and its broker and answers the next requests as a test says."""

    def __init__(self, producer: KafkaProducer) -> None:
        self.link = producer._link
        self.real = self.link.leader_port
        self.requests: list[Any] = []
        self.answers: list[Any] = []
        self.held: list[Any] = []
        self.link.leader_port = lambda topic_partition: self  # type: ignore[method-assign]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real(self.requests[-1][0]), name)

    def produce_sealed(self, context: Any, topic_partition: Any, batches: Any, acks: int, complete: Any) -> Any:
        self.requests.append((topic_partition, batches, acks))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, BaseException):
            raise answer
        if answer == "hold":
            self.held.append((context, topic_partition, batches[:1], acks, complete))
            return None
        if isinstance(answer, int):
            return PartitionProduceReply(topic_partition, answer, "as told")
        return self.real(topic_partition).produce_sealed(context, topic_partition, batches, acks, complete)

    def release(self) -> None:
        """Let the oldest request that is held go on."""
        context, topic_partition, batches, acks, complete = self.held.pop(0)
        complete(self.real(topic_partition).produce_sealed(context, topic_partition, batches, acks, complete))
