"""kafkajs against the listener; ``npm ci`` in kafkajs/ installs it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NewName = Callable[[str], str]
Scenario = Callable[[str], Any]

_FOLDER = Path(__file__).parent / "kafkajs"
_LIMIT_S = 60


@pytest.fixture
def run(program: Callable[[str, str], str], broker: str, new_name: NewName) -> Scenario:
    """Run a scenario of round_trip.js: what it saw."""
    node = program("node", "the kafkajs test needs Node.js 14 or later")
    if not (_FOLDER / "node_modules" / "kafkajs").is_dir():
        pytest.skip(f"kafkajs is not installed: npm ci --prefix {_FOLDER}")

    def run_scenario(name: str) -> Any:
        command = [node, str(_FOLDER / "round_trip.js"), broker, name, new_name("kafkajs")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run_scenario


def test_records_come_back_as_they_were_sent(run: Scenario) -> None:
    expected = [[1, str(number), "key", f"value {number}", str(number)] for number in range(3)]
    assert run("records") == {"error": 0, "seen": expected}


def test_partitions_move_to_a_second_member_and_back(run: Scenario) -> None:
    assert run("rebalance") == {"shared": [0, 1]}


def test_a_transaction_is_seen_whole_or_not_at_all(run: Scenario) -> None:
    assert run("transaction") == {"values": ["committed"], "offset": "42"}


def test_topics_configs_and_groups_can_be_administered(run: Scenario, broker: str) -> None:
    assert run("admin") == {
        "created": True,
        "createdAgain": False,
        "partitions": 3,
        "retention": "1234",
        "offset": "7",
        "isListed": True,
        "brokers": [broker],
    }
