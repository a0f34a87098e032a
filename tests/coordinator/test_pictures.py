"""The pictures of groups and transactions in ARCHITECTURE.md are those that the tables in the code draw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from embedkafka.coordinator.classic import group as classic
from embedkafka.coordinator.consumer.reconcile import OUTCOMES
from embedkafka.coordinator.share import states as share_states
from embedkafka.coordinator.share.member import NEXT_STATES
from embedkafka.coordinator.share_partition import standing
from embedkafka.coordinator.streams.reconcile import OUTCOMES as STREAMS_OUTCOMES
from embedkafka.coordinator.transaction.state import PREDECESSORS, TransactionState

ARCHITECTURE = Path(__file__).parents[2] / "embedkafka" / "ARCHITECTURE.md"


def draw_reconciliation(outcomes: Mapping[tuple[bool, bool], Any] = OUTCOMES) -> str:
    lines = ["| has to give up | waits for others | next state | member epoch |", "|---|---|---|---|"]
    for (gives_up, waits), outcome in sorted(outcomes.items(), reverse=True):
        epoch = "the target's" if outcome.takes_target_epoch else "stays"
        words = ["yes" if fact else "no" for fact in (gives_up, waits)]
        lines.append(f"| {words[0]} | {words[1]} | `{outcome.state.name}` | {epoch} |")
    return "\n".join(lines)


def draw_reconciliation_of_tasks() -> str:
    return draw_reconciliation(STREAMS_OUTCOMES)


def draw_classic() -> str:
    lines = ["| state | entered from |", "|---|---|"]
    for state, previous in classic.PREVIOUS_STATES.items():
        names = ", ".join(f"`{each.value}`" for each in classic.GroupState if each in previous)
        lines.append(f"| `{state.value}` | {names} |")
    return "\n".join(lines)


def draw_share_states() -> str:
    lines = ["| a share group's partition | entered from |", "|---|---|"]
    for state, previous in share_states.ENTERED_FROM.items():
        names = ", ".join(f"`{each.value}`" for each in share_states.PartitionState if each in previous)
        lines.append(f"| `{state.value}` | {names} |")
    return "\n".join(lines)


def draw_share_members() -> str:
    lines = ["| a share group's member | when it has taken its target |", "|---|---|"]
    lines += [f"| `{state.name}` | `{following.name}` |" for state, following in NEXT_STATES.items()]
    return "\n".join(lines)


def draw_shared_records() -> str:
    lines = ["| a shared record | may follow |", "|---|---|"]
    for state, previous in standing.PREDECESSORS.items():
        names = ", ".join(f"`{name}`" for each, name in standing.NAMES.items() if each in previous)
        lines.append(f"| `{standing.NAMES[state]}` | {names} |")
    return "\n".join(lines)


def draw_transaction() -> str:
    lines = ["| a transaction's state | may follow |", "|---|---|"]
    for state, previous in PREDECESSORS.items():
        names = ", ".join(f"`{each.shown}`" for each in TransactionState if each in previous)
        lines.append(f"| `{state.shown}` | {names} |")
    return "\n".join(lines)


@pytest.mark.parametrize(
    "draw",
    [
        draw_reconciliation,
        draw_reconciliation_of_tasks,
        draw_classic,
        draw_share_states,
        draw_share_members,
        draw_shared_records,
        draw_transaction,
    ],
)
def test_a_picture_is_what_its_table_draws(draw: object) -> None:
    assert callable(draw)
    assert draw() in ARCHITECTURE.read_text("utf-8")
