"""Descriptors, mappings, and costs that must not grow."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest
from storage.builders import NOW_MS, Directory, append, open_log, read_values, values

from embedkafka.errors import CorruptRecordError, KafkaStorageError
from embedkafka.files import HandleCache, system_files
from embedkafka.files.faulty import FaultyFiles
from embedkafka.model import TopicPartition
from embedkafka.storage.config import LogConfig


def descriptors_in(folder: Path) -> int:
    found = 0
    for number in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{number}").startswith(str(folder))
        except FileNotFoundError:
            continue
    return found


def mappings_in(folder: Path) -> int:
    with open("/proc/self/maps") as maps:
        return sum(str(folder) in line for line in maps)


def test_many_partitions_work_with_few_descriptors(tmp_path: Path) -> None:
    directory = Directory(system_files(), str(tmp_path), max_open_files=16)
    logs = [directory.log(topic_partition=TopicPartition("t", number)) for number in range(200)]
    for turn in range(3):
        for number, log in enumerate(logs):
            append(log, values(f"{turn}-{number}"))
            assert descriptors_in(tmp_path) <= 17, "16 and the lock"
    for number, log in enumerate(logs):
        assert read_values(log) == [f"{turn}-{number}".encode() for turn in range(3)]
    directory.close()
    assert descriptors_in(tmp_path) == 0


def test_nothing_is_open_or_mapped_after_the_close_though_readers_keep_their_bytes(tmp_path: Path) -> None:
    directory = Directory(system_files(), str(tmp_path))
    log = directory.log(LogConfig(tail_bytes=0, segment_bytes=200_000))
    for number in range(300):
        append(log, values(f"{number}" * 300))
    held = log.read(0, max_bytes=1 << 20)
    read_values(log)
    assert mappings_in(tmp_path) > 0
    before = bytes(held[0])
    directory.close()
    assert descriptors_in(tmp_path) == mappings_in(tmp_path) == 1, "the one mapping that is still held"
    assert bytes(held[0]) == before
    held.clear()
    assert descriptors_in(tmp_path) == mappings_in(tmp_path) == 0


def test_opening_after_a_clean_close_touches_as_many_files_whatever_the_size() -> None:
    calls = []
    for count in (10, 1000):
        files = FaultyFiles()
        directory = Directory(files)
        log = directory.log(LogConfig(segment_bytes=2000, index_interval_bytes=200))
        for number in range(count):
            append(log, values(f"{number}"))
        directory.close()
        operations: list[str] = []
        files.before = lambda operation, path, operations=operations: operations.append(operation)  # type: ignore[misc]
        again = Directory(files)
        assert again.log(log.config).end_offset == count
        calls.append(len(operations))
        files.before = lambda operation, path: None
        again.close()
    assert calls[0] == calls[1]


def test_a_full_device_is_a_clear_error_and_appending_works_again_with_room() -> None:
    files = FaultyFiles()
    log = open_log(files, LogConfig(segment_bytes=2000, tail_bytes=0))
    append(log, values("first"))
    files.capacity_bytes = files.used_bytes() + 30
    for _ in range(3):
        with pytest.raises(KafkaStorageError, match="no space left on the device"):
            append(log, values("does not fit"))
    assert log.end_offset == 1
    assert files.free_bytes("/") == 30, "the half-written batch was taken back"
    files.capacity_bytes = None
    append(log, values("second"))
    assert read_values(log) == [b"first", b"second"]
    log.close()
    assert read_values(open_log(files, clean=True)) == [b"first", b"second"]


def test_a_full_device_is_in_the_log_but_not_each_time(caplog: pytest.LogCaptureFixture) -> None:
    files = FaultyFiles()
    log = open_log(files, LogConfig(tail_bytes=0))
    append(log, values("first"))
    files.capacity_bytes = files.used_bytes()
    for _ in range(9):
        with pytest.raises(KafkaStorageError):
            append(log, values("does not fit"))
    told = [message for message in caplog.messages if "no space left on the device" in message]
    assert [message.partition("time ")[2].partition(":")[0] for message in told] == ["1", "2", "4", "8"]
    files.capacity_bytes = None
    log.close()


@pytest.mark.parametrize("room_bytes", range(0, 120, 5))
def test_no_space_for_a_new_segment_leaves_no_trace(room_bytes: int) -> None:
    files = FaultyFiles()
    log = open_log(files, LogConfig(segment_bytes=300, index_interval_bytes=50, tail_bytes=0))
    for number in range(4):
        append(log, values(f"{number}", timestamp=NOW_MS + number))
    files.capacity_bytes = files.used_bytes() + room_bytes
    appended = 4
    for _ in range(3):
        with contextlib.suppress(KafkaStorageError):
            append(log, values(f"{appended}", timestamp=NOW_MS + appended))
            appended += 1
    files.capacity_bytes = None
    for _ in range(5):
        append(log, values(f"{appended}", timestamp=NOW_MS + appended))
        appended += 1
    expected = [b"%d" % number for number in range(appended)]
    assert read_values(log) == expected
    log.close()
    for clean in (True, False):
        again = open_log(files, log.config, clean=clean)
        assert read_values(again) == expected
        assert [segment.base_offset for segment in again.segments] == [segment.base_offset for segment in log.segments]


def test_a_corrupt_closed_segment_is_an_error_that_names_file_and_position(tmp_path: Path) -> None:
    handles = HandleCache(system_files())
    config = LogConfig(segment_bytes=300, tail_bytes=0)
    log = open_log(handles=handles, parent=str(tmp_path), config=config)
    for number in range(20):
        append(log, values(f"{number}"))
    log.close()
    path = log.segments[1].log.path
    with open(path, "r+b") as file:
        file.write(b"\0" * 16)
    log = open_log(handles=handles, parent=str(tmp_path), config=config, clean=True)
    with pytest.raises(CorruptRecordError, match=r"00000000000000000004\.log at position 0"):
        log.read(log.segments[1].base_offset, max_bytes=1000)
    assert log.read(log.segments[2].base_offset, max_bytes=1000) != []
    log.close()
    handles.close()


def test_one_sync_is_shared_by_everyone_who_waits_for_it() -> None:
    files = FaultyFiles()
    log = open_log(files)
    append(log, values("a"))
    log.flush()
    syncing, go_on = threading.Event(), threading.Event()

    def hold(operation: str, path: str) -> None:
        if operation == "sync" and not syncing.is_set():
            syncing.set()
            assert go_on.wait(10)

    files.before = hold
    append(log, values("b"))
    first = threading.Thread(target=log.flush)
    first.start()
    assert syncing.wait(10)
    append(log, values("c"))  # the partition is not locked while it is synced
    started = len(files.syncs)
    others = [threading.Thread(target=log.flush) for _ in range(8)]
    for thread in others:
        thread.start()
    go_on.set()
    for thread in (first, *others):
        thread.join()
    assert log.recovery_point == 3
    assert len(files.syncs) - started == 2, "the one that ran, and one for all who came meanwhile"
