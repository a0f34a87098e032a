"""What is found after a crash: whole batches, and every record that was synced."""

from __future__ import annotations

import logging
import random

import pytest
from storage.builders import NOW_MS, append, open_log, read_all, read_values, values

from embedkafka.errors import KafkaStorageError
from embedkafka.files import MemoryFiles
from embedkafka.files.faulty import Fault, FaultyFiles, Unsynced
from embedkafka.storage.config import LogConfig
from embedkafka.storage.log import Log

TINY = LogConfig(segment_bytes=400, index_interval_bytes=100, tail_bytes=0)


def texts(count: int, first: int = 0) -> list[bytes]:
    return [b"value-%d" % number for number in range(first, count)]


def filled(files: MemoryFiles, count: int = 30, config: LogConfig = TINY) -> Log:
    log = open_log(files, config)
    for text in texts(count):
        append(log, values(text.decode(), timestamp=NOW_MS + log.end_offset))
    return log


def check_whole(log: Log, *, at_least: int, at_most: int = 10**9) -> None:
    """The records are the first so many that were appended, and every index leads to them."""
    found = read_all(log)
    assert at_least <= len(found) <= at_most
    assert [record.value for record in found] == texts(len(found))
    assert log.end_offset == len(found)
    for record in found:
        assert read_all(log, record.offset)[0].offset == record.offset
        by_time = log.offset_for_timestamp(record.timestamp)
        assert by_time is not None
        assert by_time.offset == record.offset


def test_a_killed_process_loses_nothing_and_unwritten_indexes_are_rebuilt() -> None:
    files = MemoryFiles()
    filled(files)
    check_whole(open_log(files, TINY), at_least=30)


def test_after_a_clean_close_nothing_is_scanned() -> None:
    files = FaultyFiles()
    log = filled(files, 200, LogConfig(segment_bytes=2000, index_interval_bytes=100))
    log.close()
    read_bytes: dict[str, int] = {}
    files.before = lambda operation, path: read_bytes.update({path: read_bytes.get(path, 0) + (operation == "open")})
    again = open_log(files, log.config, clean=True)
    assert again.end_offset == 200
    opened = {path for path, count in read_bytes.items() if count}
    last = f"/text-0/{again.segments[-1].base_offset:020d}"
    assert opened <= {last + ".log", last + ".index", last + ".timeindex", "/text-0/leader-epoch-checkpoint"}


def test_segments_before_the_recovery_point_are_not_scanned() -> None:
    files = FaultyFiles()
    log = filled(files)
    log.flush()
    opened: set[str] = set()
    files.before = lambda operation, path: opened.add(path)
    open_log(files, TINY, recovery_point=log.recovery_checkpoint)
    scanned = sorted(path for path in opened if path.endswith(".log"))
    assert scanned == [log.segments[-1].log.path]


def test_a_half_written_batch_is_cut_and_what_was_cut_is_logged_in_bytes(caplog: pytest.LogCaptureFixture) -> None:
    files = MemoryFiles()
    log = filled(files)
    active = log.segments[-1]
    active.log.file().write_all(b"\0" * 7, active.size_bytes)
    with caplog.at_level(logging.WARNING):
        again = open_log(files, TINY)
    check_whole(again, at_least=30)
    assert f"cut 7 bytes at position {active.size_bytes}" in caplog.text
    assert files.size(active.log.path) == active.size_bytes


def test_a_flipped_bit_cuts_the_log_before_its_batch_and_removes_what_follows(caplog: pytest.LogCaptureFixture) -> None:
    files = MemoryFiles()
    log = filled(files)
    second = log.segments[2]
    position = second.size_bytes // 2
    byte = second.log.file().read_at(position, 1)[0]
    second.log.file().write_all(bytes([byte ^ 4]), position)
    with caplog.at_level(logging.WARNING):
        again = open_log(files, TINY)
    check_whole(again, at_least=second.base_offset, at_most=second.base_offset + 5)
    assert "checksum" in caplog.text
    assert "behind the cut" in caplog.text
    append(again, values(f"value-{again.end_offset}", timestamp=NOW_MS + again.end_offset))
    check_whole(again, at_least=again.end_offset)


@pytest.mark.parametrize("recovery_point", [0, 30])
@pytest.mark.parametrize("suffix", [".index", ".timeindex"])
@pytest.mark.parametrize("clean", [True, False])
def test_a_missing_index_is_rebuilt(suffix: str, clean: bool, recovery_point: int) -> None:
    files = MemoryFiles()
    log = filled(files)
    log.close()
    for segment in log.segments:
        files.unlink(f"/text-0/{segment.base_offset:020d}{suffix}")
    check_whole(open_log(files, TINY, clean=clean, recovery_point=recovery_point), at_least=30)


def test_an_index_without_its_segment_is_removed() -> None:
    files = MemoryFiles()
    filled(files).close()
    files.open("/text-0/00000000000000000999.index", create=True)
    check_whole(open_log(files, TINY, clean=True), at_least=30)
    assert not files.exists("/text-0/00000000000000000999.index")


def test_leftovers_of_deletion_and_compaction_are_removed() -> None:
    files = MemoryFiles()
    filled(files).close()
    for suffix in (".log.deleted", ".index.deleted", ".log.cleaned", ".timeindex.cleaned", ".index.swap"):
        files.open("/text-0/00000000000000000000" + suffix, create=True).write_all(b"junk", 0)
    check_whole(open_log(files, TINY, clean=True), at_least=30)
    assert not [name for name in files.list("/text-0") if name.endswith((".deleted", ".cleaned", ".swap"))]


def test_when_a_crash_cut_the_log_before_its_start_it_continues_at_the_start() -> None:
    files = MemoryFiles()
    filled(files, 10)
    log = open_log(files, TINY, log_start_offset=25)
    assert (log.log_start_offset, log.end_offset, log.size_bytes) == (25, 25, 0)
    assert append(log, values("new")).base_offset == 25
    log.flush()
    log.close()
    assert read_values(open_log(files, TINY, clean=True, log_start_offset=25)) == [b"new"]


def test_leader_epochs_are_found_again_in_the_log() -> None:
    files = MemoryFiles()
    log = open_log(files, TINY)
    for number, epoch in enumerate((0, 0, 1, 1, 5)):
        append(log, values(f"value-{number}"), epoch=epoch)
    assert open_log(files, TINY).leader_epochs.entries == [(0, 0), (1, 2), (5, 4)]


UNSYNCED = [Unsynced.DROPPED, Unsynced.KEPT, Unsynced.ZEROS, Unsynced.GARBAGE, Unsynced.RANDOM]
NAMES = [Unsynced.DROPPED, Unsynced.KEPT, Unsynced.FIRST]


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("data", UNSYNCED)
@pytest.mark.parametrize("synced", [0, 1, 7, 12, 20, 30])
def test_after_a_power_cut_the_log_holds_whole_batches_and_all_that_was_synced(
    data: Unsynced, names: Unsynced, synced: int, seed: int
) -> None:
    files = FaultyFiles()
    log = open_log(files, TINY)
    for number in range(30):
        if number == synced:
            log.flush()
        append(log, values(f"value-{number}", timestamp=NOW_MS + number))
    if synced == 30:
        log.flush()
    for attempt in range(5):
        found = files.power_cut(unsynced_bytes=data, unsynced_names=names, seed=seed + attempt)
        again = open_log(found, TINY, recovery_point=log.recovery_checkpoint)
        check_whole(again, at_least=synced, at_most=30)
        append(again, values(f"value-{again.end_offset}", timestamp=NOW_MS + again.end_offset))
        check_whole(again, at_least=synced)


def test_a_power_cut_at_every_byte_of_the_last_three_batches_leaves_whole_batches() -> None:
    files = FaultyFiles()
    config = LogConfig(index_interval_bytes=100, tail_bytes=0)
    log = open_log(files, config)
    ends = []
    for number in range(10):
        if number == 7:
            log.flush()
        append(log, values(f"value-{number}", timestamp=NOW_MS + number))
        ends.append(log.size_bytes)
    path = log.segments[0].log.path
    whole = files.read_bytes(path)
    for size_bytes in range(ends[6], ends[9] + 1):
        for rest in (b"", bytes(ends[9] - size_bytes), random.Random(size_bytes).randbytes(ends[9] - size_bytes)):
            found = files.power_cut(unsynced_bytes=Unsynced.KEPT, unsynced_names=Unsynced.KEPT)
            file = found.open(path)
            file.truncate(0)
            content = whole[:size_bytes] + rest
            file.write_all(content, 0)
            again = open_log(found, config, recovery_point=6)
            expected = sum(content[:end] == whole[:end] for end in ends)
            check_whole(again, at_least=expected, at_most=expected)


def test_writes_that_reached_the_disk_in_part_leave_whole_batches() -> None:
    files = FaultyFiles()
    files.max_write_bytes = 10  # so that each piece of a batch is a write of its own
    log = filled(files, 5)
    log.flush()
    for number in range(5, 12):
        append(log, values(f"value-{number}", timestamp=NOW_MS + number))
    numbers = files.unsynced_numbers()
    assert len(numbers) > 50
    for last in numbers:
        found = files.power_cut(last_number=last, unsynced_names=Unsynced.KEPT)
        check_whole(open_log(found, TINY, recovery_point=4), at_least=5, at_most=12)


def test_a_failed_sync_is_never_retried_and_takes_the_directory_offline() -> None:
    files = FaultyFiles()
    log = filled(files, 5)
    files.faults.append(Fault("sync", path_part=".log"))
    with pytest.raises(KafkaStorageError, match="offline"):
        log.flush()
    syncs = len(files.syncs)
    for call in (log.flush, lambda: append(log, values("x")), lambda: log.read(0, max_bytes=10)):
        with pytest.raises(KafkaStorageError, match="offline until it is reopened"):
            call()
    log.close()
    assert len(files.syncs) == syncs
    assert log.recovery_point == 0
    check_whole(open_log(files, TINY), at_least=5)


@pytest.mark.parametrize("operation", ["write_at", "truncate", "create", "rename", "unlink", "sync_dir"])
def test_any_other_error_of_the_device_takes_the_directory_offline_too(operation: str) -> None:
    files = FaultyFiles()
    log = filled(files, 20)
    files.faults.append(Fault(operation, times=None))

    def do_everything() -> None:
        for number in range(20, 40):
            append(log, values(f"value-{number}", timestamp=NOW_MS + number))
        log.truncate_to(15)
        log.advance_log_start(10)
        log.delete_old_segments(NOW_MS)
        log.flush()

    with pytest.raises(KafkaStorageError):
        do_everything()
    with pytest.raises(KafkaStorageError, match="offline"):
        append(log, values("x"))
    files.faults.clear()
    found = read_values(open_log(files, TINY, log_start_offset=log.log_start_offset))
    assert found == texts(log.log_start_offset + len(found), log.log_start_offset)


def test_recovery_itself_may_be_interrupted_by_a_power_cut(seed: int) -> None:
    files = FaultyFiles()
    log = filled(files, 30)
    log.flush()
    for number in range(30, 40):
        append(log, values(f"value-{number}", timestamp=NOW_MS + number))
    crashed = files.power_cut(unsynced_bytes=Unsynced.RANDOM, unsynced_names=Unsynced.FIRST, seed=seed)
    snapshots: list[FaultyFiles] = []
    toss = random.Random(seed)

    def snapshot(operation: str, path: str) -> None:
        snapshots.append(
            crashed.power_cut(
                unsynced_bytes=toss.choice(UNSYNCED), unsynced_names=toss.choice(NAMES), seed=toss.randrange(2**32)
            )
        )

    crashed.before = snapshot
    recovered = open_log(crashed, TINY, recovery_point=29)
    recovered.close()
    assert len(snapshots) > 10
    for found in snapshots:
        check_whole(open_log(found, TINY, recovery_point=29), at_least=30, at_most=40)
