from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from broker.support import START_MS, TOPIC, Broker, batch, running

from embedkafka.broker import api
from embedkafka.broker.engine import Engine
from embedkafka.clock import ManualClock, SystemClock
from embedkafka.errors import (
    DirectoryLockedError,
    ForeignDirectoryError,
    IllegalStateError,
    KafkaConfigurationError,
    KafkaStorageError,
)
from embedkafka.model import TopicPartition


def commit(broker: Broker, group: str, offset: int) -> None:
    request = api.OffsetCommitRequest(group, {TOPIC: api.OffsetToCommit(offset)})
    reply = broker.port.offset_commit(broker.context, request)
    assert dict(reply.error_codes) == {TOPIC: 0}


def committed(broker: Broker, group: str) -> int:
    reply = broker.port.offset_fetch(broker.context, api.OffsetFetchRequest(group, [TOPIC]))
    return reply.offsets[TOPIC].offset


# Opening and closing --------------------------------------------------------------------------------------------------


def test_topics_records_settings_and_offsets_survive_closing(path: Path) -> None:
    with running(path) as broker:
        result = broker.create("t", 2, retention_ms="1000000")
        broker.send(b"a", b"b")
        commit(broker, "g", 1)
    with running(path) as broker:
        (topic,) = broker.port.metadata(broker.context, ["t"]).topics
        assert (topic.topic_id, len(topic.partitions)) == (result.topic_id, 2)
        assert broker.values() == [b"a", b"b"]
        assert broker.config("retention.ms").value == "1000000"
        assert committed(broker, "g") == 1


def test_a_topic_nobody_wrote_to_survives_without_any_folder(path: Path) -> None:
    with running(path) as broker:
        broker.create("t", 3)
    assert not list(path.glob("broker-0/t-*"))
    with running(path) as broker:
        assert broker.topic_names() == ["t"]


def test_the_offsets_topic_is_not_there_again_before_anybody_used_it(path: Path) -> None:
    for _ in range(2):
        with running(path) as broker:
            broker.create("t")
            assert broker.topic_names() == ["t"]
    with running(path) as broker:
        commit(broker, "g", 0)
    with running(path) as broker:
        assert broker.topic_names() == ["__consumer_offsets", "t"]


def test_the_cluster_id_stays(path: Path) -> None:
    ids = set()
    for _ in range(2):
        with running(path) as broker:
            ids.add(broker.port.describe_cluster(broker.context).cluster_id)
    assert len(ids) == 1
    assert len(ids.pop()) == 22


def test_a_real_engine_has_one_thread_and_none_after_closing() -> None:
    before = set(threading.enumerate())
    engine = Engine.open()
    assert isinstance(engine.clock, SystemClock)
    (thread,) = set(threading.enumerate()) - before
    assert thread.name == "embedkafka-housekeeping"
    engine.close()
    assert set(threading.enumerate()) == before


def test_an_engine_with_a_manual_clock_has_no_thread() -> None:
    before = threading.active_count()
    with running():
        assert threading.active_count() == before


def test_closing_twice_is_closing_once(path: Path) -> None:
    engine = Engine.open(path, clock=ManualClock(START_MS))
    engine.close()
    engine.close()


def test_an_engine_can_be_closed_from_its_own_housekeeping_thread() -> None:
    engine = Engine.open()
    thread = engine._thread
    assert thread is not None
    engine.clock.call_soon(engine.close)
    thread.join(10)
    assert not thread.is_alive()
    with pytest.raises(IllegalStateError, match="closed"):
        engine.check_usable()


def test_a_bad_setting_opens_nothing(path: Path) -> None:
    with pytest.raises(KafkaConfigurationError, match=r"did you mean num\.partitions"):
        Engine.open(path, configs={"num.partition": 3})
    assert not path.exists()


def test_a_garbled_catalog_opens_nothing_and_keeps_no_lock(path: Path) -> None:
    with running(path) as broker:
        broker.create()
    good = (path / "catalog.sqlite").read_bytes()
    (path / "catalog.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(KafkaStorageError, match="catalog"):
        Engine.open(path, clock=ManualClock(START_MS))
    (path / "catalog.sqlite").write_bytes(good)
    with running(path) as broker:
        assert broker.topic_names() == ["t"]


# Owners ---------------------------------------------------------------------------------------------------------------


def test_a_second_owner_is_told_the_pid_of_the_first(path: Path) -> None:
    with running(path):
        with pytest.raises(DirectoryLockedError) as raised:
            Engine.open(path, clock=ManualClock(START_MS))
        assert raised.value.owner_pid == os.getpid()


def test_an_owner_in_another_process_is_named(path: Path) -> None:
    program = f"""
        import sys, time
        from embedkafka.broker.engine import Engine
        engine = Engine.open({str(path)!r})
        print("open", flush=True)
        sys.stdin.read()
        engine.close()
    """
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdin is not None
    try:
        assert owner.stdout.readline() == "open\n"
        with pytest.raises(DirectoryLockedError, match=str(owner.pid)):
            Engine.open(path, clock=ManualClock(START_MS))
    finally:
        owner.stdin.close()
        assert owner.wait(20) == 0
        owner.stdout.close()
    with running(path):
        pass


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ForeignDirectoryError):
        Engine.open(tmp_path, clock=ManualClock(START_MS))
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == ["letter.txt"]


# Reading beside an owner ----------------------------------------------------------------------------------------------


def test_a_reader_beside_the_owner_sees_topics_records_and_offsets_and_writes_nothing(path: Path) -> None:
    with running(path) as owner:
        owner.create("t", 1)
        owner.send(b"a")
        commit(owner, "g", 1)
        before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
        engine = Engine.open(path, clock=ManualClock(START_MS), read_only=True)
        reader = Broker(engine)
        assert reader.topic_names() == ["__consumer_offsets", "t"]
        assert reader.values() == [b"a"]
        assert committed(reader, "g") == 1
        engine.close()
        assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before
        owner.send(b"b")


def test_a_reader_can_change_nothing(path: Path) -> None:
    with running(path) as owner:
        owner.create()
        owner.send(b"a")
        engine = Engine.open(path, clock=ManualClock(START_MS), read_only=True)
        reader = Broker(engine)
        assert reader.produce(batch(b"b")).error_code == 56
        assert reader.create("u").error_code == 56
        assert reader.port.delete_topics(reader.context, ["t"])[0].error_code == 56
        assert reader.set_config(retention_ms="1").error_code == 56
        assert reader.port.delete_records(reader.context, {TOPIC: 1})[0].error_code == 56
        assert reader.values() == [b"a"]
        engine.close()
        assert owner.values() == [b"a"]


def test_reading_a_directory_that_is_not_there_makes_none(path: Path) -> None:
    with pytest.raises(ForeignDirectoryError):
        Engine.open(path, read_only=True)
    assert not path.exists()


# What a crash leaves --------------------------------------------------------------------------------------------------


def _crash(path: Path, body: str) -> None:
    """Run ``body`` with a ``broker`` on ``path`` in a process that then dies without closing."""
    program = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent.parent)!r})\n"
        "from broker.support import *\n"
        "from embedkafka.clock import ManualClock\n"
        f"broker = Broker(Engine.open({str(path)!r}, clock=ManualClock(START_MS)))\n"
        + textwrap.dedent(body)
        + "\nos._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 9


def test_after_a_crash_what_was_acknowledged_is_there(path: Path) -> None:
    _crash(path, "broker.create()\nbroker.send(b'a', b'b')\nbroker.create('u', 3)")
    with running(path) as broker:
        assert broker.values() == [b"a", b"b"]
        assert broker.topic_names() == ["t", "u"]
    assert (path / "broker-0" / ".kafka_cleanshutdown").exists()


def test_after_a_crash_every_log_is_recovered_at_once(path: Path) -> None:
    _crash(path, "broker.create('t', 3)\nfor i in range(3): broker.send(b'a', to=TopicPartition('t', i))")
    with running(path) as broker:
        assert broker.engine.store.unrecovered == []
        assert all(broker.engine.topics.partition(TopicPartition("t", i)).open_log for i in range(3))  # type: ignore[union-attr]


def test_a_deletion_that_a_crash_cut_short_after_its_commit_is_completed(path: Path) -> None:
    with running(path) as broker:
        broker.create()
        broker.create("u")
        broker.send(b"a")
        broker.send(b"b", to=TopicPartition("u", 0))
        broker.engine.catalog.remove_topic("t")  # ... and here the process dies
    with running(path) as broker:
        assert broker.topic_names() == ["u"]
        assert not list(path.glob("broker-0/t-0*"))
        broker.create()
        assert broker.values() == []
        assert broker.values(TopicPartition("u", 0)) == [b"b"]


def test_a_folder_of_the_topics_former_life_is_not_mistaken_for_its_own(path: Path) -> None:
    with running(path) as broker:
        broker.create()
        broker.send(b"old")
        entry = broker.engine.catalog.topic("t")
        assert entry is not None
        from dataclasses import replace

        broker.engine.catalog.put_topics(replace(entry, topic_id=broker.engine.ids.uuid()))
    with running(path) as broker:
        assert broker.values() == []


def test_without_its_catalog_a_directory_is_adopted(path: Path) -> None:
    with running(path) as broker:
        topic_id = broker.create("t", 2).topic_id
        broker.send(b"a", to=TopicPartition("t", 1))
        commit(broker, "g", 0)
    (path / "catalog.sqlite").unlink()
    with running(path) as broker:
        (topic,) = broker.port.metadata(broker.context, ["t"]).topics
        assert (topic.topic_id, len(topic.partitions)) == (topic_id, 2)
        assert broker.values(TopicPartition("t", 1)) == [b"a"]
        assert committed(broker, "g") == 0


def test_files_of_a_deleted_topic_go_after_their_delay(path: Path) -> None:
    clock = ManualClock(START_MS)
    with running(path, clock=clock) as broker:
        broker.create()
        broker.send(b"a")
        broker.port.delete_topics(broker.context, ["t"])
        (doomed,) = path.glob("broker-0/t-0.*-delete")
        clock.advance(59_999)
        assert doomed.exists()
        clock.advance(1)
        assert not doomed.exists()


def test_files_of_a_deleted_topic_are_gone_after_closing(path: Path) -> None:
    with running(path) as broker:
        broker.create()
        broker.send(b"a")
        broker.port.delete_topics(broker.context, ["t"])
    assert not list(path.glob("broker-0/t-0*"))


def test_a_folder_whose_renaming_was_interrupted_before_it_was_noted_is_gone_after_closing(path: Path) -> None:
    with running(path) as broker:
        broker.create()
        broker.send(b"a")
        assert broker.engine.store.broker.retire_log(TOPIC) is not None  # ... and here Ctrl-C arrives
        broker.port.delete_topics(broker.context, ["t"])
    assert not list(path.glob("broker-0/t-0*"))


# Forks ----------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork_the_childs_engine_is_dead_and_the_parents_lives(path: Path) -> None:
    with running(path) as broker:
        broker.create()
        broker.send(b"a")
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                try:
                    broker.send(b"from the child")
                except IllegalStateError as error:
                    os.write(write_end, str(error).encode())
                broker.engine.close()
                status = 0
            finally:
                os._exit(status)
        os.close(write_end)
        message = os.read(read_end, 4096).decode()
        os.close(read_end)
        assert os.waitpid(pid, 0)[1] == 0
        assert str(os.getpid()) in message
        assert broker.values() == [b"a"]
        with pytest.raises(DirectoryLockedError):
            Engine.open(path, clock=ManualClock(START_MS))
        broker.send(b"b")
    with running(path) as broker:
        assert broker.values() == [b"a", b"b"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_living_child_does_not_keep_the_directory_from_its_next_owner(path: Path) -> None:
    engine = Engine.open(path, clock=ManualClock(START_MS))
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    try:
        engine.close()
        with running(path):
            pass
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")
def test_a_child_that_exits_normally_leaves_the_parents_directory_alone(path: Path) -> None:
    with running(path) as broker:
        broker.create()
        broker.send(b"a")
        child = multiprocessing.get_context("fork").Process(target=int)
        child.start()
        child.join(20)
        assert child.exitcode == 0
        assert not (path / "broker-0" / ".kafka_cleanshutdown").exists()
        assert broker.values() == [b"a"]


def test_an_engine_that_a_program_leaves_open_is_closed_cleanly_at_its_exit(path: Path) -> None:
    """With more logs to sync than are closed one by one: an interpreter that exits starts no threads for it."""
    program = textwrap.dedent(
        """
        import sys
        import embedkafka
        producer = embedkafka.KafkaProducer(bootstrap_servers=f"embed:{sys.argv[1]}?num.partitions=10")
        for partition in range(10):
            producer.send("t", b"v", partition=partition)
        """
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (path / "broker-0" / ".kafka_cleanshutdown").exists()
