"""The data directory: one owner, nobody else's files, a marker that can be trusted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from uuid import UUID

import pytest
from storage.builders import NOW_MS, TOPIC_ID, TP, Directory, append, read_values, values

from embedkafka.errors import DirectoryLockedError, ForeignDirectoryError, KafkaStorageError
from embedkafka.files import HandleCache, MemoryFiles, system_files
from embedkafka.files.faulty import Fault, FaultyFiles, Unsynced
from embedkafka.model import TopicPartition
from embedkafka.storage.broker_directory import BrokerDirectory
from embedkafka.storage.config import LogConfig
from embedkafka.storage.data_directory import DataDirectory


def test_a_new_directory_has_its_format_its_lock_and_kafkas_files(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data"
    directory = Directory(system_files(), str(path))
    append(directory.log(), values("a"))
    directory.close()
    assert (path / "format").read_text() == "embedkafka 1\n"
    assert sorted(name.name for name in (path / "broker-0").iterdir()) == [
        ".kafka_cleanshutdown",
        "log-start-offset-checkpoint",
        "meta.properties",
        "recovery-point-offset-checkpoint",
        "replication-offset-checkpoint",
        "text-0",
    ]
    assert json.loads((path / "broker-0" / ".kafka_cleanshutdown").read_text())["version"] == 0
    assert (path / "broker-0" / "recovery-point-offset-checkpoint").read_text() == "0\n1\ntext 0 1\n"
    meta = (path / "broker-0" / "meta.properties").read_text()
    assert "cluster.id=cluster\n" in meta
    assert "node.id=0\n" in meta


def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    directory = Directory(system_files(), str(tmp_path))
    with pytest.raises(DirectoryLockedError, match=str(os.getpid())) as caught:
        DataDirectory.open(system_files(), str(tmp_path))
    assert (caught.value.path, caught.value.owner_pid) == (str(tmp_path), os.getpid())
    append(directory.log(), values("a"))
    directory.close()
    again = Directory(system_files(), str(tmp_path))
    assert read_values(again.log()) == [b"a"]
    again.close()


def test_a_killed_owner_does_not_keep_the_lock(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("999999")
    (tmp_path / "format").write_text("embedkafka 1\n")
    Directory(system_files(), str(tmp_path)).close()


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("thesis.tex", b"x", "thesis.tex"),
        ("format", b"something else\n", "something else"),
        ("format", b"embedkafka 2\n", "format 2"),
        ("format", b"\xff\x00", "format file says"),
    ],
)
def test_a_foreign_directory_is_refused_and_left_alone(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ForeignDirectoryError, match=match) as caught:
        DataDirectory.open(system_files(), str(tmp_path))
    assert caught.value.path == str(tmp_path)
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [(name, content)]


def test_a_file_is_not_a_data_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ForeignDirectoryError, match="it is a file"):
        DataDirectory.open(system_files(), str(tmp_path / "file"))


def test_a_brokers_folder_of_another_cluster_or_broker_is_refused() -> None:
    files = MemoryFiles()
    Directory(files).close()
    for broker_id, cluster_id in ((0, "other"), (1, "cluster")):
        with pytest.raises(ForeignDirectoryError, match="belongs to"):
            BrokerDirectory.open(files, "/data/broker-0", broker_id=broker_id, cluster_id=cluster_id)


def test_looking_beside_a_live_owner_reads_whole_batches_and_changes_nothing(tmp_path: Path) -> None:
    directory = Directory(system_files(), str(tmp_path))
    log = directory.log(LogConfig(segment_bytes=300, index_interval_bytes=50))
    for number in range(20):
        append(log, values(f"{number}", timestamp=NOW_MS + number))
    with open(log.segments[-1].log.path, "ab") as file:
        file.write(b"half a batch")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    handles = HandleCache(system_files())
    beside = DataDirectory.open(system_files(), str(tmp_path), read_only=True)
    broker = beside.broker(0, cluster_id="")
    seen = broker.open_log(handles, TP, LogConfig(), topic_id=TOPIC_ID, now_ms=NOW_MS)
    assert read_values(seen) == [b"%d" % number for number in range(20)]
    found = seen.offset_for_timestamp(NOW_MS + 19)
    assert found is not None
    assert found.offset == 19
    broker.close()
    beside.close()
    handles.close()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    directory.close()


def test_looking_at_a_directory_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with pytest.raises(ForeignDirectoryError, match="no data directory"):
        DataDirectory.open(system_files(), str(tmp_path / "nowhere"), read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_the_marker_is_there_only_between_a_clean_close_and_the_next_use() -> None:
    files = MemoryFiles()
    directory = Directory(files)
    marker = "/data/broker-0/.kafka_cleanshutdown"
    append(directory.log(), values("a"))
    assert not files.exists(marker)
    directory.close()
    assert files.exists(marker)
    again = Directory(files)
    assert again.broker.was_clean
    assert files.exists(marker), "nothing was written yet"
    append(again.log(), values("b"))
    assert not files.exists(marker)
    again.close()


def test_opening_and_closing_without_use_changes_nothing() -> None:
    files = MemoryFiles()
    directory = Directory(files)
    append(directory.log(), values("a"))
    directory.close()
    Directory(files).close()
    again = Directory(files)
    assert again.broker.was_clean
    assert read_values(again.log()) == [b"a"]
    again.close()


def test_a_partition_that_was_not_opened_since_a_crash_keeps_the_next_close_from_being_clean() -> None:
    files = MemoryFiles()
    directory = Directory(files)
    append(directory.log(topic_partition=TopicPartition("a", 0)), values("x"))
    append(directory.log(topic_partition=TopicPartition("b", 0)), values("x"))
    files.locked.clear()  # killed
    again = Directory(files)
    assert again.broker.unrecovered == [("a", 0), ("b", 0)]
    again.log(topic_partition=TopicPartition("a", 0))
    again.close()
    third = Directory(files)
    assert not third.broker.was_clean
    third.log(topic_partition=TopicPartition("a", 0))
    third.log(topic_partition=TopicPartition("b", 0))
    third.close()
    assert Directory(files).broker.was_clean


def test_checkpoints_keep_what_they_said_about_logs_that_were_not_opened() -> None:
    files = MemoryFiles()
    directory = Directory(files)
    log = directory.log(topic_partition=TopicPartition("a", 0))
    append(log, values("x", "y", "z"))
    log.advance_log_start(2)
    directory.close()
    again = Directory(files)
    append(again.log(topic_partition=TopicPartition("b", 0)), values("x"))
    again.close()
    third = Directory(files)
    reopened = third.log(topic_partition=TopicPartition("a", 0))
    assert (reopened.log_start_offset, reopened.recovery_point) == (2, 3)
    third.close()


def test_a_damaged_checkpoint_only_makes_recovery_longer() -> None:
    files = MemoryFiles()
    directory = Directory(files)
    append(directory.log(), values("a"))
    directory.broker.write_checkpoints()
    files.locked.clear()  # killed
    file = files.open("/data/broker-0/recovery-point-offset-checkpoint")
    file.truncate(0)
    file.write_all(b"garbage", 0)
    again = Directory(files)
    assert read_values(again.log()) == [b"a"]
    again.close()


def test_deleting_a_log_leaves_nothing_and_the_name_can_be_used_again() -> None:
    files = MemoryFiles()
    directory = Directory(files)
    append(directory.log(), values("a"))
    directory.broker.delete_log(TP)
    assert directory.broker.partitions() == []
    assert [name for name in files.list("/data/broker-0") if name.startswith("text")] == []
    log = directory.log()
    assert log.end_offset == 0
    append(log, values("b"))
    directory.close()
    again = Directory(files)
    assert read_values(again.log()) == [b"b"]
    again.close()


def test_a_crash_in_the_middle_of_a_deletion_finishes_it_at_the_next_opening() -> None:
    files = FaultyFiles()
    directory = Directory(files)
    append(directory.log(), values("a"))
    files.faults.append(Fault("unlink", times=None))
    with pytest.raises(KafkaStorageError):
        directory.broker.delete_log(TP)
    files.faults.clear()
    again = Directory(files.power_cut(unsynced_names=Unsynced.KEPT))
    assert again.broker.partitions() == []
    assert [name for name in again.files.list("/data/broker-0") if "delete" in name] == []
    again.close()


def test_a_failed_sync_at_the_close_leaves_no_marker() -> None:
    files = FaultyFiles()
    directory = Directory(files)
    append(directory.log(), values("a"))
    files.faults.append(Fault("sync", path_part=".log"))
    with pytest.raises(KafkaStorageError):
        directory.close()
    again = Directory(files)
    assert not again.broker.was_clean
    assert read_values(again.log()) == [b"a"]
    again.close()


def test_all_logs_together_respect_log_max_total_bytes() -> None:
    files = MemoryFiles()
    directory = Directory(files)
    directory.broker.usage.limit_bytes = 250
    logs = [directory.log(topic_partition=TopicPartition("t", number)) for number in range(3)]
    append(logs[0], values("a"))
    append(logs[1], values("b"))
    append(logs[2], values("c"))
    with pytest.raises(KafkaStorageError, match=r"log\.max\.total\.bytes"):
        append(logs[0], values("d"))
    directory.broker.delete_log(TopicPartition("t", 1))
    append(logs[0], values("d"))
    assert directory.broker.usage.used_bytes == logs[0].size_bytes + logs[2].size_bytes
    directory.close()


def test_the_topics_id_is_kept_with_the_partition() -> None:
    files = MemoryFiles()
    directory = Directory(files)
    append(directory.log(), values("a"))
    directory.close()
    from embedkafka.storage.metadata import read_partition_metadata

    assert read_partition_metadata(files, "/data/broker-0/text-0") == TOPIC_ID
    assert isinstance(TOPIC_ID, UUID)
