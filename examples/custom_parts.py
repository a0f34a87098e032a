"""Parts of your own: a partitioner, serializers, an interceptor.

python examples/custom_parts.py
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from typing import Any

from embedkafka import EmbeddedKafka

URGENT_PARTITION = 0


@dataclass
class Alarm:
    sensor: int
    text: str


def key_to_bytes(sensor: int) -> bytes:
    return struct.pack(">i", sensor)


def alarm_to_bytes(alarm: Alarm) -> bytes:
    return json.dumps(asdict(alarm)).encode()


def bytes_to_alarm(data: bytes) -> Alarm:
    return Alarm(**json.loads(data))


def urgent_first(key: bytes | None, all_partitions: list[int], available: list[int]) -> int:
    """Sensors below 10 are urgent and have a partition of their own; the others share the rest."""
    sensor: int = struct.unpack(">i", key or b"\0\0\0\0")[0]
    if sensor < 10:
        return URGENT_PARTITION
    return all_partitions[1 + sensor % (len(all_partitions) - 1)]


class Counting:
    """Sees every record before it is sent and every answer, as Java's ProducerInterceptor."""

    def __init__(self) -> None:
        self.sent = self.acknowledged = 0

    def on_send(self, record: Any) -> Any:
        self.sent += 1
        return record

    def on_acknowledgement(self, metadata: Any, error: BaseException | None) -> None:
        self.acknowledged += error is None


with EmbeddedKafka() as kafka:
    kafka.create_topic("alarms", 4)
    counting = Counting()
    producer = kafka.producer(
        key_serializer=key_to_bytes,
        value_serializer=alarm_to_bytes,
        partitioner=urgent_first,
        interceptors=[counting],
    )
    for sensor in range(40):
        producer.send("alarms", key=sensor, value=Alarm(sensor, f"sensor {sensor} is warm"))
    producer.close()

    consumer = kafka.consumer(
        "alarms", auto_offset_reset="earliest", consumer_timeout_ms=100, value_deserializer=bytes_to_alarm
    )
    alarms = list(consumer)
    urgent = [record.value.sensor for record in alarms if record.partition == URGENT_PARTITION]
    print(f"{len(alarms)} alarms as objects, such as {alarms[0].value}; the urgent partition has sensors {urgent}")
    print(f"the interceptor saw {counting.sent} sent, {counting.acknowledged} acknowledged")
    assert urgent == list(range(10))
    assert counting.sent == counting.acknowledged == len(alarms) == 40
