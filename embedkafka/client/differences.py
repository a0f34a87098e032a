"""Where the public face differs from kafka-python 3.0.12, each with its reason.

``tests/client/test_compatibility.py`` compares the two packages line by line (names, methods, parameters, defaults,
settings, fields, error classes) and fails on a difference that is not listed here, and on one listed here that is none.
What is added is listed too: an addition can collide with a later kafka-python.

Differences in behaviour, which no signature shows, are in :data:`BEHAVIOUR`.
"""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """``theirs`` and ``ours`` are None where there is nothing."""

    theirs: str | None
    ours: str | None
    reason: str


def _added(reason: str, **ours: str) -> dict[str, Difference]:
    return {name: Difference(None, shape, reason) for name, shape in ours.items()}


def _names(reason: str, *names: str) -> dict[str, Difference]:
    return {f"name {name}": Difference(None, "there", reason) for name in names}


_CLIENT_ID = "a client says who it is"
_JAVA = "Java's consumer and producer have it"
_NETWORK = "the class that carries requests over a network; there is none here"
_KAFKA_4_3 = "an error code of Kafka 4.3 that kafka-python does not know yet"

DIFFERENCES: dict[str, Difference] = {
    "KafkaAdminClient setting client_id": Difference("'kafka-python-3.0.12'", "'embedkafka-admin'", _CLIENT_ID),
    "KafkaConsumer setting client_id": Difference("'kafka-python-3.0.12'", "'embedkafka-consumer'", _CLIENT_ID),
    "KafkaAdminClient setting kafka_client": Difference("<class KafkaNetClient>", "None", _NETWORK),
    "KafkaConsumer setting kafka_client": Difference("<class KafkaNetClient>", "None", _NETWORK),
    "KafkaProducer setting kafka_client": Difference("<class KafkaNetClient>", "None", _NETWORK),
    "KafkaAdminClient setting selector": Difference("<class DefaultSelector>", "None", _NETWORK),
    "KafkaConsumer setting selector": Difference("<class DefaultSelector>", "None", _NETWORK),
    "KafkaProducer setting selector": Difference("<class DefaultSelector>", "None", _NETWORK),
    "KafkaProducer.max_usable_produce_magic": Difference(
        "(api_version)", None, "chooses among record formats of old brokers; there is one format here"
    ),
    **{
        f"KafkaConsumer setting {name}": Difference(None, default, _JAVA)
        for name, default in {
            "group_protocol": "'classic'",
            "group_remote_assignor": "None",
            "interceptor_classes": "[]",
        }.items()
    },
    "KafkaProducer setting buffer_memory": Difference(None, "33554432", _JAVA),
    "KafkaProducer setting interceptors": Difference(None, "[]", _JAVA),
    "KafkaProducer.transaction": Difference(None, "()", "a with block that commits, or aborts where it raises"),
    **_added(
        "Java's Admin has them",
        **{
            "KafkaAdminClient.alter_client_quotas": "(entity, limits, validate_only=False)",
            "KafkaAdminClient.describe_client_quotas": "(entity=None, strict=False)",
        },
    ),
    "KafkaConsumer.lag": Difference(None, "(partition)", "Java's currentLag"),
    "KafkaConsumer.wakeup": Difference(None, "()", _JAVA),
    # what is given at the top level besides kafka-python's names
    **_names("the engine itself", "EmbeddedKafka", "ManualClock"),
    **_names(
        "kafka-python keeps it in a submodule",
        "ConfigResource",
        "ConfigResourceType",
        "ConsumerRecord",
        "NewPartitions",
        "NewTopic",
        "OffsetAndTimestamp",
        "RecordMetadata",
        "errors",
    ),
    **_names(
        "Java's clients have it", "AcknowledgeType", "KafkaShareConsumer", "ProducerRecord", "SubscriptionPattern"
    ),
    "admin GroupState members": Difference(
        "UNKNOWN=Unknown, PREPARING_REBALANCE=PreparingRebalance, COMPLETING_REBALANCE=CompletingRebalance, "
        "STABLE=Stable, DEAD=Dead, EMPTY=Empty, ASSIGNING=Assigning, RECONCILING=Reconciling",
        "UNKNOWN=Unknown, PREPARING_REBALANCE=PreparingRebalance, COMPLETING_REBALANCE=CompletingRebalance, "
        "STABLE=Stable, DEAD=Dead, EMPTY=Empty, ASSIGNING=Assigning, RECONCILING=Reconciling, NOT_READY=NotReady",
        "streams groups (KIP-1071) are listed, too",
    ),
    "admin GroupType members": Difference(
        "UNKNOWN=Unknown, CLASSIC=classic, CONSUMER=consumer, SHARE=share",
        "UNKNOWN=Unknown, CLASSIC=classic, CONSUMER=consumer, SHARE=share, STREAMS=streams",
        "streams groups (KIP-1071) are listed, too",
    ),
    "admin name SharePartitionOffsetInfo": Difference(None, "there", "Java's admin client has it"),
    "fields of admin SharePartitionOffsetInfo": Difference(
        None, "start_offset, leader_epoch=None, lag=None", "Java's admin client has it"
    ),
    **{
        f"KafkaAdminClient.{name}": Difference(None, parameters, "Java's admin client has it")
        for name, parameters in {
            "describe_share_groups": "(group_ids)",
            "delete_share_groups": "(group_ids)",
            "list_share_group_offsets": "(group_specs)",
            "alter_share_group_offsets": "(group_id, offsets)",
            "delete_share_group_offsets": "(group_id, topics)",
            "describe_streams_groups": "(group_ids)",
            "delete_streams_groups": "(group_ids)",
            "list_streams_group_offsets": "(group_specs)",
            "alter_streams_group_offsets": "(group_id, offsets)",
            "delete_streams_group_offsets": "(group_id, partitions)",
        }.items()
    },
    **_names(
        "ready-made, as Java's clients have them",
        "BytesSerializer",
        "IntegerSerializer",
        "MsgpackSerializer",
        "StringSerializer",
    ),
    **{
        f"admin name {name}": Difference(None, "there", "kafka-python has it in the module, not in __all__")
        for name in ("ConfigFilterType", "IsolationLevel", "NewPartitions", "NewTopic")
    },
    "admin ACLOperation members": Difference(
        "UNKNOWN=0, ANY=1, ALL=2, READ=3, WRITE=4, CREATE=5, DELETE=6, ALTER=7, DESCRIBE=8, CLUSTER_ACTION=9, "
        "DESCRIBE_CONFIGS=10, ALTER_CONFIGS=11, IDEMPOTENT_WRITE=12, CREATE_TOKENS=13, DESCRIBE_TOKENS=14",
        "UNKNOWN=0, ANY=1, ALL=2, READ=3, WRITE=4, CREATE=5, DELETE=6, ALTER=7, DESCRIBE=8, CLUSTER_ACTION=9, "
        "DESCRIBE_CONFIGS=10, ALTER_CONFIGS=11, IDEMPOTENT_WRITE=12, CREATE_TOKENS=13, DESCRIBE_TOKENS=14, "
        "TWO_PHASE_COMMIT=15",
        "KIP-939; kafka-python does not know it yet",
    ),
    "admin ConfigFilterType members": Difference(
        None, "ALL=0, DYNAMIC=1, MODIFIED=2, DEFAULT=3, STATIC=4", "not in kafka-python's __all__"
    ),
    "admin IsolationLevel members": Difference(
        None, "READ_UNCOMMITTED=0, READ_COMMITTED=1", "not in kafka-python's __all__"
    ),
    "admin NewPartitions.__init__": Difference(
        None, "(total_count, new_assignments=None)", "not in kafka-python's __all__"
    ),
    "admin NewTopic.__init__": Difference(
        None,
        "(name, num_partitions=-1, replication_factor=-1, replica_assignments=None, topic_configs=None)",
        "not in kafka-python's __all__",
    ),
    # errors
    **{
        f"error {name}": Difference(None, shape, _KAFKA_4_3)
        for name, shape in {
            "InvalidRegularExpressionError": "128 INVALID_REGULAR_EXPRESSION (BrokerResponseError, KafkaError)",
            "RebootstrapRequiredError": "129 REBOOTSTRAP_REQUIRED (BrokerResponseError, KafkaError)",
            "StreamsInvalidTopologyError": "130 STREAMS_INVALID_TOPOLOGY (BrokerResponseError, KafkaError)",
            "StreamsInvalidTopologyEpochError": (
                "131 STREAMS_INVALID_TOPOLOGY_EPOCH (BrokerResponseError, KafkaError)"
            ),
            "StreamsTopologyFencedError": "132 STREAMS_TOPOLOGY_FENCED (BrokerResponseError, KafkaError)",
            "ShareSessionLimitReachedError": (
                "133 SHARE_SESSION_LIMIT_REACHED (RetriableError, BrokerResponseError, KafkaError) retriable"
            ),
        }.items()
    },
    **{
        f"error {name}": Difference(None, "(KafkaError)", reason)
        for name, reason in {
            "RecordDeserializationError": "Java's RecordDeserializationException: says which record",
            "WakeupError": "Java's WakeupException",
            "ConcurrentModificationError": "Java's ConcurrentModificationException",
            "DirectoryLockedError": "another process owns the data directory",
            "ForeignDirectoryError": "the directory holds something else",
        }.items()
    },
    **{
        f"error {name}": Difference(f"None None ({bases})", f"-1 UNKNOWN ({bases})", "an int, so that types hold")
        for name, bases in {
            "AuthorizationError": "BrokerResponseError, KafkaError",
            "BrokerResponseError": "KafkaError",
        }.items()
    },
}

BEHAVIOUR: dict[str, str] = {
    "null keys": "the default partitioner fills a batch of one partition before it goes on (KIP-480), as in Kafka; "
    "kafka-python picks a partition at random for each record",
    "an unknown setting": "the error names the nearest known one",
    "an unknown auto_offset_reset": "an error; kafka-python logs a warning and takes it for 'none'",
    "auto_offset_reset='by_duration:PT1H'": "is understood (KIP-1106)",
    "offsets of a topic that does not exist": "UnknownTopicOrPartitionError at once; kafka-python waits a while",
    "a negative offset": "ValueError in commit(); kafka-python sends it, and Kafka then forgets the committed offset",
    "an eager rebalance": "partitions that a member gets back begin at the committed offset, as in Java; kafka-python "
    "keeps the position",
    "pause() of a partition that is not assigned": "IllegalStateError, as in Java; kafka-python raises KeyError",
    "a deserializer that fails": "RecordDeserializationError, its cause inside; the position stays at the record",
    "two threads in one consumer": "ConcurrentModificationError, as in Java; kafka-python leaves it undefined",
    "KafkaProducer.close(0)": "what was sent is delivered all the same, for that takes no waiting; Java drops it",
    "heartbeat_interval_ms >= session_timeout_ms": "accepted: members in this process send no heartbeats",
    "alter_group_offsets() of a topic that does not exist": "UnknownTopicOrPartitionError; kafka-python's ValueError",
    "metrics()": "totals under kafka-python's group names, no rates",
    "KafkaConsumer(group_protocol='consumer')": "KIP-848, as in Java; kafka-python has the classic protocol only",
}
"""What behaves differently, by occasion."""
