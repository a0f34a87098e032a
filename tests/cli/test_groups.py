"""``consume --group`` and ``groups``: reading as a group, lag, moving, forgetting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli.calls import Said, call


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    call("topics", "create", "lines", "--partitions", 2, "--data", path)
    for partition in (0, 1):
        stdin = "".join(f"p{partition} line {number}\n" for number in range(10))
        assert call("produce", "lines", "--partition", partition, "--data", path, stdin=stdin).exit_code == 0
    return path


def consume(data: Path, *words: object) -> list[str]:
    said = call("consume", "lines", "--group", "readers", *words, "--data", data)
    assert said.exit_code == 0, said.stderr
    return said.stdout.splitlines()


def groups(data: Path, *words: object) -> Said:
    return call("groups", *words, "--data", data, "--json")


def described(data: Path) -> list[dict[str, Any]]:
    return groups(data, "describe", "readers").objects()


def committed(data: Path) -> list[int]:
    return [row["committed"] for row in described(data)]


def test_a_group_reads_everything_once(data: Path) -> None:
    assert len(consume(data)) == 20
    assert consume(data) == []


def test_a_group_goes_on_after_what_it_printed(data: Path) -> None:
    first = consume(data, "--max-messages", 7)
    assert len(first) == 7
    rest = consume(data)
    assert len(rest) == 13
    assert len({*first, *rest}) == 20


def test_two_groups_do_not_disturb_each_other(data: Path) -> None:
    consume(data)
    said = call("consume", "lines", "--group", "others", "--data", data)
    assert len(said.stdout.splitlines()) == 20


def test_a_new_group_from_the_end_gets_nothing_old(data: Path) -> None:
    assert consume(data, "--from-end") == []


def test_a_group_and_an_offset_exclude_each_other(data: Path) -> None:
    assert call("consume", "lines", "--group", "g", "--offset", 1, "--data", data).exit_code == 2


def test_an_unknown_topic_makes_no_group(data: Path) -> None:
    assert call("consume", "lins", "--group", "readers", "--data", data).exit_code == 4
    assert groups(data, "list").objects() == []


def test_groups_are_listed(data: Path) -> None:
    consume(data)
    (group,) = groups(data, "list").objects()
    assert (group["group"], group["state"]) == ("readers", "Empty")


def test_lag_is_what_is_left_to_read(data: Path) -> None:
    consume(data)
    call("produce", "lines", "--partition", 1, "--data", data, stdin="new\n")
    assert [(row["partition"], row["committed"], row["log_end"], row["lag"]) for row in described(data)] == [
        (0, 10, 10, 0),
        (1, 10, 11, 1),
    ]


def test_an_unknown_group_is_exit_code_4_and_names_the_nearest(data: Path) -> None:
    consume(data)
    said = call("groups", "describe", "reader", "--data", data)
    assert said.exit_code == 4
    assert "did you mean 'readers'?" in said.stderr


def test_without_execute_nothing_is_moved(data: Path) -> None:
    consume(data)
    said = call("groups", "reset-offsets", "readers", "--to-earliest", "--data", data)
    assert said.exit_code == 0
    assert "add --execute" in said.stderr
    assert committed(data) == [10, 10]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--to-earliest",), [0, 0]),
        (("--to-latest",), [10, 10]),
        (("--to-offset", "4"), [4, 4]),
        (("--to-offset", "99"), [10, 10]),
        (("--shift-by", "-3"), [7, 7]),
        (("--to-earliest", "--topic", "lines:1"), [10, 0]),
        (("--to-datetime", "2020-01-01T00:00:00Z"), [0, 0]),
        (("--to-datetime", "2099-01-01T00:00:00+02:00"), [10, 10]),
    ],
)
def test_a_group_is_moved(data: Path, words: tuple[str, ...], expected: list[int]) -> None:
    consume(data)
    said = groups(data, "reset-offsets", "readers", *words, "--execute")
    assert said.exit_code == 0, said.stderr
    assert committed(data) == expected


@pytest.mark.parametrize(("words", "expected"), [(("--to-offset", 99), [10, 10]), (("--shift-by", -99), [0, 0])])
def test_what_it_would_do_is_within_the_log(data: Path, words: tuple[object, ...], expected: list[int]) -> None:
    consume(data)
    rows = groups(data, "reset-offsets", "readers", *words).objects()
    assert [row["after"] for row in rows] == expected


def test_a_moved_group_reads_again(data: Path) -> None:
    consume(data)
    groups(data, "reset-offsets", "readers", "--shift-by", "-2", "--execute")
    assert len(consume(data)) == 4


def test_a_group_that_does_not_exist_yet_can_be_given_offsets(data: Path) -> None:
    said = groups(data, "reset-offsets", "readers", "--topic", "lines", "--to-offset", 8, "--execute")
    assert said.exit_code == 0, said.stderr
    assert len(consume(data)) == 4


@pytest.mark.parametrize("words", [(), ("--to-earliest", "--to-latest"), ("--to-datetime", "yesterday")])
def test_where_to_must_be_said_in_one_way(data: Path, words: tuple[str, ...]) -> None:
    consume(data)
    assert groups(data, "reset-offsets", "readers", *words).exit_code == 2


def test_deleting_needs_a_yes_where_nobody_can_be_asked(data: Path) -> None:
    consume(data)
    assert groups(data, "delete", "readers").exit_code == 2
    assert len(groups(data, "list").objects()) == 1


def test_a_deleted_group_starts_anew(data: Path) -> None:
    consume(data)
    assert groups(data, "delete", "readers", "--yes").exit_code == 0
    assert groups(data, "list").objects() == []
    assert len(consume(data)) == 20


def test_the_topic_of_committed_offsets_is_listed_on_request_once_it_is_used(data: Path) -> None:
    def internal() -> list[str]:
        topics = call("topics", "list", "--internal", "--data", data, "--json").objects()
        return [topic["topic"] for topic in topics if topic["topic"] != "lines"]

    assert internal() == []
    consume(data)
    assert internal() == ["__consumer_offsets"]
