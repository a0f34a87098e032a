"""``.ci/full`` keeps what it learned: parts that passed are not run again, parts that failed are."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "full"


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    spec = importlib.util.spec_from_loader("full", SourceFileLoader("full", str(SCRIPT)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "full", module)  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def results(full: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(full, "ROOT", tmp_path)
    results = full.Results("0123456789abcdef")
    results.source.mkdir(parents=True)
    return results


def test_a_part_that_passed_is_remembered_with_commit_seed_and_closing_line(full: ModuleType, results: Any) -> None:
    part = full.Part("echo", ("sh", "-c", "echo starting; echo '{seed} passed, 0 failed'"), "")
    assert results.run(part, 7)
    kept = full.Results("0123456789abcdef").of(part)
    assert kept is not None
    assert (kept["commit"], kept["seed"], kept["exit_code"]) == ("0123456789abcdef", 7, 0)
    assert kept["closing_line"] == "7 passed, 0 failed"
    assert results.passed(part)


def test_a_part_that_failed_has_not_passed(full: ModuleType, results: Any) -> None:
    part = full.Part("false", ("false",), "")
    assert not results.run(part, 7)
    assert not results.passed(part)


def test_a_part_that_hangs_is_ended_with_what_it_started(full: ModuleType, results: Any) -> None:
    part = full.Part("hang", ("sh", "-c", "sleep 600 & wait"), "", timeout_s=1)
    assert not results.run(part, 7)
    assert results.of(part)["exit_code"] == 124


def test_another_commit_knows_nothing_of_it(full: ModuleType, results: Any) -> None:
    part = full.Part("true", ("true",), "")
    results.run(part, 7)
    assert not full.Results("fedcba9876543210").passed(part)


def test_a_part_sees_its_seed_and_environment(full: ModuleType, results: Any) -> None:
    part = full.Part("env", ("sh", "-c", 'echo "$EMBEDKAFKA_SEED $EXTRA"'), "", environ={"EXTRA": "more"})
    results.run(part, 11)
    assert results.of(part)["closing_line"] == "11 more"


def kill_parts(full: ModuleType, results: Any, histogram: dict[str, int]) -> list[Any]:
    parts = [part for part in full.parts(SCRIPT.parents[1]) if part.name.startswith("kill-")]
    for part in parts:
        results.run(full.Part(part.name, ("echo", f"phases hit in 50 rounds: {histogram}"), ""), 7)
    return parts


def test_kills_that_hit_every_phase_often_enough_over_all_parts_cover_them(full: ModuleType, results: Any) -> None:
    assert results.phases_are_covered(kill_parts(full, results, {"append": 40, "roll": 2}))


def test_a_phase_that_kills_missed_is_a_failure(full: ModuleType, results: Any) -> None:
    assert not results.phases_are_covered(kill_parts(full, results, {"append": 40, "roll": 1}))


def test_kill_rounds_add_up_and_every_claim_is_a_part(full: ModuleType) -> None:
    parts = full.parts(SCRIPT.parents[1])
    rounds = [int(part.environ["EMBEDKAFKA_KILL_ROUNDS"]) for part in parts if part.name.startswith("kill-")]
    assert sum(rounds) == 200
    names = {part.name for part in parts}
    assert {"ci", "benchmark-send", "benchmark-read", "tests-record-pure"} <= names
    assert len(names) == len(parts)
