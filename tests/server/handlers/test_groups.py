"""Groups as clients of every version see them on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from server.handlers.topics import create
from server.peers import WirePeer

from embedkafka import EmbeddedKafka, ManualClock
from embedkafka.errors import (
    FencedInstanceIdError,
    GroupIdNotFoundError,
    IllegalGenerationError,
    MemberIdRequiredError,
    NonEmptyGroupError,
    UnknownMemberIdError,
    UnknownTopicIdError,
    UnknownTopicOrPartitionError,
    UnsupportedVersionError,
)
from embedkafka.protocol.apis import api_08_offset_commit as commit
from embedkafka.protocol.apis import api_09_offset_fetch as fetch
from embedkafka.protocol.apis.api_11_join_group import JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse
from embedkafka.protocol.apis.api_12_heartbeat import HeartbeatRequest
from embedkafka.protocol.apis.api_13_leave_group import LeaveGroupRequest, MemberIdentity
from embedkafka.protocol.apis.api_14_sync_group import SyncGroupRequest, SyncGroupRequestAssignment
from embedkafka.protocol.apis.api_15_describe_groups import DescribeGroupsRequest
from embedkafka.protocol.apis.api_16_list_groups import ListGroupsRequest
from embedkafka.protocol.apis.api_42_delete_groups import DeleteGroupsRequest
from embedkafka.protocol.apis.api_47_offset_delete import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from embedkafka.protocol.apis.api_68_consumer_group_heartbeat import ConsumerGroupHeartbeatRequest, TopicPartitions
from embedkafka.protocol.apis.api_69_consumer_group_describe import ConsumerGroupDescribeRequest

ALL_OPERATIONS = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11  # READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS
NOT_ASKED = -(2**31)
NO_ID = UUID(int=0)


def join_request(version: int, member_id: str = "", instance: str | None = None) -> JoinGroupRequest:
    return JoinGroupRequest(
        group_id="g",
        session_timeout_ms=10_000,
        rebalance_timeout_ms=30_000 if version >= 1 else -1,
        member_id=member_id,
        group_instance_id=instance,
        protocol_type="consumer",
        protocols=[JoinGroupRequestProtocol("range", b"subscription")],
    )


def join(peer: WirePeer, version: int, instance: str | None = None) -> JoinGroupResponse:
    """Enter as clients do: from version 4 on with the id that the first answer gives."""
    response: JoinGroupResponse = peer.ask(11, version, join_request(version, instance=instance))
    if response.error_code == MemberIdRequiredError.errno:
        response = peer.ask(11, version, join_request(version, response.member_id))
    return response


def settle(peer: WirePeer, version: int = 9, instance: str | None = None) -> JoinGroupResponse:
    """A group of one member, with its assignment."""
    joined = join(peer, version, instance)
    assignments = [SyncGroupRequestAssignment(joined.member_id, b"all")]
    peer.ask(14, 3, SyncGroupRequest("g", joined.generation_id, joined.member_id, instance, None, None, assignments))
    return joined


# JoinGroup (11), SyncGroup (14), Heartbeat (12), LeaveGroup (13) -----------------------------------------------------


@pytest.mark.parametrize("version", [0, 3])
def test_an_old_client_is_a_member_at_once(peer: WirePeer, version: int) -> None:
    joined = peer.ask(11, version, join_request(version))
    assert (joined.error_code, joined.generation_id, joined.protocol_name) == (0, 1, "range")
    assert joined.leader == joined.member_id != ""
    assert [(each.member_id, each.metadata) for each in joined.members] == [(joined.member_id, b"subscription")]


@pytest.mark.parametrize(("version", "protocol_name"), [(4, ""), (6, ""), (7, None), (9, None)])
def test_a_newer_client_joins_again_with_the_id_it_is_given(
    peer: WirePeer, version: int, protocol_name: str | None
) -> None:
    first = peer.ask(11, version, join_request(version))
    assert (first.error_code, first.generation_id) == (MemberIdRequiredError.errno, -1)
    assert first.protocol_name == protocol_name
    assert first.member_id.startswith("peer-")
    joined = peer.ask(11, version, join_request(version, first.member_id))
    assert (joined.error_code, joined.member_id, joined.leader) == (0, first.member_id, first.member_id)
    assert joined.protocol_type == ("consumer" if version >= 7 else None)


@pytest.mark.parametrize("version", [5, 8])
def test_a_returning_leader_that_cannot_skip_the_assignment_is_told_of_another_leader(
    peer: WirePeer, version: int
) -> None:
    settle(peer, 9, "i")
    again = peer.ask(11, version, join_request(version, instance="i"))
    assert (again.error_code, again.generation_id, again.members) == (0, 1, [])
    assert again.leader != again.member_id


def test_a_returning_leader_is_told_to_skip_the_assignment(peer: WirePeer) -> None:
    settle(peer, 9, "i")
    again = peer.ask(11, 9, join_request(9, instance="i"))
    assert (again.error_code, again.skip_assignment, again.leader) == (0, True, again.member_id)
    assert [each.group_instance_id for each in again.members] == ["i"]


def test_a_join_waits_for_the_members_there_are(connect: Callable[[], WirePeer]) -> None:
    first, second, third = connect(), connect(), connect()
    member = settle(first)
    second.send(11, 3, join_request(3))
    while third.ask(12, 0, HeartbeatRequest("g", 1, member.member_id)).error_code == 0:
        pass  # until the coordinator has the second one's join
    again = first.ask(11, 9, join_request(9, member.member_id))
    (_, other) = second.receive()
    assert (again.generation_id, other.generation_id, other.leader) == (2, 2, member.member_id)
    assert {each.member_id for each in again.members} == {member.member_id, other.member_id}
    assert other.members == []


@pytest.mark.parametrize("version", [0, 3, 5])
def test_the_assignment_comes_back_as_it_was_given(peer: WirePeer, version: int) -> None:
    joined = join(peer, 3)
    synced = peer.ask(
        14,
        version,
        SyncGroupRequest(
            group_id="g",
            generation_id=1,
            member_id=joined.member_id,
            protocol_type="consumer" if version >= 5 else None,
            protocol_name="range" if version >= 5 else None,
            assignments=[SyncGroupRequestAssignment(joined.member_id, b"\0opaque")],
        ),
    )
    assert (synced.error_code, synced.assignment) == (0, b"\0opaque")
    assert (synced.protocol_type, synced.protocol_name) == (("consumer", "range") if version >= 5 else (None, None))


@pytest.mark.parametrize("version", [0, 2, 4])
def test_a_heartbeat_tells_whether_all_is_well(peer: WirePeer, version: int) -> None:
    member = settle(peer).member_id
    assert peer.ask(12, version, HeartbeatRequest("g", 1, member)).error_code == 0
    assert peer.ask(12, version, HeartbeatRequest("g", 7, member)).error_code == IllegalGenerationError.errno
    assert peer.ask(12, version, HeartbeatRequest("g", 1, "nobody")).error_code == UnknownMemberIdError.errno


@pytest.mark.parametrize("version", [0, 2])
def test_a_member_of_old_leaves_by_itself_and_gets_its_error_at_the_top(peer: WirePeer, version: int) -> None:
    member = settle(peer).member_id
    assert peer.ask(13, version, LeaveGroupRequest("g", member)).error_code == 0
    assert peer.ask(13, version, LeaveGroupRequest("g", member)).error_code == UnknownMemberIdError.errno


@pytest.mark.parametrize("version", [3, 5])
def test_several_members_leave_each_with_its_own_answer(peer: WirePeer, version: int) -> None:
    settle(peer, 9, "i")
    leaving = [MemberIdentity("", "i"), MemberIdentity("nobody", None), MemberIdentity("other", "i")]
    left = peer.ask(13, version, LeaveGroupRequest("g", members=leaving))
    assert left.error_code == 0
    assert [(each.member_id, each.group_instance_id, each.error_code) for each in left.members] == [
        ("", "i", 0),
        ("nobody", None, UnknownMemberIdError.errno),
        ("other", "i", UnknownMemberIdError.errno),
    ]


def test_a_static_member_is_fenced_on_the_wire(peer: WirePeer) -> None:
    old = settle(peer, 9, "i").member_id
    peer.ask(11, 9, join_request(9, instance="i"))
    assert peer.ask(12, 3, HeartbeatRequest("g", 1, old, "i")).error_code == FencedInstanceIdError.errno


# OffsetCommit (8), OffsetFetch (9), OffsetDelete (47) ----------------------------------------------------------------


def commit_request(version: int, topic: str, topic_id: UUID, offset: int, **fields: Any) -> commit.OffsetCommitRequest:
    by_id = version >= 10
    partition = commit.OffsetCommitRequestPartition(0, offset, 3 if version >= 6 else -1, "why")
    return commit.OffsetCommitRequest(
        group_id="g",
        topics=[commit.OffsetCommitRequestTopic("" if by_id else topic, topic_id if by_id else NO_ID, [partition])],
        **fields,
    )


def fetch_request(version: int, topic: str, topic_id: UUID, *partitions: int) -> fetch.OffsetFetchRequest:
    """For no partitions: everything."""
    numbers = list(partitions)
    if version < 8:
        topics = [fetch.OffsetFetchRequestTopic(topic, numbers)] if numbers else None
        return fetch.OffsetFetchRequest(group_id="g", topics=topics)
    by_id = version >= 10
    asked = [fetch.OffsetFetchRequestTopics("" if by_id else topic, topic_id if by_id else NO_ID, numbers)]
    return fetch.OffsetFetchRequest(
        topics=[], groups=[fetch.OffsetFetchRequestGroup("g", topics=asked if numbers else None)]
    )


def fetched(version: int, response: fetch.OffsetFetchResponse) -> list[tuple[int, int, int, str | None, int]]:
    """Partition, offset, leader epoch, metadata and error of the one topic."""
    (topic,) = response.topics if version < 8 else response.groups[0].topics
    return [
        (
            each.partition_index,
            each.committed_offset,
            each.committed_leader_epoch if version >= 5 else -1,
            each.metadata,
            each.error_code,
        )
        for each in topic.partitions
    ]


@pytest.mark.parametrize("version", [2, 5, 8, 9, 10])
def test_what_is_committed_is_fetched_by_every_version(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    topic_id = create(kafka, peer, "t", 2)
    request = commit_request(version, "t", topic_id, 42)
    (topic,) = peer.ask(8, version, request).topics
    assert (topic.name, topic.topic_id) == (("", topic_id) if version >= 10 else ("t", NO_ID))
    assert [(each.partition_index, each.error_code) for each in topic.partitions] == [(0, 0)]
    epoch = 3 if version >= 6 else -1
    for fetching in (1, 4, 5, 7, 8, 9, 10):
        seen = epoch if fetching >= 5 else -1
        assert fetched(fetching, peer.ask(9, fetching, fetch_request(fetching, "t", topic_id, 0, 1))) == [
            (0, 42, seen, "why", 0),
            (1, -1, -1, "", 0),
        ]


@pytest.mark.parametrize("version", [2, 7, 8, 9, 10])
def test_a_null_list_fetches_everything(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    topic_id = create(kafka, peer, "t", 2)
    peer.ask(8, 6, commit_request(6, "t", topic_id, 42))
    response = peer.ask(9, version, fetch_request(version, "t", topic_id))
    assert fetched(version, response) == [(0, 42, 3 if version >= 5 else -1, "why", 0)]
    if version >= 8:
        (topic,) = response.groups[0].topics
        assert (topic.name, topic.topic_id) == (("", topic_id) if version >= 10 else ("t", NO_ID))


def test_a_group_that_committed_nothing_has_nothing(peer: WirePeer) -> None:
    assert peer.ask(9, 2, fetch_request(2, "t", NO_ID)).topics == []
    assert peer.ask(9, 10, fetch_request(10, "t", NO_ID)).groups[0].topics == []


def test_several_groups_are_fetched_at_once(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    topic_id = create(kafka, peer, "t")
    peer.ask(8, 8, commit_request(8, "t", topic_id, 42))
    asked = [
        fetch.OffsetFetchRequestGroup(group, topics=[fetch.OffsetFetchRequestTopics("t", partition_indexes=[0])])
        for group in ("g", "other")
    ]
    response = peer.ask(9, 8, fetch.OffsetFetchRequest(topics=[], groups=asked))
    assert [group.topics[0].partitions[0].committed_offset for group in response.groups] == [42, -1]


def test_a_partition_that_does_not_exist_cannot_be_committed(peer: WirePeer) -> None:
    (topic,) = peer.ask(8, 2, commit_request(2, "nix", NO_ID, 1)).topics
    assert topic.partitions[0].error_code == UnknownTopicOrPartitionError.errno


def test_an_unknown_topic_id_is_told_from_an_unknown_topic(peer: WirePeer) -> None:
    unknown = UUID(int=77)
    (topic,) = peer.ask(8, 10, commit_request(10, "", unknown, 1)).topics
    assert (topic.topic_id, topic.partitions[0].error_code) == (unknown, UnknownTopicIdError.errno)
    assert fetched(10, peer.ask(9, 10, fetch_request(10, "", unknown, 4))) == [
        (4, -1, -1, "", UnknownTopicIdError.errno)
    ]


@pytest.mark.parametrize(("version", "error"), [(2, UnsupportedVersionError), (9, None)])
def test_members_of_new_groups_commit_from_version_9_on(
    kafka: EmbeddedKafka, peer: WirePeer, version: int, error: type[Exception] | None
) -> None:
    topic_id = create(kafka, peer, "t")
    joined = peer.ask(68, 1, heartbeat(1, 0, subscribed_topic_names=["t"], topic_partitions=[]))
    request = commit_request(
        version, "t", topic_id, 42, generation_id_or_member_epoch=joined.member_epoch - 1, member_id="m"
    )
    code = peer.ask(8, version, request).topics[0].partitions[0].error_code
    assert code == (UnsupportedVersionError.errno if error else 113)  # STALE_MEMBER_EPOCH


def test_offsets_are_deleted(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    topic_id = create(kafka, peer, "t")
    peer.ask(8, 2, commit_request(2, "t", topic_id, 42))
    partitions = [OffsetDeleteRequestPartition(0), OffsetDeleteRequestPartition(9)]
    request = OffsetDeleteRequest("g", [OffsetDeleteRequestTopic("t", partitions)])
    response = peer.ask(47, 0, request)
    assert [(each.partition_index, each.error_code) for each in response.topics[0].partitions] == [
        (0, 0),
        (9, UnknownTopicOrPartitionError.errno),
    ]
    assert fetched(5, peer.ask(9, 5, fetch_request(5, "t", topic_id, 0))) == [(0, -1, -1, "", 0)]


def test_offsets_of_an_unknown_group_cannot_be_deleted(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    topics = [OffsetDeleteRequestTopic("t", [OffsetDeleteRequestPartition(0)])]
    response = peer.ask(47, 0, OffsetDeleteRequest("nix", topics))
    assert (response.error_code, response.topics) == (GroupIdNotFoundError.errno, [])


# DescribeGroups (15), ListGroups (16), DeleteGroups (42) -------------------------------------------------------------


@pytest.mark.parametrize("version", [0, 3, 6])
def test_a_group_is_described(peer: WirePeer, version: int) -> None:
    joined = settle(peer)
    request = DescribeGroupsRequest(["g"], include_authorized_operations=version >= 3)
    (group,) = peer.ask(15, version, request).groups
    assert (group.group_id, group.error_code, group.group_state) == ("g", 0, "Stable")
    assert (group.protocol_type, group.protocol_data) == ("consumer", "range")
    assert group.authorized_operations == (ALL_OPERATIONS if version >= 3 else NOT_ASKED)
    (member,) = group.members
    assert (member.member_id, member.client_id, member.client_host) == (joined.member_id, "peer", "/127.0.0.1")
    assert (member.member_metadata, member.member_assignment) == (b"subscription", b"all")


@pytest.mark.parametrize(("version", "code"), [(0, 0), (5, 0), (6, GroupIdNotFoundError.errno)])
def test_an_unknown_group_was_once_a_dead_one(peer: WirePeer, version: int, code: int) -> None:
    (group,) = peer.ask(15, version, DescribeGroupsRequest(["nix"])).groups
    assert (group.error_code, group.group_state, group.members) == (code, "Dead", [])
    assert (group.error_message is not None) is (version == 6)
    assert group.authorized_operations == NOT_ASKED


def test_groups_are_listed_by_state_and_type(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    settle(peer)
    peer.ask(68, 1, heartbeat(1, 0, group_id="new", subscribed_topic_names=["t"], topic_partitions=[]))
    old = peer.ask(16, 0, ListGroupsRequest()).groups
    assert [(each.group_id, each.protocol_type, each.group_state) for each in old] == [
        ("g", "consumer", ""),
        ("new", "consumer", ""),
    ]
    everything = peer.ask(16, 5, ListGroupsRequest()).groups
    assert [(each.group_id, each.group_state, each.group_type) for each in everything] == [
        ("g", "Stable", "classic"),
        ("new", "Stable", "consumer"),
    ]
    assert [each.group_id for each in peer.ask(16, 5, ListGroupsRequest([], ["classic"])).groups] == ["g"]
    assert peer.ask(16, 4, ListGroupsRequest(["Empty"])).groups == []


@pytest.mark.parametrize("version", [0, 2])
def test_groups_are_deleted_each_for_itself(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    settle(peer)
    topic_id = create(kafka, peer, "t")
    request = commit_request(2, "t", topic_id, 42)
    request.group_id = "empty"
    peer.ask(8, 2, request)
    deleted = peer.ask(42, version, DeleteGroupsRequest(["g", "empty", "nix"])).results
    assert [(each.group_id, each.error_code) for each in deleted] == [
        ("g", NonEmptyGroupError.errno),
        ("empty", 0),
        ("nix", GroupIdNotFoundError.errno),
    ]


# ConsumerGroupHeartbeat (68), ConsumerGroupDescribe (69) -------------------------------------------------------------


def heartbeat(version: int, epoch: int, **fields: Any) -> ConsumerGroupHeartbeatRequest:
    wanted: dict[str, Any] = {
        "group_id": "g",
        "member_id": "m",
        "member_epoch": epoch,
        "rebalance_timeout_ms": 60_000 if epoch == 0 else -1,
        **fields,
    }
    return ConsumerGroupHeartbeatRequest(**wanted)


@pytest.mark.parametrize("version", [0, 1])
def test_a_member_joins_a_new_group_and_is_assigned(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    topic_id = create(kafka, peer, "t", 2)
    joined = peer.ask(68, version, heartbeat(version, 0, subscribed_topic_names=["t"], topic_partitions=[]))
    assert (joined.error_code, joined.member_id, joined.member_epoch) == (0, "m", 2)
    assert joined.heartbeat_interval_ms == 5000
    assert joined.assignment.topic_partitions == [TopicPartitions(topic_id, [0, 1])]
    unchanged = peer.ask(68, version, heartbeat(version, 2, topic_partitions=[TopicPartitions(topic_id, [0, 1])]))
    assert (unchanged.error_code, unchanged.assignment) == (0, None)
    left = peer.ask(68, version, heartbeat(version, -1))
    assert (left.error_code, left.member_epoch) == (0, -1)


def test_a_new_member_without_an_id_was_once_given_one(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    joining = heartbeat(0, 0, member_id="", subscribed_topic_names=["t"], topic_partitions=[])
    assert peer.ask(68, 0, joining).member_id != ""
    refused = peer.ask(68, 1, joining)
    assert (refused.error_code, refused.error_message) == (42, "MemberId can't be empty.")


def test_a_member_subscribes_by_pattern_from_version_1_on(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    topic_id = create(kafka, peer, "t")
    joining = heartbeat(1, 0, subscribed_topic_regex="[st]", topic_partitions=[])
    assert peer.ask(68, 1, joining).assignment.topic_partitions == [TopicPartitions(topic_id, [0])]


@pytest.mark.parametrize("version", [0, 1])
def test_a_new_group_is_described(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    topic_id = create(kafka, peer, "t")
    peer.ask(68, 1, heartbeat(1, 0, subscribed_topic_names=["t"], topic_partitions=[], rack_id="r"))
    request = ConsumerGroupDescribeRequest(["g", "nix"], include_authorized_operations=True)
    known, unknown = peer.ask(69, version, request).groups
    assert (known.error_code, known.group_state, known.group_epoch, known.assignment_epoch) == (0, "Stable", 2, 2)
    assert (known.assignor_name, known.authorized_operations) == ("uniform", ALL_OPERATIONS)
    (member,) = known.members
    assert (member.member_id, member.rack_id, member.member_epoch, member.client_id) == ("m", "r", 2, "peer")
    assert (member.subscribed_topic_names, member.subscribed_topic_regex) == (["t"], "")
    assert member.member_type == (1 if version >= 1 else -1)
    assert [(each.topic_id, each.topic_name, each.partitions) for each in member.assignment.topic_partitions] == [
        (topic_id, "t", [0])
    ]
    assert member.target_assignment == member.assignment
    assert (unknown.error_code, unknown.authorized_operations) == (GroupIdNotFoundError.errno, NOT_ASKED)


def test_a_member_that_falls_silent_is_gone_after_the_session_timeout() -> None:
    with EmbeddedKafka(clock=ManualClock()) as kafka, WirePeer(kafka.listen()) as peer:
        settle(peer)
        kafka.clock.advance(10_001)
        (group,) = peer.ask(15, 6, DescribeGroupsRequest(["g"])).groups
        assert (group.group_state, group.members) == ("Empty", [])
