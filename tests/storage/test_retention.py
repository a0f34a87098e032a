"""Which old segments go."""

from __future__ import annotations

from dataclasses import replace

from storage.builders import NOW_MS, append, open_log, read_values, values

from embedkafka.files import MemoryFiles
from embedkafka.storage.config import LogConfig
from embedkafka.storage.log import Log
from embedkafka.storage.retention import RetentionPlan, SegmentFacts, plan

FOREVER = LogConfig(retention_ms=-1, retention_bytes=-1)


def segments(count: int, *, size_bytes: int = 100, age_ms: int = 1000) -> list[SegmentFacts]:
    """Segments of ten records; the last is the youngest."""
    return [
        SegmentFacts(number * 10, number * 10 + 10, size_bytes, NOW_MS - (count - 1 - number) * age_ms)
        for number in range(count)
    ]


def planned(facts: list[SegmentFacts], config: LogConfig, log_start: int = 0, high_watermark: int = 10**6) -> list[int]:
    found = plan(facts, config, log_start_offset=log_start, high_watermark=high_watermark, now_ms=NOW_MS)
    return [] if found is None else list(found.remove)


def test_without_limits_nothing_goes() -> None:
    assert planned(segments(5), FOREVER) == []


def test_segments_whose_newest_record_is_too_old_go() -> None:
    assert planned(segments(5), replace(FOREVER, retention_ms=2000)) == [0, 10]


def test_a_segment_exactly_as_old_as_allowed_stays() -> None:
    assert planned(segments(5), replace(FOREVER, retention_ms=4000)) == []
    assert planned(segments(5), replace(FOREVER, retention_ms=3999)) == [0]


def test_an_old_segment_behind_a_young_one_stays() -> None:
    facts = segments(5)
    facts[0] = facts[0]._replace(largest_timestamp=NOW_MS)
    assert planned(facts, replace(FOREVER, retention_ms=1000)) == []


def test_segments_go_while_the_rest_still_holds_the_size_to_keep() -> None:
    assert planned(segments(5), replace(FOREVER, retention_bytes=250)) == [0, 10]
    assert planned(segments(5), replace(FOREVER, retention_bytes=200)) == [0, 10, 20]
    assert planned(segments(5), replace(FOREVER, retention_bytes=500)) == []


def test_segments_before_the_log_start_go_under_every_policy() -> None:
    compact = replace(FOREVER, cleanup_policy=("compact",), retention_ms=0, retention_bytes=0)
    assert planned(segments(5), compact, log_start=25) == [0, 10]
    assert planned(segments(5), FOREVER, log_start=30) == [0, 10, 20]


def test_only_a_policy_that_deletes_looks_at_age_and_size() -> None:
    limits = replace(FOREVER, retention_ms=0, retention_bytes=0)
    assert planned(segments(5), replace(limits, cleanup_policy=("compact",))) == []
    assert planned(segments(5), replace(limits, cleanup_policy=("compact", "delete"))) == [0, 10, 20, 30, 40]


def test_nothing_behind_the_high_watermark_goes() -> None:
    assert planned(segments(5), replace(FOREVER, retention_bytes=0), high_watermark=25) == [0, 10]


def test_when_the_active_segment_goes_a_new_one_is_rolled_first() -> None:
    facts = segments(2, age_ms=0)
    config = replace(FOREVER, retention_ms=0)
    found = plan(facts, config, log_start_offset=0, high_watermark=20, now_ms=NOW_MS + 1)
    assert found == RetentionPlan(True, 20, (0, 10), ("retention.ms 0", "retention.ms 0"))


def test_an_empty_active_segment_stays() -> None:
    facts = [*segments(1), SegmentFacts(10, 10, 0, 0)]
    assert planned(facts, replace(FOREVER, retention_bytes=0)) == [0]


def filled(config: LogConfig) -> Log:
    log = open_log(MemoryFiles(), config)
    for number in range(40):
        append(log, values(f"{number}", timestamp=NOW_MS + number * 1000), NOW_MS + number * 1000)
    return log


def test_the_files_of_removed_segments_are_gone_and_the_rest_can_be_read() -> None:
    log = filled(LogConfig(segment_bytes=300, retention_ms=20_000))
    removed_bytes = log.delete_old_segments(NOW_MS + 40_000)
    assert removed_bytes > 0
    assert 0 < log.log_start_offset <= 20
    assert read_values(log) == [b"%d" % number for number in range(log.log_start_offset, 40)]
    files = log.handles.files
    assert len([name for name in files.list(log.folder) if name.endswith(".log")]) == len(log.segments)
    assert log.delete_old_segments(NOW_MS + 40_000) == 0


def test_everything_may_go_and_appending_continues_with_the_next_offset() -> None:
    log = filled(LogConfig(segment_bytes=300, retention_ms=1000))
    log.delete_old_segments(NOW_MS + 10**9)
    assert (log.log_start_offset, log.end_offset, log.size_bytes) == (40, 40, 0)
    assert append(log, values("new")).base_offset == 40
    assert read_values(log) == [b"new"]


def test_deleted_records_stay_deleted_after_reopening() -> None:
    log = filled(LogConfig(segment_bytes=300))
    log.advance_log_start(25)
    log.delete_old_segments(NOW_MS)
    log.close()
    again = open_log(log.handles.files, log.config, clean=True, log_start_offset=25)
    assert again.log_start_offset == 25
    assert read_values(again)[0] == b"25"
