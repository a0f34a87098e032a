"""An application of Kafka Streams (``java_apps/StreamsApp.java``): its topics, what they hold, its instances."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from real_kafka.jars import KafkaJars
from server.clients.java_tools import ToolProcess

LIMIT_S = 60.0

Records = list[tuple[str, str]]


class StreamsApplication:
    """The application's topics, what they hold, and its instances."""

    def __init__(self, jars: KafkaJars, broker: str, name: str, folder: Path, *settings: str) -> None:
        self.name = name
        self._jars = jars
        self._broker = broker
        self._folder = folder
        self._settings = settings
        self._instances: list[ToolProcess] = []
        admin = AdminClient({"bootstrap.servers": broker})
        names = ["words", "counts", "users", "clicks", "joined", "events", "windows"]
        for made in admin.create_topics([NewTopic(f"{name}-{each}", 2, 1) for each in names]).values():
            made.result()
        self._producer = Producer({"bootstrap.servers": broker})

    def start(self, *settings: str) -> ToolProcess:
        """Another instance, once it runs; its state is in a folder of its own."""
        state = self._folder / f"state{len(self._instances)}"
        arguments = [self._broker, self.name, state, *self._settings, *settings]
        instance = ToolProcess("streams", self._jars.command("StreamsApp", *arguments))
        self._instances.append(instance)
        instance.wait_for(lambda: "state RUNNING" in instance.output or instance.code is not None)
        assert instance.code is None, instance.said
        return instance

    def send(self, topic: str, records: Records, timestamp_ms: int = 0) -> None:
        for key, value in records:
            self._producer.produce(f"{self.name}-{topic}", value, key, timestamp=timestamp_ms)
        self._producer.flush()

    def read(self, topic: str, until: Callable[[Records], bool]) -> Records:
        """What is committed of a topic, from its beginning, as soon as ``until`` holds."""
        settings = {"bootstrap.servers": self._broker, "group.id": self.name, "isolation.level": "read_committed"}
        consumer = Consumer(settings)
        consumer.assign([TopicPartition(f"{self.name}-{topic}", partition, 0) for partition in (0, 1)])
        found: Records = []
        deadline = time.monotonic() + LIMIT_S
        try:
            while not until(found):
                assert time.monotonic() < deadline, found
                message = consumer.poll(0.1)
                if message is not None:
                    assert message.error() is None, message.error()
                    key, value = message.key(), message.value()
                    assert key is not None
                    assert value is not None
                    found.append((key.decode(), value.decode()))
            return found
        finally:
            consumer.close()

    def ask(self, instance: ToolProcess, word: str) -> str:
        """What an instance's own store says about a word."""
        before = len(instance.output)
        instance.say(f"count {word}")
        instance.wait_for(lambda: any(line.startswith("answer ") for line in instance.output[before:]))
        return [line for line in instance.output if line.startswith("answer ")][-1].removeprefix("answer ")

    def stop(self) -> None:
        for instance in self._instances:
            instance.kill()


def has_counts(**counts: str) -> Callable[[Records], bool]:
    """Whether what was read last of each key is this."""
    return lambda found: dict(found) == counts
