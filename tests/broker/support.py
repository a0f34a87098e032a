"""An engine's port with the noise taken out: what a test says is what it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedkafka.broker import api
from embedkafka.broker.engine import Engine
from embedkafka.broker.fetching import ParkedFetch
from embedkafka.broker.port import BrokerPort
from embedkafka.clock import Clock, ManualClock
from embedkafka.model import TopicPartition
from embedkafka.record import Record, decode_batch, encode_batch, iter_headers

START_MS = 1_700_000_000_000
TOPIC = TopicPartition("t", 0)


def batch(
    *values: bytes | None, key: bytes | None = b"k", timestamp: int = START_MS, compression_type: int = 0
) -> bytearray:
    """One batch as a producer makes it, one record a value."""
    return encode_batch([(timestamp, key, value, ()) for value in values], compression_type=compression_type)


def records_in(chunks: Sequence[memoryview]) -> list[Record]:
    found: list[Record] = []
    for chunk in chunks:
        for position, _ in iter_headers(chunk):
            found.extend(decode_batch(chunk, position))
    return found


class Broker:
    """A client's view of an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.port: BrokerPort = engine.ports[0]
        self.context = api.RequestContext(client_id="test")

    def create(self, topic: str = "t", partitions: int = 1, **configs: str) -> api.TopicResult:
        """Create a topic; settings as keywords (``retention_ms="1"``)."""
        spec = api.NewTopicSpec(
            topic, partitions, configs={name.replace("_", "."): text for name, text in configs.items()}
        )
        (result,) = self.port.create_topics(self.context, [spec])
        return result

    def produce(
        self, records: bytearray, topic_partition: TopicPartition = TOPIC, *, acks: int = -1, trusted: bool = True
    ) -> api.PartitionProduceReply:
        replies: list[api.ProduceReply] = []
        request = api.ProduceRequest([api.PartitionBatches(topic_partition, records)], acks=acks, trusted=trusted)
        self.port.produce(self.context, request, replies.append)
        ((reply,),) = (reply.partitions for reply in replies)
        return reply

    def send(self, *values: bytes | None, to: TopicPartition = TOPIC, **of_batch: Any) -> api.PartitionProduceReply:
        """Produce one batch that must succeed."""
        reply = self.produce(batch(*values, **of_batch), to)
        assert reply.error_code == 0, reply
        return reply

    def start_fetch(
        self, offsets: Mapping[TopicPartition, int], *, partition_max_bytes: int = 1 << 20, **of_request: Any
    ) -> tuple[list[api.FetchReply], ParkedFetch | None]:
        replies: list[api.FetchReply] = []
        asked = [api.PartitionFetch(tp, offset, partition_max_bytes) for tp, offset in offsets.items()]
        parked = self.port.fetch(self.context, api.FetchRequest(asked, **of_request), replies.append)
        return replies, parked

    def fetch(self, offset: int = 0, of: TopicPartition = TOPIC, **of_request: Any) -> api.PartitionFetchReply:
        replies, parked = self.start_fetch({of: offset}, **of_request)
        assert parked is None
        ((reply,),) = (reply.partitions for reply in replies)
        return reply

    def values(self, of: TopicPartition = TOPIC) -> list[bytes | None]:
        """The values of all records there are."""
        values: list[bytes | None] = []
        offset = self.offset(-2, of)
        while offset < self.offset(-1, of):
            records = records_in(self.fetch(offset, of).records)
            if not records:
                break
            values.extend(record.value for record in records if record.offset >= offset)
            offset = records[-1].offset + 1
        return values

    def offset(self, timestamp: int, of: TopicPartition = TOPIC) -> int:
        (found,) = self.port.list_offsets(self.context, api.ListOffsetsRequest({of: timestamp}))
        assert found.error_code == 0, found
        return found.offset

    def topic_names(self) -> list[str]:
        return [topic.topic for topic in self.port.metadata(self.context, None).topics]

    def set_config(
        self, topic: str = "t", *, operation: int = api.AlterConfigOp.SET, resource_type: int = 2, **configs: str | None
    ) -> api.ConfigResult:
        changes = [api.ConfigChange(name.replace("_", "."), operation, value) for name, value in configs.items()]
        key = api.ConfigResourceKey(resource_type, topic)
        (result,) = self.port.incremental_alter_configs(self.context, {key: changes})
        return result

    def config(self, name: str, topic: str = "t", *, resource_type: int = 2) -> api.ConfigEntry:
        key = api.ConfigResourceKey(resource_type, topic)
        (result,) = self.port.describe_configs(self.context, [key], names={key: [name]}, include_synonyms=True)
        assert result.error_code == 0, result
        (entry,) = result.entries
        return entry


@contextmanager
def running(path: Path | str | None = None, *, clock: Clock | None = None, **configs: Any) -> Iterator[Broker]:
    """An engine that is closed at the end; time stands still unless a clock is given."""
    engine = Engine.open(path, clock=clock or ManualClock(START_MS), configs=configs)
    try:
        yield Broker(engine)
    finally:
        engine.close()
