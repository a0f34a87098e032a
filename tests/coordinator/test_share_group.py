"""Share groups (KIP-932) as the machine sees them: joining, sharing partitions, states, leaving, operators."""

from __future__ import annotations

from typing import Any

import pytest
from coordinator.driver import SUBSCRIBED_TO_T
from coordinator.share_driver import ShareDriver, T, U, settle

from embedkafka.coordinator.api import (
    ConsumerGroupHeartbeatRequest,
    DeleteGroupsRequest,
    DescribeGroupsRequest,
    HeartbeatRequest,
    LeavingMember,
    ListGroupsRequest,
    OffsetDeleteRequest,
)
from embedkafka.coordinator.config import GroupConfig, GroupSettings
from embedkafka.coordinator.decision import ASSIGN, SESSION, ConsumerHeartbeat, ExpireOffsets, TimerKey, TopicsDeleted
from embedkafka.coordinator.share.api import AlterShareGroupOffsetsRequest, DeleteShareGroupOffsetsRequest
from embedkafka.coordinator.share.commands import (
    DeleteStates,
    ListStates,
    ShareMemberGone,
    StatesInitialized,
    StatesNotInitialized,
)
from embedkafka.errors import (
    GroupIdNotFoundError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    NonEmptyGroupError,
    UnknownMemberIdError,
    UnknownTopicOrPartitionError,
)
from embedkafka.model import TopicIdPartition, TopicPartition

# Joining -------------------------------------------------------------------------------------------------------------


def test_the_first_heartbeat_asks_for_states_and_assigns_nothing() -> None:
    driver = ShareDriver()
    reply = driver.member("a").send()
    assert (reply.error_code, reply.member_epoch, reply.heartbeat_interval_ms, reply.assignment) == (0, 2, 5_000, {})
    assert driver.open_states().initializing == tuple(TopicIdPartition(T, each) for each in range(8))
    assert driver.record_kinds() == [10, 11, 13, 12, 14, 15]


def test_partitions_are_assigned_once_they_have_a_state() -> None:
    driver = ShareDriver()
    member = driver.member("a").join()
    assert member.numbers() == list(range(8))
    assert member.epoch == driver.group().epoch == 3


def test_members_have_as_many_partitions_as_the_others() -> None:
    driver = ShareDriver()
    one, other = driver.member("a").join(), driver.member("b").join()
    settle(one, other)
    assert len(one.numbers()) == len(other.numbers()) == 4
    assert sorted(one.numbers() + other.numbers()) == list(range(8))


def test_members_share_partitions_where_there_are_more_of_them() -> None:
    driver = ShareDriver()
    driver.grow("t", 2)
    members = [driver.member(name).join() for name in "abcde"]
    settle(*members)
    readers = [sum(partition in member.numbers() for member in members) for partition in (0, 1)]
    assert all(member.numbers() for member in members)
    assert sorted(readers) == [3, 3]


def test_a_member_that_changes_its_subscription_stops_reading_at_once() -> None:
    driver = ShareDriver()
    member = driver.member("a", ["t", "u"]).join()
    reply = member.send(topics=["u"])
    assert list(reply.assignment) == [U]


def test_it_does_so_even_where_the_next_assignment_has_to_wait() -> None:
    driver = ShareDriver(GroupConfig(defaults=GroupSettings(share_assignment_interval_ms=1_000)))
    member = driver.member("a", ["t", "u"])
    member.send()
    driver.set_up()
    assert member.send().assignment is None
    assert TimerKey(ASSIGN, "g") in driver.timers
    driver.now_ms += 1_000
    assert set(member.send().assignment) == {T, U}
    assert TimerKey(ASSIGN, "g") not in driver.timers
    assert list(member.send(topics=["u"]).assignment) == [U]
    assert driver.group().epoch > driver.group().assignment_epoch


def test_a_new_partition_is_assigned_once_it_has_a_state() -> None:
    driver = ShareDriver()
    member = driver.member("a").join()
    driver.grow("t", 9)
    assert member.send().assignment is None
    driver.set_up()
    member.send()
    assert member.numbers() == list(range(9))


def test_a_heartbeat_that_changes_nothing_writes_nothing() -> None:
    driver = ShareDriver()
    member = driver.member("a").join()
    written = len(driver.log)
    reply = member.send()
    assert (reply.assignment, len(driver.log)) == (None, written)


def test_whoever_joins_again_is_told_everything() -> None:
    driver = ShareDriver()
    member = driver.member("a").join()
    assert member.send(0).assignment == {T: list(range(8))}


def test_the_reply_may_be_lost_once() -> None:
    driver = ShareDriver()
    member = driver.member("a")
    first = member.send().member_epoch
    driver.set_up()
    member.send()
    assert member.send(first).error_code == 0
    assert member.error(epoch=first - 1) == "FencedMemberEpochError"


def test_assignments_keep_their_distance() -> None:
    driver = ShareDriver(GroupConfig(defaults=GroupSettings(share_assignment_interval_ms=1_000)))
    member = driver.member("a")
    member.send()
    driver.set_up()
    assert member.send().assignment is None
    driver.now_ms += 1_000
    driver.fire(TimerKey(ASSIGN, "g"))
    member.send()
    assert member.numbers() == list(range(8))


# Errors --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_of", "error"),
    [
        ({"epoch": 0, "topics": []}, "InvalidRequestError"),
        ({"epoch": -2}, "InvalidRequestError"),
        ({"epoch": 5, "rack_id": ""}, "InvalidRequestError"),
        ({"epoch": 3}, "GroupIdNotFoundError"),
        ({"epoch": -1}, "GroupIdNotFoundError"),
    ],
)
def test_a_heartbeat_that_makes_no_sense_is_refused_and_changes_nothing(request_of: dict[str, Any], error: str) -> None:
    driver = ShareDriver()
    assert driver.member("a").error(**request_of) == error
    assert driver.log == []


def test_an_error_comes_with_a_sentence() -> None:
    assert ShareDriver().member("a").send(3).error_message == "there is no share group 'g'"


@pytest.mark.parametrize("epoch", [1, 99])
def test_a_member_of_another_epoch_is_fenced(epoch: int) -> None:
    driver = ShareDriver()
    member = driver.member("a").join()
    assert member.error(epoch=epoch) == "FencedMemberEpochError"


def test_nobody_sends_heartbeats_for_a_stranger() -> None:
    driver = ShareDriver()
    driver.member("a").join()
    assert driver.member("b").error(epoch=2) == "UnknownMemberIdError"
    assert driver.member("b").error(epoch=-1) == "UnknownMemberIdError"


def test_a_group_is_full_at_its_limit() -> None:
    driver = ShareDriver(GroupConfig(share_max_size=1))
    member = driver.member("a").join()
    assert driver.member("b").error() == "GroupMaxSizeReachedError"
    assert member.error(epoch=member.epoch) == "NoError"


@pytest.mark.parametrize("other", ["classic", "consumer"])
def test_a_group_of_another_type_is_no_share_group(other: str) -> None:
    driver = ShareDriver()
    if other == "classic":
        driver.stable_group()
    else:
        request = ConsumerGroupHeartbeatRequest("g", "m", 0, None, None, 1000, ["t"], topic_partitions={})
        driver.send(ConsumerHeartbeat(request, "c", "/h", "id"))
    assert driver.member("a").error() == "GroupIdNotFoundError"


def test_a_share_group_is_no_other_group() -> None:
    driver = ShareDriver()
    driver.member("a").join()
    request = ConsumerGroupHeartbeatRequest("g", "m", 0, None, None, 1000, ["t"], topic_partitions={})
    joined: Any = driver.send(ConsumerHeartbeat(request, "c", "/h", "id")).reply
    assert joined.error_code == GroupIdNotFoundError.errno
    classic: Any = driver.join(protocols=(("range", SUBSCRIBED_TO_T),)).reply
    assert classic.error_code == InconsistentGroupProtocolError.errno
    assert driver.send(HeartbeatRequest("g", 1, "a")).reply == UnknownMemberIdError.errno
    assert driver.leave(LeavingMember("a")) == [UnknownMemberIdError.errno]
    synced: Any = driver.sync("a", 1).reply
    assert synced.error_code == UnknownMemberIdError.errno
    assert driver.commit(1) == GroupIdNotFoundError.errno
    assert driver.committed() == {}
    deleted: Any = driver.send(OffsetDeleteRequest("g", [TopicPartition("t", 0)])).reply
    assert deleted.error_code == GroupIdNotFoundError.errno


# Leaving -------------------------------------------------------------------------------------------------------------


def test_what_a_member_read_goes_to_the_others() -> None:
    driver = ShareDriver()
    one, other = driver.member("a").join(), driver.member("b").join()
    settle(one, other)
    epoch = driver.group().epoch
    reply = one.leave()
    assert (reply.error_code, reply.member_epoch) == (0, -1)
    assert driver.group().epoch == epoch + 1
    assert TimerKey(SESSION, "g", "a") not in driver.timers
    settle(other)
    assert other.numbers() == list(range(8))
    assert driver.gone == [ShareMemberGone("g", "a")]


def test_a_silent_member_is_taken_out() -> None:
    driver = ShareDriver()
    member = driver.member("a").join()
    driver.fire(TimerKey(SESSION, "g", "a"))
    assert member.error() == "UnknownMemberIdError"
    assert driver.gone == [ShareMemberGone("g", "a")]
    assert driver.group().shown_state == "Empty"


def test_a_group_without_members_keeps_its_states() -> None:
    driver = ShareDriver()
    driver.member("a").join().leave()
    driver.now_ms += 10 * driver.config.offsets_retention_ms
    driver.send(ExpireOffsets())
    assert driver.group().states.initialized[T].partitions == frozenset(range(8))
    assert driver.member("b").join().numbers() == list(range(8))


def test_sessions_begin_anew_with_a_new_coordinator() -> None:
    driver = ShareDriver()
    driver.member("a").join()
    delay_ms, _ = driver.failed_over().timers[TimerKey(SESSION, "g", "a")]
    assert delay_ms == 45_000


def test_a_group_may_have_a_session_timeout_and_heartbeat_interval_of_its_own() -> None:
    driver = ShareDriver()
    driver.settings["g"] = GroupSettings(share_session_timeout_ms=50_000, share_heartbeat_interval_ms=7_000)
    assert driver.member("a").send().heartbeat_interval_ms == 7_000
    assert driver.timers[TimerKey(SESSION, "g", "a")][0] == 50_000
    assert driver.member("a", group_id="h").send().heartbeat_interval_ms == 5_000


# States --------------------------------------------------------------------------------------------------------------


def test_states_that_cannot_be_initialized_are_asked_for_again() -> None:
    driver = ShareDriver()
    member = driver.member("a")
    member.send()
    driver.send(StatesNotInitialized("g", driver.open_states().initializing))
    assert driver.open_states().initializing == ()
    member.send()
    assert len(driver.open_states().initializing) == 8


def test_some_states_may_come_later_than_others() -> None:
    driver = ShareDriver()
    member = driver.member("a")
    member.send()
    driver.send(StatesInitialized("g", [TopicIdPartition(T, 1), TopicIdPartition(T, 4)]))
    member.send()
    assert member.numbers() == [1, 4]
    driver.set_up()
    member.send()
    assert member.numbers() == list(range(8))


def test_a_crash_leaves_on_record_what_is_under_way() -> None:
    driver = ShareDriver()
    driver.member("a").send()
    assert driver.failed_over().open_states() == driver.open_states()  # type: ignore[attr-defined]


def test_a_deleted_topic_leaves_nothing() -> None:
    driver = ShareDriver()
    member = driver.member("a", ["t", "u"]).join()
    driver.drop("t")
    driver.send(TopicsDeleted(["t"]))
    assert list(driver.group().states.initialized) == [U]
    member.send()
    assert list(member.reads) == [U]


def test_a_deletion_that_nobody_told_of_is_found_out() -> None:
    driver = ShareDriver()
    member = driver.member("a").join()
    driver.drop("t")
    driver.grow("t", 2)  # another topic of that name
    member.send()
    assert T not in driver.group().states.topic_ids()
    driver.set_up()
    member.send()
    assert [list(numbers) for numbers in member.reads.values()] == [[0, 1]]
    assert T not in member.reads


# Operators -----------------------------------------------------------------------------------------------------------


def alter(driver: ShareDriver, offsets: dict[TopicPartition, int]) -> Any:
    return driver.send(AlterShareGroupOffsetsRequest("g", offsets)).reply


def test_offsets_can_be_set_before_there_is_a_group() -> None:
    driver = ShareDriver()
    reply = alter(driver, {TopicPartition("t", 1): 7, TopicPartition("t", 9): 1, TopicPartition("nowhere", 0): 1})
    unknown = UnknownTopicOrPartitionError.errno
    assert [each.error_code for each in reply.offsets.values()] == [0, unknown, unknown]
    assert driver.open_states().initializing == (TopicIdPartition(T, 1),)
    driver.set_up()
    assert driver.described().group_state == "Empty"


def test_setting_an_offset_anew_leaves_the_state_as_initialized() -> None:
    driver = ShareDriver()
    driver.member("a").join().leave()
    alter(driver, {TopicPartition("t", 1): 7})
    assert driver.open_states().initializing == ()  # whoever set it sees to it
    driver.send(StatesInitialized("g", [TopicIdPartition(T, 1)]))
    assert driver.group().states.initializing == {}


def test_offsets_of_a_group_with_members_are_its_own() -> None:
    driver = ShareDriver()
    driver.member("a").join()
    written = len(driver.log)
    assert alter(driver, {TopicPartition("t", 1): 7}).error_code == NonEmptyGroupError.errno
    deleted: Any = driver.send(DeleteShareGroupOffsetsRequest("g", ["t"])).reply
    assert deleted.error_code == NonEmptyGroupError.errno
    assert driver.send(DeleteStates("g")).reply == NonEmptyGroupError.errno
    assert len(driver.log) == written


def test_offsets_of_whole_topics_can_be_deleted() -> None:
    driver = ShareDriver()
    driver.member("a").join().leave()
    reply: Any = driver.send(DeleteShareGroupOffsetsRequest("g", ["t", "u", "nowhere"])).reply
    unknown = UnknownTopicOrPartitionError.errno
    assert [(each.topic, each.error_code) for each in reply.topics] == [("t", 0), ("u", unknown), ("nowhere", unknown)]
    assert len(driver.open_states().deleting) == 8
    again: Any = driver.send(DeleteShareGroupOffsetsRequest("g", ["t"])).reply
    assert again.topics[0].error_code == 0  # the first attempt may have come to nothing
    driver.set_up()
    assert not any(driver.group().states)


def test_offsets_of_a_group_that_is_not_there_cannot_be_deleted() -> None:
    reply: Any = ShareDriver().send(DeleteShareGroupOffsetsRequest("g", ["t"])).reply
    assert reply.error_code == GroupIdNotFoundError.errno


def test_a_member_that_comes_while_states_are_deleted_gets_new_ones() -> None:
    driver = ShareDriver()
    driver.member("a").join().leave()
    driver.send(DeleteStates("g"))
    driver.member("b").send()
    assert (driver.open_states().deleting_topics, len(driver.open_states().initializing)) == ((), 8)


def test_a_group_is_deleted_with_everything() -> None:
    driver = ShareDriver()
    driver.member("a").join().leave()
    assert driver.send(DeleteStates("g")).reply == 0
    driver.set_up()
    (result,) = driver.send(DeleteGroupsRequest(["g"])).reply  # type: ignore[misc]
    assert result.error_code == 0
    assert driver.machine.find("g") is None
    assert driver.replayed().durable() == driver.machine.durable()


def test_a_group_that_was_joined_again_while_its_states_were_deleted_is_not_deleted() -> None:
    """Or the new states would outlive it, and fence the next group of that name."""
    driver = ShareDriver()
    driver.member("a").join().leave()
    driver.send(DeleteStates("g"))
    driver.set_up()
    driver.member("b").send()
    driver.member("b").leave()
    (result,) = driver.send(DeleteGroupsRequest(["g"])).reply  # type: ignore[misc]
    assert result.error_code == NonEmptyGroupError.errno


def test_a_group_with_members_is_not_deleted() -> None:
    driver = ShareDriver()
    driver.member("a").join()
    (result,) = driver.send(DeleteGroupsRequest(["g"])).reply  # type: ignore[misc]
    assert result.error_code == NonEmptyGroupError.errno


# Looking -------------------------------------------------------------------------------------------------------------


def test_a_described_group_names_its_members_and_what_they_read() -> None:
    driver = ShareDriver()
    driver.member("a", ["u", "t"]).join()
    group = driver.described()
    assert (group.group_state, group.group_epoch, group.assignment_epoch) == ("Stable", 3, 3)
    assert group.assignor_name == "simple"
    (member,) = group.members
    assert (member.member_id, member.member_epoch, member.subscribed_topic_names) == ("a", 3, ["t", "u"])
    assert [(each.topic_name, each.partitions) for each in member.assignment] == [
        ("t", list(range(8))),
        ("u", list(range(4))),
    ]


def test_what_is_no_share_group_cannot_be_described_as_one() -> None:
    driver = ShareDriver()
    driver.stable_group()
    for group_id in ("g", "nowhere"):
        found = driver.described(group_id)
        assert (found.error_code, found.group_state) == (GroupIdNotFoundError.errno, "")
    assert driver.described("").error_code == InvalidGroupIdError.errno
    driver.member("a", group_id="s").join()
    (classic,) = driver.send(DescribeGroupsRequest(["s"])).reply  # type: ignore[misc]
    assert classic.error_code == GroupIdNotFoundError.errno


def test_share_groups_are_listed_with_their_type() -> None:
    driver = ShareDriver()
    driver.stable_group()
    driver.member("a", group_id="s").join()
    (listed,) = driver.send(ListGroupsRequest(types=["Share"])).reply  # type: ignore[misc]
    assert listed == ("s", "share", "Stable", "share")


def test_states_are_listed_by_topic() -> None:
    driver = ShareDriver()
    driver.member("a", ["u"]).join()
    reply: Any = driver.send(ListStates("g")).reply
    assert reply.initialized == {TopicIdPartition(U, each): "u" for each in range(4)}
