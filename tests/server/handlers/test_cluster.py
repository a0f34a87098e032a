"""A cluster of one broker, asked for what larger ones do; the answers are those of Apache Kafka 4.3.1 on one node."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from server.peers import WirePeer

from embedkafka import EmbeddedKafka
from embedkafka.errors import (
    BrokerIdNotRegisteredError,
    BrokerResponseError,
    ElectionNotNeededError,
    InconsistentClusterIdError,
    InvalidReplicationAssignmentError,
    InvalidRequestError,
    InvalidUpdateVersionError,
    LogDirNotFoundError,
    MismatchedEndpointTypeError,
    NoReassignmentInProgressError,
    UnknownTopicOrPartitionError,
    UnsupportedEndpointTypeError,
    UnsupportedVersionError,
)
from embedkafka.protocol.apis import api_34_alter_replica_log_dirs as log_dirs
from embedkafka.protocol.apis import api_43_elect_leaders as electing
from embedkafka.protocol.apis import api_45_alter_partition_reassignments as moving
from embedkafka.protocol.apis import api_55_describe_quorum as quorum
from embedkafka.protocol.apis import api_57_update_features as features
from embedkafka.protocol.apis import api_75_describe_topic_partitions as paging
from embedkafka.protocol.apis.api_35_describe_log_dirs import DescribeLogDirsRequest
from embedkafka.protocol.apis.api_46_list_partition_reassignments import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
)
from embedkafka.protocol.apis.api_60_describe_cluster import DescribeClusterRequest
from embedkafka.protocol.apis.api_64_unregister_broker import UnregisterBrokerRequest
from embedkafka.protocol.apis.api_80_add_raft_voter import AddRaftVoterRequest
from embedkafka.protocol.apis.api_81_remove_raft_voter import RemoveRaftVoterRequest

UNKNOWN = UnknownTopicOrPartitionError.errno

# ElectLeaders (43) ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [0, 1, 2])
def test_no_partition_needs_an_election(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    kafka.create_topic("t")
    asked = [electing.TopicPartitions("t", [0, 9]), electing.TopicPartitions("nix", [0])]
    response = peer.ask(43, version, electing.ElectLeadersRequest(topic_partitions=asked))
    assert response.error_code == 0
    assert [
        (topic.topic, each.partition_id, each.error_code)
        for topic in response.replica_election_results
        for each in topic.partition_result
    ] == [("t", 0, ElectionNotNeededError.errno), ("t", 9, UNKNOWN), ("nix", 0, UNKNOWN)]
    everywhere = peer.ask(43, version, electing.ElectLeadersRequest(topic_partitions=None))
    assert (everywhere.error_code, everywhere.replica_election_results) == (0, [])


def test_an_unknown_kind_of_election_is_refused(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    response = peer.ask(43, 2, electing.ElectLeadersRequest(5, [electing.TopicPartitions("t", [0])]))
    assert response.error_code == InvalidRequestError.errno


# AlterPartitionReassignments (45), ListPartitionReassignments (46), AlterReplicaLogDirs (34) -------------------------


@pytest.mark.parametrize("version", [0, 1])
def test_a_partition_can_only_stay_where_it_is(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    kafka.create_topic("t", 6)
    wanted: list[list[int] | None] = [[0], None, [], [7], [0, 0], [0, 1]]
    partitions = [moving.ReassignablePartition(number, replicas) for number, replicas in enumerate(wanted)]
    topics = [
        moving.ReassignableTopic("t", partitions),
        moving.ReassignableTopic("nix", [moving.ReassignablePartition(0, [0])]),
    ]
    response = peer.ask(45, version, moving.AlterPartitionReassignmentsRequest(topics=topics))
    assert (response.error_code, response.allow_replication_factor_change) == (0, True)
    known, unknown = response.responses
    wrong = InvalidReplicationAssignmentError.errno
    assert [each.error_code for each in known.partitions] == [
        0,
        NoReassignmentInProgressError.errno,
        wrong,
        wrong,
        wrong,
        wrong,
    ]
    assert [each.error_code for each in unknown.partitions] == [UNKNOWN]


def test_nothing_is_ever_moved(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    for topics in (None, [ListPartitionReassignmentsTopics("t", [0])]):
        response = peer.ask(46, 0, ListPartitionReassignmentsRequest(topics=topics))
        assert (response.error_code, response.topics) == (0, [])


@pytest.mark.parametrize("version", [1, 2])
def test_logs_stay_in_the_one_directory(tmp_path: Path, version: int) -> None:
    with EmbeddedKafka(tmp_path) as kafka, WirePeer(kafka.listen()) as peer:
        kafka.create_topic("t")
        folder = peer.ask(35, 4, DescribeLogDirsRequest(None)).results[0].log_dir
        dirs = [
            log_dirs.AlterReplicaLogDir(folder, [log_dirs.AlterReplicaLogDirTopic("t", [0, 9])]),
            log_dirs.AlterReplicaLogDir("/nix", [log_dirs.AlterReplicaLogDirTopic("t", [1])]),
        ]
        (topic,) = peer.ask(34, version, log_dirs.AlterReplicaLogDirsRequest(dirs)).results
        assert [(each.partition_index, each.error_code) for each in topic.partitions] == [
            (0, 0),
            (9, UNKNOWN),
            (1, LogDirNotFoundError.errno),
        ]


# DescribeQuorum (55), DescribeCluster (60), UpdateFeatures (57) ------------------------------------------------------


@pytest.mark.parametrize("version", [0, 1, 2])
def test_this_broker_is_the_whole_quorum(peer: WirePeer, version: int) -> None:
    asked = [quorum.TopicRequest("__cluster_metadata", [quorum.PartitionRequest(0)])]
    response = peer.ask(55, version, quorum.DescribeQuorumRequest(asked))
    (partition,) = response.topics[0].partitions
    assert (response.error_code, partition.error_code, partition.leader_id, partition.leader_epoch) == (0, 0, 0, 1)
    (voter,) = partition.current_voters
    assert (voter.replica_id, voter.last_caught_up_timestamp > 0) == (0, version >= 1)
    assert [node.node_id for node in response.nodes] == ([0] if version >= 2 else [])


def test_there_is_no_other_quorum(peer: WirePeer) -> None:
    asked = [quorum.TopicRequest("nix", [quorum.PartitionRequest(0)])]
    response = peer.ask(55, 2, quorum.DescribeQuorumRequest(asked))
    assert (response.topics[0].partitions[0].error_code, response.nodes) == (UNKNOWN, [])


@pytest.mark.parametrize(
    ("endpoint_type", "error"), [(2, MismatchedEndpointTypeError), (9, UnsupportedEndpointTypeError)]
)
def test_there_are_no_controllers_to_be_asked(peer: WirePeer, endpoint_type: int, error: Any) -> None:
    response = peer.ask(60, 1, DescribeClusterRequest(endpoint_type=endpoint_type))
    assert (response.error_code, response.endpoint_type, response.brokers) == (error.errno, 1, [])


@pytest.mark.parametrize("version", [0, 1, 2])
def test_features_can_only_be_set_to_what_they_are(peer: WirePeer, version: int) -> None:
    def update(feature: str, level: int, **fields: Any) -> Any:
        key = features.FeatureUpdateKey(feature, level, **fields)
        return peer.ask(57, version, features.UpdateFeaturesRequest(feature_updates=[key]))

    same = update("transaction.version", 2)
    assert (same.error_code, [each.error_code for each in same.results]) == (0, [0] if version < 2 else [])
    downgrade = {"allow_downgrade": True} if version == 0 else {"upgrade_type": 2}
    for refused in (
        update("nix", 1),
        update("group.version", 7),
        update("share.version", 0),
        update("share.version", 0, **downgrade),
    ):
        assert (refused.error_code, refused.results) == (InvalidUpdateVersionError.errno, [])
        assert refused.error_message.startswith("The update failed for all features")


# DescribeTopicPartitions (75) ----------------------------------------------------------------------------------------


def page(peer: WirePeer, *names: str, limit: int = 2000, cursor: tuple[str, int] | None = None) -> Any:
    """The partitions of each topic on the page, and the next cursor."""
    request = paging.DescribeTopicPartitionsRequest(
        [paging.TopicRequest(name) for name in names], limit, None if cursor is None else paging.Cursor(*cursor)
    )
    response = peer.ask(75, 0, request)
    following = response.next_cursor
    return {
        topic.name: [each.partition_index for each in topic.partitions] for topic in response.topics
    }, None if following is None else (following.topic_name, following.partition_index)


@pytest.fixture
def two_topics(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("b", 3)
    kafka.create_topic("a", 2)


@pytest.mark.usefixtures("two_topics")
def test_topics_come_by_name_with_their_partitions(peer: WirePeer) -> None:
    everything = {"a": [0, 1], "b": [0, 1, 2]}
    assert page(peer, "b", "a") == (everything, None)
    assert page(peer) == (everything, None)


@pytest.mark.usefixtures("two_topics")
def test_a_page_ends_at_its_limit_and_the_next_begins_there(peer: WirePeer) -> None:
    assert page(peer, limit=3) == ({"a": [0, 1], "b": [0]}, ("b", 1))
    assert page(peer, limit=3, cursor=("b", 1)) == ({"b": [1, 2]}, None)
    assert page(peer, limit=2) == ({"a": [0, 1]}, ("b", 0))
    assert page(peer, "a", limit=0) == ({"a": [0]}, ("a", 1))


@pytest.mark.usefixtures("two_topics")
def test_a_cursor_may_name_a_topic_that_is_gone(peer: WirePeer) -> None:
    assert page(peer, cursor=("aa", 1)) == ({"b": [0, 1, 2]}, None)


@pytest.mark.usefixtures("two_topics")
def test_a_topic_is_described_whole(peer: WirePeer) -> None:
    (topic,) = peer.ask(75, 0, paging.DescribeTopicPartitionsRequest([paging.TopicRequest("a")])).topics
    assert (topic.error_code, topic.is_internal, topic.topic_authorized_operations > 0) == (0, False, True)
    assert topic.topic_id.int != 0
    first = topic.partitions[0]
    assert (first.leader_id, first.replica_nodes, first.isr_nodes, first.offline_replicas) == (0, [0], [0], [])
    assert (first.eligible_leader_replicas, first.last_known_elr) == ([], [])


def test_what_cannot_be_described_has_its_error(peer: WirePeer) -> None:
    asked = [paging.TopicRequest("nix"), paging.TopicRequest("bad topic")]
    topics = peer.ask(75, 0, paging.DescribeTopicPartitionsRequest(asked)).topics
    assert [(topic.name, topic.error_code) for topic in topics] == [("bad topic", 17), ("nix", UNKNOWN)]


@pytest.mark.usefixtures("two_topics")
def test_a_cursor_before_the_first_partition_is_refused(peer: WirePeer) -> None:
    request = paging.DescribeTopicPartitionsRequest([paging.TopicRequest("a")], 10, paging.Cursor("a", -1))
    (topic,) = peer.ask(75, 0, request).topics
    assert topic.error_code == InvalidRequestError.errno


# UnregisterBroker (64), AddRaftVoter (80), RemoveRaftVoter (81) ------------------------------------------------------


@pytest.mark.parametrize(("broker_id", "error"), [(4711, BrokerIdNotRegisteredError), (0, InvalidRequestError)])
def test_no_broker_is_forgotten(peer: WirePeer, broker_id: int, error: type[BrokerResponseError]) -> None:
    assert peer.ask(64, 0, UnregisterBrokerRequest(broker_id)).error_code == error.errno
    assert len(peer.ask(60, 2, DescribeClusterRequest()).brokers) == 1


@pytest.mark.parametrize(
    ("cluster_id", "voter_id", "error"),
    [
        (None, 7, UnsupportedVersionError),
        (None, -7, InvalidRequestError),
        ("nobodys", 7, InconsistentClusterIdError),
    ],
)
def test_the_voters_stay_who_they_are(
    peer: WirePeer, cluster_id: str | None, voter_id: int, error: type[BrokerResponseError]
) -> None:
    for version in (0, 1):
        request = AddRaftVoterRequest(cluster_id, 1000, voter_id, UUID(int=7), [])
        assert peer.ask(80, version, request).error_code == error.errno
    assert peer.ask(81, 0, RemoveRaftVoterRequest(cluster_id, voter_id, UUID(int=7))).error_code == error.errno
