"""``users`` and ``acls``."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.calls import call


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_user_is_added_with_a_password_from_stdin(data: Path) -> None:
    said = call("users", "add", "alice", "--data", data, stdin="secret\n")
    assert said.exit_code == 0, said.stderr
    users = call("users", "list", "--data", data, "--json").objects()
    assert [(row["user"], row["mechanism"], row["iterations"]) for row in users] == [
        ("alice", "SCRAM-SHA-256", 4096),
        ("alice", "SCRAM-SHA-512", 4096),
    ]
    for file in data.rglob("*"):
        assert not file.is_file() or b"secret" not in file.read_bytes()


def test_a_user_with_one_mechanism(data: Path) -> None:
    call("users", "add", "alice", "--mechanism", "SCRAM-SHA-512", "--iterations", 8192, "--data", data, stdin="x\n")
    (row,) = call("users", "list", "--data", data, "--json").objects()
    assert row == {"user": "alice", "mechanism": "SCRAM-SHA-512", "iterations": 8192}


def test_a_removed_user_is_gone(data: Path) -> None:
    call("users", "add", "alice", "--data", data, stdin="x\n")
    assert call("users", "remove", "alice", "--data", data).exit_code == 2  # nobody can be asked
    assert call("users", "remove", "alice", "--yes", "--data", data).exit_code == 0
    assert call("users", "list", "--data", data, "--json").objects() == []


def test_an_unknown_user_is_exit_code_4(data: Path) -> None:
    call("users", "add", "alice", "--data", data, stdin="x\n")
    said = call("users", "remove", "alise", "--yes", "--data", data)
    assert said.exit_code == 4
    assert "did you mean 'alice'?" in said.stderr


@pytest.mark.parametrize(
    ("words", "stdin"), [(("alice",), ""), (("alice", "--mechanism", "MD5"), "x\n"), (("", "--data"), "x\n")]
)
def test_a_user_that_cannot_be(data: Path, words: tuple[str, ...], stdin: str) -> None:
    assert call("users", "add", *words, "--data", data, stdin=stdin).exit_code != 0


def test_rules_are_added_listed_and_removed(data: Path) -> None:
    said = call(
        "acls", "add", "--principal", "User:alice", "--topic", "orders", "-o", "read", "-o", "write", "--data", data
    )
    assert said.exit_code == 0, said.stderr
    call("acls", "add", "--principal", "User:*", "--group", "app-", "--prefixed", "--deny", "--data", data)
    rows = call("acls", "list", "--data", data, "--json").objects()
    assert [tuple(row.values()) for row in rows] == [
        ("TOPIC", "orders", "LITERAL", "User:alice", "*", "READ", "ALLOW"),
        ("TOPIC", "orders", "LITERAL", "User:alice", "*", "WRITE", "ALLOW"),
        ("GROUP", "app-", "PREFIXED", "User:*", "*", "ALL", "DENY"),
    ]
    assert len(call("acls", "list", "--group", "app-", "--data", data, "--json").objects()) == 1
    removed = call("acls", "remove", "--topic", "orders", "-o", "write", "--yes", "--data", data, "--json").objects()
    assert [row["operation"] for row in removed] == ["WRITE"]
    assert len(call("acls", "list", "--data", data, "--json").objects()) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("add", "--topic", "t"),
        ("add", "--principal", "alice", "--topic", "t"),
        ("add", "--principal", "User:alice"),
        ("add", "--principal", "User:alice", "--topic", "t", "--group", "g"),
        ("add", "--principal", "User:alice", "--topic", "t", "-o", "reading"),
        ("remove", "--yes"),
    ],
)
def test_a_rule_that_says_too_little_or_too_much_is_wrong_usage(data: Path, words: tuple[str, ...]) -> None:
    assert call("acls", *words, "--data", data).exit_code == 2


def test_limits_are_set_listed_and_removed(data: Path) -> None:
    said = call(
        "quotas", "set", "producer_byte_rate=1000", "request_percentage=12.5", "--user", "alice", "--data", data
    )
    assert said.exit_code == 0, said.stderr
    call("quotas", "set", "consumer_byte_rate=5", "--user", "default", "--client-id", "app", "--data", data)
    call("quotas", "set", "connection_creation_rate=7", "--ip", "10.0.0.1", "--data", data)
    rows = call("quotas", "list", "--data", data, "--json").objects()
    assert [tuple(row.values()) for row in rows] == [
        ("default", "app", None, "consumer_byte_rate", 5.0),
        (None, None, "10.0.0.1", "connection_creation_rate", 7.0),
        ("alice", None, None, "producer_byte_rate", 1000.0),
        ("alice", None, None, "request_percentage", 12.5),
    ]
    call("quotas", "remove", "producer_byte_rate", "request_percentage", "--user", "alice", "--data", data)
    assert len(call("quotas", "list", "--data", data, "--json").objects()) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("set", "producer_byte_rate=1000"),
        ("set", "producer_byte_rate", "--user", "alice"),
        ("set", "producer_byte_rate=much", "--user", "alice"),
        ("set", "producer_byte_rate=0", "--user", "alice"),
        ("set", "bytes=1", "--user", "alice"),
        ("set", "connection_creation_rate=1", "--user", "alice"),
        ("remove", "producer_byte_rate"),
    ],
)
def test_a_limit_that_cannot_be_is_wrong_usage(data: Path, words: tuple[str, ...]) -> None:
    assert call("quotas", *words, "--data", data).exit_code == 2
