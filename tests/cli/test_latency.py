"""Percentiles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embedkafka.cli.latency import percentile, summary

values = st.lists(st.floats(0, 1e6), min_size=1)


def test_of_a_hundred_values_the_99th_percentile_is_the_99th() -> None:
    assert percentile(list(range(1, 101)), 99) == 99


def test_the_median_of_one_value_is_the_value() -> None:
    assert percentile([3.0], 50) == 3.0


@given(values, st.floats(0.1, 100))
def test_at_least_so_many_percent_do_not_exceed_it(latencies: list[float], percent: float) -> None:
    found = percentile(sorted(latencies), percent)
    assert sum(value <= found for value in latencies) / len(latencies) >= percent / 100 - 1e-9


@given(values)
def test_percentiles_grow_and_end_at_the_maximum(latencies: list[float]) -> None:
    found = summary(latencies)
    assert found["p50_ms"] <= found["p95_ms"] <= found["p99_ms"] <= found["p99.9_ms"] <= found["max_ms"]


def test_no_values_have_no_summary() -> None:
    assert summary([]) == {}
