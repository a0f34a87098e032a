"""When compaction is worth while, and which segments it puts together."""

from __future__ import annotations

from dataclasses import replace

from storage.builders import NOW_MS

from embedkafka.storage.cleaner import CleaningPlan, group, plan
from embedkafka.storage.config import LogConfig
from embedkafka.storage.retention import SegmentFacts

COMPACT = LogConfig(cleanup_policy=("compact",))


def segments(*sizes: int, age_ms: int = 1000) -> list[SegmentFacts]:
    """Segments of ten records; the last one is active."""
    count = len(sizes)
    return [
        SegmentFacts(
            number * 10,
            number * 10 + 10,
            size,
            NOW_MS - (count - 1 - number) * age_ms,
            index_bytes=8,
            first_timestamp=NOW_MS - (count - 1 - number) * age_ms,
        )
        for number, size in enumerate(sizes)
    ]


def planned(
    facts: list[SegmentFacts],
    config: LogConfig = COMPACT,
    *,
    cleaned: int | None = None,
    start: int = 0,
    stable: int = 10**6,
) -> CleaningPlan | None:
    return plan(facts, config, cleaned_offset=cleaned, log_start_offset=start, last_stable_offset=stable, now_ms=NOW_MS)


def test_a_log_that_was_never_cleaned_is_all_dirty_but_for_its_active_segment() -> None:
    assert planned(segments(100, 100, 100)) == CleaningPlan(0, 20, 1.0)


def test_a_log_that_is_not_compacted_is_never_cleaned() -> None:
    assert planned(segments(100, 100, 100), LogConfig()) is None


def test_an_active_segment_alone_is_not_cleaned() -> None:
    assert planned(segments(100)) is None


def test_cleaning_waits_until_more_than_the_ratio_is_dirty() -> None:
    facts = segments(100, 100, 100, 100, 1)
    assert planned(facts, cleaned=20) is None
    found = planned(facts, cleaned=10)
    assert found == CleaningPlan(10, 40, 0.75)
    assert planned(facts, replace(COMPACT, min_cleanable_dirty_ratio=0.4), cleaned=20) == CleaningPlan(20, 40, 0.5)


def test_records_younger_than_the_minimum_lag_are_left_alone() -> None:
    config = replace(COMPACT, min_compaction_lag_ms=2500)
    assert planned(segments(100, 100, 100, 100, 1), config) == CleaningPlan(0, 20, 1.0)


def test_records_older_than_the_maximum_lag_are_cleaned_whatever_the_ratio() -> None:
    facts = segments(1000, 10, 10)
    assert planned(facts, cleaned=10) is None
    assert planned(facts, replace(COMPACT, max_compaction_lag_ms=1001), cleaned=10) is None
    assert planned(facts, replace(COMPACT, max_compaction_lag_ms=999), cleaned=10) is not None


def test_nothing_behind_the_last_stable_offset_is_cleaned() -> None:
    assert planned(segments(100, 100, 100, 100), stable=15) == CleaningPlan(0, 10, 1.0)
    assert planned(segments(100, 100, 100, 100), stable=5) is None


def test_a_checkpoint_outside_the_log_is_ignored() -> None:
    assert planned(segments(100, 100, 100), cleaned=99) == CleaningPlan(0, 20, 1.0)
    facts = segments(100, 100, 100)[1:]
    assert planned(facts, cleaned=5, start=10) == CleaningPlan(10, 20, 1.0)


def test_small_segments_are_put_together_up_to_the_segment_size() -> None:
    facts = segments(100, 100, 100, 250, 50)
    assert group(facts, replace(COMPACT, segment_bytes=300), first_uncleanable_offset=50) == [[0, 10, 20], [30, 40]]


def test_segments_are_not_put_together_beyond_what_an_index_holds() -> None:
    facts = segments(1, 1, 1)
    assert group(facts, replace(COMPACT, segment_index_bytes=16), first_uncleanable_offset=30) == [[0, 10], [20]]


def test_segments_are_not_put_together_beyond_what_an_index_can_express() -> None:
    far = SegmentFacts(2**31 - 5, 2**31 + 5, 1, NOW_MS)
    assert group([*segments(1), far], COMPACT, first_uncleanable_offset=2**31 + 5) == [[0], [2**31 - 5]]
