"""The pictures of groups in ARCHITECTURE.md are those that the tables in the code draw."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedkafka.coordinator.classic import group as classic
from embedkafka.coordinator.consumer.reconcile import OUTCOMES

ARCHITECTURE = Path(__file__).parents[2] / "embedkafka" / "ARCHITECTURE.md"


def draw_reconciliation() -> str:
    lines = ["| has to give up | waits for others | next state | member epoch |", "|---|---|---|---|"]
    for (gives_up, waits), outcome in sorted(OUTCOMES.items(), reverse=True):
        epoch = "the target's" if outcome.takes_target_epoch else "stays"
        words = ["yes" if fact else "no" for fact in (gives_up, waits)]
        lines.append(f"| {words[0]} | {words[1]} | `{outcome.state.name}` | {epoch} |")
    return "\n".join(lines)


def draw_classic() -> str:
    lines = ["| state | entered from |", "|---|---|"]
    for state, previous in classic.PREVIOUS_STATES.items():
        names = ", ".join(f"`{each.value}`" for each in classic.GroupState if each in previous)
        lines.append(f"| `{state.value}` | {names} |")
    return "\n".join(lines)


@pytest.mark.parametrize("draw", [draw_reconciliation, draw_classic])
def test_a_picture_is_what_its_table_draws(draw: object) -> None:
    assert callable(draw)
    assert draw() in ARCHITECTURE.read_text("utf-8")
