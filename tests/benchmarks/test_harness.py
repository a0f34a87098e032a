"""The benchmark harness judges rounds pairwise, names what was not there, and refuses records that changed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))  # last: an installed embedkafka goes before the sources

from benchmarks._data import workload
from benchmarks._harness import CPU, WALL, Claim, Contender, Goal, Outcome, Sample


def taking(*cpu_seconds: float) -> Callable[[int], Sample]:
    """A contender's run that claims to have taken so long, one figure per round."""
    figures = cycle(cpu_seconds)
    return lambda count: Sample(count, wall_s=1.0, cpu_s=next(figures))


def measure(*contenders: Contender, goals: tuple[Goal, ...] = (), rounds: int = 3) -> Outcome:
    return Claim("claim", "", contenders, goals).measure(quick=True, rounds=rounds, announce=lambda text: None)


def test_a_goal_is_judged_by_the_median_of_each_rounds_own_ratio() -> None:
    # The machine is ten times slower in the second round, on both sides: the ratio of medians would be 20.
    outcome = measure(
        Contender("ours", taking(2.0, 20.0, 20.0)),
        Contender("E", taking(1.0, 10.0, 1.0)),
        goals=(Goal("ours", "E", 3.0),),
    )
    (verdict,) = outcome.verdicts()
    assert verdict.figure == pytest.approx(2.0)
    assert verdict.is_met is True


def test_a_goal_that_is_exceeded_is_missed() -> None:
    outcome = measure(Contender("ours", taking(4.0)), Contender("E", taking(1.0)), goals=(Goal("ours", "E", 3.0),))
    assert outcome.verdicts()[0].is_met is False


def test_as_many_times_as_fast_is_shown_as_a_speed() -> None:
    outcome = measure(
        Contender("ours", taking(1.0)), Contender("peer", taking(4.0)), goals=(Goal("ours", "peer", 1 / 3, CPU),)
    )
    (verdict,) = outcome.verdicts()
    assert verdict.goal.text == "ours: >= 3 x as fast as peer"
    assert verdict.shown == "4.00 x"
    assert verdict.is_met is True


def test_an_absolute_goal_may_have_a_measured_allowance() -> None:
    outcome = measure(
        Contender("ours", lambda count: Sample(values={"ms": 7.0})),
        Contender("commit", lambda count: Sample(values={"ms": 3.0})),
        goals=(Goal("ours", None, 5.0, "ms", unit="ms", plus="commit"), Goal("ours", None, 5.0, "ms", unit="ms")),
    )
    assert [verdict.is_met for verdict in outcome.verdicts()] == [True, False]


def test_a_peer_that_is_not_installed_leaves_its_goal_open() -> None:
    outcome = measure(
        Contender("ours", taking(1.0)),
        Contender("peer", taking(1.0), "peer", needs="no_such_module_here"),
        goals=(Goal("ours", "peer", 1.0, WALL),),
    )
    assert outcome.missing == ["peer"]
    assert outcome.verdicts()[0].is_met is None


def test_contenders_take_turns_in_a_rotating_order() -> None:
    order: list[str] = []

    def run(name: str) -> Contender:
        return Contender(name, lambda count: (order.append(name), Sample(count))[1])

    measure(run("a"), run("b"), rounds=2)
    assert order == ["a", "b", "b", "a"]


def test_the_checksum_accepts_the_same_values_in_another_order() -> None:
    work = workload(20_000)
    work.check(reversed([value for _, value in work.pairs()]), "test")


@pytest.mark.parametrize("size_bytes", [10, 100, 1024])
def test_values_are_as_long_as_asked(size_bytes: int) -> None:
    assert {len(value) for _, value in workload(100, size_bytes).pairs()} == {size_bytes}


def test_the_checksum_refuses_a_changed_value() -> None:
    work = workload(1_000)
    values = [value for _, value in work.pairs()]
    values[500] = values[500][:-1] + b"!"
    with pytest.raises(AssertionError, match="different ones went in"):
        work.check(values, "test")


def test_the_checksum_refuses_a_missing_and_a_doubled_value() -> None:
    work = workload(1_000)
    values = [value for _, value in work.pairs()]
    with pytest.raises(AssertionError):
        work.check(values[1:], "test")
    with pytest.raises(AssertionError):
        work.check([values[0], *values[:-1]], "test")


def test_a_goal_in_units_may_have_a_measured_allowance() -> None:
    outcome = measure(
        Contender("ours", taking(7.0)),
        Contender("E", taking(2.0)),
        Contender("write", taking(1.0)),
        goals=(Goal("ours", "E", 3.0, plus="write"),),
    )
    (verdict,) = outcome.verdicts()
    assert verdict.goal.text == "ours: <= 3 x E + write"
    assert verdict.figure == pytest.approx(3.0)
