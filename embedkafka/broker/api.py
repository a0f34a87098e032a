"""What a :class:`~embedkafka.broker.port.BrokerPort` is asked and answers: Kafka's APIs as plain values.

One request and one reply per API, named and shaped as in Kafka's message schemas so that the listener's handlers are
a field-by-field mapping.  They are per batch, never per record.  Replies carry Kafka's error codes (0 is none); the
client turns a code into its class with :func:`embedkafka.errors.for_code`.  ``error_message`` is the sentence for the
reader.  They are named tuples because one is made for every batch: a frozen data class costs three times as much.

Offsets, epochs and ids use Kafka's sentinels: -1 for none, and for ``timestamp`` in a list-offsets query
:data:`LATEST_TIMESTAMP` and :data:`EARLIEST_TIMESTAMP`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from embedkafka.broker.cluster_api import *  # noqa: F403 # leaders, replicas, features, quorum
from embedkafka.broker.security.acls_api import *  # noqa: F403 # rules, users and limits
from embedkafka.broker.security.quotas_api import *  # noqa: F403
from embedkafka.broker.security.users_api import *  # noqa: F403
from embedkafka.broker.share.api import *  # noqa: F403 # reading and acknowledging as a share group
from embedkafka.coordinator.api import *  # noqa: F403 # the group APIs' values are part of this module
from embedkafka.coordinator.share.api import *  # noqa: F403 # those of share groups
from embedkafka.coordinator.streams.api import *  # noqa: F403 # those of streams groups
from embedkafka.coordinator.transaction.api import *  # noqa: F403 # and those of transactions
from embedkafka.model import TopicPartition

LATEST_TIMESTAMP = -1
EARLIEST_TIMESTAMP = -2
MAX_TIMESTAMP = -3  # KIP-734: the record with the largest timestamp

_NOTHING: Mapping[Any, Any] = MappingProxyType({})

READ_UNCOMMITTED = 0
READ_COMMITTED = 1


class Liveness(Protocol):
    """What the group coordinator may ask of an in-process member instead of waiting for its heartbeats.

    A plain object that the client keeps up to date and that does not hold the client.  ``alive`` turns False by close,
    garbage collection or kill; ``last_poll_ms`` is ``Clock.monotonic_ms()`` at the last poll.
    """

    alive: bool
    last_poll_ms: float
    max_poll_interval_ms: float


class RequestContext(NamedTuple):
    """Who asks.

    ``in_process`` tells the group coordinator that the engine itself knows whether this member lives, so it need not
    send heartbeats (DESIGN section 7): it asks ``liveness``, given with the join.
    """

    client_id: str = ""
    principal: str = "User:ANONYMOUS"
    client_host: str = "/127.0.0.1"
    in_process: bool = True
    liveness: Liveness | None = None


# Produce (0) ---------------------------------------------------------------------------------------------------------


class PartitionBatches(NamedTuple):
    """Whole record batches for one partition, base offsets still relative to 0.

    ``records`` belongs to the broker from here on: it patches base offset and leader epoch in place where it can.
    """

    topic_partition: TopicPartition
    records: bytearray | memoryview
    leader_epoch: int = -1


class ProduceRequest(NamedTuple):
    batches: Sequence[PartitionBatches]
    acks: int = -1
    timeout_ms: int = 30_000
    transactional_id: str | None = None
    trusted: bool = False  # built by this process's own codec: checksum and offsets need no second look
    transaction_version: int = 2  # 2: a transaction's first batch adds its partition (KIP-890); else it must be there


class PartitionProduceReply(NamedTuple):
    topic_partition: TopicPartition
    error_code: int = 0
    error_message: str | None = None
    base_offset: int = -1
    log_append_time_ms: int = -1
    log_start_offset: int = -1
    record_indexes: tuple[int, ...] = ()  # of the records for which the batch was refused
    batches_count: int = 1  # of those that an embedded producer handed over: how many the answer is about


class ProduceReply(NamedTuple):
    partitions: Sequence[PartitionProduceReply]


# InitProducerId (22), DescribeProducers (61) -------------------------------------------------------------------------


class InitProducerIdRequest(NamedTuple):
    """``transactional_id`` None asks for a new id; id and epoch are the producer's own where it has them."""

    transactional_id: str | None = None
    transaction_timeout_ms: int = 60_000
    producer_id: int = -1
    producer_epoch: int = -1


class InitProducerIdReply(NamedTuple):
    error_code: int = 0
    producer_id: int = -1
    producer_epoch: int = -1
    error_message: str | None = None


class ActiveProducer(NamedTuple):
    """``last_sequence``, ``coordinator_epoch`` and ``transaction_start_offset`` are -1 for none."""

    producer_id: int
    producer_epoch: int
    last_sequence: int
    last_timestamp: int
    coordinator_epoch: int
    transaction_start_offset: int


class PartitionProducers(NamedTuple):
    topic_partition: TopicPartition
    error_code: int = 0
    error_message: str | None = None
    producers: Sequence[ActiveProducer] = ()


# Fetch (1) -----------------------------------------------------------------------------------------------------------


class PartitionFetch(NamedTuple):
    topic_partition: TopicPartition
    fetch_offset: int
    max_bytes: int = 1_048_576
    current_leader_epoch: int = -1
    last_fetched_epoch: int = -1


class FetchRequest(NamedTuple):
    """``max_wait_ms`` 0 answers at once; otherwise the reply waits until ``min_bytes`` are there or the time is up.

    The reply names every partition if ``wants_all``, else at least those that have something to tell.
    """

    partitions: Sequence[PartitionFetch]
    max_wait_ms: int = 0
    min_bytes: int = 1
    max_bytes: int = 52_428_800
    isolation_level: int = READ_UNCOMMITTED
    wants_all: bool = False


class AbortedTransaction(NamedTuple):
    producer_id: int
    first_offset: int


class PartitionFetchReply(NamedTuple):
    """``records`` are chunks of whole batches in offset order; the first may begin below ``fetch_offset``."""

    topic_partition: TopicPartition
    error_code: int = 0
    high_watermark: int = -1
    last_stable_offset: int = -1
    log_start_offset: int = -1
    aborted_transactions: Sequence[AbortedTransaction] = ()
    records: Sequence[memoryview] = ()
    error_message: str | None = None


class FetchReply(NamedTuple):
    partitions: Sequence[PartitionFetchReply]


# ListOffsets (2), OffsetForLeaderEpoch (23) --------------------------------------------------------------------------


class ListOffsetsRequest(NamedTuple):
    """``timestamps``: milliseconds since the epoch, or one of the negative sentinels above.

    ``leader_epochs`` are what the client takes for the leaders'.
    """

    timestamps: Mapping[TopicPartition, int]
    isolation_level: int = READ_UNCOMMITTED
    leader_epochs: Mapping[TopicPartition, int] = _NOTHING


class PartitionOffset(NamedTuple):
    """``offset`` and ``timestamp`` are -1 where no record is at or after the time."""

    topic_partition: TopicPartition
    error_code: int = 0
    timestamp: int = -1
    offset: int = -1
    leader_epoch: int = -1


class EpochEndOffset(NamedTuple):
    topic_partition: TopicPartition
    error_code: int = 0
    leader_epoch: int = -1
    end_offset: int = -1


# Metadata (3), DescribeCluster (60) ----------------------------------------------------------------------------------


class BrokerEndpoint(NamedTuple):
    broker_id: int
    host: str = ""
    port: int = -1
    rack: str | None = None


class PartitionMetadata(NamedTuple):
    partition: int
    leader_id: int
    leader_epoch: int
    replicas: Sequence[int]
    isr: Sequence[int]
    error_code: int = 0


class TopicMetadata(NamedTuple):
    topic: str
    topic_id: UUID
    is_internal: bool = False
    partitions: Sequence[PartitionMetadata] = ()
    error_code: int = 0
    error_message: str | None = None


class MetadataReply(NamedTuple):
    cluster_id: str
    controller_id: int
    brokers: Sequence[BrokerEndpoint]
    topics: Sequence[TopicMetadata]


class TopicPartitionsPage(NamedTuple):
    """Topics with this page's partitions; ``next_cursor`` is where the next page begins, None after the last."""

    topics: Sequence[TopicMetadata]
    next_cursor: TopicPartition | None = None


# Topics and configs (19, 20, 32, 33, 37, 44) -------------------------------------------------------------------------


class NewTopicSpec(NamedTuple):
    """-1 partitions or replication factor means the broker's default; ``assignments`` maps partition to broker ids."""

    topic: str
    num_partitions: int = -1
    replication_factor: int = -1
    assignments: Mapping[int, Sequence[int]] = _NOTHING
    configs: Mapping[str, str | None] = _NOTHING


class TopicResult(NamedTuple):
    """The outcome for one topic of create, delete or add-partitions."""

    topic: str
    error_code: int = 0
    error_message: str | None = None
    topic_id: UUID | None = None
    num_partitions: int = -1
    replication_factor: int = -1


class NewPartitionsSpec(NamedTuple):
    topic: str
    total_count: int
    assignments: Sequence[Sequence[int]] | None = None


class ResourceType:
    """Kafka's config resource types (org.apache.kafka.common.config.ConfigResource.Type)."""

    TOPIC = 2
    BROKER = 4
    BROKER_LOGGER = 8
    CLIENT_METRICS = 16
    GROUP = 32


class AlterConfigOp:
    """KIP-339."""

    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


class ConfigSource:
    """Where a config's value comes from, Kafka's numbers."""

    UNKNOWN = 0
    DYNAMIC_TOPIC_CONFIG = 1
    DYNAMIC_BROKER_CONFIG = 2
    STATIC_BROKER_CONFIG = 4
    DEFAULT_CONFIG = 5
    DYNAMIC_GROUP_CONFIG = 8


class ConfigResourceKey(NamedTuple):
    resource_type: int
    name: str


class ConfigSynonym(NamedTuple):
    name: str
    value: str | None
    source: int


class ConfigEntry(NamedTuple):
    """``config_type`` is Kafka's number for the value's type (KIP-569)."""

    name: str
    value: str | None
    source: int
    read_only: bool = False
    is_sensitive: bool = False
    synonyms: Sequence[ConfigSynonym] = ()
    config_type: int = 0
    documentation: str | None = None


class ConfigResult(NamedTuple):
    resource: ConfigResourceKey
    error_code: int = 0
    error_message: str | None = None
    entries: Sequence[ConfigEntry] = ()


class ConfigChange(NamedTuple):
    name: str
    operation: int
    value: str | None = None


# DeleteRecords (21), DescribeLogDirs (35) ----------------------------------------------------------------------------


class DeletedRecords(NamedTuple):
    topic_partition: TopicPartition
    error_code: int = 0
    low_watermark: int = -1
    error_message: str | None = None


class ReplicaSize(NamedTuple):
    topic_partition: TopicPartition
    size_bytes: int
    offset_lag: int = 0
    is_future: bool = False


class LogDirReply(NamedTuple):
    error_code: int
    log_dir: str
    replicas: Sequence[ReplicaSize]
    total_bytes: int = -1
    usable_bytes: int = -1


# FindCoordinator (10); the group APIs' values are in coordinator/api.py ---------------------------------------------


class FoundCoordinator(NamedTuple):
    key: str
    error_code: int = 0
    error_message: str | None = None
    broker_id: int = -1
    host: str = ""
    port: int = -1
