"""``topics``: create, alter, configs, add-partitions, delete."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.calls import call


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    assert call("topics", "create", "orders", "--partitions", 3, "--data", path).exit_code == 0
    return path


def test_creating_a_topic_makes_the_directory_and_says_so(tmp_path: Path) -> None:
    said = call("topics", "create", "orders", "-p", 3, "--data", tmp_path / "new")
    assert said.stdout == "created orders with 3 partitions\n"
    assert said.stderr == f"new data directory {tmp_path / 'new'}\n"


def test_a_created_topic_is_there_afterwards(data: Path) -> None:
    (topic,) = call("topics", "list", "--data", data, "--json").objects()
    assert (topic["topic"], topic["partitions"], topic["records"]) == ("orders", 3, 0)


def test_several_are_created_at_once(data: Path) -> None:
    assert call("topics", "create", "a", "b", "--data", data).exit_code == 0
    assert [topic["topic"] for topic in call("topics", "list", "--data", data, "--json").objects()] == [
        "a",
        "b",
        "orders",
    ]


def test_creating_it_twice_is_an_error_that_says_what_to_do(data: Path) -> None:
    said = call("topics", "create", "orders", "--data", data)
    assert said.exit_code == 1
    assert "--if-not-exists" in said.stderr


def test_if_not_exists_leaves_it_alone(data: Path) -> None:
    assert call("topics", "create", "orders", "--if-not-exists", "--data", data).stdout == "orders is there already\n"


def test_an_illegal_name_is_an_error(data: Path) -> None:
    assert call("topics", "create", "a/b", "--data", data).exit_code == 1


def test_an_unknown_setting_is_an_error(data: Path) -> None:
    said = call("topics", "create", "x", "--config", "retention.mz=1", "--data", data)
    assert said.exit_code == 1
    assert "retention.mz" in said.stderr


def test_a_setting_without_a_value_is_wrong_usage(data: Path) -> None:
    assert call("topics", "create", "x", "--config", "retention.ms", "--data", data).exit_code == 2


def test_settings_given_at_creation_are_shown(data: Path) -> None:
    call("topics", "create", "short", "--config", "retention.ms=1000", "--data", data)
    (row,) = call("topics", "configs", "short", "--data", data, "--json").objects()
    assert row == {"setting": "retention.ms", "value": "1000", "source": "DYNAMIC_TOPIC_CONFIG"}


def test_alter_sets_and_delete_config_takes_back(data: Path) -> None:
    call("topics", "alter", "orders", "--config", "retention.ms=5000", "--data", data)
    (row,) = call("topics", "configs", "orders", "--data", data, "--json").objects()
    assert row["value"] == "5000"
    call("topics", "alter", "orders", "--delete-config", "retention.ms", "--data", data)
    assert call("topics", "configs", "orders", "--data", data, "--json").stdout == ""


def test_an_illegal_value_is_an_error_and_changes_nothing(data: Path) -> None:
    assert call("topics", "alter", "orders", "--config", "retention.ms=soon", "--data", data).exit_code == 1
    assert call("topics", "configs", "orders", "--data", data, "--json").stdout == ""


@pytest.mark.parametrize("option", ["--config=retention.mz=1", "--delete-config=retention.mz"])
def test_altering_an_unknown_setting_names_the_nearest(data: Path, option: str) -> None:
    said = call("topics", "alter", "orders", option, "--data", data)
    assert said.exit_code == 4
    assert "did you mean 'retention.ms'?" in said.stderr


def test_altering_nothing_is_wrong_usage(data: Path) -> None:
    assert call("topics", "alter", "orders", "--data", data).exit_code == 2


def test_all_shows_the_defaults_too(data: Path) -> None:
    rows = call("topics", "configs", "orders", "--all", "--data", data, "--json").objects()
    found = {row["setting"]: row["value"] for row in rows}
    assert found["retention.ms"] == "604800000"
    assert found["cleanup.policy"] == "delete"


def test_partitions_can_be_added(data: Path) -> None:
    assert call("topics", "add-partitions", "orders", 5, "--data", data).exit_code == 0
    (topic,) = call("topics", "list", "--data", data, "--json").objects()
    assert topic["partitions"] == 5


def test_partitions_cannot_be_taken_away(data: Path) -> None:
    assert call("topics", "add-partitions", "orders", 2, "--data", data).exit_code == 1


def test_deleting_needs_a_yes_where_nobody_can_be_asked(data: Path) -> None:
    said = call("topics", "delete", "orders", "--data", data)
    assert said.exit_code == 2
    assert "--yes" in said.stderr
    assert call("topics", "list", "--data", data, "--json").objects()


def test_a_deleted_topic_is_gone(data: Path) -> None:
    assert call("topics", "delete", "orders", "--yes", "--data", data).stdout == "deleted orders\n"
    assert call("topics", "list", "--data", data, "--json").stdout == ""


@pytest.mark.parametrize(
    "words",
    [("delete", "--yes", "order"), ("alter", "order", "-c", "a=b"), ("configs", "order"), ("describe", "order")],
)
def test_a_mistyped_topic_is_exit_code_4_and_names_the_nearest(data: Path, words: tuple[str, ...]) -> None:
    said = call("topics", *words, "--data", data)
    assert said.exit_code == 4
    assert "did you mean 'orders'?" in said.stderr
