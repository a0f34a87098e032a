"""The port's part about the cluster: leaders, replicas, features and its quorum, as a cluster of one broker has them.

With one broker every partition has one replica, which leads it, and nothing can be moved; with its metadata in a
catalog there is no log that voters could be behind in.  The answers are those that Apache Kafka gives on one node.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from embedkafka.broker import api
from embedkafka.broker.features import FEATURES
from embedkafka.errors import (
    BrokerIdNotRegisteredError,
    BrokerResponseError,
    ElectionNotNeededError,
    InconsistentClusterIdError,
    InvalidReplicationAssignmentError,
    InvalidRequestError,
    InvalidUpdateVersionError,
    LogDirNotFoundError,
    NoReassignmentInProgressError,
    UnknownTopicOrPartitionError,
    UnsupportedVersionError,
)
from embedkafka.model import TopicPartition
from embedkafka.protocol.fields import ZERO_UUID

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine

_ALTER_REPLICA_LOG_DIRS = 34
_ELECT_LEADERS = 43
_ALTER_PARTITION_REASSIGNMENTS = 45
_LIST_PARTITION_REASSIGNMENTS = 46
_DESCRIBE_QUORUM = 55
_UPDATE_FEATURES = 57
_UNREGISTER_BROKER = 64
_DESCRIBE_TOPIC_PARTITIONS = 75
_ADD_RAFT_VOTER = 80
_REMOVE_RAFT_VOTER = 81

MOST_PARTITIONS_A_PAGE = 2000  # max.request.partition.size.limit

_METADATA_LOG = TopicPartition("__cluster_metadata", 0)
_FIRST_EPOCH = 1


class ClusterPort(ABC):
    """A part of :class:`embedkafka.broker.port.BrokerPort`."""

    broker_id: int
    _engine: Engine

    @abstractmethod
    def _admit(self, api_key: int, context: api.RequestContext) -> None:
        """What every request passes through."""

    def elect_leaders(
        self, context: api.RequestContext, election_type: int, topic_partitions: Sequence[TopicPartition] | None
    ) -> api.PartitionsReply:
        """Make replicas the leaders (KIP-183, KIP-460), which they are; None asks where that is needed: nowhere."""
        self._admit(_ELECT_LEADERS, context)
        if election_type not in (api.ElectionType.PREFERRED, api.ElectionType.UNCLEAN):
            code, message = InvalidRequestError.errno, f"Unknown election type {election_type}"
            return api.PartitionsReply(
                code, message, [api.PartitionOutcome(each, code, message) for each in topic_partitions or ()]
            )
        outcomes = []
        for topic_partition in topic_partitions or ():
            error = self._missing(topic_partition) or ElectionNotNeededError(
                "Leader election not needed for topic partition."
            )
            outcomes.append(_outcome(topic_partition, error))
        return api.PartitionsReply(partitions=outcomes)

    def alter_partition_reassignments(
        self, context: api.RequestContext, reassignments: Sequence[api.PartitionReassignment]
    ) -> api.PartitionsReply:
        """Move partitions (KIP-455): the one assignment there can be is the one there is."""
        self._admit(_ALTER_PARTITION_REASSIGNMENTS, context)
        return api.PartitionsReply(
            partitions=[_outcome(each.topic_partition, self._reassignment_error(each)) for each in reassignments]
        )

    def _reassignment_error(self, reassignment: api.PartitionReassignment) -> BrokerResponseError | None:
        missing = self._missing(reassignment.topic_partition)
        if missing is not None:
            return missing
        replicas = reassignment.replicas
        if replicas is None:
            return NoReassignmentInProgressError()
        if not replicas:
            return InvalidReplicationAssignmentError("The manual partition assignment includes an empty replica list.")
        for broker_id in replicas:
            if broker_id != self.broker_id:
                return InvalidReplicationAssignmentError(
                    f"The manual partition assignment includes broker {broker_id}, but no such broker is registered."
                )
        if len(replicas) > 1:
            return InvalidReplicationAssignmentError(
                f"The manual partition assignment includes the broker {self.broker_id} more than once."
            )
        return None

    def alter_replica_log_dirs(
        self, context: api.RequestContext, log_dirs: Mapping[TopicPartition, str]
    ) -> api.PartitionsReply:
        """Move logs to another of the broker's directories (KIP-113): it has one, where they are."""
        self._admit(_ALTER_REPLICA_LOG_DIRS, context)
        folder = self._engine.store.folder
        outcomes = []
        for topic_partition, log_dir in log_dirs.items():
            error: BrokerResponseError | None = self._missing(topic_partition)
            if log_dir != folder:
                error = LogDirNotFoundError(f"the broker's directory is {folder}")
            outcomes.append(_outcome(topic_partition, error))
        return api.PartitionsReply(partitions=outcomes)

    def list_partition_reassignments(self, context: api.RequestContext) -> api.PartitionsReply:
        """The partitions that are being moved: none ever."""
        self._admit(_LIST_PARTITION_REASSIGNMENTS, context)
        return api.PartitionsReply()

    def describe_quorum(
        self, context: api.RequestContext, topic_partitions: Sequence[TopicPartition]
    ) -> api.DescribeQuorumReply:
        """Voters of the metadata (KIP-595): this broker alone, whose catalog has no offsets."""
        self._admit(_DESCRIBE_QUORUM, context)
        now_ms = self._engine.clock.now_ms()
        return api.DescribeQuorumReply(
            partitions=[
                api.QuorumPartition(
                    each,
                    leader_id=self.broker_id,
                    leader_epoch=_FIRST_EPOCH,
                    voter_ids=[self.broker_id],
                    last_caught_up_ms=now_ms,
                )
                if each == _METADATA_LOG
                else api.QuorumPartition(each, UnknownTopicOrPartitionError.errno)
                for each in topic_partitions
            ]
        )

    def add_raft_voter(self, context: api.RequestContext, cluster_id: str | None, voter_id: int) -> api.ClusterOutcome:
        """Let another controller vote (KIP-853), which a quorum that was set up without that never does."""
        self._admit(_ADD_RAFT_VOTER, context)
        return self._voter_refusal("Add", "adding", cluster_id, voter_id)

    def remove_raft_voter(
        self, context: api.RequestContext, cluster_id: str | None, voter_id: int
    ) -> api.ClusterOutcome:
        """Take a controller's vote away (KIP-853)."""
        self._admit(_REMOVE_RAFT_VOTER, context)
        return self._voter_refusal("Remove", "removing", cluster_id, voter_id)

    def _voter_refusal(self, what: str, doing: str, cluster_id: str | None, voter_id: int) -> api.ClusterOutcome:
        """Why the voters stay who they are, in the order in which Kafka looks (``kraft.version`` 0)."""
        own = self._engine.store.cluster_id
        if cluster_id is not None and cluster_id != own:
            return _refused(
                InconsistentClusterIdError(f'The given id "{cluster_id}" doesn\'t match the cluster id "{own}"')
            )
        if voter_id < 0:
            return _refused(InvalidRequestError(f"{what} voter request didn't include a valid voter"))
        return _refused(
            UnsupportedVersionError(f"Cluster doesn't support {doing} voter because the kraft.version feature is 0")
        )

    def unregister_broker(self, context: api.RequestContext, broker_id: int) -> api.ClusterOutcome:
        """Forget a broker that is gone; the one that is there stays."""
        self._admit(_UNREGISTER_BROKER, context)
        if broker_id != self.broker_id:
            return _refused(BrokerIdNotRegisteredError(f"Broker ID {broker_id} is not currently registered"))
        return _refused(InvalidRequestError(f"Broker {broker_id} is running, and the only one that there is."))

    def update_features(
        self, context: api.RequestContext, updates: Sequence[api.FeatureUpdate], *, validate_only: bool = False
    ) -> api.UpdateFeaturesReply:
        """Set features to the levels they have (KIP-584); there is no other that this release could run with."""
        self._admit(_UPDATE_FEATURES, context)
        for update in updates:
            reason = _refusal(update, self.broker_id)
            if reason is not None:
                return api.UpdateFeaturesReply(
                    InvalidUpdateVersionError.errno,
                    "The update failed for all features since the following feature had an error: "
                    f"Invalid update version {update.level} for feature {update.feature}. {reason}",
                )
        return api.UpdateFeaturesReply()

    # Partitions, page by page ---------------------------------------------------------------------------------------

    @abstractmethod
    def metadata(
        self, context: api.RequestContext, topics: Sequence[str] | None, *, auto_create: bool = False
    ) -> api.MetadataReply:
        """Brokers and topics."""

    def describe_topic_partitions(
        self,
        context: api.RequestContext,
        topics: Sequence[str],
        *,
        limit: int = MOST_PARTITIONS_A_PAGE,
        cursor: TopicPartition | None = None,
    ) -> api.TopicPartitionsPage:
        """Topics with their partitions by name (KIP-966), from the cursor on; no topics asks for all.

        Args:
            limit: how many partitions a page has at most, 1 to 2000; what is outside is taken for the nearest.
        """
        self._admit(_DESCRIBE_TOPIC_PARTITIONS, context)
        if cursor is not None and cursor.partition < 0:
            code = InvalidRequestError.errno
            return api.TopicPartitionsPage([api.TopicMetadata(each, ZERO_UUID, error_code=code) for each in topics])
        found = self.metadata(context, sorted(set(topics)) if topics else None).topics
        room = min(max(limit, 1), MOST_PARTITIONS_A_PAGE)
        page: list[api.TopicMetadata] = []
        for topic in sorted(found, key=lambda topic: topic.topic):
            first = 0
            if cursor is not None:
                if topic.topic < cursor.topic:
                    continue
                first = cursor.partition if topic.topic == cursor.topic else 0
            if room == 0 and not topic.error_code:
                return api.TopicPartitionsPage(page, TopicPartition(topic.topic, first))
            partitions = topic.partitions[first : first + room]
            page.append(topic._replace(partitions=partitions))
            room -= len(partitions)
            if first + len(partitions) < len(topic.partitions):
                return api.TopicPartitionsPage(page, TopicPartition(topic.topic, first + len(partitions)))
        return api.TopicPartitionsPage(page)

    def _missing(self, topic_partition: TopicPartition) -> UnknownTopicOrPartitionError | None:
        topic = self._engine.topics.topic(topic_partition.topic)
        if topic is None:
            return UnknownTopicOrPartitionError(f"No such topic as {topic_partition.topic}")
        if not 0 <= topic_partition.partition < len(topic.partitions):
            return UnknownTopicOrPartitionError(
                f"No such partition as {topic_partition.topic}-{topic_partition.partition}"
            )
        return None


def _outcome(topic_partition: TopicPartition, error: BrokerResponseError | None) -> api.PartitionOutcome:
    if error is None:
        return api.PartitionOutcome(topic_partition)
    return api.PartitionOutcome(topic_partition, error.errno, str(error.args[0]) if error.args else None)


def _refused(error: BrokerResponseError) -> api.ClusterOutcome:
    return api.ClusterOutcome(error.errno, str(error.args[0]))


def _refusal(update: api.FeatureUpdate, broker_id: int) -> str | None:
    feature = FEATURES.get(update.feature)
    if feature is None:
        return f"Local controller {broker_id} does not support this feature."
    if not feature.lowest <= update.level <= feature.highest:
        return f"Local controller {broker_id} only supports versions {feature.lowest}-{feature.highest}"
    if update.level == feature.finalized:
        return None
    if update.upgrade_type == api.FeatureUpgradeType.UPGRADE and update.level < (feature.finalized or 0):
        return (
            "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe "
            "downgrade."
        )
    return "This broker always runs with the levels that it has now."
