"""A consumer group: joining, reconciling, fencing, leaving (KIP-848), as Kafka 4.3 answers."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

import pytest
from coordinator.consumer_driver import Consumer, ConsumerDriver, settle

from embedkafka.coordinator.api import LeavingMember, OffsetCommitRequest, OffsetToCommit
from embedkafka.coordinator.classic.group import Group
from embedkafka.coordinator.config import GroupConfig, GroupSettings
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.consumer.member import MemberState
from embedkafka.coordinator.decision import ASSIGN, REVOKE, SESSION, CommitOffsets, TimerKey
from embedkafka.errors import FencedInstanceIdError, StaleMemberEpochError, UnknownMemberIdError
from embedkafka.model import TopicPartition

T, U = UUID(int=1), UUID(int=2)


def test_the_first_member_gets_everything_with_the_epoch_two() -> None:
    driver = ConsumerDriver()
    reply = driver.consumer("a").join()
    assert (reply.error_code, reply.member_id, reply.member_epoch) == (0, "a", 2)
    assert reply.assignment == {T: list(range(8))}


def test_a_join_writes_kafkas_records_in_kafkas_order() -> None:
    driver = ConsumerDriver()
    driver.consumer("a").join()
    assert driver.record_kinds() == [5, 3, 7, 6, 8]


def test_a_member_that_leaves_writes_kafkas_tombstones_in_kafkas_order() -> None:
    driver = ConsumerDriver()
    consumer = driver.consumer("a", regex="t|u", topics=())
    consumer.join()
    before = len(driver.log)
    consumer.leave()
    assert driver.record_kinds(before) == [-8, -7, -5, -16, 3]


def test_a_heartbeat_with_nothing_new_writes_nothing_and_tells_nothing() -> None:
    driver = ConsumerDriver()
    consumer = driver.consumer("a")
    consumer.join()
    consumer.take()
    before = len(driver.log)
    reply = consumer.send()
    assert (reply.error_code, reply.assignment, len(driver.log)) == (0, None, before)


def test_a_full_heartbeat_is_told_its_assignment_again() -> None:
    driver = ConsumerDriver()
    consumer = driver.consumer("a")
    consumer.join()
    consumer.take()
    assert consumer.send(full=True).assignment == {T: list(range(8))}


def test_the_reply_names_the_heartbeat_interval() -> None:
    driver = ConsumerDriver(GroupConfig(defaults=GroupSettings(consumer_heartbeat_interval_ms=7_000)))
    assert driver.consumer("a").join().heartbeat_interval_ms == 7_000


def test_a_second_member_gets_nothing_until_the_first_has_given_up() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a"), driver.consumer("b")
    first.join()
    first.take()
    assert second.join().assignment == {}
    assert driver.group().members["b"].state is MemberState.UNRELEASED_PARTITIONS
    told = first.send(owned=first.owned)
    assert (told.member_epoch, {t: len(p) for t, p in told.assignment.items()}) == (2, {T: 4})
    assert driver.group().members["a"].state is MemberState.UNREVOKED_PARTITIONS
    assert second.send().assignment is None
    first.revoke()
    assert first.send(owned=first.owned).member_epoch == 3
    assert {t: len(p) for t, p in second.send().assignment.items()} == {T: 4}
    assert driver.group().shown_state == "Stable"


def test_a_member_that_says_it_still_owns_what_it_has_to_give_up_stays_in_its_epoch() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a"), driver.consumer("b")
    first.join()
    first.take()
    second.join()
    first.send()
    assert first.send(owned=first.owned).member_epoch == 2


def test_two_members_end_with_half_each_and_keep_what_they_have() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a"), driver.consumer("b")
    first.join()
    first.take()
    second.join()
    settle(first, second)
    assert (first.numbers(), second.numbers()) == ([0, 1, 2, 3], [4, 5, 6, 7])


def test_the_states_a_group_shows() -> None:
    driver = ConsumerDriver(GroupConfig(defaults=GroupSettings(consumer_assignment_interval_ms=1_000)))
    first, second = driver.consumer("a"), driver.consumer("b")
    first.join()
    first.take()
    assert driver.group().shown_state == "Stable"
    second.join()
    assert driver.group().shown_state == "Assigning"
    driver.fire(TimerKey(ASSIGN, "g"))
    assert driver.group().shown_state == "Reconciling"
    settle(first, second)
    assert driver.group().shown_state == "Stable"
    first.leave()
    second.leave()
    assert driver.group().shown_state == "Empty"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 9])
def test_a_join_moves_at_most_its_fair_share(size: int) -> None:
    driver = ConsumerDriver()
    members = [driver.consumer(f"m{number}") for number in range(size)]
    for member in members:
        member.join()
    settle(*members)
    owner = {number: member.member_id for member in members for number in member.numbers()}
    late = driver.consumer("late")
    late.join()
    settle(*members, late)
    moved = [number for member in [*members, late] for number in member.numbers() if owner[number] != member.member_id]
    assert len(moved) <= math.ceil(8 / (size + 1))


def test_a_member_that_leaves_gives_its_partitions_to_the_others() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a"), driver.consumer("b")
    first.join()
    second.join()
    settle(first, second)
    assert second.leave().member_epoch == -1
    settle(first)
    assert first.numbers() == list(range(8))


# Fencing -------------------------------------------------------------------------------------------------------------


def test_a_heartbeat_of_an_unknown_member_is_refused() -> None:
    driver = ConsumerDriver()
    driver.consumer("a").join()
    assert driver.consumer("b").error(epoch=3) == "UnknownMemberIdError"


def test_a_heartbeat_in_an_unknown_group_is_refused() -> None:
    assert ConsumerDriver().consumer("a").error(epoch=3) == "GroupIdNotFoundError"


@pytest.mark.parametrize("epoch", [1, 3, 99])
def test_a_heartbeat_of_another_epoch_is_fenced(epoch: int) -> None:
    driver = ConsumerDriver()
    consumer = driver.consumer("a")
    consumer.join()
    assert consumer.error(epoch=epoch) == "FencedMemberEpochError"


def test_the_previous_epoch_is_taken_from_who_owns_no_more_than_it_was_given() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a"), driver.consumer("b")
    first.join()
    second.join()
    settle(first, second)
    second.leave()
    lost = first.epoch
    assert first.send().member_epoch == lost + 1
    assert first.send(lost, owned={T: [0]}).member_epoch == lost + 1
    assert first.error(epoch=lost) == "FencedMemberEpochError"
    assert first.error(epoch=lost, owned={T: [0], U: [0]}) == "FencedMemberEpochError"


def test_a_join_whose_reply_was_lost_may_be_sent_again() -> None:
    driver = ConsumerDriver()
    consumer = driver.consumer("a")
    consumer.join()
    reply = consumer.join()
    assert (reply.member_epoch, reply.assignment) == (2, {T: list(range(8))})


def test_a_member_that_is_not_heard_of_is_out_after_its_session() -> None:
    driver = ConsumerDriver(GroupConfig(defaults=GroupSettings(consumer_session_timeout_ms=50_000)))
    consumer = driver.consumer("a")
    consumer.join()
    key = TimerKey(SESSION, "g", "a")
    assert driver.timers[key][0] == 50_000
    driver.fire(key)
    assert consumer.error() == "UnknownMemberIdError"


def test_a_member_that_does_not_give_up_in_time_is_out() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a", rebalance_timeout_ms=9_000), driver.consumer("b")
    first.join()
    first.take()
    second.join()
    first.send()
    key = TimerKey(REVOKE, "g", "a")
    assert driver.timers[key][0] == 9_000
    driver.fire(key)
    settle(second)
    assert second.numbers() == list(range(8))
    assert first.error() == "UnknownMemberIdError"


def test_a_member_that_gives_up_in_time_is_waited_for_no_more() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a"), driver.consumer("b")
    first.join()
    first.take()
    second.join()
    first.turn()
    assert TimerKey(REVOKE, "g", "a") not in driver.timers


# Requests that make no sense -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"group_id": " "}, "InvalidRequestError"),
        ({"instance_id": ""}, "InvalidRequestError"),
        ({"topics": None}, "InvalidRequestError"),
        ({"rebalance_timeout_ms": -1}, "InvalidRequestError"),
        ({"assignor": "best"}, "UnsupportedAssignorError"),
        ({"regex": "(", "topics": ()}, "InvalidRegularExpressionError"),
    ],
)
def test_a_join_that_makes_no_sense_is_refused_and_changes_nothing(change: dict[str, object], error: str) -> None:
    driver = ConsumerDriver()
    consumer = Consumer(driver, "a", **{"topics": ("t",), **change})  # type: ignore[arg-type]
    assert consumer.error() == error
    assert driver.log == []
    assert driver.machine.find("g") is None


@pytest.mark.parametrize("epoch", [-3, -100])
def test_an_epoch_below_minus_two_is_refused(epoch: int) -> None:
    driver = ConsumerDriver()
    driver.consumer("a").join()
    assert driver.consumer("a").error(epoch=epoch) == "InvalidRequestError"


def test_a_full_group_takes_nobody_more() -> None:
    driver = ConsumerDriver(GroupConfig(consumer_max_size=1))
    driver.consumer("a").join()
    assert driver.consumer("b").error() == "GroupMaxSizeReachedError"
    assert driver.consumer("a").join().error_code == 0


# Static members ------------------------------------------------------------------------------------------------------


def test_a_static_member_that_leaves_for_a_while_gets_its_partitions_back_without_a_rebalance() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a", instance_id="i"), driver.consumer("b")
    first.join()
    second.join()
    settle(first, second)
    epoch, owned = driver.group().epoch, first.owned
    assert first.leave(-2).member_epoch == -2
    again = driver.consumer("c", instance_id="i")
    reply = again.join()
    assert reply.assignment == owned
    assert (driver.group().epoch, list(driver.group().members)) == (epoch, ["b", "c"])
    assert first.error() == "FencedInstanceIdError"


def test_an_instance_id_in_use_is_not_given_away() -> None:
    driver = ConsumerDriver()
    driver.consumer("a", instance_id="i").join()
    assert driver.consumer("b", instance_id="i").error() == "UnreleasedInstanceIdError"


def test_a_static_member_that_does_not_come_back_is_out_after_its_session() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a", instance_id="i"), driver.consumer("b")
    first.join()
    second.join()
    settle(first, second)
    first.leave(-2)
    driver.fire(TimerKey(SESSION, "g", "a"))
    settle(second)
    assert second.numbers() == list(range(8))


def test_a_static_member_that_leaves_for_good_is_out_at_once() -> None:
    driver = ConsumerDriver()
    consumer = driver.consumer("a", instance_id="i")
    consumer.join()
    consumer.leave(-1)
    assert driver.group().members == {}


def test_an_administrator_takes_members_out_by_what_it_knows_of_them() -> None:
    driver = ConsumerDriver()
    static, dynamic, both = (
        driver.consumer("a", instance_id="i"),
        driver.consumer("b"),
        driver.consumer("c", instance_id="j"),
    )
    for member in (static, dynamic, both):
        member.join()
    static.leave(-2)
    wrong = [LeavingMember("x", "i"), LeavingMember("b", "k"), LeavingMember("x")]
    codes = [FencedInstanceIdError.errno, UnknownMemberIdError.errno, UnknownMemberIdError.errno]
    assert driver.leave(*wrong) == codes
    assert list(driver.group().members) == ["a", "b", "c"]
    assert driver.leave(LeavingMember("", "i"), LeavingMember("b"), LeavingMember("b")) == [0, 0, codes[-1]]
    settle(both)
    assert both.numbers() == list(range(8))
    assert driver.leave(LeavingMember("c", "j")) == [0]
    assert driver.group().is_empty


def test_the_last_member_of_the_new_protocol_that_is_taken_out_gives_the_classic_group_back() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a"), driver.consumer("b")
    first.join()
    second.join()
    driver.join()
    assert isinstance(driver.machine.find("g"), ConsumerGroup)
    assert driver.leave(LeavingMember("a"), LeavingMember("b")) == [0, 0]
    for machine in (driver.machine, driver.replayed()):
        left = machine.find("g")
        assert isinstance(left, Group)
        assert len(left.members) == 1


def test_only_a_static_member_can_leave_for_a_while() -> None:
    driver = ConsumerDriver()
    consumer = driver.consumer("a")
    consumer.join()
    assert consumer.error(epoch=-2) == "InvalidRequestError"


# Subscriptions -------------------------------------------------------------------------------------------------------


def test_a_regular_expression_is_resolved_here_and_has_to_match_the_whole_name() -> None:
    driver = ConsumerDriver()
    driver.grow("tt", 2)
    assert driver.consumer("a", topics=(), regex="t").join().assignment == {T: list(range(8))}
    assert driver.group().regexes["t"].topics == ["t"]


def test_a_pattern_matches_only_topics_that_the_member_may_know_of() -> None:
    driver = ConsumerDriver(GroupConfig(hides_topics=True))
    driver.hidden = frozenset({"u"})
    assert driver.consumer("a", topics=(), regex="t|u").join().assignment == {T: list(range(8))}


def test_what_a_pattern_matches_stays_where_nobody_says_what_may_be_known() -> None:
    driver = ConsumerDriver(GroupConfig(hides_topics=True))
    one, other = driver.consumer("a", topics=(), regex="t|u"), driver.consumer("b", topics=("t",))
    driver.hidden = frozenset({"u"})
    one.join()
    driver.hidden = None
    other.join()
    driver.fire(TimerKey("session", "g", "b"))
    assert driver.group().regexes["t|u"].topics == ["t"]
    driver.hidden = frozenset()
    one.send()
    assert driver.group().regexes["t|u"].topics == ["t", "u"]


def test_a_topic_that_comes_to_match_is_assigned_at_the_next_heartbeat() -> None:
    driver = ConsumerDriver()
    consumer = driver.consumer("a", topics=(), regex="n.*")
    consumer.join()
    assert consumer.send().assignment is None
    driver.grow("new", 1)
    assert consumer.send().assignment is not None


def test_new_partitions_are_assigned_at_the_next_heartbeat() -> None:
    driver = ConsumerDriver()
    consumer = driver.consumer("a")
    consumer.join()
    driver.grow("t", 9)
    assert consumer.send().assignment == {T: list(range(9))}


def test_a_topic_that_does_not_exist_yet_is_no_error() -> None:
    driver = ConsumerDriver()
    assert driver.consumer("a", topics=("nowhere",)).join().assignment == {}


def test_a_change_of_topics_takes_the_old_ones_away() -> None:
    driver = ConsumerDriver()
    consumer = driver.consumer("a")
    consumer.join()
    consumer.take()
    consumer.topics = ("u",)
    assert consumer.send(full=True).assignment == {}
    consumer.revoke()
    assert consumer.send(owned={}).assignment == {U: [0, 1, 2, 3]}


def test_most_members_choose_the_assignor() -> None:
    driver = ConsumerDriver()
    members = [driver.consumer(name, assignor=assignor) for name, assignor in [("a", "range"), ("b", "range")]]
    members.append(driver.consumer("c", assignor="uniform"))
    for member in members:
        member.join()
    assert driver.described().assignor_name == "range"


def test_assignments_are_no_closer_together_than_the_interval() -> None:
    driver = ConsumerDriver(GroupConfig(defaults=GroupSettings(consumer_assignment_interval_ms=1_000)))
    first, second = driver.consumer("a"), driver.consumer("b")
    first.join()
    first.take()
    driver.now_ms += 300
    assert second.join().assignment == {}
    assert driver.timers[TimerKey(ASSIGN, "g")][0] == 700
    assert settle(first, second) <= 1
    assert first.numbers() == list(range(8))
    driver.now_ms += 700
    driver.fire(TimerKey(ASSIGN, "g"))
    settle(first, second)
    assert (len(first.numbers()), len(second.numbers())) == (4, 4)


# Describing ----------------------------------------------------------------------------------------------------------


def test_a_description_tells_current_and_target_assignments() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a"), driver.consumer("b")
    first.join()
    first.take()
    second.join()
    described = driver.described()
    assert (described.group_state, described.group_epoch, described.assignment_epoch) == ("Reconciling", 3, 3)
    member = described.members[0]
    assert [(each.topic_name, list(each.partitions)) for each in member.assignment] == [("t", list(range(8)))]
    assert [(each.topic_name, list(each.partitions)) for each in member.target_assignment] == [("t", [0, 1, 2, 3])]
    assert (member.member_type, member.subscribed_topic_names) == (1, ["t"])


def test_a_group_that_is_not_there_is_not_found() -> None:
    assert ConsumerDriver().described("nobody").error_code == 69


# What else must not go wrong ------------------------------------------------------------------------------------------


def test_a_static_member_that_leaves_for_a_while_has_given_up_what_it_was_told_to() -> None:
    driver = ConsumerDriver()
    static, other = driver.consumer("a", instance_id="i"), driver.consumer("b")
    static.join()
    static.take()
    other.join()
    static.send()
    assert driver.group().members["a"].state is MemberState.UNREVOKED_PARTITIONS
    static.leave(-2)
    settle(other)
    assert other.numbers() == [4, 5, 6, 7]
    assert TimerKey(REVOKE, "g", "a") not in driver.timers


def test_a_late_commit_does_not_count_for_a_partition_that_was_another_members_meanwhile() -> None:
    driver = ConsumerDriver()
    first, second = driver.consumer("a"), driver.consumer("b")
    first.join()
    first.take()
    second.join()
    settle(first, second)
    old_epoch = first.epoch
    second.leave()
    settle(first)
    assert first.numbers() == list(range(8))

    def error(partition: int) -> int:
        request = OffsetCommitRequest("g", {TopicPartition("t", partition): OffsetToCommit(1)}, old_epoch, "a")
        reply: Any = driver.send(CommitOffsets(request, {"t": T})).reply
        return int(reply.error_codes[TopicPartition("t", partition)])

    assert (error(0), error(7)) == (0, StaleMemberEpochError.errno)
