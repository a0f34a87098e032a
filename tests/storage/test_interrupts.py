"""Ctrl-C between any two lines: the log is as it was, or as it was to become, and goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from broker.interrupts import every_line, interrupted_at
from storage.builders import NOW_MS, append, open_log, read_all, values

from embedkafka.files import HandleCache, MemoryFiles
from embedkafka.storage.config import LogConfig
from embedkafka.storage.log import Log
from embedkafka.storage.plain import PlainBatch

TINY = LogConfig(segment_bytes=400, index_interval_bytes=100, tail_bytes=300)
ROOMY = replace(TINY, segment_bytes=1200)


def filled(config: LogConfig = TINY) -> tuple[MemoryFiles, Log]:
    """A log whose next append rolls, unless ``config`` gives it more room."""
    files = MemoryFiles()
    log = open_log(files, config)
    for number in range(10):
        append(log, values(f"{number}", timestamp=NOW_MS + number))
    return files, log


def check(files: MemoryFiles, log: Log, counts: tuple[int, int]) -> None:
    """One of two states, in memory and on disk, and appending goes on."""
    assert log.end_offset in counts
    for _ in range(12):
        append(log, values(f"{log.end_offset}", timestamp=NOW_MS + log.end_offset))
    base_offsets = [segment.base_offset for segment in log.segments]
    assert base_offsets == sorted(set(base_offsets))
    expected = [b"%d" % number for number in range(log.log_start_offset, log.end_offset)]
    assert [record.value for record in read_all(log)] == expected
    killed = open_log(config=TINY, handles=HandleCache(files), log_start_offset=log.log_start_offset)
    assert [record.value for record in read_all(killed)] == expected
    for offset in range(log.log_start_offset, log.end_offset):
        found = killed.offset_for_timestamp(NOW_MS + offset)
        assert found is not None
        assert found.offset == offset


def append_one(log: Log) -> None:
    append(log, values("10", timestamp=NOW_MS + 10))


def append_plain(log: Log) -> None:
    log.append_plain([PlainBatch(values("10", timestamp=NOW_MS + 10), 1, NOW_MS + 10)], leader_epoch=0, now_ms=NOW_MS)


def append_together(log: Log) -> None:
    group = [PlainBatch(values(f"{number}", timestamp=NOW_MS + number), 1, NOW_MS + number) for number in (10, 11, 12)]
    log.append_plain(group, leader_epoch=0, now_ms=NOW_MS)


def roll(log: Log) -> None:
    log.roll(NOW_MS)


def flush(log: Log) -> None:
    log.flush()


def delete_old(log: Log) -> None:
    log.advance_log_start(7)
    log.delete_old_segments(NOW_MS)


@pytest.mark.parametrize("action", [append_one, roll, flush, delete_old])
def test_an_interrupt_at_any_line_leaves_a_whole_log(action: Callable[[Log], None]) -> None:
    for line in every_line():
        files, log = filled()
        was_interrupted = interrupted_at(line, lambda log=log: action(log))  # type: ignore[misc]
        check(files, log, (10, 11))
        if not was_interrupted:
            return


def test_an_interrupt_at_any_line_of_a_plain_append_leaves_all_of_it_or_nothing() -> None:
    for action, count in ((append_plain, 1), (append_together, 3)):
        for line in every_line():
            files, log = filled(ROOMY)
            was_interrupted = interrupted_at(line, lambda log=log, action=action: action(log))  # type: ignore[misc]
            check(files, log, (10, 10 + count))
            if not was_interrupted:
                assert log.end_offset == 10 + count + 12
                break


def test_an_interrupted_close_can_be_repeated() -> None:
    for line in every_line():
        files, log = filled()
        was_interrupted = interrupted_at(line, log.close)
        log.close()
        again = open_log(files, TINY, clean=True)
        assert [record.offset for record in read_all(again)] == list(range(10))
        if not was_interrupted:
            return
