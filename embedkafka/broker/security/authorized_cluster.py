"""Who may move leaders and replicas and set features, where there is an authorizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embedkafka.broker import api
from embedkafka.broker.cluster_port import MOST_PARTITIONS_A_PAGE
from embedkafka.broker.port import ApiKey
from embedkafka.broker.security.acl_checks import CLUSTER_DENIED, CLUSTER_MESSAGE
from embedkafka.broker.security.authorized_base import AuthorizedBase
from embedkafka.model import TopicPartition


class AuthorizedCluster(AuthorizedBase):
    def elect_leaders(
        self, context: api.RequestContext, election_type: int, topic_partitions: Sequence[TopicPartition] | None
    ) -> api.PartitionsReply:
        if not self._may_cluster(context, ApiKey.ELECT_LEADERS):
            return api.PartitionsReply(
                CLUSTER_DENIED,
                partitions=[api.PartitionOutcome(each, CLUSTER_DENIED) for each in topic_partitions or ()],
            )
        return super().elect_leaders(context, election_type, topic_partitions)

    def alter_partition_reassignments(
        self, context: api.RequestContext, reassignments: Sequence[api.PartitionReassignment]
    ) -> api.PartitionsReply:
        if not self._may_cluster(context, ApiKey.ALTER_PARTITION_REASSIGNMENTS):
            return api.PartitionsReply(CLUSTER_DENIED)
        return super().alter_partition_reassignments(context, reassignments)

    def alter_replica_log_dirs(
        self, context: api.RequestContext, log_dirs: Mapping[TopicPartition, str]
    ) -> api.PartitionsReply:
        if not self._may_cluster(context, ApiKey.ALTER_REPLICA_LOG_DIRS):
            return api.PartitionsReply(partitions=[api.PartitionOutcome(each, CLUSTER_DENIED) for each in log_dirs])
        return super().alter_replica_log_dirs(context, log_dirs)

    def list_partition_reassignments(self, context: api.RequestContext) -> api.PartitionsReply:
        if not self._may_cluster(context, ApiKey.LIST_PARTITION_REASSIGNMENTS):
            return api.PartitionsReply(CLUSTER_DENIED)
        return super().list_partition_reassignments(context)

    def describe_quorum(
        self, context: api.RequestContext, topic_partitions: Sequence[TopicPartition]
    ) -> api.DescribeQuorumReply:
        if not self._may_cluster(context, ApiKey.DESCRIBE_QUORUM):
            return api.DescribeQuorumReply(CLUSTER_DENIED)
        return super().describe_quorum(context, topic_partitions)

    def update_features(
        self, context: api.RequestContext, updates: Sequence[api.FeatureUpdate], *, validate_only: bool = False
    ) -> api.UpdateFeaturesReply:
        if not self._may_cluster(context, ApiKey.UPDATE_FEATURES):
            return api.UpdateFeaturesReply(CLUSTER_DENIED)
        return super().update_features(context, updates, validate_only=validate_only)

    def unregister_broker(self, context: api.RequestContext, broker_id: int) -> api.ClusterOutcome:
        if not self._may_cluster(context, ApiKey.UNREGISTER_BROKER):
            return api.ClusterOutcome(CLUSTER_DENIED, CLUSTER_MESSAGE)
        return super().unregister_broker(context, broker_id)

    def add_raft_voter(self, context: api.RequestContext, cluster_id: str | None, voter_id: int) -> api.ClusterOutcome:
        if not self._may_cluster(context, ApiKey.ADD_RAFT_VOTER):
            return api.ClusterOutcome(CLUSTER_DENIED, CLUSTER_MESSAGE)
        return super().add_raft_voter(context, cluster_id, voter_id)

    def remove_raft_voter(
        self, context: api.RequestContext, cluster_id: str | None, voter_id: int
    ) -> api.ClusterOutcome:
        if not self._may_cluster(context, ApiKey.REMOVE_RAFT_VOTER):
            return api.ClusterOutcome(CLUSTER_DENIED, CLUSTER_MESSAGE)
        return super().remove_raft_voter(context, cluster_id, voter_id)

    def describe_topic_partitions(
        self,
        context: api.RequestContext,
        topics: Sequence[str],
        *,
        limit: int = MOST_PARTITIONS_A_PAGE,
        cursor: TopicPartition | None = None,
    ) -> api.TopicPartitionsPage:
        return super().describe_topic_partitions(context, topics, limit=limit, cursor=cursor)  # metadata() asks
