"""Share groups as clients of every version see them on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from server.handlers.topics import create
from server.peers import WirePeer

from embedkafka import EmbeddedKafka, ManualClock
from embedkafka.errors import (
    GroupIdNotFoundError,
    InvalidRecordStateError,
    InvalidRequestError,
    InvalidShareSessionEpochError,
    ShareSessionNotFoundError,
    UnknownMemberIdError,
    UnknownTopicOrPartitionError,
)
from embedkafka.protocol.apis import api_78_share_fetch as fetching
from embedkafka.protocol.apis import api_79_share_acknowledge as acknowledging
from embedkafka.protocol.apis import api_90_describe_share_group_offsets as describing
from embedkafka.protocol.apis import api_91_alter_share_group_offsets as altering
from embedkafka.protocol.apis import api_92_delete_share_group_offsets as deleting
from embedkafka.protocol.apis.api_44_incremental_alter_configs import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from embedkafka.protocol.apis.api_76_share_group_heartbeat import ShareGroupHeartbeatRequest, TopicPartitions
from embedkafka.protocol.apis.api_77_share_group_describe import ShareGroupDescribeRequest
from embedkafka.record import decode_batch, iter_headers

ACCEPT, RELEASE, RENEW = 1, 2, 4
GROUP = 32


@pytest.fixture
def topic_id(kafka: EmbeddedKafka, peer: WirePeer) -> UUID:
    """A topic with three records, and a group that begins with the first."""
    created = create(kafka, peer, "t")
    with kafka.producer() as producer:
        for value in (b"a", b"b", b"c"):
            producer.send("t", value)
    setting = AlterableConfig("share.auto.offset.reset", 0, "earliest")
    request = IncrementalAlterConfigsRequest([AlterConfigsResource(GROUP, "g", [setting])])
    assert peer.ask(44, 1, request).responses[0].error_code == 0
    return created


def join(peer: WirePeer, member_id: str = "m") -> Any:
    return peer.ask(76, 1, ShareGroupHeartbeatRequest("g", member_id, 0, None, ["t"]))


def fetch_request(version: int, topic_id: UUID, epoch: int, *acknowledgements: Any, **fields: Any) -> Any:
    partition = fetching.FetchPartition(0, [fetching.AcknowledgementBatch(*each) for each in acknowledgements])
    wanted: dict[str, Any] = {
        "group_id": "g",
        "member_id": "m",
        "share_session_epoch": epoch,
        "max_wait_ms": 0,
        "min_bytes": 1,
        "max_bytes": 1 << 20,
        "max_records": 500,
        "batch_size": 500,
        "topics": [fetching.FetchTopic(topic_id, [partition])],
        **fields,
    }
    return fetching.ShareFetchRequest(**wanted)


def acknowledge_request(topic_id: UUID, epoch: int, *batches: Any, **fields: Any) -> Any:
    partition = acknowledging.AcknowledgePartition(0, [acknowledging.AcknowledgementBatch(*each) for each in batches])
    topic = acknowledging.AcknowledgeTopic(topic_id, [partition])
    return acknowledging.ShareAcknowledgeRequest("g", "m", epoch, topics=[topic], **fields)


def values(partition: fetching.PartitionData) -> list[bytes | None]:
    assert isinstance(partition.records, memoryview)
    data = partition.records
    return [record.value for place, header in iter_headers(data) for record in decode_batch(data, place, header)]


def acquired(partition: fetching.PartitionData) -> list[tuple[int, int, int]]:
    return [(each.first_offset, each.last_offset, each.delivery_count) for each in partition.acquired_records]


# ShareGroupHeartbeat (76), ShareGroupDescribe (77) -------------------------------------------------------------------


def test_a_member_joins_is_assigned_and_leaves(peer: WirePeer, topic_id: UUID) -> None:
    joined = join(peer)
    assert (joined.error_code, joined.member_id, joined.heartbeat_interval_ms) == (0, "m", 5000)
    assert joined.assignment.topic_partitions == [TopicPartitions(topic_id, [0])]
    stays = peer.ask(76, 1, ShareGroupHeartbeatRequest("g", "m", joined.member_epoch))
    assert (stays.error_code, stays.assignment) == (0, None)
    left = peer.ask(76, 1, ShareGroupHeartbeatRequest("g", "m", -1))
    assert (left.error_code, left.member_epoch) == (0, -1)
    gone = peer.ask(76, 1, ShareGroupHeartbeatRequest("g", "m", joined.member_epoch))
    assert gone.error_code == UnknownMemberIdError.errno


def test_a_share_group_is_described(peer: WirePeer, topic_id: UUID) -> None:
    join(peer)
    known, unknown = peer.ask(77, 1, ShareGroupDescribeRequest(["g", "nix"], include_authorized_operations=True)).groups
    assert (known.error_code, known.group_state, known.assignor_name) == (0, "Stable", "simple")
    assert known.authorized_operations > 0
    (member,) = known.members
    assert (member.member_id, member.client_id, member.subscribed_topic_names) == ("m", "peer", ["t"])
    (topic,) = member.assignment.topic_partitions
    assert (topic.topic_id, topic.topic_name, topic.partitions) == (topic_id, "t", [0])
    assert (unknown.error_code, unknown.members) == (GroupIdNotFoundError.errno, [])


# ShareFetch (78), ShareAcknowledge (79) ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_records_are_acquired_and_acknowledged_with_the_next_fetch(
    peer: WirePeer, topic_id: UUID, version: int
) -> None:
    join(peer)
    first = peer.ask(78, version, fetch_request(version, topic_id, 0))
    assert (first.error_code, first.acquisition_lock_timeout_ms) == (0, 30_000)
    (partition,) = first.responses[0].partitions
    assert (first.responses[0].topic_id, partition.error_code, partition.acknowledge_error_code) == (topic_id, 0, 0)
    assert values(partition) == [b"a", b"b", b"c"]
    assert acquired(partition) == [(0, 2, 1)]
    second = peer.ask(78, version, fetch_request(version, topic_id, 1, (0, 0, [ACCEPT]), (1, 2, [RELEASE])))
    (partition,) = second.responses[0].partitions
    assert (partition.acknowledge_error_code, acquired(partition)) == (0, [(1, 2, 2)])


@pytest.mark.parametrize("version", [1, 2])
def test_records_are_acknowledged_by_themselves(peer: WirePeer, topic_id: UUID, version: int) -> None:
    join(peer)
    peer.ask(78, version, fetch_request(version, topic_id, 0))
    settled = peer.ask(79, version, acknowledge_request(topic_id, 1, (0, 2, [ACCEPT, RELEASE, ACCEPT])))
    assert (settled.error_code, settled.acquisition_lock_timeout_ms) == (0, 30_000 if version >= 2 else 0)
    assert [(each.partition_index, each.error_code) for each in settled.responses[0].partitions] == [(0, 0)]
    again = peer.ask(79, version, acknowledge_request(topic_id, 2, (2, 2, [ACCEPT])))
    assert again.responses[0].partitions[0].error_code == InvalidRecordStateError.errno
    (partition,) = peer.ask(78, version, fetch_request(version, topic_id, 3)).responses[0].partitions
    assert acquired(partition) == [(1, 1, 2)]


def test_a_lock_is_renewed_from_version_2_on(peer: WirePeer, topic_id: UUID) -> None:
    join(peer)
    peer.ask(78, 2, fetch_request(2, topic_id, 0))
    renewed = peer.ask(79, 2, acknowledge_request(topic_id, 1, (0, 2, [RENEW]), is_renew_ack=True))
    assert [each.error_code for each in renewed.responses[0].partitions] == [0]


def test_a_strict_limit_splits_a_batch(peer: WirePeer, topic_id: UUID) -> None:
    join(peer)
    limited = peer.ask(78, 2, fetch_request(2, topic_id, 0, max_records=1, share_acquire_mode=1))
    assert acquired(limited.responses[0].partitions[0]) == [(0, 0, 1)]


def test_a_fetch_waits_for_a_record(kafka: EmbeddedKafka, peer: WirePeer, topic_id: UUID) -> None:
    join(peer)
    peer.ask(78, 1, fetch_request(1, topic_id, 0))
    peer.send(78, 1, fetch_request(1, topic_id, 1, (0, 2, [ACCEPT]), max_wait_ms=60_000))
    with kafka.producer() as producer:
        producer.send("t", b"d")
    (_, response) = peer.receive()
    (partition,) = response.responses[0].partitions
    assert (values(partition), acquired(partition)) == ([b"d"], [(3, 3, 1)])


def test_a_fetch_ends_by_the_peers_time_where_a_test_holds_the_engines() -> None:
    with EmbeddedKafka(clock=ManualClock()) as kafka, WirePeer(kafka.listen()) as peer:
        topic_id = create(kafka, peer, "t")
        join(peer)
        assert peer.ask(78, 1, fetch_request(1, topic_id, 0)).error_code == 0
        assert peer.ask(78, 1, fetch_request(1, topic_id, 1, max_wait_ms=50)).error_code == 0


@pytest.mark.parametrize("version", [1, 2])
def test_a_session_that_is_not_there_or_ahead_is_an_error(peer: WirePeer, topic_id: UUID, version: int) -> None:
    join(peer)
    missing = peer.ask(78, version, fetch_request(version, topic_id, 5))
    assert (missing.error_code, missing.responses) == (ShareSessionNotFoundError.errno, [])
    peer.ask(78, version, fetch_request(version, topic_id, 0))
    ahead = peer.ask(79, version, acknowledge_request(topic_id, 9, (0, 0, [ACCEPT])))
    assert (ahead.error_code, ahead.responses) == (InvalidShareSessionEpochError.errno, [])


def test_a_fetch_of_nobody_is_refused(peer: WirePeer, topic_id: UUID) -> None:
    refused = peer.ask(78, 1, fetch_request(1, topic_id, 0, member_id=None))
    assert refused.error_code == InvalidRequestError.errno
    request = acknowledging.ShareAcknowledgeRequest(None, "m", 1)
    assert peer.ask(79, 1, request).error_code == InvalidRequestError.errno


def test_what_a_vanished_peer_had_acquired_is_given_to_others(
    connect: Callable[[], WirePeer], peer: WirePeer, topic_id: UUID
) -> None:
    join(peer)
    other = connect()
    join(other, "other")
    peer.ask(78, 1, fetch_request(1, topic_id, 0))
    peer.close()
    waiting = fetch_request(1, topic_id, 0, member_id="other", max_wait_ms=20_000)
    (partition,) = other.ask(78, 1, waiting).responses[0].partitions
    assert acquired(partition) == [(0, 2, 2)]


def test_a_member_that_comes_back_on_another_connection_keeps_its_session(
    connect: Callable[[], WirePeer], topic_id: UUID
) -> None:
    old, new = connect(), connect()
    join(old)
    old.ask(78, 1, fetch_request(1, topic_id, 0))
    new.ask(78, 1, fetch_request(1, topic_id, 1))
    old.close()
    join(new, "other")  # by now the listener has seen the end of the old one, or has not: both are fine
    assert new.ask(79, 1, acknowledge_request(topic_id, 2, (0, 2, [ACCEPT]))).error_code == 0


# Offsets of share groups (90 to 92) ----------------------------------------------------------------------------------


def start_offsets(peer: WirePeer, version: int = 1) -> Any:
    asked = [describing.DescribeShareGroupOffsetsRequestGroup("g", None)]
    (group,) = peer.ask(90, version, describing.DescribeShareGroupOffsetsRequest(asked)).groups
    assert group.error_code == 0
    return [
        (topic.topic_name, each.partition_index, each.start_offset, each.lag)
        for topic in group.topics
        for each in topic.partitions
    ]


@pytest.mark.parametrize(("version", "lag"), [(0, -1), (1, 2)])
def test_a_groups_offsets_are_described(peer: WirePeer, topic_id: UUID, version: int, lag: int) -> None:
    join(peer)
    peer.ask(78, 1, fetch_request(1, topic_id, 0))
    peer.ask(79, 1, acknowledge_request(topic_id, 1, (0, 0, [ACCEPT])))
    assert start_offsets(peer, version) == [("t", 0, 1, lag)]


def test_offsets_of_chosen_partitions_are_described(peer: WirePeer, topic_id: UUID) -> None:
    join(peer)
    topics = [describing.DescribeShareGroupOffsetsRequestTopic("t", [0])]
    asked = [
        describing.DescribeShareGroupOffsetsRequestGroup("g", topics),
        describing.DescribeShareGroupOffsetsRequestGroup("nix", topics),
    ]
    known, unknown = peer.ask(90, 1, describing.DescribeShareGroupOffsetsRequest(asked)).groups
    assert [(topic.topic_name, topic.topic_id) for topic in known.topics] == [("t", topic_id)]
    assert unknown.topics[0].partitions[0].start_offset == -1
    assert (unknown.group_id, unknown.error_code) == ("nix", 0)


def test_an_empty_group_is_moved_and_forgotten(peer: WirePeer, topic_id: UUID) -> None:
    join(peer)
    peer.ask(76, 1, ShareGroupHeartbeatRequest("g", "m", -1))
    partitions = [altering.AlterShareGroupOffsetsRequestPartition(0, 2)]
    topics = [
        altering.AlterShareGroupOffsetsRequestTopic("t", partitions),
        altering.AlterShareGroupOffsetsRequestTopic("nix", partitions),
    ]
    altered = peer.ask(91, 0, altering.AlterShareGroupOffsetsRequest("g", topics))
    assert altered.error_code == 0
    assert {topic.topic_name: [each.error_code for each in topic.partitions] for topic in altered.responses} == {
        "t": [0],
        "nix": [UnknownTopicOrPartitionError.errno],
    }
    assert [each[:3] for each in start_offsets(peer)] == [("t", 0, 2)]
    names = [deleting.DeleteShareGroupOffsetsRequestTopic("t")]
    deleted = peer.ask(92, 0, deleting.DeleteShareGroupOffsetsRequest("g", names))
    assert (deleted.error_code, [(each.topic_name, each.error_code) for each in deleted.responses]) == (0, [("t", 0)])
    assert start_offsets(peer) == []
