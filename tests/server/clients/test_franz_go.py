"""franz-go, a Go client that asks for the highest version of everything, against the listener."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NewName = Callable[[str], str]
Scenario = Callable[[str], Any]

_FOLDER = Path(__file__).parent / "franz_go"
_BUILD_LIMIT_S = 600
_LIMIT_S = 90


@pytest.fixture(scope="session")
def executable(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Build the program, once; modules come from the Go module proxy or its cache."""
    path = tmp_path_factory.mktemp("franz-go") / "round_trip"

    def build(go: str) -> Path:
        if not path.is_file():
            command = [go, "build", "-o", str(path), "."]
            done = subprocess.run(
                command, cwd=_FOLDER, capture_output=True, text=True, timeout=_BUILD_LIMIT_S, check=False
            )
            assert done.returncode == 0, done.stderr
        return path

    return build


@pytest.fixture
def run(
    executable: Callable[[str], Path], program: Callable[[str, str], str], broker: str, new_name: NewName
) -> Scenario:
    """Run a scenario of main.go: what it saw."""
    path = executable(program("go", "the franz-go test needs Go 1.26 or later"))

    def run_scenario(name: str) -> Any:
        command = [str(path), broker, name, new_name("franz-go")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run_scenario


@pytest.mark.timeout(_BUILD_LIMIT_S + _LIMIT_S)
def test_records_come_back_as_they_were_sent(run: Scenario) -> None:
    assert run("records") == {
        "values": [f"{offset} key value {offset % 3} {offset % 3}" for offset in range(15)],
    }


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_partitions_move_to_a_second_member_and_back(run: Scenario, protocol: str) -> None:
    assert run(f"rebalance-{protocol}") == {"shared": [0, 1]}


def test_a_transaction_is_seen_whole_or_not_at_all(run: Scenario) -> None:
    assert run("transaction") == {"value": "committed", "offset": 2, "state": "CompleteCommit"}


def test_a_released_record_comes_again_and_a_rejected_one_does_not(run: Scenario) -> None:
    assert run("share") == {
        "values": ["accept", "release", "reject"],
        "again": "release",
        "deliveries": 2,
        "members": 1,
    }


def test_topics_configs_and_groups_can_be_administered(run: Scenario) -> None:
    assert run("admin") == {"partitions": 3, "retention": "1234", "offset": 7, "end": 0}
