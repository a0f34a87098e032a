"""Old records go, and a compacted topic keeps the last value of each key: a day of that in no time.

python examples/retention_and_compaction.py
"""

from __future__ import annotations

from embedkafka import EmbeddedKafka, KafkaAdminClient, KafkaConsumer, KafkaProducer, ManualClock, TopicPartition

HOUR_MS = 3_600_000


def read(kafka: EmbeddedKafka, topic: str) -> list[tuple[bytes, bytes | None]]:
    consumer = KafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest", consumer_timeout_ms=100)
    found = [(record.key, record.value) for record in consumer]
    consumer.close()
    return found


clock = ManualClock()
with EmbeddedKafka(clock=clock) as kafka:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    producer = KafkaProducer(bootstrap_servers=kafka)

    # Retention: what is older than six hours goes, a segment at a time; reading has nothing to do with it.
    admin.create_topics(
        {"readings": {"num_partitions": 1, "configs": {"retention.ms": 6 * HOUR_MS, "segment.ms": HOUR_MS}}}
    )
    for hour in range(24):
        producer.send("readings", key=b"room", value=b"%d o'clock" % hour).get()
        clock.advance(HOUR_MS)
    partition = TopicPartition("readings", 0)
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    first = consumer.beginning_offsets([partition])[partition]
    end = consumer.end_offsets([partition])[partition]
    values = [value for _, value in read(kafka, "readings")]
    print(f"readings: offsets {first} to {end - 1} are left of 24 hours: {values[0]!r} ... {values[-1]!r}")
    assert end == 24
    assert 16 <= first <= 19  # offsets never change; the log only gets shorter in front
    assert len(values) == end - first

    # Compaction: the last value of each key stays, however old; a null value deletes a key, and is gone itself later.
    compacted = {
        "cleanup.policy": "compact",
        "segment.ms": HOUR_MS,
        "min.cleanable.dirty.ratio": 0.01,
        "delete.retention.ms": HOUR_MS,
    }
    admin.create_topics({"settings": {"num_partitions": 1, "configs": compacted}})
    for version in range(10):
        producer.send("settings", key=b"theme", value=b"theme %d" % version)
        producer.send("settings", key=b"volume", value=b"volume %d" % version)
    producer.send("settings", key=b"volume", value=None).get()
    clock.advance(2 * HOUR_MS)
    producer.send("settings", key=b"font", value=b"mono").get()  # starts a new segment: only older ones are compacted
    clock.advance(HOUR_MS)
    once = read(kafka, "settings")
    print("settings, compacted:", once)
    assert once == [(b"theme", b"theme 9"), (b"volume", None), (b"font", b"mono")]

    clock.advance(2 * HOUR_MS)
    producer.send("settings", key=b"font", value=b"serif").get()
    clock.advance(2 * HOUR_MS)
    later = dict(read(kafka, "settings"))
    print("settings, later:    ", later)
    assert later == {b"theme": b"theme 9", b"font": b"serif"}
