"""The straight way into a log does what the general way does, or leaves it to that."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from embedkafka.errors import KafkaStorageError
from embedkafka.files import HandleCache, MemoryFiles
from embedkafka.files.faulty import Fault, FaultyFiles
from embedkafka.model import TopicPartition
from embedkafka.record import decode_batch, encode_batch, iter_headers
from embedkafka.storage.config import LOG_APPEND_TIME, LogConfig
from embedkafka.storage.log import Log
from embedkafka.storage.plain import PlainBatch

NOW_MS = 1_700_000_000_000


def make(files: MemoryFiles | None = None, **config: Any) -> Log:
    files = files or MemoryFiles()
    files.make_dir("/data")
    return Log.open(
        HandleCache(files, 64), "/data", TopicPartition("t", 0), replace(LogConfig(), **config), now_ms=NOW_MS
    )


def batch(count: int = 1, timestamp: int = NOW_MS, size: int = 10) -> bytearray:
    return encode_batch([(timestamp, b"k", b"v" * size, ()) for _ in range(count)])


def general(log: Log, records: bytearray, now_ms: int = NOW_MS) -> int:
    return log.append(records, leader_epoch=0, now_ms=now_ms, trusted=True).base_offset


def plain(log: Log, records: bytearray, count: int = 1, timestamp: int = NOW_MS, epoch: int = 0) -> int | None:
    return log.append_plain([PlainBatch(records, count, timestamp)], leader_epoch=epoch, now_ms=NOW_MS)


def content(log: Log) -> list[Any]:
    found = []
    for _ in range(1000):
        offset = found[-1].offset + 1 if found else log.log_start_offset
        chunks = log.read(offset, max_bytes=1 << 20)
        if not chunks:
            break
        for chunk in chunks:
            for at, header in iter_headers(chunk):
                assert header.partition_leader_epoch == 0
                found += decode_batch(chunk, at, header)
    return found


def test_both_ways_leave_the_same_log() -> None:
    straight, usual = make(), make()
    general(straight, batch())
    general(usual, batch())
    for number in range(300):
        timestamp = NOW_MS + number
        assert plain(straight, batch(3, timestamp, 50), 3, timestamp) == general(usual, batch(3, timestamp, 50))
    assert content(straight) == content(usual)
    (one,), (other,) = straight.segments, usual.segments
    assert one.state == other.state
    for log in (straight, usual):
        log._tail.clear()
    assert content(straight) == content(usual)
    assert straight.offset_for_timestamp(NOW_MS + 150) == usual.offset_for_timestamp(NOW_MS + 150)


def test_several_batches_at_once_leave_the_log_that_one_after_the_other_leave() -> None:
    together, single = make(), make()
    for log in (together, single):
        general(log, batch())
    for number in range(40):
        group = [PlainBatch(batch(count, NOW_MS + number, 90), count, NOW_MS + number) for count in (1, 2, 3)]
        assert together.append_plain(group, leader_epoch=0, now_ms=NOW_MS) == single.end_offset
        for count in (1, 2, 3):
            plain(single, batch(count, NOW_MS + number, 90), count, NOW_MS + number)
    (one,), (other,) = together.segments, single.segments
    assert one.state == other.state
    for _ in ("from memory", "from the file"):
        assert content(together) == content(single)
        for log in (together, single):
            log._tail.clear()


def test_one_that_is_not_plain_sends_all_beside_it_the_general_way() -> None:
    log = make()
    general(log, batch())
    ahead = NOW_MS + 3_600_001
    group = [PlainBatch(batch(), 1, NOW_MS), PlainBatch(batch(timestamp=ahead), 1, ahead)]
    assert log.append_plain(group, leader_epoch=0, now_ms=NOW_MS) is None
    assert log.end_offset == 1


def test_several_that_do_not_fit_on_the_disk_are_left_to_be_tried_alone() -> None:
    files = FaultyFiles()
    log = make(files)
    general(log, batch())
    files.capacity_bytes = files.used_bytes() + 200
    group = [PlainBatch(batch(size=100), 1, NOW_MS) for _ in range(3)]
    assert log.append_plain(group, leader_epoch=0, now_ms=NOW_MS) is None
    assert plain(log, batch(size=100)) == 1
    assert [record.offset for record in content(log)] == [0, 1]


def test_as_long_as_no_flush_is_due_a_topic_with_flush_messages_is_plain() -> None:
    log = make(flush_messages=4)
    general(log, batch())
    ways = ["plain" if plain(log, batch()) is not None else "general" for _ in range(3)]
    assert ways == ["plain", "plain", "general"]


def test_the_first_batch_takes_the_general_way() -> None:
    log = make()
    assert plain(log, batch()) is None
    assert log.end_offset == 0
    general(log, batch())
    assert plain(log, batch()) == 1


@pytest.mark.parametrize(
    "config",
    [
        {"compression_type": "lz4"},
        {"message_timestamp_type": LOG_APPEND_TIME},
        {"cleanup_policy": ("compact",)},
        {"message_timestamp_before_max_ms": 1000},
        {"flush_messages": 1},
        {"segment_index_bytes": 64},
        {"max_message_bytes": 80},
    ],
)
def test_a_topic_that_asks_for_more_takes_the_general_way(config: dict[str, Any]) -> None:
    log = make(**config)
    general(log, batch(size=1))
    before = log.end_offset
    assert plain(log, batch(size=20)) is None
    assert log.end_offset == before


def test_a_timestamp_too_far_ahead_takes_the_general_way() -> None:
    log = make()
    general(log, batch())
    ahead = NOW_MS + 3_600_001
    assert plain(log, batch(timestamp=ahead), timestamp=ahead) is None


def test_another_leader_epoch_takes_the_general_way() -> None:
    log = make()
    general(log, batch())
    assert plain(log, batch(), epoch=1) is None


def test_rolling_is_left_to_the_general_way_and_the_next_segment_is_plain_again() -> None:
    log = make(segment_bytes=1000)
    general(log, batch())
    ways = []
    for _ in range(60):
        records = batch()
        if plain(log, records) is None:
            general(log, records)
            ways.append("general")
        else:
            ways.append("plain")
    assert len(log.segments) > 4
    assert ways.count("general") == len(log.segments) - 1
    assert [record.offset for record in content(log)] == list(range(61))


def test_an_old_segment_rolls_by_time() -> None:
    log = make(segment_ms=1000)
    general(log, batch())
    assert plain(log, batch(timestamp=NOW_MS + 1000), timestamp=NOW_MS + 1000) == 1
    assert plain(log, batch(timestamp=NOW_MS + 1001), timestamp=NOW_MS + 1001) is None


def test_a_changed_configuration_is_seen_at_once() -> None:
    log = make()
    general(log, batch())
    assert plain(log, batch()) == 1
    log.config = replace(log.config, compression_type="gzip")
    assert plain(log, batch()) is None
    log.config = replace(log.config, compression_type="producer")
    assert plain(log, batch()) == 2


def test_a_failed_write_appends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    log = make()
    general(log, batch())
    active = log.active_segment
    assert active is not None

    def fail(data: Any, position: int) -> int:
        raise OSError(5, "no")

    monkeypatch.setattr(type(active.log.file()), "write_at", lambda self, data, position: fail(data, position))
    with pytest.raises(KafkaStorageError):
        plain(log, batch())
    assert log.end_offset == 1
    assert log.health.reason is not None


def test_an_error_of_the_device_takes_the_directory_offline_however_many_batches_it_met() -> None:
    files = FaultyFiles()
    log = make(files)
    general(log, batch())
    files.faults.append(Fault("write_at", errno.EIO, ".log"))
    with pytest.raises(KafkaStorageError):
        log.append_plain([PlainBatch(batch(), 1, NOW_MS) for _ in range(3)], leader_epoch=0, now_ms=NOW_MS)
    assert log.end_offset == 1
    assert log.health.reason is not None


@pytest.mark.parametrize("way", [plain, general])
def test_what_is_published_is_answered_though_its_index_finds_no_space(way: Callable[[Log, bytearray], int]) -> None:
    files = FaultyFiles()
    log = make(files, index_interval_bytes=0, segment_bytes=1 << 19)
    general(log, batch())
    files.faults.append(Fault("write_at", errno.ENOSPC, ".index", times=None))
    assert [way(log, batch()) for _ in range(2000)] == list(range(1, 2001))
    files.faults.clear()
    log._tail.clear()
    assert [record.offset for record in content(log)] == list(range(2001))
    log.close()
    (segment,) = log.segments
    assert segment.offset_index.stored_count == segment.state.index_count == 2000
