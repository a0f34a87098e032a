"""aiokafka against the listener: asyncio, and low versions of most APIs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

NewName = Callable[[str], str]

_LIMIT_S = 30.0


def _run(test: Awaitable[None]) -> None:
    asyncio.run(asyncio.wait_for(test, 2 * _LIMIT_S))


@asynccontextmanager
async def _started(client: Any) -> AsyncIterator[Any]:
    """A producer or consumer between its start and its stop."""
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


@asynccontextmanager
async def _admin(broker: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=broker)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def _new_topic(broker: str, name: str) -> str:
    async with _admin(broker) as admin:
        await admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])
    return name


def _consumer(*topics: str, broker: str, **configs: Any) -> Any:
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "heartbeat_interval_ms": 200, **configs}
    return _started(AIOKafkaConsumer(*topics, bootstrap_servers=broker, **settings))


async def _read(consumer: AIOKafkaConsumer, count: int) -> list[Any]:
    return [await asyncio.wait_for(consumer.getone(), _LIMIT_S) for _ in range(count)]


async def _wait_for(condition: Callable[[], bool], *consumers: AIOKafkaConsumer) -> None:
    deadline_s = asyncio.get_running_loop().time() + _LIMIT_S
    while not condition():
        assert asyncio.get_running_loop().time() < deadline_s, "it never came true"
        for consumer in consumers:
            await consumer.getmany(timeout_ms=50)


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
def test_records_come_back_as_they_were_sent(broker: str, new_name: NewName, codec: str | None) -> None:
    async def test() -> None:
        topic = await _new_topic(broker, new_name("aiokafka"))
        async with _started(AIOKafkaProducer(bootstrap_servers=broker, compression_type=codec)) as producer:
            for number in range(20):
                headers = [("number", b"%d" % number)]
                await producer.send_and_wait(topic, b"value %d" % number, key=b"key", partition=1, headers=headers)
        async with _consumer(topic, broker=broker) as consumer:
            read = await _read(consumer, 20)
        assert [(record.partition, record.offset, record.value, record.headers) for record in read] == [
            (1, number, b"value %d" % number, (("number", b"%d" % number),)) for number in range(20)
        ]

    _run(test())


def test_partitions_move_to_a_second_member_and_back(broker: str, new_name: NewName) -> None:
    async def test() -> None:
        topic, group = await _new_topic(broker, new_name("aiokafka")), new_name("group")
        async with AsyncExitStack() as second_member, _consumer(topic, broker=broker, group_id=group) as first:
            await _wait_for(lambda: len(first.assignment()) == 2, first)
            second = await second_member.enter_async_context(_consumer(topic, broker=broker, group_id=group))
            await _wait_for(lambda: len(first.assignment()) == len(second.assignment()) == 1, first, second)
            await second_member.aclose()
            await _wait_for(lambda: len(first.assignment()) == 2, first)

    _run(test())


def test_a_group_goes_on_where_it_committed(broker: str, new_name: NewName) -> None:
    async def test() -> None:
        topic, group = await _new_topic(broker, new_name("aiokafka")), new_name("group")
        async with _started(AIOKafkaProducer(bootstrap_servers=broker, enable_idempotence=True)) as producer:
            for number in range(10):
                await producer.send_and_wait(topic, b"%d" % number, partition=0)
        async with _consumer(topic, broker=broker, group_id=group) as consumer:
            await _read(consumer, 6)
            await consumer.commit({TopicPartition(topic, 0): (6, "a note")})
        async with _consumer(topic, broker=broker, group_id=group) as consumer:
            assert [record.value for record in await _read(consumer, 4)] == [b"6", b"7", b"8", b"9"]

    _run(test())


def test_a_transaction_is_seen_whole_or_not_at_all(broker: str, new_name: NewName) -> None:
    async def test() -> None:
        topic, group = await _new_topic(broker, new_name("aiokafka")), new_name("group")
        configs = {"bootstrap_servers": broker, "transactional_id": new_name("transactional")}
        async with _started(AIOKafkaProducer(**configs)) as producer:
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"aborted", partition=0)
            await producer.abort_transaction()
            async with producer.transaction():
                await producer.send_and_wait(topic, b"committed", partition=0)
                await producer.send_offsets_to_transaction({TopicPartition(topic, 1): 42}, group)
        committed = {"group_id": group, "isolation_level": "read_committed"}
        async with _consumer(topic, broker=broker, **committed) as consumer:
            assert (await _read(consumer, 1))[0].value == b"committed"
            assert await consumer.committed(TopicPartition(topic, 1)) == 42

    _run(test())


def test_topics_and_groups_can_be_administered(broker: str, new_name: NewName) -> None:
    async def test() -> None:
        topic, group = await _new_topic(broker, new_name("aiokafka")), new_name("group")
        async with _admin(broker) as admin, _consumer(topic, broker=broker, group_id=group) as consumer:
            described = await admin.describe_topics([topic])
            assert len(described[0]["partitions"]) == 2
            await consumer.commit({TopicPartition(topic, 0): 3})
            offsets = await admin.list_consumer_group_offsets(group)
            assert offsets[TopicPartition(topic, 0)].offset == 3
            assert group in {entry[0] for entry in await admin.list_consumer_groups()}
            await admin.delete_topics([topic])
            deadline_s = asyncio.get_running_loop().time() + _LIMIT_S
            while topic in await admin.list_topics():
                assert asyncio.get_running_loop().time() < deadline_s

    _run(test())
