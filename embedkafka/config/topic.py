"""The settings of a topic: all that Kafka 4.3 has (``org.apache.kafka.storage.internals.log.LogConfig``).

A test holds names, types, defaults and bounds against the table that Kafka's own jars print.
"""

from __future__ import annotations

from embedkafka.config.definition import (
    MAX_LONG,
    AtLeast,
    Between,
    ConfigDef,
    ConfigKey,
    ConfigType,
    GzipLevel,
    OneOf,
    ReplicaList,
    SomeOf,
)

_NO_TIERED_STORAGE = "there is no tiered storage"
_ONE_REPLICA = "there is one replica of each partition until several brokers exist"
_USUAL_LEVEL = "the broker compresses with each codec's usual level"
_NEVER_PREALLOCATED = "files grow as they are written; nothing is preallocated (DESIGN section 3)"

COMPRESSION_TYPES = ("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer")

CLEANUP_POLICY = ConfigKey(
    "cleanup.policy",
    ConfigType.LIST,
    ["delete"],
    "What happens to old segments: delete drops them by age and size, compact keeps the last record of each key, both "
    "do both, and an empty list keeps everything.",
    SomeOf(("compact", "delete")),
)

TOPIC_CONFIGS = ConfigDef(
    "topic",
    [
        CLEANUP_POLICY,
        ConfigKey(
            "compression.gzip.level",
            ConfigType.INT,
            -1,
            "How hard gzip tries where compression.type makes the broker compress.",
            GzipLevel(),
            inert_because=_USUAL_LEVEL,
        ),
        ConfigKey(
            "compression.lz4.level",
            ConfigType.INT,
            9,
            "How hard lz4 tries where compression.type makes the broker compress.",
            Between(1, 17),
            inert_because=_USUAL_LEVEL,
        ),
        ConfigKey(
            "compression.type",
            ConfigType.STRING,
            "producer",
            "The codec of stored batches; producer keeps what was sent.",
            OneOf(COMPRESSION_TYPES),
        ),
        ConfigKey(
            "compression.zstd.level",
            ConfigType.INT,
            3,
            "How hard zstd tries where compression.type makes the broker compress.",
            Between(-131072, 22),
            inert_because=_USUAL_LEVEL,
        ),
        ConfigKey(
            "delete.retention.ms",
            ConfigType.LONG,
            86_400_000,
            "How long a compacted topic keeps a tombstone, so that a reader who started before it still sees it.",
            AtLeast(0),
        ),
        ConfigKey(
            "errors.deadletterqueue.group.enable",
            ConfigType.BOOLEAN,
            False,
            "Whether the topic may take dead letters of share groups (KIP-1191; Kafka has it since 4.4).",
            is_internal=True,  # 4.3 does not list it
        ),
        ConfigKey(
            "file.delete.delay.ms",
            ConfigType.LONG,
            60_000,
            "How long a deleted file keeps lying about under its .deleted or -delete name.",
            AtLeast(0),
        ),
        ConfigKey(
            "flush.messages",
            ConfigType.LONG,
            MAX_LONG,
            "After how many records the log is synced to the disk; 1 syncs before every acknowledgement.",
            AtLeast(1),
        ),
        ConfigKey(
            "flush.ms",
            ConfigType.LONG,
            MAX_LONG,
            "After how long a record that is not synced yet gets synced.",
            AtLeast(0),
        ),
        ConfigKey(
            "follower.replication.throttled.replicas",
            ConfigType.LIST,
            [],
            "Replicas whose copying is slowed down on the follower.",
            ReplicaList(),
            inert_because=_ONE_REPLICA,
        ),
        ConfigKey(
            "index.interval.bytes",
            ConfigType.INT,
            4096,
            "How many bytes of log lie between two entries of the offset index.",
            AtLeast(0),
        ),
        ConfigKey(
            "internal.segment.bytes",
            ConfigType.INT,
            None,
            "Replaces segment.bytes without its lower bound; for tests that want tiny segments.",
            is_internal=True,
        ),
        ConfigKey(
            "leader.replication.throttled.replicas",
            ConfigType.LIST,
            [],
            "Replicas whose copying is slowed down on the leader.",
            ReplicaList(),
            inert_because=_ONE_REPLICA,
        ),
        ConfigKey(
            "local.retention.bytes",
            ConfigType.LONG,
            -2,
            "How much stays on the local disk beside tiered storage.",
            AtLeast(-2),
            inert_because=_NO_TIERED_STORAGE,
        ),
        ConfigKey(
            "local.retention.ms",
            ConfigType.LONG,
            -2,
            "How long records stay on the local disk beside tiered storage.",
            AtLeast(-2),
            inert_because=_NO_TIERED_STORAGE,
        ),
        ConfigKey(
            "max.compaction.lag.ms",
            ConfigType.LONG,
            MAX_LONG,
            "A record is compacted at the latest after this long, whatever the dirty ratio says.",
            AtLeast(1),
        ),
        ConfigKey(
            "max.message.bytes",
            ConfigType.INT,
            1_048_588,
            "The largest record batch, in bytes, as it arrives.",
            AtLeast(0),
        ),
        ConfigKey(
            "message.timestamp.after.max.ms",
            ConfigType.LONG,
            3_600_000,
            "How far a record's timestamp may lie ahead of the broker's clock.",
            AtLeast(0),
        ),
        ConfigKey(
            "message.timestamp.before.max.ms",
            ConfigType.LONG,
            MAX_LONG,
            "How far a record's timestamp may lie behind the broker's clock.",
            AtLeast(0),
        ),
        ConfigKey(
            "message.timestamp.type",
            ConfigType.STRING,
            "CreateTime",
            "Whose time a record carries: its sender's, or that of its append.",
            OneOf(("CreateTime", "LogAppendTime")),
        ),
        ConfigKey(
            "min.cleanable.dirty.ratio",
            ConfigType.DOUBLE,
            0.5,
            "The share of not yet compacted bytes at which a log is compacted.",
            Between(0, 1),
        ),
        ConfigKey(
            "min.compaction.lag.ms",
            ConfigType.LONG,
            0,
            "How long a record stays untouched by compaction.",
            AtLeast(0),
        ),
        ConfigKey(
            "min.insync.replicas",
            ConfigType.INT,
            1,
            "How many replicas must have a record before acks=all is answered.",
            AtLeast(1),
            inert_because=_ONE_REPLICA,
        ),
        ConfigKey(
            "preallocate",
            ConfigType.BOOLEAN,
            False,
            "Whether a new segment takes its full size on the disk at once.",
            inert_because=_NEVER_PREALLOCATED,
        ),
        ConfigKey(
            "remote.log.copy.disable",
            ConfigType.BOOLEAN,
            False,
            "Stops copying to tiered storage.",
            inert_because=_NO_TIERED_STORAGE,
        ),
        ConfigKey(
            "remote.log.delete.on.disable",
            ConfigType.BOOLEAN,
            False,
            "Drops tiered data when tiered storage is switched off.",
            inert_because=_NO_TIERED_STORAGE,
        ),
        ConfigKey(
            "remote.storage.enable",
            ConfigType.BOOLEAN,
            False,
            "Switches tiered storage on; refused here.",
            inert_because=_NO_TIERED_STORAGE,
        ),
        ConfigKey(
            "retention.bytes",
            ConfigType.LONG,
            -1,
            "How large a partition may grow before its oldest segments go; -1 is no limit.",
        ),
        ConfigKey(
            "retention.ms",
            ConfigType.LONG,
            604_800_000,
            "How old a segment's newest record may get before the segment goes; -1 is no limit.",
            AtLeast(-1),
        ),
        ConfigKey(
            "segment.bytes",
            ConfigType.INT,
            1_073_741_824,
            "The size at which a segment is closed and the next begins.",
            AtLeast(1_048_576),
        ),
        ConfigKey(
            "segment.index.bytes",
            ConfigType.INT,
            10_485_760,
            "The size of an index at which its segment is closed.",
            AtLeast(4),
        ),
        ConfigKey(
            "segment.jitter.ms",
            ConfigType.LONG,
            0,
            "Up to how much earlier than segment.ms a segment is closed, at random.",
            AtLeast(0),
        ),
        ConfigKey(
            "segment.ms",
            ConfigType.LONG,
            604_800_000,
            "The age at which a segment is closed even when it is not full.",
            AtLeast(1),
        ),
        ConfigKey(
            "unclean.leader.election.enable",
            ConfigType.BOOLEAN,
            False,
            "Whether a replica that lags may become leader and lose records.",
            inert_because=_ONE_REPLICA,
        ),
    ],
)
