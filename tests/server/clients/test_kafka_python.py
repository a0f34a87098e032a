"""kafka-python against the listener: the client whose classes ours are copied from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewPartitions, NewTopic
from kafka.errors import TopicAlreadyExistsError
from kafka.structs import OffsetAndMetadata, TopicPartition

NewName = Callable[[str], str]

_LIMIT_S = 30.0


@pytest.fixture
def admin(broker: str) -> Iterator[KafkaAdminClient]:
    with closing(KafkaAdminClient(bootstrap_servers=broker)) as client:
        yield client


@pytest.fixture
def topic(admin: KafkaAdminClient, new_name: NewName) -> Iterator[str]:
    """A topic of two partitions."""
    name = new_name("kafka-python")
    admin.create_topics([NewTopic(name=name, num_partitions=2, replication_factor=1)])
    yield name
    admin.delete_topics([name])


def _consumer(broker: str, **configs: Any) -> KafkaConsumer:
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "heartbeat_interval_ms": 200, **configs}
    return KafkaConsumer(bootstrap_servers=broker, **settings)


def _read(consumer: KafkaConsumer, count: int) -> list[Any]:
    found: list[Any] = []
    deadline_s = time.monotonic() + _LIMIT_S
    while len(found) < count and time.monotonic() < deadline_s:
        for records in consumer.poll(timeout_ms=200).values():
            found += records
    return found


def _wait_for(condition: Callable[[], bool], *consumers: KafkaConsumer) -> None:
    deadline_s = time.monotonic() + _LIMIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never came true"
        for consumer in consumers:
            consumer.poll(timeout_ms=50)


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
def test_records_come_back_as_they_were_sent(broker: str, topic: str, codec: str | None) -> None:
    with closing(KafkaProducer(bootstrap_servers=broker, compression_type=codec, linger_ms=5)) as producer:
        sent = [
            producer.send(topic, b"value %d" % number, key=b"key", partition=1, timestamp_ms=1000 + number)
            for number in range(50)
        ]
        assert [future.get(_LIMIT_S).offset for future in sent] == list(range(50))
    with closing(_consumer(broker)) as consumer:
        consumer.assign([TopicPartition(topic, 1)])
        read = _read(consumer, 50)
        assert [(record.value, record.key, record.timestamp) for record in read] == [
            (b"value %d" % number, b"key", 1000 + number) for number in range(50)
        ]
        assert consumer.offsets_for_times({TopicPartition(topic, 1): 1007})[TopicPartition(topic, 1)].offset == 7


def test_partitions_move_to_a_second_member_and_back(broker: str, topic: str, new_name: NewName) -> None:
    group = new_name("group")
    with ExitStack() as second_member, closing(_consumer(broker, group_id=group)) as first:
        first.subscribe([topic])
        _wait_for(lambda: len(first.assignment()) == 2, first)
        second = second_member.enter_context(closing(_consumer(broker, group_id=group)))
        second.subscribe([topic])
        _wait_for(lambda: len(first.assignment()) == len(second.assignment()) == 1, first, second)
        second_member.close()
        _wait_for(lambda: len(first.assignment()) == 2, first)


def test_a_group_goes_on_where_it_committed(broker: str, topic: str, new_name: NewName) -> None:
    with closing(KafkaProducer(bootstrap_servers=broker)) as producer:
        for number in range(20):
            producer.send(topic, b"%d" % number, partition=0)
    group = new_name("group")
    with closing(_consumer(broker, group_id=group, max_poll_records=12)) as consumer:
        consumer.subscribe([topic])
        assert len(_read(consumer, 12)) == 12
        consumer.commit()
    with closing(_consumer(broker, group_id=group)) as consumer:
        consumer.subscribe([topic])
        assert [record.value for record in _read(consumer, 8)] == [b"%d" % number for number in range(12, 20)]


def test_a_transaction_is_seen_whole_or_not_at_all(broker: str, topic: str, new_name: NewName) -> None:
    group = new_name("group")
    partition = TopicPartition(topic, 0)
    with (
        closing(KafkaProducer(bootstrap_servers=broker, transactional_id=new_name("transactional"))) as producer,
        closing(_consumer(broker, group_id=group, isolation_level="read_committed")) as consumer,
    ):
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(topic, b"aborted", partition=0)
        producer.flush()
        producer.abort_transaction()
        producer.begin_transaction()
        producer.send(topic, b"committed", partition=0)
        producer.send_offsets_to_transaction({partition: OffsetAndMetadata(42, "note", -1)}, group)
        producer.commit_transaction()
        consumer.assign([partition])
        consumer.seek(partition, 0)
        assert [record.value for record in _read(consumer, 1)] == [b"committed"]
        assert consumer.committed(partition) == 42


def test_topics_configs_and_groups_can_be_administered(
    broker: str, admin: KafkaAdminClient, topic: str, new_name: NewName
) -> None:
    with pytest.raises(TopicAlreadyExistsError):
        admin.create_topics([NewTopic(name=topic, num_partitions=1, replication_factor=1)])
    admin.create_partitions({topic: NewPartitions(3)})
    assert topic in admin.list_topics()
    assert len(admin.describe_topics([topic])[0]["partitions"]) == 3

    group = new_name("group")
    with closing(_consumer(broker, group_id=group)) as consumer:
        consumer.subscribe([topic])
        _wait_for(lambda: len(consumer.assignment()) == 3, consumer)
        described = admin.describe_groups([group])[group]
        assert described["group_state"] == "Stable"
        consumer.commit({TopicPartition(topic, 0): OffsetAndMetadata(5, "note", -1)})
    offsets = admin.list_group_offsets({group: None})[group]
    assert {partition: entry.offset for partition, entry in offsets.items()} == {TopicPartition(topic, 0): 5}
    admin.delete_groups([group])
    assert group not in {entry["group_id"] for entry in admin.list_groups()}
