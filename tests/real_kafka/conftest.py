"""Apache Kafka's own jars, as an oracle: what they write we must read, and what we write they must read.

``pom.xml`` names the release.  Maven resolves it once per machine and version (the class path is kept under the user's
cache folder); the small Java programs in ``java/`` are compiled once per session.  Without Java or Maven the tests are
skipped on a developer's machine and fail in CI.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from real_kafka.jars import JAVA_TIMEOUT_S, KafkaJars, compiled

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real_kafka)


@pytest.fixture(scope="session")
def kafka_jars(tmp_path_factory: pytest.TempPathFactory) -> KafkaJars:
    """Kafka's jars and the programs of ``java/``, compiled."""
    return compiled(sorted((HERE / "java").glob("*.java")), tmp_path_factory.mktemp("kafka-classes"))


@pytest.fixture(scope="session")
def kafka_facts(kafka_jars: KafkaJars) -> dict[str, Any]:
    """Kafka's tables of configs, errors and APIs, out of its own classes."""
    facts: dict[str, Any] = json.loads(kafka_jars.run("PrintFacts"))
    return facts


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder for files handed to Java; emptied afterwards, because logs are large."""
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


class KafkaBroker:
    """An Apache Kafka broker on loopback, with a folder of its own; may be stopped and started again."""

    def __init__(self, jars: KafkaJars, folder: Path, more: Mapping[str, object] = MappingProxyType({})) -> None:
        self._jars = jars
        self._folder = folder
        self._output = folder / "output"
        self._port, controller_port = _free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self._port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.logs,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "group.streams.initial.rebalance.delay.ms": 0,
            "group.streams.assignment.interval.ms": 0,
            **more,
        }
        self._properties = folder / "server.properties"
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        jars.run("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", self._properties)

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def logs(self) -> Path:
        """Where the partitions' folders are."""
        return self._folder / "data"

    def start(self) -> None:
        with open(self._output, "ab") as output:
            self._process = subprocess.Popen(
                self._jars.command("kafka.Kafka", self._properties),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        _wait_for_port(self._port, self._process, self._output)

    def stop(self) -> None:
        """Shut down cleanly."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(JAVA_TIMEOUT_S)
        self._process = None

    def remove(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.logs, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka_broker(kafka_jars: KafkaJars, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Apache Kafka broker of this session's own; gone with the session."""
    broker = KafkaBroker(kafka_jars, tmp_path_factory.mktemp("kafka-broker"))
    try:
        broker.start()
        yield broker.bootstrap_servers
    finally:
        broker.remove()


@pytest.fixture
def stopped_kafka_broker(kafka_jars: KafkaJars, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A broker of the test's own, not started yet."""
    broker = KafkaBroker(kafka_jars, tmp_path_factory.mktemp("kafka-broker"))
    try:
        yield broker
    finally:
        broker.remove()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait_for_port(port: int, broker: subprocess.Popen[bytes], output: Path) -> None:
    deadline_s = time.monotonic() + JAVA_TIMEOUT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if broker.poll() is not None or time.monotonic() > deadline_s:
                raise AssertionError(f"the broker did not start:\n{output.read_text()[-4000:]}") from None
            time.sleep(0.1)  # another process's port: there is nothing to wait on
