"""MirrorMaker 2 of Apache Kafka 4.3.1 between two listeners: half a minute, so only with EMBEDKAFKA_FULL=1."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from real_kafka.jars import KafkaJars
from server.clients.connect_worker import wait_until
from server.clients.java_tools import ToolProcess

from embedkafka import EmbeddedKafka
from embedkafka.admin import ConfigResource

pytestmark = pytest.mark.real_kafka

LIMIT_S = 60.0
START_LIMIT_S = 180.0  # it starts three workers


Records = list[tuple[int | None, int | None, bytes | None, bytes | None]]


def _read(address: str, group: str, topic: str, count: int) -> Records:
    """So many records of a topic, read and committed by a group."""
    settings = {"bootstrap.servers": address, "group.id": group, "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "enable.auto.commit": False, "isolation.level": "read_committed"})
    consumer.subscribe([topic])
    found: Records = []
    deadline = time.monotonic() + LIMIT_S
    while len(found) < count:
        assert time.monotonic() < deadline, len(found)
        message = consumer.poll(0.1)
        if message is not None:
            assert message.error() is None
            found.append((message.partition(), message.offset(), message.key(), message.value()))
    consumer.commit(asynchronous=False)
    consumer.close()
    return found


def _committed(address: str, group: str, topic: str) -> list[int]:
    consumer = Consumer({"bootstrap.servers": address, "group.id": group})
    try:
        asked = [TopicPartition(topic, partition) for partition in (0, 1)]
        return [each.offset for each in consumer.committed(asked, timeout=LIMIT_S)]
    finally:
        consumer.close()


def test_topics_their_settings_records_and_groups_arrive_at_the_other_broker(
    app_jars: KafkaJars, broker: str, new_name: Callable[[str], str], tmp_path: Path
) -> None:
    topic, group = new_name("mirrored"), new_name("mirrored")
    source = AdminClient({"bootstrap.servers": broker})
    source.create_topics([NewTopic(topic, 2, 1, config={"retention.ms": "123456789"})])[topic].result()
    producer = Producer({"bootstrap.servers": broker})
    for number in range(100):
        producer.produce(topic, f"value {number}", f"key {number}")
    producer.flush()
    sent = _read(broker, group, topic, 100)
    with EmbeddedKafka() as other, other.listen() as target:
        clusters = {"a": broker, "b": target.address}
        every_second = ["emit.checkpoints", "sync.group.offsets", "refresh.groups", "refresh.topics"]
        settings = {
            "clusters": "a,b",
            **{f"{name}.bootstrap.servers": address for name, address in clusters.items()},
            **{f"{name}.exactly.once.source.support": "enabled" for name in clusters},
            "a->b.enabled": "true",
            "a->b.topics": topic,
            "a->b.groups": group,
            "sync.group.offsets.enabled": "true",
            **{f"{what}.interval.seconds": 1 for what in every_second},
            **{f"{what}.topic.replication.factor": 1 for what in ("checkpoints", "heartbeats", "offset-syncs")},
            **{f"{what}.storage.replication.factor": 1 for what in ("config", "offset", "status")},
            "replication.factor": 1,
        }
        file = tmp_path / "mirror.properties"
        file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        mirror = ToolProcess("mirror", app_jars.command("org.apache.kafka.connect.mirror.MirrorMaker", file))
        try:
            with other.admin() as admin:
                wait_until(lambda: f"a.{topic}" in admin.list_topics(), START_LIMIT_S)
                wait_until(lambda: "123456789" in str(admin.describe_configs([ConfigResource("TOPIC", f"a.{topic}")])))
            arrived = _read(target.address, new_name("reader"), f"a.{topic}", 100)
            assert [each[2:] for each in sorted(arrived)] == [each[2:] for each in sorted(sent)]
            ends = _committed(broker, group, topic)
            wait_until(lambda: _committed(target.address, group, f"a.{topic}") == ends)
        finally:
            mirror.stop()
