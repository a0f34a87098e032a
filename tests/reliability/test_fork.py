"""After fork the child's engines and clients are dead, and say whose they are; the parent does not notice."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import embedkafka
from embedkafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")

ONE = TopicPartition("t", 0)


def in_child(work: Callable[[], Any]) -> Any:
    """Run ``work`` in a forked child and give back what it returned, by way of JSON."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = json.dumps(work())
        except BaseException as error:
            answer = json.dumps(f"the child failed: {type(error).__name__}: {error}")
        os.write(write_end, answer.encode())
        os._exit(0)
    os.close(write_end)
    try:
        with os.fdopen(read_end, "rb") as pipe:
            answer = pipe.read().decode()
    finally:
        os.waitpid(pid, 0)
    return json.loads(answer)


def said(call: Callable[[], Any]) -> str:
    """The class and text of the error that a call raises."""
    try:
        result = call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return f"no error, but {result!r}"


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    with embedkafka.EmbeddedKafka(tmp_path / "data") as engine:
        yield engine


@pytest.fixture
def clients(engine: Any) -> Any:
    producer = KafkaProducer(bootstrap_servers=engine)
    consumer = KafkaConsumer("t", bootstrap_servers=engine, group_id="g", auto_offset_reset="earliest")
    admin = KafkaAdminClient(bootstrap_servers=engine)
    producer.send("t", b"before", partition=0).get(timeout=10)
    assert [record.value for record in consumer.poll(timeout_ms=10_000)[ONE]] == [b"before"]
    yield producer, consumer, admin
    consumer.close()
    producer.close()
    admin.close()


def test_every_call_in_the_child_names_the_owner(engine: Any, clients: Any) -> None:
    producer, consumer, admin = clients

    def child() -> dict[str, str]:
        return {
            "send": said(lambda: producer.send("t", b"child")),
            "flush": said(producer.flush),
            "partitions_for": said(lambda: producer.partitions_for("t")),
            "poll": said(lambda: consumer.poll(timeout_ms=100)),
            "commit": said(consumer.commit),
            "position": said(lambda: consumer.position(ONE)),
            "seek": said(lambda: consumer.seek(ONE, 0)),
            "end_offsets": said(lambda: consumer.end_offsets([ONE])),
            "next": said(lambda: next(consumer)),
            "list_topics": said(admin.list_topics),
            "create_topics": said(lambda: admin.create_topics({"u": {}})),
            "new producer": said(lambda: KafkaProducer(bootstrap_servers=engine)),
            "new consumer": said(lambda: KafkaConsumer(bootstrap_servers=engine)),
        }

    answers = in_child(child)
    assert isinstance(answers, dict), answers
    for call, answer in answers.items():
        assert f"{os.getpid()}" in answer, f"{call}: {answer}"


def test_closing_and_collecting_in_the_child_harms_nobody(engine: Any, clients: Any, tmp_path: Path) -> None:
    producer, consumer, admin = clients
    unsealed = producer.send("t", b"unsealed", partition=0)

    def child() -> str:
        import gc

        for one in (producer, consumer, admin, engine):
            one.close()
        gc.collect()
        return "closed"

    assert in_child(child) == "closed"
    assert unsealed.get(timeout=10).offset == 1
    producer.send("t", b"after", partition=0)
    values: list[bytes] = []
    while len(values) < 2:
        values += [record.value for record in consumer.poll(timeout_ms=10_000)[ONE]]
    assert values == [b"unsealed", b"after"]
    consumer.commit()
    assert consumer.committed(ONE) == 3


def test_the_child_does_not_release_the_directory(engine: Any, tmp_path: Path) -> None:
    def child() -> str:
        engine.close()
        return said(lambda: embedkafka.EmbeddedKafka(tmp_path / "data"))

    assert f"{os.getpid()}" in in_child(child)
    # Another process is still kept out after the child's end.
    assert f"{os.getpid()}" in in_child(lambda: said(lambda: embedkafka.EmbeddedKafka(tmp_path / "data")))


def test_a_child_may_open_a_directory_of_its_own(engine: Any, clients: Any, tmp_path: Path) -> None:
    def child() -> list[str]:
        with embedkafka.EmbeddedKafka(tmp_path / "own") as own, KafkaProducer(bootstrap_servers=own) as producer:
            offset = producer.send("t", b"v").get(timeout=10).offset
        return [str(offset), str(sorted(sys.modules).count("embedkafka"))]

    assert in_child(child) == ["0", "1"]


def test_an_ordinary_exit_of_the_child_writes_nothing(engine: Any, clients: Any, tmp_path: Path) -> None:
    """The child leaves through sys.exit, so its atexit hooks and finalizers run."""
    producer, _, _ = clients
    unsealed = producer.send("t", b"unsealed", partition=0)
    pid = os.fork()
    if pid == 0:
        try:
            sys.exit(0)
        finally:
            import atexit

            atexit._run_exitfuncs()
            os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert unsealed.get(timeout=10).offset == 1
    consumer = KafkaConsumer(bootstrap_servers=engine, group_id=None)
    assert consumer.end_offsets([ONE])[ONE] == 2
    consumer.close()
