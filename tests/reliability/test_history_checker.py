"""The history checker as a pure function: small histories by hand, each with one thing wrong, and their right twins."""

from __future__ import annotations

from typing import Any

import pytest
from reliability.history.checking import check
from reliability.history.events import (
    Acknowledged,
    Acknowledging,
    Alive,
    Assigned,
    Closing,
    Committed,
    Committing,
    Delivered,
    Drained,
    Ended,
    Ending,
    Event,
    Log,
    LookedUp,
    Polled,
    Released,
    Restarted,
    Sent,
    SharedDone,
)
from reliability.history.findings import Kind

from embedkafka import AcknowledgeType, TopicPartition

ONE = TopicPartition("load", 0)
IN, OUT = TopicPartition("input", 0), TopicPartition("output", 0)


def kinds(*events: Event) -> set[Kind]:
    return {finding.kind for finding in check(events)}


def sent(*records: str, transaction: str | None = None, at: int = 0, partition: TopicPartition = ONE) -> list[Event]:
    return [
        Sent(at + number, record.split("/")[0], record, partition, transaction) for number, record in enumerate(records)
    ]


def logs(*records: str, committed: tuple[str, ...] | None = None, partition: TopicPartition = ONE) -> list[Event]:
    """What is there in the end, offset by offset; read_committed readers see only ``committed`` of it."""
    there = tuple(enumerate(records))
    seen = tuple(one for one in there if committed is None or one[1] in committed)
    return [Log(partition, there, False), Log(partition, seen, True)]


def poll(begun: int, start: int | None, *records: tuple[int, str], end: int | None = None, **more: Any) -> Polled:
    return Polled(begun, begun + 1, "reader", ONE, start, end, records, **more)


def commit(at: int, offset: int, member: str = "m", *, done: bool | None = True, **more: Any) -> list[Event]:
    call = f"{member}@{at}"
    begun = Committing(at, call, "g", member, ONE, offset, **more)
    return [begun] if done is None else [begun, Committed(at + 1, call, done)]


def test_a_history_where_all_is_well_has_no_finding() -> None:
    assert not kinds(
        *sent("a/0", "a/1"),
        Acknowledged(5, "a/0", 0),
        Acknowledged(6, "a/1", 1),
        poll(10, 0, (0, "a/0"), (1, "a/1"), end=2),
        *logs("a/0", "a/1"),
    )


def test_an_acknowledged_record_that_is_gone_is_lost() -> None:
    assert kinds(*sent("a/0"), Acknowledged(5, "a/0", 0), *logs()) == {Kind.LOST}


def test_a_record_that_nobody_acknowledged_may_be_there_or_not() -> None:
    assert not kinds(*sent("a/0"), *logs())
    assert not kinds(*sent("a/0"), *logs("a/0"))


def test_a_record_that_is_there_twice_is_duplicated() -> None:
    assert Kind.DUPLICATED in kinds(*sent("a/0"), *logs("a/0", "a/0"))


def test_a_producers_records_in_another_order_are_reordered() -> None:
    assert kinds(*sent("a/0", "a/1"), *logs("a/1", "a/0")) == {Kind.REORDERED}
    assert not kinds(*sent("a/0"), *sent("b/0", at=5), *logs("b/0", "a/0"))


def test_a_record_that_nobody_sent_is_foreign() -> None:
    assert kinds(*logs("a/0")) == {Kind.FOREIGN}


def test_a_record_at_another_offset_than_was_answered_is_foreign() -> None:
    assert kinds(*sent("a/0"), Acknowledged(5, "a/0", 7), *logs("a/0")) == {Kind.FOREIGN}


def test_a_transactions_record_must_be_visible_after_its_commit() -> None:
    history = [*sent("a/0", transaction="t"), Ending(5, "t", True), Ended(6, "t", True)]
    assert kinds(*history, *logs("a/0", committed=())) == {Kind.LOST}
    assert not kinds(*history, *logs("a/0"))


@pytest.mark.parametrize(
    "end",
    [
        [],
        [Ending(5, "t", False), Ended(6, "t", False)],
        [Ending(5, "t", True), Ended(6, "t", True, done=False)],
    ],
    ids=["left open", "aborted", "refused"],
)
def test_a_transactions_record_must_not_be_visible_without_a_commit(end: list[Event]) -> None:
    history = [*sent("a/0", transaction="t"), *end]
    assert kinds(*history, *logs("a/0")) == {Kind.UNCOMMITTED_VISIBLE}
    assert not kinds(*history, *logs("a/0", committed=()))


def test_a_commit_that_was_never_answered_counts_as_a_whole_or_not_at_all() -> None:
    history = [*sent("a/0", "a/1", transaction="t"), Ending(5, "t", True)]
    assert not kinds(*history, *logs("a/0", "a/1"))
    assert not kinds(*history, *logs("a/0", "a/1", committed=()))
    assert kinds(*history, *logs("a/0", "a/1", committed=("a/1",))) == {Kind.TORN}


def test_a_reader_that_sees_a_record_before_its_commit_was_asked_for_sees_it_too_early() -> None:
    def read_at(tick: int) -> set[Kind]:
        return kinds(
            *sent("a/0", transaction="t"),
            poll(tick, 0, (0, "a/0"), end=1, committed=True),
            Ending(10, "t", True),
            Ended(12, "t", True),
            *logs("a/0"),
        )

    assert read_at(5) == {Kind.UNCOMMITTED_VISIBLE}
    assert not read_at(10)


@pytest.mark.parametrize(
    "read",
    [
        poll(10, 0, (0, "a/0"), end=2),
        poll(10, 0, (0, "a/0"), (1, "a/0"), end=2),
        poll(10, 0, (1, "a/1"), (0, "a/0"), end=2),
        poll(10, 1, (0, "a/0"), (1, "a/1"), end=2),
        poll(10, None, (0, "a/1")),
    ],
    ids=["left out", "twice", "in another order", "from before its start", "at another offset"],
)
def test_a_poll_returns_what_lies_between_its_positions(read: Polled) -> None:
    assert kinds(*sent("a/0", "a/1"), read, *logs("a/0", "a/1")) == {Kind.MISREAD}


def test_a_reader_that_finds_nothing_although_something_was_acknowledged_is_stale() -> None:
    history = [*sent("a/0"), Acknowledged(5, "a/0", 0), *logs("a/0")]
    assert kinds(*history, poll(6, 0, end=0, found_nothing=True)) == {Kind.STALE}
    assert not kinds(*history, poll(4, 0, end=0, found_nothing=True))
    assert not kinds(*history, poll(6, 1, end=1, found_nothing=True))


def test_a_read_committed_reader_may_wait_for_an_open_transaction() -> None:
    history = [
        *sent("t/0", transaction="t"),
        *sent("a/0", at=3),
        Acknowledged(5, "t/0", 0),
        Acknowledged(6, "a/0", 1),
        Ending(10, "t", False),
        Ended(11, "t", False),
        *logs("t/0", "a/0", committed=("a/0",)),
    ]
    assert not kinds(*history, poll(7, 0, end=0, found_nothing=True, committed=True))
    assert kinds(*history, poll(12, 0, end=0, found_nothing=True, committed=True)) == {Kind.STALE}


@pytest.mark.parametrize(("found", "is_right"), [(5, True), (3, False), (None, False), (9, False)])
def test_a_look_up_finds_the_last_commit(found: int | None, is_right: bool) -> None:
    history = [*commit(1, 3), *commit(4, 5), LookedUp(8, 9, "g", ONE, found)]
    assert kinds(*history) == (set() if is_right else {Kind.OFFSET_LOST})


@pytest.mark.parametrize("found", [3, 5])
def test_a_commit_that_is_under_way_or_never_answered_may_be_found_or_not(found: int) -> None:
    assert not kinds(*commit(1, 3), *commit(4, 5, done=None), LookedUp(8, 9, "g", ONE, found))
    assert not kinds(*commit(1, 3), LookedUp(3, 6, "g", ONE, found), *commit(4, 5))


def test_what_was_never_answered_is_over_at_a_restart() -> None:
    history = [*commit(1, 3), *commit(4, 5, done=None), Restarted(7), *commit(8, 6)]
    assert kinds(*history, LookedUp(12, 13, "g", ONE, 5)) == {Kind.OFFSET_LOST}
    assert not kinds(*history, LookedUp(12, 13, "g", ONE, 6))


def test_a_refused_commit_is_not_found() -> None:
    assert kinds(*commit(1, 3), *commit(4, 5, done=False), LookedUp(8, 9, "g", ONE, 5)) == {Kind.OFFSET_LOST}


def test_an_offset_in_a_transaction_counts_from_its_commit_on() -> None:
    history = [*commit(1, 3), *commit(4, 5, transaction="t"), Ending(10, "t", True), Ended(12, "t", True)]
    assert kinds(*history, LookedUp(7, 8, "g", ONE, 5)) == {Kind.OFFSET_LOST}
    assert not kinds(*history, LookedUp(7, 8, "g", ONE, 3))
    assert kinds(*history, LookedUp(14, 15, "g", ONE, 3)) == {Kind.OFFSET_LOST}


def test_committed_offsets_do_not_go_back() -> None:
    assert kinds(*commit(1, 5), *commit(4, 3, "n")) == {Kind.OFFSET_BACK}


@pytest.mark.parametrize(("first", "is_right"), [(0, False), (1, True), (2, False)])
def test_a_new_owner_goes_on_where_the_group_has_committed(first: int, is_right: bool) -> None:
    records = sent("a/0", "a/1", "a/2", at=-10)
    begun = Polled(6, 7, "n", ONE, None, first + 1, ((first, f"a/{first}"),), group="g")
    history = [*records, *commit(1, 1), Assigned(5, "g", "n", ONE), begun, *logs("a/0", "a/1", "a/2")]
    assert kinds(*history) == (set() if is_right else {Kind.OFFSET_LOST})


def test_two_members_do_not_own_a_partition_at_once() -> None:
    first, second = Assigned(1, "g", "m", ONE), Assigned(5, "g", "n", ONE)
    assert kinds(first, second, Alive(8, "g", "m")) == {Kind.DOUBLE_OWNERSHIP}
    assert not kinds(first, Alive(3, "g", "m"), second, Alive(8, "g", "n"))
    assert not kinds(first, Released(4, "g", "m", ONE), second, Alive(8, "g", "m"))
    assert not kinds(first, Restarted(4), second, Alive(8, "g", "n"))
    assert not kinds(first, Assigned(5, "other", "n", ONE), Alive(8, "g", "m"))


def test_a_member_does_not_commit_for_a_partition_that_another_one_owns() -> None:
    history = [Assigned(1, "g", "m", ONE), Assigned(5, "g", "n", ONE), Alive(10, "g", "n")]
    assert kinds(*history, *commit(7, 3, "m")) == {Kind.ZOMBIE_COMMIT}
    assert not kinds(*history, *commit(7, 3, "m", done=False))
    assert not kinds(*history, *commit(7, 3, "n"))
    assert not kinds(*history, *commit(4, 3, "m"))


@pytest.mark.parametrize(("output", "is_right"), [(("i/0",), True), ((), False), (("i/0", "i/0"), False)])
def test_the_committed_output_is_the_input_below_the_committed_offset(output: tuple[str, ...], is_right: bool) -> None:
    made = [Sent(5 + number, "w", f"w/{number}", OUT, None, source) for number, source in enumerate(output)]
    history = [
        *sent("i/0", "i/1", partition=IN),
        *logs("i/0", "i/1", partition=IN),
        *made,
        *logs(*(f"w/{number}" for number in range(len(made))), partition=OUT),
        Committing(10, "c", "pipeline", "w", IN, 1),
        Committed(11, "c", True),
        LookedUp(20, 21, "pipeline", IN, 1),
    ]
    assert kinds(*history) == (set() if is_right else {Kind.NOT_EXACTLY_ONCE})


def delivered(
    begun: int, count: int = 1, member: str = "m", record: str = "a/0", *, at_ms: float = 0, **more: Any
) -> Delivered:
    return Delivered(begun, begun + 1, "s", member, ONE, ((0, record, count),), at_ms, at_ms, **more)


def said(
    at: int, type_: AcknowledgeType, member: str = "m", *, done: bool | None = True, at_ms: float = 0
) -> list[Event]:
    call = f"{member}@{at}"
    begun = Acknowledging(at, call, "s", member, ONE, ((0, type_),), at_ms)
    return [begun] if done is None else [begun, SharedDone(at + 1, call, done)]


SHARED = [*sent("a/0", at=-5), *logs("a/0")]


@pytest.mark.parametrize("type_", [AcknowledgeType.ACCEPT, AcknowledgeType.REJECT])
def test_what_a_share_group_has_finished_is_not_delivered_again(type_: AcknowledgeType) -> None:
    history = [*SHARED, delivered(1), *said(3, type_)]
    assert kinds(*history, delivered(6, 2)) == {Kind.DELIVERED_AGAIN}
    assert kinds(*history, Restarted(5), delivered(6, 1)) == {Kind.DELIVERED_AGAIN}
    assert not kinds(*SHARED, delivered(1), *said(3, type_, done=None), delivered(6, 2))


def test_what_a_share_consumer_has_released_is_delivered_again() -> None:
    assert not kinds(*SHARED, delivered(1), *said(3, AcknowledgeType.RELEASE), delivered(6, 2, "n"))


def test_a_record_that_is_locked_is_not_given_to_another_member() -> None:
    assert kinds(*SHARED, delivered(1), delivered(6, 2, "n", at_ms=29_999)) == {Kind.DOUBLE_LOCK}
    assert not kinds(*SHARED, delivered(1), delivered(6, 2, "n", at_ms=30_000))
    assert not kinds(*SHARED, delivered(1), Closing(4, "s", "m"), delivered(6, 1, "n"))
    assert not kinds(*SHARED, delivered(1), Restarted(4), delivered(6, 1, "n"))
    assert kinds(*SHARED, delivered(1), delivered(6, 1, "n")) == {Kind.DOUBLE_LOCK}


def test_a_renewed_lock_lasts_longer() -> None:
    history = [*SHARED, delivered(1), *said(3, AcknowledgeType.RENEW, at_ms=20_000)]
    assert kinds(*history, delivered(6, 2, "n", at_ms=40_000)) == {Kind.DOUBLE_LOCK}
    assert not kinds(*history, delivered(6, 2, "n", at_ms=50_000))
    assert not kinds(*history, delivered(6, 1, "m", at_ms=40_000))


def test_a_share_group_delivers_a_record_as_often_as_its_limit_says() -> None:
    assert not kinds(*SHARED, delivered(1, 10))
    assert kinds(*SHARED, delivered(1, 11)) == {Kind.MISCOUNTED}


def test_a_share_group_comes_to_an_end_with_every_record() -> None:
    assert kinds(*SHARED, Drained(9, "s")) == {Kind.UNDELIVERED}
    assert kinds(*SHARED, delivered(1), *said(3, AcknowledgeType.RELEASE), Drained(9, "s")) == {Kind.UNDELIVERED}
    assert not kinds(*SHARED, delivered(1), *said(3, AcknowledgeType.ACCEPT), Drained(9, "s"))
    assert not kinds(*SHARED, delivered(1, 10), Drained(9, "s"))


def test_a_share_group_gets_what_the_log_holds_and_only_what_it_may_see() -> None:
    assert kinds(*SHARED, delivered(1, record="b/0")) == {Kind.MISREAD}
    history = [*sent("t/0", at=-5, transaction="t"), *logs("t/0", committed=())]
    assert not kinds(*history, delivered(1, record="t/0"))
    assert kinds(*history, delivered(1, record="t/0", committed=True)) == {Kind.UNCOMMITTED_VISIBLE}
