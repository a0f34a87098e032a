"""confluent-kafka (librdkafka) against the listener."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from confluent_kafka import (
    OFFSET_BEGINNING,
    AcknowledgeType,
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    ShareConsumer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

NewName = Callable[[str], str]

PROTOCOLS = ["classic", "consumer"]
_LIMIT_S = 30.0


@pytest.fixture
def admin(broker: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": broker})


@pytest.fixture
def topic(admin: AdminClient, new_name: NewName) -> Iterator[str]:
    """A topic of two partitions."""
    name = new_name("confluent")
    _done(admin.create_topics([NewTopic(name, 2)]))
    yield name
    _done(admin.delete_topics([name]))


def _done(futures: dict[Any, Any]) -> dict[Any, Any]:
    return {key: future.result(_LIMIT_S) for key, future in futures.items()}


def _send(broker: str, topic: str, values: list[bytes], **config: Any) -> None:
    producer = Producer({"bootstrap.servers": broker, **config})
    for number, value in enumerate(values):
        producer.produce(topic, value, partition=number % 2)
    assert producer.flush(_LIMIT_S) == 0


@contextmanager
def _consumer(broker: str, group: str, **config: Any) -> Iterator[Consumer]:
    consumer = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **{name.replace("_", "."): value for name, value in config.items()},
        }
    )
    try:
        yield consumer
    finally:
        consumer.close()


def _read(consumer: Consumer, count: int) -> list[Message]:
    """Poll until as many records are there."""
    found: list[Message] = []
    deadline_s = time.monotonic() + _LIMIT_S
    while len(found) < count and time.monotonic() < deadline_s:
        message = consumer.poll(0.2)
        if message is not None:
            assert message.error() is None, message.error()
            found.append(message)
    return found


def _wait_for(condition: Callable[[], bool], *consumers: Consumer) -> None:
    """Poll the consumers until the condition holds."""
    deadline_s = time.monotonic() + _LIMIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never came true"
        for consumer in consumers:
            message = consumer.poll(0.05)
            assert message is None or message.error() is None, message.error()


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_records_come_back_as_they_were_sent(broker: str, topic: str, new_name: NewName, codec: str) -> None:
    acknowledged: list[tuple[int, int]] = []
    producer = Producer({"bootstrap.servers": broker, "compression.type": codec, "linger.ms": 5})
    for number in range(50):
        producer.produce(
            topic,
            b"value %d" % number * 20,
            key=b"key",
            partition=1,
            timestamp=1_700_000_000_000 + number,
            headers=[("number", b"%d" % number), ("empty", None)],
            on_delivery=lambda error, message: acknowledged.append((message.partition(), message.offset())),
        )
    assert producer.flush(_LIMIT_S) == 0
    assert acknowledged == [(1, offset) for offset in range(50)]

    with _consumer(broker, new_name("group")) as consumer:
        consumer.assign([TopicPartition(topic, 1, OFFSET_BEGINNING)])
        read = _read(consumer, 50)
    assert [message.value() for message in read] == [b"value %d" % number * 20 for number in range(50)]
    assert read[7].key() == b"key"
    assert read[7].timestamp()[1] == 1_700_000_000_007
    assert read[7].headers() == [("number", b"7"), ("empty", None)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_group_goes_on_where_it_committed(broker: str, topic: str, new_name: NewName, protocol: str) -> None:
    _send(broker, topic, [b"%d" % number for number in range(20)])
    group = new_name("group")
    with _consumer(broker, group, group_protocol=protocol) as consumer:
        consumer.subscribe([topic])
        for message in _read(consumer, 12):
            consumer.commit(message, asynchronous=False)
    with _consumer(broker, group, group_protocol=protocol) as consumer:
        consumer.subscribe([topic])
        assert len(_read(consumer, 8)) == 8


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_partitions_move_to_a_second_member_and_back(broker: str, topic: str, new_name: NewName, protocol: str) -> None:
    group = new_name("group")
    with ExitStack() as second_member, _consumer(broker, group, group_protocol=protocol) as first:
        first.subscribe([topic])
        _wait_for(lambda: len(first.assignment()) == 2, first)
        second = second_member.enter_context(_consumer(broker, group, group_protocol=protocol))
        second.subscribe([topic])
        _wait_for(lambda: len(first.assignment()) == len(second.assignment()) == 1, first, second)
        assert {entry.partition for entry in first.assignment() + second.assignment()} == {0, 1}
        second_member.close()
        _wait_for(lambda: len(first.assignment()) == 2, first)


def test_a_transaction_is_seen_whole_or_not_at_all(broker: str, topic: str, new_name: NewName) -> None:
    group = new_name("group")
    producer = Producer({"bootstrap.servers": broker, "transactional.id": new_name("transactional")})
    producer.init_transactions(_LIMIT_S)

    producer.begin_transaction()
    producer.produce(topic, b"aborted", partition=0)
    producer.flush(_LIMIT_S)
    producer.abort_transaction(_LIMIT_S)
    producer.begin_transaction()
    producer.produce(topic, b"committed", partition=0)
    with _consumer(broker, group) as consumer:
        metadata = consumer.consumer_group_metadata()
        producer.send_offsets_to_transaction([TopicPartition(topic, 1, 42)], metadata, _LIMIT_S)
        producer.commit_transaction(_LIMIT_S)
        assert consumer.committed([TopicPartition(topic, 1)], _LIMIT_S)[0].offset == 42

    seen = {}
    for isolation in ("read_committed", "read_uncommitted"):
        with _consumer(broker, new_name("group"), isolation_level=isolation, enable_partition_eof=True) as consumer:
            consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
            seen[isolation] = []
            while (message := consumer.poll(_LIMIT_S)) is not None and message.error() is None:
                seen[isolation].append(message.value())
            assert message is not None
            assert message.error().code() == KafkaError._PARTITION_EOF
    assert seen == {"read_committed": [b"committed"], "read_uncommitted": [b"aborted", b"committed"]}


def test_a_second_producer_of_the_same_transactional_id_fences_the_first(
    broker: str, topic: str, new_name: NewName
) -> None:
    config = {"bootstrap.servers": broker, "transactional.id": new_name("transactional")}
    first, second = Producer(config), Producer(config)
    first.init_transactions(_LIMIT_S)
    first.begin_transaction()
    second.init_transactions(_LIMIT_S)
    first.produce(topic, b"too late")
    with pytest.raises(KafkaException) as caught:
        first.commit_transaction(_LIMIT_S)
    assert caught.value.args[0].code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED)


def test_topics_and_their_configs_can_be_administered(broker: str, admin: AdminClient, new_name: NewName) -> None:
    name = new_name("administered")
    _done(admin.create_topics([NewTopic(name, 1, config={"retention.ms": "1234"})]))
    with pytest.raises(KafkaException) as caught:
        _done(admin.create_topics([NewTopic(name, 1)]))
    assert caught.value.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
    _done(admin.create_partitions([NewPartitions(name, 3)]))
    assert sorted(admin.list_topics(name, timeout=_LIMIT_S).topics[name].partitions) == [0, 1, 2]

    resource = ConfigResource(ResourceType.TOPIC, name)
    described = _done(admin.describe_configs([resource]))[resource]
    assert described["retention.ms"].value == "1234"
    assert described["cleanup.policy"].source != ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    change = ConfigEntry("retention.ms", "5678", incremental_operation=AlterConfigOpType.SET)
    _done(admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, name, incremental_configs=[change])]))
    assert _done(admin.describe_configs([resource]))[resource]["retention.ms"].value == "5678"

    _done(admin.delete_topics([name]))
    # A topic leaves the brokers' metadata shortly after it was deleted.
    deadline_s = time.monotonic() + _LIMIT_S
    while name in admin.list_topics(timeout=_LIMIT_S).topics:
        assert time.monotonic() < deadline_s


def test_records_can_be_found_and_deleted(broker: str, topic: str, admin: AdminClient) -> None:
    _send(broker, topic, [b"%d" % number for number in range(20)])
    partition = TopicPartition(topic, 0)

    def offset_of(spec: OffsetSpec) -> int:
        futures = admin.list_offsets({partition: spec}, isolation_level=IsolationLevel.READ_COMMITTED)
        return _done(futures)[partition].offset

    assert (offset_of(OffsetSpec.earliest()), offset_of(OffsetSpec.latest())) == (0, 10)
    assert offset_of(OffsetSpec.max_timestamp()) >= 0
    assert _done(admin.delete_records([TopicPartition(topic, 0, 4)]))[partition].low_watermark == 4
    assert offset_of(OffsetSpec.earliest()) == 4


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_groups_can_be_administered(
    broker: str, topic: str, admin: AdminClient, new_name: NewName, protocol: str
) -> None:
    group = new_name("group")
    with _consumer(broker, group, group_protocol=protocol, client_id="a client") as consumer:
        consumer.subscribe([topic])
        _wait_for(lambda: len(consumer.assignment()) == 2, consumer)
        described = _done(admin.describe_consumer_groups([group]))[group]
        assert described.state == ConsumerGroupState.STABLE
        assert [(member.client_id, len(member.assignment.topic_partitions)) for member in described.members] == [
            ("a client", 2)
        ]
        assert group in {entry.group_id for entry in admin.list_consumer_groups().result(_LIMIT_S).valid}
        consumer.commit(offsets=[TopicPartition(topic, 0, 3)], asynchronous=False)
    moved = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 7)])
    _done(admin.alter_consumer_group_offsets([moved]))
    listed = _done(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))[group]
    assert [(entry.topic, entry.partition, entry.offset) for entry in listed.topic_partitions] == [(topic, 0, 7)]
    _done(admin.delete_consumer_groups([group]))
    assert group not in {entry.group_id for entry in admin.list_consumer_groups().result(_LIMIT_S).valid}


def test_the_cluster_describes_itself(broker: str, admin: AdminClient) -> None:
    cluster = admin.describe_cluster().result(_LIMIT_S)
    assert [f"{node.host}:{node.port}" for node in cluster.nodes] == [broker]
    assert cluster.controller is not None
    assert cluster.cluster_id


@contextmanager
def _share_consumer(broker: str, group: str, **config: Any) -> Iterator[ShareConsumer]:
    with ShareConsumer({"bootstrap.servers": broker, "group.id": group, **config}) as consumer:
        yield consumer


def _acquire(consumer: ShareConsumer, count: int) -> list[Message]:
    found: list[Message] = []
    deadline_s = time.monotonic() + _LIMIT_S
    while len(found) < count and time.monotonic() < deadline_s:
        for message in consumer.poll(0.5):
            assert message.error() is None, message.error()
            found.append(message)
    return found


def _start_at_the_beginning(admin: AdminClient, group: str) -> None:
    entry = ConfigEntry("share.auto.offset.reset", "earliest", incremental_operation=AlterConfigOpType.SET)
    _done(admin.incremental_alter_configs([ConfigResource(ResourceType.GROUP, group, incremental_configs=[entry])]))


def test_two_share_consumers_divide_the_records_of_a_topic(
    broker: str, topic: str, admin: AdminClient, new_name: NewName
) -> None:
    group = new_name("share")
    _start_at_the_beginning(admin, group)
    with _share_consumer(broker, group) as first, _share_consumer(broker, group) as second:
        first.subscribe([topic])
        second.subscribe([topic])
        values = [b"%d" % number for number in range(40)]
        _send(broker, topic, values)
        read: list[bytes] = []
        deadline_s = time.monotonic() + _LIMIT_S
        while len(read) < 40 and time.monotonic() < deadline_s:
            read += [message.value() for consumer in (first, second) for message in consumer.poll(0.2)]
        assert sorted(read) == sorted(values)


def test_a_released_record_comes_again_and_a_rejected_one_does_not(
    broker: str, topic: str, admin: AdminClient, new_name: NewName
) -> None:
    group = new_name("share")
    _start_at_the_beginning(admin, group)
    producer = Producer({"bootstrap.servers": broker})
    for value in (b"accept", b"release", b"reject"):
        producer.produce(topic, value, partition=0)
    assert producer.flush(_LIMIT_S) == 0
    with _share_consumer(broker, group, **{"share.acknowledgement.mode": "explicit"}) as consumer:
        consumer.subscribe([topic])
        kinds = {
            b"accept": AcknowledgeType.ACCEPT,
            b"release": AcknowledgeType.RELEASE,
            b"reject": AcknowledgeType.REJECT,
        }
        first = _acquire(consumer, 3)
        assert [message.value() for message in first] == list(kinds)
        for message in first:
            consumer.acknowledge(message, kinds[message.value()])
        assert set(consumer.commit_sync(_LIMIT_S).values()) == {None}
        again = _acquire(consumer, 1)
        assert [(message.value(), message.delivery_count()) for message in again] == [(b"release", 2)]
        consumer.acknowledge(again[0])
        consumer.commit_sync(_LIMIT_S)
        assert list(consumer.poll(1.0)) == []
