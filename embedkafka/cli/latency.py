"""Latencies of a run, and the percentiles Kafka's perf tools print."""

from __future__ import annotations

from collections.abc import Sequence

PERCENTILES = (50.0, 95.0, 99.0, 99.9)


def percentile(ordered_ms: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of all values do not exceed (nearest rank).

    Args:
        ordered_ms: values in ascending order, at least one.
        percent: above 0 and at most 100.
    """
    rank = -(-len(ordered_ms) * percent // 100)  # rounded up
    return ordered_ms[max(0, min(len(ordered_ms), int(rank)) - 1)]


def summary(latencies_ms: Sequence[float]) -> dict[str, float]:
    """Average, maximum and percentiles in milliseconds, keyed as in the tools' JSON output; empty for no values."""
    if not latencies_ms:
        return {}
    ordered = sorted(latencies_ms)
    found = {"avg_ms": sum(ordered) / len(ordered), "max_ms": ordered[-1]}
    for percent in PERCENTILES:
        found[f"p{percent:g}_ms"] = percentile(ordered, percent)
    return {name: round(value, 4) for name, value in found.items()}
