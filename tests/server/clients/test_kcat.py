"""kcat, Debian's command line client (an older librdkafka), against the listener."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

NewName = Callable[[str], str]

_LIMIT_S = 30.0


class Kcat:
    """The program with a broker's address."""

    def __init__(self, path: str, broker: str) -> None:
        self._command = [path, "-b", broker, "-m", "10"]

    def run(self, *arguments: str, text: str = "") -> str:
        command = [*self._command, *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def metadata(self, topic: str) -> dict[str, Any]:
        return json.loads(self.run("-L", "-J", "-t", topic))

    @contextmanager
    def member(self, group: str, topic: str, log: Path) -> Iterator[Callable[[], list[int]]]:
        """A member of a group; gives a function that tells which partitions it has been assigned last."""
        command = [*self._command, "-G", group, "-X", "heartbeat.interval.ms=200", topic]
        with log.open("wb") as sink:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sink)
        try:
            yield lambda: _assigned(log.read_text(), topic)
        finally:
            process.terminate()
            process.wait(_LIMIT_S)


def _assigned(said: str, topic: str) -> list[int]:
    lines = [line for line in said.splitlines() if "rebalanced" in line]
    if not lines or "assigned:" not in lines[-1]:
        return []
    listed = lines[-1].partition("assigned:")[2]
    return [int(part.partition("[")[2].rstrip("]")) for part in listed.split(",") if topic in part]


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + _LIMIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never came true"
        time.sleep(0.05)  # another process's output: there is nothing to wait on


@pytest.fixture
def kcat(program: Callable[[str, str], str], broker: str) -> Kcat:
    return Kcat(program("kcat", "apt-get install kcat"), broker)


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_records_come_back_as_they_were_sent(kcat: Kcat, new_name: NewName, codec: str) -> None:
    topic = new_name("kcat")
    kcat.run("-P", "-t", topic, "-K", ":", "-H", "header=here", "-z", codec, text="k1:one\nk2:two\n:three\n")
    read = [json.loads(line) for line in kcat.run("-C", "-t", topic, "-e", "-q", "-J").splitlines()]
    assert sorted((record["key"], record["payload"], record["headers"]) for record in read) == [
        ("", "three", ["header", "here"]),
        ("k1", "one", ["header", "here"]),
        ("k2", "two", ["header", "here"]),
    ]


def test_a_topic_is_listed_with_its_partitions_and_the_broker(kcat: Kcat, broker: str, new_name: NewName) -> None:
    topic = new_name("kcat")
    kcat.run("-P", "-t", topic, text="one\n")
    metadata = kcat.metadata(topic)
    assert [entry["name"] for entry in metadata["brokers"]] == [broker]
    assert metadata["topics"][0]["topic"] == topic
    assert all(entry["leader"] == metadata["brokers"][0]["id"] for entry in metadata["topics"][0]["partitions"])


def test_an_offset_is_found_by_its_time(kcat: Kcat, new_name: NewName) -> None:
    topic = new_name("kcat")
    kcat.run("-P", "-t", topic, "-p", "0", text="one\ntwo\n")
    assert f"{topic} [0] offset 2" in kcat.run("-Q", "-t", f"{topic}:0:-1")
    assert f"{topic} [0] offset 0" in kcat.run("-Q", "-t", f"{topic}:0:1")


def test_a_transaction_is_committed(kcat: Kcat, new_name: NewName) -> None:
    topic = new_name("kcat")
    kcat.run("-P", "-t", topic, "-p", "0", "-X", f"transactional.id={new_name('transactional')}", text="one\ntwo\n")
    read = kcat.run("-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-X", "isolation.level=read_committed")
    assert read.split() == ["one", "two"]


def test_a_group_rebalances_when_a_member_comes_and_goes(
    kcat: Kcat, broker: str, new_name: NewName, tmp_path: Path
) -> None:
    topic, group = new_name("kcat"), new_name("group")
    with closing(KafkaAdminClient(bootstrap_servers=broker)) as admin:  # kcat creates topics of one partition only
        admin.create_topics([NewTopic(name=topic, num_partitions=2, replication_factor=1)])
    with kcat.member(group, topic, tmp_path / "first") as first:
        _wait_for(lambda: first() == [0, 1])
        with kcat.member(group, topic, tmp_path / "second") as second:
            _wait_for(lambda: len(first()) == len(second()) == 1 and first() != second())
        _wait_for(lambda: first() == [0, 1])
