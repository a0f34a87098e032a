"""Streams groups (KIP-1071) as the machine sees them: joining, moving tasks, statuses, leaving, offsets."""

from __future__ import annotations

from typing import Any

import pytest
from coordinator.streams_driver import STATEFUL, STATELESS, StreamsDriver, codes, settle

from embedkafka.coordinator.api import (
    DeleteGroupsRequest,
    DescribeGroupsRequest,
    HeartbeatRequest,
    LeavingMember,
    ListGroupsRequest,
    OffsetCommitRequest,
    OffsetDeleteRequest,
    OffsetFetchRequest,
    OffsetToCommit,
)
from embedkafka.coordinator.config import GroupConfig, GroupSettings
from embedkafka.coordinator.decision import (
    ASSIGN,
    INITIAL_DELAY,
    REVOKE,
    SESSION,
    CommitOffsets,
    ExpireOffsets,
    Producer,
    TimerKey,
)
from embedkafka.coordinator.streams.configured import StatusCode
from embedkafka.coordinator.streams.member import Endpoint
from embedkafka.coordinator.streams.topology import Subtopology, Topology
from embedkafka.errors import (
    GroupIdNotFoundError,
    GroupSubscribedToTopicError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    NonEmptyGroupError,
    StaleMemberEpochError,
    UnknownMemberIdError,
)
from embedkafka.model import TopicPartition

STALE, UNKNOWN = StaleMemberEpochError.errno, UnknownMemberIdError.errno


def commit(driver: StreamsDriver, member_id: str, epoch: int, *partitions: int, topic: str = "t") -> list[int]:
    offsets = {TopicPartition(topic, each): OffsetToCommit(1) for each in partitions}
    reply: Any = driver.send(CommitOffsets(OffsetCommitRequest("g", offsets, epoch, member_id), {})).reply
    return [reply.error_codes[each] for each in offsets]


# Joining -------------------------------------------------------------------------------------------------------------


def test_the_first_member_gets_every_task_with_its_join() -> None:
    driver = StreamsDriver()
    member = driver.member("a")
    reply = member.send()
    assert (reply.error_code, reply.member_epoch, reply.heartbeat_interval_ms, reply.status) == (0, 2, 5_000, [])
    assert member.active() == list(range(8))
    assert driver.record_kinds() == [19, 23, 17, 21, 20, 22]
    assert driver.group().shown_state == "Stable"


def test_a_second_member_waits_until_the_first_has_let_its_tasks_go() -> None:
    driver = StreamsDriver()
    one, other = driver.member("a").join(), driver.member("b").join()
    assert other.active() == []
    one.send()
    assert one.active() == [0, 1, 2, 3]
    assert driver.group().shown_state == "Reconciling"
    other.confirm()
    assert other.active() == []
    one.confirm()
    other.confirm()
    assert other.active() == [4, 5, 6, 7]
    assert driver.group().shown_state == "Stable"


def test_a_member_that_does_not_let_go_in_time_is_out() -> None:
    driver = StreamsDriver()
    one, other = driver.member("a").join(), driver.member("b").join()
    one.send()
    driver.fire(TimerKey(REVOKE, "g", "a"))
    settle(other)
    assert other.active() == list(range(8))
    assert one.error() == "UnknownMemberIdError"


def test_a_member_that_is_silent_is_out() -> None:
    driver = StreamsDriver()
    one, other = driver.member("a").join(), driver.member("b").join()
    settle(one, other)
    driver.fire(TimerKey(SESSION, "g", "a"))
    settle(other)
    assert other.active() == list(range(8))


def test_a_member_that_joins_again_keeps_its_tasks() -> None:
    driver = StreamsDriver()
    member = driver.member("a").join()
    written = len(driver.log)
    assert member.send(0).tasks == member.tasks
    assert member.active() == list(range(8))
    assert len(driver.log) == written


def test_a_lost_reply_is_made_up_for() -> None:
    driver = StreamsDriver()
    one, other = driver.member("a").join(), driver.member("b").join()
    settle(one, other)
    epoch = one.epoch
    assert one.error(epoch - 1) == "FencedMemberEpochError"
    assert one.error(epoch + 1) == "FencedMemberEpochError"
    reply = one.send(epoch - 1, active_tasks={}, standby_tasks={}, warmup_tasks={})
    assert (reply.error_code, reply.member_epoch) == (0, epoch)


def test_a_group_that_is_full_takes_nobody() -> None:
    driver = StreamsDriver(GroupConfig(streams_max_size=1))
    driver.member("a").join()
    assert driver.member("b").error() == "GroupMaxSizeReachedError"


def test_no_two_members_of_a_process_have_something_of_the_same_task() -> None:
    driver = StreamsDriver()
    driver.set_topics(changelog=8)
    driver.settings["g"] = GroupSettings(streams_num_standby_replicas=1)
    members = [driver.member(name, STATEFUL, process=name[0]) for name in ("p1", "p2", "q1")]
    settle(*(each.join() for each in members))
    p1, p2, q1 = members
    assert sorted(p1.active() + p2.active() + q1.active()) == list(range(8))
    assert set(q1.standby()) == set(p1.active() + p2.active())
    assert set(p1.standby() + p2.standby()) == set(q1.active())


# Topologies and topics -----------------------------------------------------------------------------------------------


def test_while_source_topics_are_missing_nothing_is_assigned() -> None:
    driver = StreamsDriver()
    member = driver.member("a", Topology(0, (Subtopology("0", ("new",)),)))
    assert codes(member.send()) == [StatusCode.MISSING_SOURCE_TOPICS]
    assert (member.active(), driver.group().shown_state) == ([], "NotReady")
    driver.set_topics(new=2)
    assert codes(member.confirm()) == []
    assert (member.active(), driver.group().shown_state) == ([0, 1], "Stable")


def test_missing_internal_topics_are_asked_for() -> None:
    driver = StreamsDriver()
    member = driver.member("a", STATEFUL)
    assert codes(member.send()) == [StatusCode.MISSING_INTERNAL_TOPICS]
    assert [(topic.name, topic.partitions) for topic in member.missing] == [("changelog", 8)]
    driver.create(member.missing)
    assert codes(member.confirm()) == []
    assert (member.active(), member.missing) == (list(range(8)), ())


def test_a_topic_that_grows_brings_tasks() -> None:
    driver = StreamsDriver()
    member = driver.member("a", Topology(0, (Subtopology("0", ("u",)),))).join()
    driver.set_topics(u=6)
    member.confirm()
    assert member.active() == [0, 1, 2, 3, 4, 5]


def test_a_topic_that_goes_takes_the_tasks_along() -> None:
    driver = StreamsDriver()
    member = driver.member("a").join()
    driver.set_topics(t=0)
    assert codes(member.send()) == [StatusCode.MISSING_SOURCE_TOPICS]
    assert member.active() == []


def test_a_member_with_an_older_topology_is_told_so() -> None:
    driver = StreamsDriver()
    driver.member("a", STATELESS._replace(epoch=3)).join()
    assert codes(driver.member("b", STATELESS._replace(epoch=2)).send()) == [StatusCode.STALE_TOPOLOGY]


def test_another_topology_of_the_same_epoch_or_a_newer_one_is_refused() -> None:
    driver = StreamsDriver()
    driver.member("a").join()
    for topology in (Topology(0, (Subtopology("0", ("u",)),)), STATELESS._replace(epoch=1)):
        written = len(driver.log)
        assert driver.member("b", topology).error() == "InvalidRequestError"
        assert len(driver.log) == written


def test_the_order_of_subtopologies_does_not_matter() -> None:
    driver = StreamsDriver()
    one, other = Subtopology("0", ("t",)), Subtopology("1", ("u",))
    driver.member("a", Topology(0, (one, other))).join()
    assert driver.member("b", Topology(0, (other, one))).send().error_code == 0


# Statuses ------------------------------------------------------------------------------------------------------------


def test_a_new_group_may_wait_for_more_members() -> None:
    driver = StreamsDriver(GroupConfig(defaults=GroupSettings(streams_initial_rebalance_delay_ms=3_000)))
    one, other = driver.member("a"), driver.member("b")
    assert codes(one.send()) == codes(other.send()) == [StatusCode.ASSIGNMENT_DELAYED]
    assert driver.timers[TimerKey(INITIAL_DELAY, "g")][0] == 3_000
    assert one.active() == other.active() == []
    driver.fire(TimerKey(INITIAL_DELAY, "g"))
    one.confirm()
    other.confirm()
    assert (len(one.active()), len(other.active())) == (4, 4)


def test_a_new_coordinator_does_not_wait() -> None:
    driver = StreamsDriver(GroupConfig(defaults=GroupSettings(streams_initial_rebalance_delay_ms=3_000)))
    member = driver.member("a").join()
    after = driver.failed_over()
    assert isinstance(after, StreamsDriver)
    member.driver = after
    assert codes(member.confirm()) == []
    assert member.active() == list(range(8))


def test_two_assignments_may_be_an_interval_apart() -> None:
    driver = StreamsDriver(GroupConfig(defaults=GroupSettings(streams_assignment_interval_ms=1_000)))
    one = driver.member("a").join()
    other = driver.member("b")
    assert codes(other.send()) == [StatusCode.ASSIGNMENT_DELAYED]
    driver.now_ms += 1_000
    driver.fire(TimerKey(ASSIGN, "g"))
    settle(one, other)
    assert (len(one.active()), len(other.active())) == (4, 4)


def test_a_changed_number_of_standby_replicas_makes_a_new_assignment() -> None:
    driver = StreamsDriver()
    driver.set_topics(changelog=8)
    one, other = driver.member("a", STATEFUL).join(), driver.member("b", STATEFUL).join()
    settle(one, other)
    assert one.standby() == other.standby() == []
    driver.settings["g"] = GroupSettings(streams_num_standby_replicas=1)
    settle(one, other)
    assert (one.standby(), other.standby()) == (other.active(), one.active())


def test_everybody_hears_of_a_member_that_wants_the_application_to_end_until_all_are_gone() -> None:
    driver = StreamsDriver()
    one, other = driver.member("a").join(), driver.member("b").join()
    settle(one, other)
    assert codes(one.send(shutdown_application=True)) == [StatusCode.SHUTDOWN_APPLICATION]
    assert codes(other.send()) == [StatusCode.SHUTDOWN_APPLICATION]
    one.leave(shutdown_application=True)
    assert codes(other.send()) == [StatusCode.SHUTDOWN_APPLICATION]
    other.leave()
    assert codes(one.send(0)) == []


def test_members_with_an_endpoint_are_told_who_serves_what_when_it_changes() -> None:
    driver = StreamsDriver()
    one = driver.member("a", endpoint=Endpoint("one", 1)).join()
    other = driver.member("b", endpoint=Endpoint("other", 2)).join()
    settle(one, other)
    reply = one.send(endpoint_information_epoch=0)
    served = {each.endpoint.host: dict(each.active) for each in reply.partitions_by_endpoint or ()}
    assert served == {"one": {"t": [0, 1, 2, 3]}, "other": {"t": [4, 5, 6, 7]}}
    known = reply.endpoint_information_epoch
    assert one.send(endpoint_information_epoch=known).partitions_by_endpoint is None


# Requests that are wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"instance_id": "i"}, "InvalidRequestError"),
        ({"rack_id": " "}, "InvalidRequestError"),
        ({"task_offsets": True}, "InvalidRequestError"),
        ({"warmup_tasks": {"0": [1]}}, "InvalidRequestError"),
        ({"active_tasks": {"0": [1]}}, "InvalidRequestError"),
        ({"rebalance_timeout_ms": -1}, "InvalidRequestError"),
        ({"topology": None}, "InvalidRequestError"),
        ({"topology": Topology(-1, ())}, "InvalidRequestError"),
        ({"topology": Topology(0, (Subtopology("0", ("t",), ("x.*",)),))}, "InvalidRequestError"),
        ({"topology": Topology(0, (Subtopology("0"),))}, "StreamsInvalidTopologyError"),
        ({"standby_tasks": None}, "InvalidRequestError"),
        ({"active_tasks": None, "standby_tasks": None, "warmup_tasks": None}, "InvalidRequestError"),
    ],
)
def test_a_join_that_is_wrong_changes_nothing(fields: dict[str, Any], error: str) -> None:
    driver = StreamsDriver()
    assert driver.member("a").error(**fields) == error
    assert (driver.log, driver.machine.find("g")) == ([], None)


@pytest.mark.parametrize(
    ("epoch", "fields"),
    [
        (-2, {}),
        (-3, {}),
        (None, {"topology": STATELESS}),
        (None, {"active_tasks": {"0": [1]}}),
        (None, {"active_tasks": {"0": [8]}, "standby_tasks": {}, "warmup_tasks": {}}),
        (None, {"active_tasks": {"1": [0]}, "standby_tasks": {}, "warmup_tasks": {}}),
    ],
)
def test_a_heartbeat_that_is_wrong_changes_nothing(epoch: int | None, fields: dict[str, Any]) -> None:
    driver = StreamsDriver()
    member = driver.member("a").join()
    written = len(driver.log)
    assert member.error(epoch, **fields) == "InvalidRequestError"
    assert len(driver.log) == written


def test_who_is_no_member_is_told_so() -> None:
    driver = StreamsDriver()
    assert driver.member("a").error(1) == "GroupIdNotFoundError"
    driver.member("a").join()
    assert driver.member("b").error(1) == driver.member("b").error(-1) == "UnknownMemberIdError"


# Offsets -------------------------------------------------------------------------------------------------------------


def test_a_member_of_the_right_epoch_commits() -> None:
    driver = StreamsDriver()
    member = driver.member("a").join()
    assert commit(driver, "a", member.epoch, 0, 7) == [0, 0]
    assert commit(driver, "a", member.epoch + 1, 0) == [STALE]
    assert commit(driver, "b", member.epoch, 0) == commit(driver, "", -1, 0) == [UNKNOWN]


def test_a_commit_of_an_older_epoch_counts_for_tasks_that_the_member_has_had_since() -> None:
    driver = StreamsDriver()
    one = driver.member("a").join()
    before = one.epoch
    other = driver.member("b").join()
    settle(one, other)
    assert one.epoch > before
    assert commit(driver, "a", before, 0, 4) == [0, STALE]
    assert commit(driver, "b", before, 4) == [STALE]
    assert commit(driver, "a", before, 0, topic="u") == [STALE]


def test_anybody_commits_for_an_empty_group_and_a_producer_of_old_always() -> None:
    driver = StreamsDriver()
    member = driver.member("a").join()
    request = OffsetCommitRequest("g", {TopicPartition("t", 0): OffsetToCommit(1)})
    reply: Any = driver.send(CommitOffsets(request, {}, Producer(1, 0))).reply
    assert list(reply.error_codes.values()) == [0]
    member.leave()
    assert commit(driver, "", -1, 0) == [0]


def test_offsets_are_read_with_the_members_epoch_or_from_outside() -> None:
    driver = StreamsDriver()
    member = driver.member("a").join()
    commit(driver, "a", member.epoch, 0)

    def error(**more: Any) -> int:
        reply: Any = driver.send(OffsetFetchRequest("g", **more)).reply
        return int(reply.error_code)

    assert error() == error(member_id="a", member_epoch=member.epoch) == 0
    assert error(member_id="a", member_epoch=member.epoch + 1) == STALE
    assert error(member_id="b", member_epoch=1) == UNKNOWN


def test_offsets_of_topics_that_are_read_are_not_deleted() -> None:
    driver = StreamsDriver()
    member = driver.member("a").join()
    request = OffsetDeleteRequest("g", [TopicPartition("t", 0), TopicPartition("u", 0)])
    reply: Any = driver.send(request).reply
    assert list(reply.error_codes.values()) == [GroupSubscribedToTopicError.errno, 0]
    member.leave()
    reply = driver.send(request).reply
    assert list(reply.error_codes.values()) == [0, 0]


def test_an_empty_group_goes_with_its_offsets() -> None:
    driver = StreamsDriver()
    member = driver.member("a").join()
    commit(driver, "a", member.epoch, 0)
    member.leave()
    driver.send(ExpireOffsets())
    assert driver.group().is_empty
    driver.now_ms += 10_080 * 60_000 + 1
    driver.send(ExpireOffsets())
    assert driver.machine.find("g") is None


# Other types and operators -------------------------------------------------------------------------------------------


def test_a_group_without_members_is_deleted_and_no_other() -> None:
    driver = StreamsDriver()
    member = driver.member("a").join()
    reply: Any = driver.send(DeleteGroupsRequest(["g"])).reply
    assert reply[0].error_code == NonEmptyGroupError.errno
    member.leave()
    since = len(driver.log)
    reply = driver.send(DeleteGroupsRequest(["g"])).reply
    assert reply[0].error_code == 0
    assert driver.record_kinds(since) == [-20, -17, -23]
    assert driver.machine.find("g") is None


def test_groups_are_listed_with_their_type() -> None:
    driver = StreamsDriver()
    driver.member("a").join()
    listed: Any = driver.send(ListGroupsRequest(["notready", "stable"], ["Streams"])).reply
    assert [tuple(each) for each in listed] == [("g", "streams", "Stable", "streams")]


def test_a_group_is_described_with_topology_and_tasks() -> None:
    driver = StreamsDriver()
    member = driver.member("a", STATEFUL)
    member.send()
    before = driver.described().topology
    driver.create(member.missing)
    member.confirm()
    found = driver.described()
    assert (found.group_state, found.group_epoch, found.assignment_epoch) == ("Stable", 3, 3)
    assert before is not None
    assert found.topology is not None
    assert [topic.partitions for topic in before.subtopologies[0].state_changelog_topics] == [0]
    assert [topic.partitions for topic in found.topology.subtopologies[0].state_changelog_topics] == [8]
    (described,) = found.members
    assert described.assignment == described.target_assignment == member.tasks


def test_what_is_no_streams_group_is_not_found() -> None:
    driver = StreamsDriver()
    driver.stable_group()
    assert driver.described().error_code == driver.described("h").error_code == GroupIdNotFoundError.errno
    assert driver.described("").error_code == InvalidGroupIdError.errno
    assert driver.member("a").error() == "GroupIdNotFoundError"
    driver.member("a", group_id="h").join()
    reply: Any = driver.send(DescribeGroupsRequest(["h"])).reply
    assert reply[0].error_code == GroupIdNotFoundError.errno


def test_an_empty_classic_group_becomes_a_streams_group() -> None:
    driver = StreamsDriver()
    (classic,) = driver.stable_group()
    driver.leave(LeavingMember(classic))
    driver.commit(5)
    driver.member("a").join()
    assert driver.group().shown_state == "Stable"
    assert driver.committed() == {TopicPartition("t", 0): 5}


def test_clients_of_the_classic_protocol_are_turned_away_while_there_are_members() -> None:
    driver = StreamsDriver()
    member = driver.member("a").join()
    reply: Any = driver.join().reply
    assert reply.error_code == InconsistentGroupProtocolError.errno
    assert driver.send(HeartbeatRequest("g", 1, "x")).reply == UNKNOWN
    assert driver.leave(LeavingMember("x")) == [UNKNOWN]
    member.leave()
    driver.stable_group()
    assert driver.state() == "Stable"
    assert not driver.machine.durable().streams_groups


def test_a_new_coordinator_starts_sessions_and_waits_for_tasks_to_be_let_go() -> None:
    driver = StreamsDriver()
    one = driver.member("a").join()
    driver.member("b").join()
    one.send()
    timers = driver.failed_over().timers
    assert {TimerKey(SESSION, "g", "a"), TimerKey(SESSION, "g", "b"), TimerKey(REVOKE, "g", "a")} <= timers.keys()
