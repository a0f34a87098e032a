"""Leaders, replicas, quorum and features: ElectLeaders (43), AlterPartitionReassignments (45),
ListPartitionReassignments (46), DescribeQuorum (55), UpdateFeatures (57), UnregisterBroker (64),
DescribeTopicPartitions (75), AddRaftVoter (80) and RemoveRaftVoter (81)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from embedkafka.broker import api
from embedkafka.errors import InvalidRequestError, TopicAuthorizationFailedError
from embedkafka.model import TopicPartition
from embedkafka.protocol.apis import api_43_elect_leaders as electing
from embedkafka.protocol.apis import api_45_alter_partition_reassignments as moving
from embedkafka.protocol.apis import api_55_describe_quorum as quorum
from embedkafka.protocol.apis import api_75_describe_topic_partitions as paging
from embedkafka.protocol.apis.api_46_list_partition_reassignments import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsResponse,
)
from embedkafka.protocol.apis.api_57_update_features import (
    FeatureUpdateKey,
    UpdatableFeatureResult,
    UpdateFeaturesRequest,
    UpdateFeaturesResponse,
)
from embedkafka.protocol.apis.api_64_unregister_broker import UnregisterBrokerRequest, UnregisterBrokerResponse
from embedkafka.protocol.apis.api_80_add_raft_voter import AddRaftVoterRequest, AddRaftVoterResponse
from embedkafka.protocol.apis.api_81_remove_raft_voter import RemoveRaftVoterRequest, RemoveRaftVoterResponse
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

T = TypeVar("T")


def _by_topic(partitions: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    topics: dict[str, list[T]] = {}
    for topic, partition in partitions:
        topics.setdefault(topic, []).append(partition)
    return topics


# ElectLeaders (43) ---------------------------------------------------------------------------------------------------


def elect_leaders(call: Call, request: electing.ElectLeadersRequest) -> electing.ElectLeadersResponse:
    """Make replicas the leaders; version 0 knows the preferred ones only."""
    asked = request.topic_partitions
    reply = call.port.elect_leaders(
        call.context,
        request.election_type if call.version >= 1 else api.ElectionType.PREFERRED,
        None if asked is None else [TopicPartition(topic.topic, each) for topic in asked for each in topic.partitions],
    )
    results = _by_topic(
        (each.topic_partition.topic, electing.PartitionResult(each.topic_partition.partition, *each[1:]))
        for each in reply.partitions
    )
    return electing.ElectLeadersResponse(
        error_code=reply.error_code if call.version >= 1 else 0,
        replica_election_results=[electing.ReplicaElectionResult(topic, found) for topic, found in results.items()],
    )


# AlterPartitionReassignments (45), ListPartitionReassignments (46) ---------------------------------------------------


def alter_partition_reassignments(
    call: Call, request: moving.AlterPartitionReassignmentsRequest
) -> moving.AlterPartitionReassignmentsResponse:
    """Move partitions to other brokers."""
    reply = call.port.alter_partition_reassignments(
        call.context,
        [
            api.PartitionReassignment(TopicPartition(topic.name, each.partition_index), each.replicas)
            for topic in request.topics
            for each in topic.partitions
        ],
    )
    results = _by_topic(
        (each.topic_partition.topic, moving.ReassignablePartitionResponse(each.topic_partition.partition, *each[1:]))
        for each in reply.partitions
    )
    return moving.AlterPartitionReassignmentsResponse(
        allow_replication_factor_change=request.allow_replication_factor_change,
        error_code=reply.error_code,
        error_message=reply.error_message,
        responses=[moving.ReassignableTopicResponse(topic, found) for topic, found in results.items()],
    )


def list_partition_reassignments(
    call: Call, request: ListPartitionReassignmentsRequest
) -> ListPartitionReassignmentsResponse:
    """What is being moved."""
    reply = call.port.list_partition_reassignments(call.context)
    return ListPartitionReassignmentsResponse(error_code=reply.error_code, error_message=reply.error_message)


# DescribeQuorum (55) -------------------------------------------------------------------------------------------------


def describe_quorum(call: Call, request: quorum.DescribeQuorumRequest) -> quorum.DescribeQuorumResponse:
    """Who votes about the metadata."""
    asked = [
        TopicPartition(topic.topic_name, each.partition_index) for topic in request.topics for each in topic.partitions
    ]
    reply = call.port.describe_quorum(call.context, asked)
    results = _by_topic((each.topic_partition.topic, _quorum(each)) for each in reply.partitions)
    voters = sorted({voter for each in reply.partitions for voter in each.voter_ids})
    return quorum.DescribeQuorumResponse(
        error_code=reply.error_code,
        error_message="",
        topics=[quorum.TopicData(topic, found) for topic, found in results.items()],
        nodes=[
            quorum.Node(voter, [quorum.Listener("PLAINTEXT", *call.endpoint(voter))])
            for voter in (voters if call.version >= 2 else ())
        ],
    )


def _quorum(found: api.QuorumPartition) -> quorum.PartitionData:
    return quorum.PartitionData(
        partition_index=found.topic_partition.partition,
        error_code=found.error_code,
        error_message="",
        leader_id=found.leader_id,
        leader_epoch=found.leader_epoch,
        high_watermark=found.high_watermark,
        current_voters=[
            quorum.ReplicaState(
                voter,
                log_end_offset=found.high_watermark,
                last_fetch_timestamp=found.last_caught_up_ms,
                last_caught_up_timestamp=found.last_caught_up_ms,
            )
            for voter in found.voter_ids
        ],
    )


# UpdateFeatures (57) -------------------------------------------------------------------------------------------------

_UPGRADE_TYPE = 1  # the first version that tells a safe downgrade from an unsafe one
_NO_RESULTS = 2  # the first version that answers for all features together


def update_features(call: Call, request: UpdateFeaturesRequest) -> UpdateFeaturesResponse:
    """Set levels, all or none."""
    updates = [
        api.FeatureUpdate(each.feature, each.max_version_level, _upgrade_type(call.version, each))
        for each in request.feature_updates
    ]
    reply = call.port.update_features(call.context, updates, validate_only=request.validate_only)
    results = [] if reply.error_code or call.version >= _NO_RESULTS else request.feature_updates
    return UpdateFeaturesResponse(
        error_code=reply.error_code,
        error_message=reply.error_message,
        results=[UpdatableFeatureResult(each.feature, 0, "NONE") for each in results],  # Kafka's very words
    )


def _upgrade_type(version: int, update: FeatureUpdateKey) -> int:
    if version >= _UPGRADE_TYPE:
        return update.upgrade_type
    return api.FeatureUpgradeType.SAFE_DOWNGRADE if update.allow_downgrade else api.FeatureUpgradeType.UPGRADE


# UnregisterBroker (64), AddRaftVoter (80), RemoveRaftVoter (81) ------------------------------------------------------


def unregister_broker(call: Call, request: UnregisterBrokerRequest) -> UnregisterBrokerResponse:
    """Forget a broker."""
    outcome = call.port.unregister_broker(call.context, request.broker_id)
    return UnregisterBrokerResponse(0, outcome.error_code, outcome.error_message)


def add_raft_voter(call: Call, request: AddRaftVoterRequest) -> AddRaftVoterResponse:
    """Let a controller vote."""
    outcome = call.port.add_raft_voter(call.context, request.cluster_id, request.voter_id)
    return AddRaftVoterResponse(0, outcome.error_code, outcome.error_message)


def remove_raft_voter(call: Call, request: RemoveRaftVoterRequest) -> RemoveRaftVoterResponse:
    """Have a controller vote no more."""
    outcome = call.port.remove_raft_voter(call.context, request.cluster_id, request.voter_id)
    return RemoveRaftVoterResponse(0, outcome.error_code, outcome.error_message)


# DescribeTopicPartitions (75) ----------------------------------------------------------------------------------------

_TOPIC = 2  # org.apache.kafka.common.resource.ResourceType
_NO_OPERATIONS = -(2**31)
_UNTOLD = (InvalidRequestError.errno, TopicAuthorizationFailedError.errno)  # Kafka tells them of unknown topics, too


def describe_topic_partitions(
    call: Call, request: paging.DescribeTopicPartitionsRequest
) -> paging.DescribeTopicPartitionsResponse:
    """One page of topics with their partitions."""
    cursor = request.cursor
    page = call.port.describe_topic_partitions(
        call.context,
        [topic.name for topic in request.topics],
        limit=request.response_partition_limit,
        cursor=None if cursor is None else TopicPartition(cursor.topic_name, cursor.partition_index),
    )
    following = page.next_cursor
    return paging.DescribeTopicPartitionsResponse(
        topics=[_topic(call, topic) for topic in page.topics],
        next_cursor=None if following is None else paging.Cursor(*following),
    )


def _topic(call: Call, topic: api.TopicMetadata) -> paging.DescribeTopicPartitionsResponseTopic:
    return paging.DescribeTopicPartitionsResponseTopic(
        error_code=topic.error_code,
        name=topic.topic,
        topic_id=topic.topic_id,
        is_internal=topic.is_internal,
        partitions=[
            paging.DescribeTopicPartitionsResponsePartition(
                error_code=partition.error_code,
                partition_index=partition.partition,
                leader_id=partition.leader_id,
                leader_epoch=partition.leader_epoch,
                replica_nodes=list(partition.replicas),
                isr_nodes=list(partition.isr),
                eligible_leader_replicas=[],
                last_known_elr=[],
            )
            for partition in topic.partitions
        ],
        topic_authorized_operations=_NO_OPERATIONS
        if topic.error_code in _UNTOLD
        else call.port.authorized_operations(call.context, _TOPIC, topic.topic),
    )


HANDLERS = (
    Handler(43, elect_leaders),
    Handler(45, alter_partition_reassignments),
    Handler(46, list_partition_reassignments),
    Handler(55, describe_quorum),
    Handler(57, update_features),
    Handler(64, unregister_broker),
    Handler(75, describe_topic_partitions),
    Handler(80, add_raft_voter),
    Handler(81, remove_raft_voter),
)
