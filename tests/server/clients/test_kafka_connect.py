"""Kafka Connect 4.3.1 with the listener as its broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from real_kafka.jars import KafkaJars
from server.clients.connect_worker import ConnectWorker, wait_until

pytestmark = pytest.mark.real_kafka


@pytest.fixture
def worker(app_jars: KafkaJars, broker: str, new_name: Callable[[str], str], tmp_path: Path) -> Iterator[ConnectWorker]:
    running = ConnectWorker(app_jars, broker, new_name("connect"), tmp_path)
    yield running
    running.stop()


def test_a_file_goes_through_a_topic_into_another_file(
    worker: ConnectWorker, new_name: Callable[[str], str], tmp_path: Path
) -> None:
    topic, source, sink = new_name("connect"), tmp_path / "source.txt", tmp_path / "sink.txt"
    lines = [f"line {number}" for number in range(100)]
    source.write_text("".join(f"{line}\n" for line in lines))
    sink.touch()
    config = {"connector.class": "FileStreamSource", "file": str(source), "topic": topic}
    worker.ask("PUT", "/connectors/source/config", {**config, "exactly.once.support": "required"})
    config = {"connector.class": "FileStreamSink", "file": str(sink), "topics": topic}
    worker.ask("PUT", "/connectors/sink/config", config)
    wait_until(lambda: sink.read_text().splitlines() == lines)

    worker.ask("PUT", "/connectors/source/pause")
    worker.wait_for("source", "PAUSED")
    with source.open("a") as more:
        more.write("one more\n")
    worker.ask("PUT", "/connectors/source/resume")
    wait_until(lambda: sink.read_text().splitlines() == [*lines, "one more"])

    worker.ask("PUT", "/connectors/source/stop")
    worker.wait_for("source", "STOPPED")
    position = {"partition": {"filename": str(source)}, "offset": {"position": len("line 0\n") * 10}}
    assert worker.ask("GET", "/connectors/source/offsets") != {"offsets": [position]}
    worker.ask("PATCH", "/connectors/source/offsets", {"offsets": [position]})
    assert worker.ask("GET", "/connectors/source/offsets") == {"offsets": [position]}
    worker.ask("PUT", "/connectors/source/resume")
    wait_until(lambda: sorted(sink.read_text().splitlines()) == sorted([*lines, *lines[10:], "one more", "one more"]))
