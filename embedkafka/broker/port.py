"""The choke point: the one object per broker through which every client reaches it.

The listener and the embedded client call the same methods, so fault rules, ACLs, quotas and metrics are attached here
once and hold for both.  A method is one of Kafka's APIs, takes and gives the values of :mod:`embedkafka.broker.api`,
and works per batch, never per record.

A call that may wait takes ``complete``, called exactly once, on any thread, with no lock held but the lane of the
producer that made it possible, possibly before the method returns.  (After a Ctrl-C in the middle of it, it may be
called once more with the same reply.)  Calls that never wait return their reply.  No method raises for what a peer can
cause; it answers with a code.  A closed engine is the caller's own doing and raises.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from embedkafka.broker import api
from embedkafka.broker.cluster_port import ClusterPort
from embedkafka.broker.configs import Configs
from embedkafka.broker.describing import Describing
from embedkafka.broker.fetching import Complete, Fetcher, ParkedFetch
from embedkafka.broker.positions import Positions
from embedkafka.broker.producing import Producing
from embedkafka.broker.security.mutations import Mutations
from embedkafka.broker.security.port import SecurityPort
from embedkafka.broker.share.states_port import ShareStatesPort
from embedkafka.broker.transactions.markers import write_markers
from embedkafka.model import TopicPartition
from embedkafka.record import SealedBatch

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine
    from embedkafka.broker.groups.groups import Groups
    from embedkafka.broker.share.fetching import ParkedShareFetch
    from embedkafka.broker.transactions.transactions import Transactions

_HIGHEST_API_KEY = 92  # Kafka 4.3


class ApiKey:
    """Kafka's numbers of the APIs that are served (``org.apache.kafka.common.protocol.ApiKeys``)."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    LEAVE_GROUP = 13
    SYNC_GROUP = 14
    DESCRIBE_GROUPS = 15
    LIST_GROUPS = 16
    CREATE_TOPICS = 19
    DELETE_TOPICS = 20
    DELETE_RECORDS = 21
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    WRITE_TXN_MARKERS = 27
    TXN_OFFSET_COMMIT = 28
    OFFSET_FOR_LEADER_EPOCH = 23
    DESCRIBE_CONFIGS = 32
    ALTER_CONFIGS = 33
    ALTER_REPLICA_LOG_DIRS = 34
    DESCRIBE_LOG_DIRS = 35
    CREATE_PARTITIONS = 37
    DELETE_GROUPS = 42
    ELECT_LEADERS = 43
    INCREMENTAL_ALTER_CONFIGS = 44
    ALTER_PARTITION_REASSIGNMENTS = 45
    LIST_PARTITION_REASSIGNMENTS = 46
    OFFSET_DELETE = 47
    DESCRIBE_QUORUM = 55
    UPDATE_FEATURES = 57
    DESCRIBE_CLUSTER = 60
    DESCRIBE_PRODUCERS = 61
    UNREGISTER_BROKER = 64
    DESCRIBE_TRANSACTIONS = 65
    LIST_TRANSACTIONS = 66
    CONSUMER_GROUP_HEARTBEAT = 68
    CONSUMER_GROUP_DESCRIBE = 69
    LIST_CONFIG_RESOURCES = 74
    DESCRIBE_TOPIC_PARTITIONS = 75
    SHARE_GROUP_HEARTBEAT = 76
    SHARE_GROUP_DESCRIBE = 77
    SHARE_FETCH = 78
    SHARE_ACKNOWLEDGE = 79
    ADD_RAFT_VOTER = 80
    REMOVE_RAFT_VOTER = 81
    INITIALIZE_SHARE_GROUP_STATE = 83
    READ_SHARE_GROUP_STATE = 84
    WRITE_SHARE_GROUP_STATE = 85
    DELETE_SHARE_GROUP_STATE = 86
    READ_SHARE_GROUP_STATE_SUMMARY = 87
    STREAMS_GROUP_HEARTBEAT = 88
    STREAMS_GROUP_DESCRIBE = 89
    DESCRIBE_SHARE_GROUP_OFFSETS = 90
    ALTER_SHARE_GROUP_OFFSETS = 91
    DELETE_SHARE_GROUP_OFFSETS = 92


class BrokerPort(SecurityPort, ClusterPort, ShareStatesPort):
    """One broker, as clients see it.  Every method may be called from any thread."""

    def __init__(self, engine: Engine, broker_id: int) -> None:
        self.broker_id = broker_id
        self.request_counts = [0] * (_HIGHEST_API_KEY + 1)  # by API key; a list's += has no switch point inside
        self._engine = engine
        self._topics = topics = engine.topics
        self._unsealed = engine.unsealed
        self._seal = engine.unsealed.seal
        self._producing = Producing(topics.partition, read_only=engine.read_only)
        self._producing.verify_transaction = self._verify_transaction
        self._fetcher = Fetcher(
            topics.partition, engine.unsealed, engine.clock, engine.config.integer("fetch.max.bytes")
        )
        self._positions = Positions(topics.partition, read_only=engine.read_only)
        self._configs = Configs(topics, broker_id, engine.group_configs)
        self._describing = Describing(engine, broker_id)

    def _admit(self, api_key: int, context: api.RequestContext) -> None:
        """What every request passes through.  Fault rules will attach here; they need ``context``."""
        if self._engine.is_unusable:
            self._engine.check_usable()
        self.request_counts[api_key] += 1

    # Records ---------------------------------------------------------------------------------------------------------

    def produce(
        self, context: api.RequestContext, request: api.ProduceRequest, complete: Callable[[api.ProduceReply], None]
    ) -> None:
        """Append batches; partitions succeed or fail each for itself."""
        self._admit(ApiKey.PRODUCE, context)
        complete(self._producing.produce(request))

    def produce_promptly(self, context: api.RequestContext, request: api.ProduceRequest) -> api.ProduceReply | None:
        """What :meth:`produce` replies, where that needs no waiting for a disk or a lock; else None, nothing was done.

        For a caller that must not wait, with batches that have a whole header each.
        """
        reply = None if self._engine.is_unusable else self._producing.produce_promptly(request)
        if reply is not None:
            self._admit(ApiKey.PRODUCE, context)
        return reply

    def produce_sealed(
        self,
        context: api.RequestContext,
        topic_partition: TopicPartition,
        batches: Sequence[SealedBatch],
        acks: int,
        complete: Callable[[api.PartitionProduceReply], None],
        *,
        transactional_id: str | None = None,
    ) -> api.PartitionProduceReply | None:
        """Append finished batches of an embedded producer, in order: ``produce`` without the values around it.

        Returns:
            The answer to the first of them, and to as many behind it as it says: they succeeded one behind the other.
            Those that it is not about were not looked at.  None where the first was taken alone and the answer to it
            comes later through ``complete`` (with one replica it never does).
        """
        self._admit(ApiKey.PRODUCE, context)
        return self._producing.produce_sealed(topic_partition, batches, acks, transactional_id)

    def describe_producers(
        self, context: api.RequestContext, topic_partitions: Sequence[TopicPartition]
    ) -> Sequence[api.PartitionProducers]:
        """Who has written to partitions lately, and whose transactions are open there (KIP-664)."""
        self._admit(ApiKey.DESCRIBE_PRODUCERS, context)
        self._seal(topic_partitions)
        return self._producing.describe_producers(topic_partitions)

    def fetch(self, context: api.RequestContext, request: api.FetchRequest, complete: Complete) -> ParkedFetch | None:
        """Read batches, waiting for them up to ``max_wait_ms``; below 0 it waits until cancelled.

        Returns:
            None when it was answered already, else what waits, to be cancelled by whoever stops wanting it.
        """
        self._admit(ApiKey.FETCH, context)
        return self._fetcher.fetch(request, complete)

    def fetches_promptly(self, request: api.FetchRequest) -> bool:
        """Whether :meth:`fetch` would wait for no disk and no lock that is held for long; for a caller that must not.

        True as far as can be told beforehand: what is sealed or evicted in between is waited for all the same.
        """
        return self._fetcher.is_prompt(request)

    def list_offsets(
        self, context: api.RequestContext, request: api.ListOffsetsRequest
    ) -> Sequence[api.PartitionOffset]:
        """The first offset at or after a time, or one of the ends."""
        self._admit(ApiKey.LIST_OFFSETS, context)
        self._seal(list(request.timestamps))
        return self._positions.list_offsets(request)

    def offset_for_leader_epoch(
        self,
        context: api.RequestContext,
        epochs: Mapping[TopicPartition, int],
        *,
        current: Mapping[TopicPartition, int] | None = None,
    ) -> Sequence[api.EpochEndOffset]:
        """Where leader epochs ended (KIP-101, KIP-320); ``current`` is what the client takes for the leader's."""
        self._admit(ApiKey.OFFSET_FOR_LEADER_EPOCH, context)
        self._seal(list(epochs))
        return self._positions.offset_for_leader_epoch(epochs, current or {})

    def delete_records(
        self, context: api.RequestContext, offsets: Mapping[TopicPartition, int]
    ) -> Sequence[api.DeletedRecords]:
        """Delete the records before an offset; -1 deletes all."""
        self._admit(ApiKey.DELETE_RECORDS, context)
        self._seal(list(offsets))
        return self._positions.delete_records(offsets)

    # Topics ----------------------------------------------------------------------------------------------------------

    def topic_name(self, topic_id: UUID) -> str | None:
        """The name of the topic with this id; no API, but what every request that names topics by id needs first."""
        return self._topics.name_of(topic_id)

    def metadata(
        self, context: api.RequestContext, topics: Sequence[str] | None, *, auto_create: bool = False
    ) -> api.MetadataReply:
        """Brokers and topics; None asks for every topic."""
        self._admit(ApiKey.METADATA, context)
        return self._describing.metadata(topics, auto_create=auto_create)

    def create_topics(
        self,
        context: api.RequestContext,
        specs: Sequence[api.NewTopicSpec],
        *,
        validate_only: bool = False,
        mutations: Mutations | None = None,
    ) -> Sequence[api.TopicResult]:
        """Create topics, each for itself."""
        self._admit(ApiKey.CREATE_TOPICS, context)
        return self._topics.create(specs, validate_only=validate_only, mutations=mutations)

    def delete_topics(
        self, context: api.RequestContext, names: Sequence[str], *, mutations: Mutations | None = None
    ) -> Sequence[api.TopicResult]:
        """Delete topics, each for itself; what groups have committed for them goes too."""
        self._admit(ApiKey.DELETE_TOPICS, context)
        results = self._topics.delete(names, mutations=mutations)
        deleted = [result for result in results if not result.error_code]
        if deleted:
            self._engine.topics_deleted(
                [result.topic for result in deleted], [result.topic_id for result in deleted if result.topic_id]
            )
        return results

    def create_partitions(
        self,
        context: api.RequestContext,
        specs: Sequence[api.NewPartitionsSpec],
        *,
        validate_only: bool = False,
        mutations: Mutations | None = None,
    ) -> Sequence[api.TopicResult]:
        """Add partitions to topics, each for itself."""
        self._admit(ApiKey.CREATE_PARTITIONS, context)
        return self._topics.grow(specs, validate_only=validate_only, mutations=mutations)

    # Settings and state ----------------------------------------------------------------------------------------------

    def describe_configs(
        self,
        context: api.RequestContext,
        resources: Sequence[api.ConfigResourceKey],
        *,
        names: Mapping[api.ConfigResourceKey, Collection[str] | None] | None = None,
        include_synonyms: bool = False,
        include_documentation: bool = False,
    ) -> Sequence[api.ConfigResult]:
        """Settings of topics and brokers; ``names`` narrows them per resource."""
        self._admit(ApiKey.DESCRIBE_CONFIGS, context)
        return self._configs.describe(
            resources,
            names or {},
            include_synonyms=include_synonyms,
            include_documentation=include_documentation,
        )

    def alter_configs(
        self,
        context: api.RequestContext,
        configs: Mapping[api.ConfigResourceKey, Mapping[str, str | None]],
        *,
        validate_only: bool = False,
    ) -> Sequence[api.ConfigResult]:
        """Replace all settings of each resource."""
        self._admit(ApiKey.ALTER_CONFIGS, context)
        return self._configs.replace(configs, validate_only=validate_only)

    def incremental_alter_configs(
        self,
        context: api.RequestContext,
        changes: Mapping[api.ConfigResourceKey, Sequence[api.ConfigChange]],
        *,
        validate_only: bool = False,
    ) -> Sequence[api.ConfigResult]:
        """Change some settings of each resource (KIP-339)."""
        self._admit(ApiKey.INCREMENTAL_ALTER_CONFIGS, context)
        return self._configs.alter_incrementally(changes, validate_only=validate_only)

    def list_config_resources(
        self, context: api.RequestContext, resource_types: Collection[int] = ()
    ) -> Sequence[api.ConfigResourceKey]:
        """What can have settings (KIP-1142); no types ask for all.

        Raises:
            UnsupportedVersionError: Kafka does not list resources of one of the types.
        """
        self._admit(ApiKey.LIST_CONFIG_RESOURCES, context)
        return self._configs.resources(resource_types)

    def describe_log_dirs(
        self, context: api.RequestContext, topic_partitions: Collection[TopicPartition] | None
    ) -> Sequence[api.LogDirReply]:
        """Sizes of logs on the disk; None asks for every partition."""
        self._admit(ApiKey.DESCRIBE_LOG_DIRS, context)
        self._unsealed.seal_all()
        return self._describing.log_dirs(topic_partitions)

    def describe_cluster(self, context: api.RequestContext) -> api.MetadataReply:
        """Brokers, controller and cluster id; no topics."""
        self._admit(ApiKey.DESCRIBE_CLUSTER, context)
        return self._describing.metadata([], auto_create=False)

    # Groups ----------------------------------------------------------------------------------------------------------

    @property
    def _groups(self) -> Groups:
        return self._engine.groups

    def find_coordinator(
        self, context: api.RequestContext, key_type: int, keys: Sequence[str]
    ) -> Sequence[api.FoundCoordinator]:
        """Which broker coordinates each group (``key_type`` 0) or transactional id (1)."""
        self._admit(ApiKey.FIND_COORDINATOR, context)
        return self._groups.find_coordinator(context, key_type, keys)

    def join_group(
        self,
        context: api.RequestContext,
        request: api.JoinGroupRequest,
        complete: Callable[[api.JoinGroupReply], None],
    ) -> None:
        """Take part in a rebalance; answered when it has all its members."""
        self._admit(ApiKey.JOIN_GROUP, context)
        self._groups.join_group(context, request, complete)

    def sync_group(
        self,
        context: api.RequestContext,
        request: api.SyncGroupRequest,
        complete: Callable[[api.SyncGroupReply], None],
    ) -> None:
        """Get (as the leader: give) the assignment; answered when the leader has given it."""
        self._admit(ApiKey.SYNC_GROUP, context)
        self._groups.sync_group(context, request, complete)

    def heartbeat(self, context: api.RequestContext, request: api.HeartbeatRequest) -> int:
        """Stay a member; the code tells whether a rebalance is on."""
        self._admit(ApiKey.HEARTBEAT, context)
        return self._groups.heartbeat(context, request)

    def leave_group(
        self, context: api.RequestContext, group_id: str, members: Sequence[api.LeavingMember]
    ) -> api.LeaveGroupReply:
        """Stop being members."""
        self._admit(ApiKey.LEAVE_GROUP, context)
        return self._groups.leave_group(context, group_id, members)

    def consumer_group_heartbeat(
        self, context: api.RequestContext, request: api.ConsumerGroupHeartbeatRequest
    ) -> api.ConsumerGroupHeartbeatReply:
        """Join, stay in or leave a consumer group (KIP-848); the reply says what the member may own."""
        self._admit(ApiKey.CONSUMER_GROUP_HEARTBEAT, context)
        return self._groups.consumer_group_heartbeat(context, request)

    def watch_group(
        self, context: api.RequestContext, group_id: str, member_id: str, callback: Callable[[], None]
    ) -> Callable[[], None]:
        """Call ``callback`` when the member's next heartbeat would tell it something; returns what ends that."""
        self._admit(ApiKey.HEARTBEAT, context)
        return self._groups.watch_group(context, group_id, member_id, callback)

    def offset_commit(self, context: api.RequestContext, request: api.OffsetCommitRequest) -> api.OffsetCommitReply:
        """Remember how far a group has read."""
        self._admit(ApiKey.OFFSET_COMMIT, context)
        return self._groups.offset_commit(context, request)

    def offset_fetch(self, context: api.RequestContext, request: api.OffsetFetchRequest) -> api.OffsetFetchReply:
        """How far a group has read."""
        self._admit(ApiKey.OFFSET_FETCH, context)
        return self._groups.offset_fetch(context, request)

    def offset_delete(
        self, context: api.RequestContext, group_id: str, topic_partitions: Sequence[TopicPartition]
    ) -> api.OffsetDeleteReply:
        """Forget how far a group has read."""
        self._admit(ApiKey.OFFSET_DELETE, context)
        return self._groups.offset_delete(context, group_id, topic_partitions)

    def list_groups(
        self, context: api.RequestContext, *, states: Sequence[str] = (), types: Sequence[str] = ()
    ) -> Sequence[api.ListedGroup]:
        """Groups, narrowed to some states or types."""
        self._admit(ApiKey.LIST_GROUPS, context)
        return self._groups.list_groups(context, states=states, types=types)

    def describe_groups(self, context: api.RequestContext, group_ids: Sequence[str]) -> Sequence[api.DescribedGroup]:
        """Groups with their members."""
        self._admit(ApiKey.DESCRIBE_GROUPS, context)
        return self._groups.describe_groups(context, group_ids)

    def consumer_group_describe(
        self, context: api.RequestContext, group_ids: Sequence[str]
    ) -> Sequence[api.DescribedConsumerGroup]:
        """Consumer groups (KIP-848) with their members."""
        self._admit(ApiKey.CONSUMER_GROUP_DESCRIBE, context)
        return self._groups.consumer_group_describe(context, group_ids)

    def delete_groups(self, context: api.RequestContext, group_ids: Sequence[str]) -> Sequence[api.GroupResult]:
        """Delete groups that have no members, with their offsets."""
        self._admit(ApiKey.DELETE_GROUPS, context)
        return self._groups.delete_groups(context, group_ids)

    # Streams groups (KIP-1071) ---------------------------------------------------------------------------------------

    def streams_group_heartbeat(
        self, context: api.RequestContext, request: api.StreamsGroupHeartbeatRequest
    ) -> api.StreamsGroupHeartbeatReply:
        """Join, stay in or leave a streams group; the reply says which tasks the member may have.

        Internal topics that the group's topology lacks are created.
        """
        self._admit(ApiKey.STREAMS_GROUP_HEARTBEAT, context)
        return self._groups.streams.heartbeat(context, request)

    def streams_group_describe(
        self, context: api.RequestContext, group_ids: Sequence[str]
    ) -> Sequence[api.DescribedStreamsGroup]:
        """Streams groups with their topology, members and tasks."""
        self._admit(ApiKey.STREAMS_GROUP_DESCRIBE, context)
        return self._groups.streams.describe(group_ids)

    # Share groups (KIP-932) ------------------------------------------------------------------------------------------

    def share_group_heartbeat(
        self, context: api.RequestContext, request: api.ShareGroupHeartbeatRequest
    ) -> api.ShareGroupHeartbeatReply:
        """Join, stay in or leave a share group; the reply says which partitions the member may read."""
        self._admit(ApiKey.SHARE_GROUP_HEARTBEAT, context)
        return self._groups.share.heartbeat(context, request)

    def share_fetch(
        self,
        context: api.RequestContext,
        request: api.ShareFetchRequest,
        complete: Callable[[api.ShareFetchReply], None],
    ) -> ParkedShareFetch | None:
        """Acknowledge and acquire records, waiting for them up to ``max_wait_ms``; below 0 it waits until cancelled.

        Returns:
            None when it was answered already, else what waits, to be cancelled by whoever stops wanting it.
        """
        self._admit(ApiKey.SHARE_FETCH, context)
        return self._engine.shares.fetch(context, request, complete)

    def share_acknowledge(
        self, context: api.RequestContext, request: api.ShareAcknowledgeRequest
    ) -> api.ShareAcknowledgeReply:
        """Say what became of acquired records; what counts is stored when this returns."""
        self._admit(ApiKey.SHARE_ACKNOWLEDGE, context)
        return self._engine.shares.acknowledge(context, request)

    def close_share_session(self, context: api.RequestContext, group_id: str, member_id: str) -> None:
        """A member's connection is gone: its session ends, and what it has acquired is available again."""
        if not self._engine.is_unusable:
            self._engine.shares.close_session(group_id, member_id)

    def share_group_describe(
        self, context: api.RequestContext, group_ids: Sequence[str]
    ) -> Sequence[api.DescribedShareGroup]:
        """Share groups with their members."""
        self._admit(ApiKey.SHARE_GROUP_DESCRIBE, context)
        return self._groups.share.describe(group_ids)

    def describe_share_group_offsets(
        self, context: api.RequestContext, requests: Sequence[api.DescribeShareGroupOffsetsRequest]
    ) -> Sequence[api.DescribedShareGroupOffsets]:
        """How far share groups are, and how far behind."""
        self._admit(ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS, context)
        return [self._groups.share.describe_offsets(request) for request in requests]

    def alter_share_group_offsets(
        self, context: api.RequestContext, request: api.AlterShareGroupOffsetsRequest
    ) -> api.AlterShareGroupOffsetsReply:
        """Have a share group without members begin elsewhere."""
        self._admit(ApiKey.ALTER_SHARE_GROUP_OFFSETS, context)
        return self._groups.share.alter_offsets(request)

    def delete_share_group_offsets(
        self, context: api.RequestContext, request: api.DeleteShareGroupOffsetsRequest
    ) -> api.DeleteShareGroupOffsetsReply:
        """Forget how far a share group without members is in whole topics."""
        self._admit(ApiKey.DELETE_SHARE_GROUP_OFFSETS, context)
        return self._groups.share.delete_offsets(request)

    # Transactions ----------------------------------------------------------------------------------------------------

    def init_producer_id(
        self,
        context: api.RequestContext,
        request: api.InitProducerIdRequest,
        complete: Callable[[api.InitProducerIdReply], None],
    ) -> None:
        """Give a producer its id: without a transactional id a new one, else that id's, with a newer epoch."""
        self._admit(ApiKey.INIT_PRODUCER_ID, context)
        if request.transactional_id is None:
            complete(self._producing.init_producer_id(self._engine.producer_ids))
        else:
            complete(self._transactions.init_producer_id(request))

    @property
    def _transactions(self) -> Transactions:
        return self._engine.transactions

    def add_partitions_to_txn(
        self, context: api.RequestContext, transactions: Sequence[api.TxnPartitions]
    ) -> Sequence[api.TxnPartitionsResult]:
        """Add partitions to transactions, or verify that they are there, each transaction for itself."""
        self._admit(ApiKey.ADD_PARTITIONS_TO_TXN, context)
        return [self._transactions.add_partitions(each) for each in transactions]

    def add_offsets_to_txn(
        self,
        context: api.RequestContext,
        transactional_id: str,
        *,
        producer_id: int,
        producer_epoch: int,
        group_id: str,
    ) -> int:
        """Announce that a group's offsets will be committed in a transaction; the reply is an error code."""
        self._admit(ApiKey.ADD_OFFSETS_TO_TXN, context)
        return self._transactions.add_offsets(transactional_id, producer_id, producer_epoch, group_id)

    def end_txn(self, context: api.RequestContext, request: api.EndTxnRequest) -> api.EndTxnReply:
        """Commit or abort a transaction; its markers are written before this returns."""
        self._admit(ApiKey.END_TXN, context)
        return self._transactions.end(request)

    def write_txn_markers(
        self, context: api.RequestContext, markers: Sequence[api.TxnMarker]
    ) -> Sequence[api.TxnMarkerResult]:
        """Write the ends of transactions into partitions, past their coordinator: for an operator's hand."""
        self._admit(ApiKey.WRITE_TXN_MARKERS, context)
        return [api.TxnMarkerResult(each.producer_id, write_markers(self._engine, each)) for each in markers]

    def txn_offset_commit(
        self, context: api.RequestContext, request: api.TxnOffsetCommitRequest
    ) -> api.OffsetCommitReply:
        """Remember how far a group has read, once a transaction is committed."""
        self._admit(ApiKey.TXN_OFFSET_COMMIT, context)
        error_code = self._transactions.verify_offsets(request)
        if error_code:
            return api.OffsetCommitReply(dict.fromkeys(request.offsets, error_code))
        return self._groups.txn_offset_commit(context, request)

    def describe_transactions(
        self, context: api.RequestContext, transactional_ids: Sequence[str]
    ) -> Sequence[api.DescribedTransaction]:
        """Transactions by their ids, in the order asked."""
        self._admit(ApiKey.DESCRIBE_TRANSACTIONS, context)
        return self._transactions.describe(transactional_ids)

    def list_transactions(
        self, context: api.RequestContext, request: api.ListTransactionsRequest
    ) -> api.ListTransactionsReply:
        """Transactional ids that pass the filters, by name."""
        self._admit(ApiKey.LIST_TRANSACTIONS, context)
        return self._transactions.list(request)

    def _verify_transaction(
        self, transactional_id: str, producer_id: int, producer_epoch: int, topic_partition: TopicPartition, add: bool
    ) -> int:
        return self._transactions.verify(transactional_id, producer_id, producer_epoch, topic_partition, add)
