"""Apache Kafka's own jars, as an oracle: what they write we must read, and what we write they must read.

``pom.xml`` names the release.  Maven resolves it once per machine and version (the class path is kept under the user's
cache folder); the small Java programs in ``java/`` are compiled once per session.  Without Java or Maven the tests are
skipped on a developer's machine and fail in CI.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
_MAVEN_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"
_MAVEN_TIMEOUT_S = 600
_JAVA_TIMEOUT_S = 120


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real_kafka)


@dataclass(frozen=True)
class KafkaJars:
    """Runs programs out of Kafka's jars, and ours that are compiled against them."""

    class_path: str
    heap: str = "-Xmx512m"

    def command(self, main_class: str, *arguments: object) -> list[str]:
        return ["java", self.heap, "-XX:TieredStopAtLevel=1", "-cp", self.class_path, main_class, *map(str, arguments)]

    def run(self, main_class: str, *arguments: object, with_errors: bool = False) -> str:
        """Standard output (and, where asked for, error output) of a program; a failure carries all it said."""
        done = subprocess.run(
            self.command(main_class, *arguments), capture_output=True, timeout=_JAVA_TIMEOUT_S, check=False
        )
        output, errors = done.stdout.decode(), done.stderr.decode(errors="replace")
        if done.returncode != 0:
            raise AssertionError(f"{main_class} ended with {done.returncode}:\n{output[-4000:]}\n{errors[-4000:]}")
        return output + errors if with_errors else output

    def run_json_lines(self, main_class: str, *arguments: object) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(main_class, *arguments).splitlines()]

    def dump(self, files: Sequence[Path], *options: str) -> str:
        """What DumpLogSegments prints about these files, keys and values in hexadecimal digits.

        It lists mismatches on standard error and ends with 0 all the same.
        """
        decoders = [] if "--offsets-decoder" in options else ["--key-decoder-class", "HexDecoder"]
        if decoders:
            decoders += ["--value-decoder-class", "HexDecoder"]
        return self.run(
            "org.apache.kafka.tools.DumpLogSegments",
            "--files",
            ",".join(map(str, files)),
            *options,
            *(decoders if "--print-data-log" in options else []),
            with_errors=True,
        )


@pytest.fixture(scope="session")
def kafka_jars(tmp_path_factory: pytest.TempPathFactory) -> KafkaJars:
    """Kafka's jars and the programs of ``java/``, compiled."""
    missing = [tool for tool in ("java", "javac", "mvn") if shutil.which(tool) is None]
    if missing:
        reason = f"Apache Kafka's jars need {', '.join(missing)}, not found on this machine"
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    class_path = _resolve_class_path()
    classes = tmp_path_factory.mktemp("kafka-classes")
    sources = sorted(map(str, (HERE / "java").glob("*.java")))
    subprocess.run(["javac", "-cp", class_path, "-d", str(classes), *sources], check=True, timeout=_JAVA_TIMEOUT_S)
    return KafkaJars(f"{classes}{os.pathsep}{class_path}")


@pytest.fixture(scope="session")
def kafka_facts(kafka_jars: KafkaJars) -> dict[str, Any]:
    """Kafka's tables of configs, errors and APIs, out of its own classes."""
    facts: dict[str, Any] = json.loads(kafka_jars.run("PrintFacts"))
    return facts


def _resolve_class_path() -> str:
    """The class path Maven names, from the cache where every jar of it is still there."""
    pom = HERE / "pom.xml"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "embedkafka"
    kept = cache / f"real-kafka-{hashlib.sha256(pom.read_bytes()).hexdigest()[:16]}.classpath"
    if kept.is_file():
        class_path = kept.read_text()
        if all(Path(jar).is_file() for jar in class_path.split(os.pathsep)):
            return class_path
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = cache / f"{kept.name}.{os.getpid()}"
    subprocess.run(
        ["mvn", "-q", "-B", "-f", str(pom), _MAVEN_GOAL, f"-Dmdep.outputFile={unfinished}"],
        check=True,
        timeout=_MAVEN_TIMEOUT_S,
    )
    unfinished.replace(kept)
    return kept.read_text()


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder for files handed to Java; emptied afterwards, because logs are large."""
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


class KafkaBroker:
    """An Apache Kafka broker on loopback, with a folder of its own; may be stopped and started again."""

    def __init__(self, jars: KafkaJars, folder: Path) -> None:
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
            "group.initial.rebalance.delay.ms": 0,
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
        self._process.wait(_JAVA_TIMEOUT_S)
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
    deadline_s = time.monotonic() + _JAVA_TIMEOUT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if broker.poll() is not None or time.monotonic() > deadline_s:
                raise AssertionError(f"the broker did not start:\n{output.read_text()[-4000:]}") from None
            time.sleep(0.1)  # another process's port: there is nothing to wait on
