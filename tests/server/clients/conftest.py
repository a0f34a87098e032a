"""A broker for clients that we did not write: ``embedkafka serve`` in a process of its own.

``EMBEDKAFKA_TEST_BROKER=host:port`` runs the same tests against another broker: what Apache Kafka does not pass is no
test of ours.  It needs share.version=1, transaction.version=2 and group.initial.rebalance.delay.ms=0.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from real_kafka.jars import KafkaJars, compiled
from server.clients.streams_application import StreamsApplication

IS_FULL = os.environ.get("EMBEDKAFKA_FULL", "") not in ("", "0")
collect_ignore = [] if IS_FULL else ["test_kafka_streams_lives.py", "test_mirror_maker.py"]  # minutes

_APPS = Path(__file__).parent / "java_apps"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker that all tests share."""
    other = os.environ.get("EMBEDKAFKA_TEST_BROKER")
    if other:
        yield other
        return
    errors = tmp_path_factory.mktemp("serve") / "errors"
    command = [sys.executable, "-m", "embedkafka", "serve", "--memory", "--listen", "127.0.0.1:0", "--json"]
    for name in ("group.consumer.min.heartbeat.interval.ms", "group.consumer.heartbeat.interval.ms"):
        command += ["--config", f"{name}=500"]  # a rebalance takes a few of them
    with errors.open("wb") as sink:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sink)
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        assert ready, f"the broker did not start:\n{errors.read_text()}"
        yield json.loads(ready)["address"]
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


@pytest.fixture(autouse=True, scope="module")
def _module_leaves_nothing_behind() -> None:
    """Other people's clients clean up after themselves in their own time; the broker is another process."""


@pytest.fixture(autouse=True)
def _test_leaves_nothing_behind() -> None:
    """As above."""


@pytest.fixture
def new_name() -> Callable[[str], str]:
    """Names that no other test has, nor an earlier run on the same broker."""
    run = f"{os.getpid():x}{time.time_ns() % 10**9:x}"
    return lambda what: f"{what}-{run}-{next(_numbers)}"


@pytest.fixture
def program() -> Callable[[str, str], str]:
    """The path of a program; without it the test is skipped, which CI counts as a failure."""

    def find(name: str, how_to_get_it: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not on PATH: {how_to_get_it}")
        return path

    return find


@pytest.fixture(scope="session")
def app_jars(tmp_path_factory: pytest.TempPathFactory) -> KafkaJars:
    """Kafka Streams and Kafka Connect."""
    return compiled([_APPS / "StreamsApp.java"], tmp_path_factory.mktemp("apps"), _APPS / "pom.xml")


@pytest.fixture
def group_protocol() -> str:
    """What the instances of an application speak to each other."""
    return "classic"


@pytest.fixture
def application(
    app_jars: KafkaJars, broker: str, new_name: Callable[[str], str], tmp_path: Path, group_protocol: str
) -> Iterator[StreamsApplication]:
    """An application that reads and writes exactly once."""
    settings = ["processing.guarantee=exactly_once_v2", f"group.protocol={group_protocol}"]
    if group_protocol == "classic":
        settings += ["session.timeout.ms=6000", "heartbeat.interval.ms=1000"]
    running = StreamsApplication(app_jars, broker, new_name("streams"), tmp_path, *settings)
    yield running
    running.stop()
