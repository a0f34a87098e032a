from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from broker.support import TOPIC, Broker, running

from embedkafka.broker import api
from embedkafka.broker import catalog as catalog_module
from embedkafka.broker.producer_ids import BLOCK_SIZE
from embedkafka.errors import KafkaStorageError
from embedkafka.record import encode_batch


def new_id(broker: Broker) -> int:
    replies: list[api.InitProducerIdReply] = []
    broker.port.init_producer_id(broker.context, api.InitProducerIdRequest(), replies.append)
    (reply,) = replies
    assert reply.error_code == 0, reply
    return reply.producer_id


def id_of_a_killed_engine(path: Path) -> int:
    """What an engine gave out that was then killed, without so much as a topic."""
    program = """
        import os, signal, sys
        from embedkafka.broker import api
        from embedkafka.broker.engine import Engine
        engine = Engine.open(sys.argv[1])
        def show(reply):
            print(reply.producer_id, flush=True)
        engine.ports[0].init_producer_id(api.RequestContext(client_id="test"), api.InitProducerIdRequest(), show)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    killed = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert killed.stdout, killed.stderr
    return int(killed.stdout)


def test_ids_of_one_engine_follow_each_other_through_the_blocks(broker: Broker) -> None:
    assert [new_id(broker) for _ in range(2 * BLOCK_SIZE + 1)] == list(range(2 * BLOCK_SIZE + 1))


def test_every_session_has_a_block_of_its_own(path: Path) -> None:
    given = []
    for _ in range(3):
        with running(path) as broker:
            given.append(new_id(broker))
    assert given == [0, BLOCK_SIZE, 2 * BLOCK_SIZE]


def test_a_session_with_producers_costs_one_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(path) as broker:
        broker.create("t")
    commits = []
    real_commit = catalog_module._commit
    monkeypatch.setattr(catalog_module, "_commit", lambda *given: (commits.append(given), real_commit(*given)))
    with running(path) as broker:
        new_id(broker)
        new_id(broker)
    assert len(commits) == 1


def test_a_session_without_producers_uses_no_block(path: Path) -> None:
    with running(path) as broker:
        broker.create("t")
        before = (path / "catalog.sqlite").read_bytes()
    assert (path / "catalog.sqlite").read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_an_id_given_out_before_a_kill_is_not_given_out_again_however_often_the_directory_was_opened_since(
    path: Path,
) -> None:
    given = [id_of_a_killed_engine(path), id_of_a_killed_engine(path)]
    with running(path):
        pass  # a clean close in between says nothing of the ids of those that were killed
    given.append(id_of_a_killed_engine(path))
    with running(path) as broker:
        given.append(new_id(broker))
    assert len(set(given)) == len(given), given


def test_no_id_is_given_out_of_a_block_that_could_not_be_committed(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(producer_id: int) -> None:
        raise KafkaStorageError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(broker.engine.catalog, "put_first_producer_id", refuse)
        replies: list[api.InitProducerIdReply] = []
        broker.port.init_producer_id(broker.context, api.InitProducerIdRequest(), replies.append)
        assert (replies[0].error_code, replies[0].producer_id) == (KafkaStorageError.errno, -1)
    assert new_id(broker) == 0


@pytest.mark.parametrize("written_by", [5_000, 1 << 60], ids=["few ids", "more than the clock counts"])
def test_without_the_catalog_ids_go_on_behind_all_that_the_logs_know(path: Path, written_by: int) -> None:
    with running(path) as broker:
        broker.create("t", 2)
        records = encode_batch([(0, b"k", b"v", ())], producer_id=written_by, producer_epoch=0, base_sequence=0)
        assert broker.produce(records, TOPIC._replace(partition=1)).error_code == 0
    (path / "catalog.sqlite").unlink()
    with running(path):
        pass  # adopts the topics, which is when the loss is noticed, and asks for no id
    with running(path) as broker:
        first = new_id(broker)
        assert first > max(written_by, broker.engine.clock.now_ms() - 1)
    with running(path) as broker:
        assert new_id(broker) == first + BLOCK_SIZE
