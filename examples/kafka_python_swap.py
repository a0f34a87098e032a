"""A program written for kafka-python runs here by changing an import, and back again.

    python examples/kafka_python_swap.py
    KAFKA_LIBRARY=kafka BOOTSTRAP=localhost:9092 python examples/kafka_python_swap.py     # kafka-python, a real broker

Everything below the imports is kafka-python 3's API and nothing else.
"""

from __future__ import annotations

import os
from importlib import import_module

library = import_module(os.environ.get("KAFKA_LIBRARY", "embedkafka"))
bootstrap = os.environ.get("BOOTSTRAP", "embed:memory")

# In a program of yours: `from kafka import ...` becomes `from embedkafka import ...`.
KafkaAdminClient = library.KafkaAdminClient
KafkaConsumer = library.KafkaConsumer
KafkaProducer = library.KafkaProducer
TopicPartition = library.TopicPartition
OffsetAndMetadata = library.OffsetAndMetadata

TOPIC = f"swap-{os.getpid()}"

admin = KafkaAdminClient(bootstrap_servers=bootstrap)
admin.create_topics({TOPIC: {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True)

producer = KafkaProducer(
    bootstrap_servers=bootstrap, acks="all", linger_ms=5, key_serializer=str.encode, value_serializer=str.encode
)
futures = [
    producer.send(TOPIC, key=f"user-{n % 7}", value=f"click {n}", headers=[("n", b"%d" % n)]) for n in range(100)
]
producer.flush()
offsets = sorted((future.get(timeout=10).partition, future.get(timeout=10).offset) for future in futures)
assert len(set(offsets)) == 100

consumer = KafkaConsumer(
    bootstrap_servers=bootstrap,
    group_id=f"{TOPIC}-readers",
    enable_auto_commit=False,
    auto_offset_reset="earliest",
    consumer_timeout_ms=5000,
    value_deserializer=bytes.decode,
)
consumer.subscribe([TOPIC])
clicks = []
for record in consumer:
    clicks.append((record.partition, record.offset, record.key, record.value, dict(record.headers)["n"]))
    if len(clicks) == 100:
        break
consumer.commit()
partitions = sorted(consumer.assignment())
ends = consumer.end_offsets(partitions)
assert {partition: consumer.committed(partition) for partition in partitions} == ends

consumer.seek(TopicPartition(TOPIC, clicks[0][0]), 0)
again = next(consumer)
consumer.commit({partitions[0]: OffsetAndMetadata(0, "from the start", -1)})
assert consumer.committed(partitions[0]) == 0
consumer.close()

per_user = {key: [value for _, _, k, value, _ in clicks if k == key] for _, _, key, _, _ in clicks}
assert all(values == sorted(values, key=lambda v: int(v.split()[1])) for values in per_user.values())
admin.delete_topics([TOPIC])
print(f"{library.__name__}: 100 clicks of {len(per_user)} users in {len(partitions)} partitions, each user's in order")
print("read again from the start:", again.value)
