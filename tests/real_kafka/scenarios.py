"""Little programs that run unchanged against Apache Kafka (through kafka-python) and against this library.

A scenario takes a :class:`World`, does things, and notes every answer.  Two worlds that behave alike give equal
transcripts.  What may differ by nature (topic ids, member ids, ports, broker ids) is left out by :func:`plain`.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

T0_MS = 1_700_000_000_000  # long ago: topics that hold such records keep them for ever
_KEEP = {"retention.ms": "-1"}
_POLL_MS = 200
_MAX_POLLS = 200  # a busy machine may take long to make the broker's first group


@dataclass
class World:
    """One implementation's classes, and the transcript of a scenario in it."""

    package: ModuleType
    bootstrap_servers: Any
    prefix: str
    transcript: list[tuple[str, Any]] = field(default_factory=list)
    _clients: list[Any] = field(default_factory=list)

    def name(self, name: str) -> str:
        """A topic's or group's name that no other run uses; the transcript shows it without the prefix."""
        return f"{self.prefix}{name}"

    def producer(self, **configs: Any) -> Any:
        return self._client(self.package.KafkaProducer, **configs)

    def consumer(self, *topics: str, **configs: Any) -> Any:
        return self._client(self.package.KafkaConsumer, *map(self.name, topics), **configs)

    def admin(self) -> Any:
        return self._client(self.package.KafkaAdminClient)

    def partition(self, topic: str, partition: int) -> Any:
        return self.package.TopicPartition(self.name(topic), partition)

    def offset(self, offset: int, metadata: str = "") -> Any:
        return self.package.OffsetAndMetadata(offset, metadata, -1)

    def note(self, what: str, value: Any) -> None:
        self.transcript.append((what, plain(value, self.prefix)))

    def ask(self, what: str, call: Callable[[], Any]) -> None:
        """Note what a call answers, or the class of the error it raises."""
        try:
            self.note(what, call())
        except Exception as error:
            self.transcript.append((what, f"raises {type(error).__name__}"))

    def close(self) -> None:
        for client in reversed(self._clients):
            client.close()
        self._clients.clear()

    def _client(self, kind: Any, *arguments: Any, **configs: Any) -> Any:
        client = kind(*arguments, bootstrap_servers=self.bootstrap_servers, **configs)
        self._clients.append(client)
        return client


def plain(value: Any, prefix: str) -> Any:
    """Values that compare and print alike whichever library made them."""
    if isinstance(value, str):
        return value.replace(prefix, "")
    if isinstance(value, enum.Enum):
        return plain(value.value, prefix)
    if isinstance(value, uuid.UUID):
        return "a topic id"
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, Mapping):
        pairs = [(plain(key, prefix), plain(one, prefix)) for key, one in value.items()]
        return sorted(pairs, key=repr)
    if isinstance(value, (set, frozenset)):
        return sorted((plain(one, prefix) for one in value), key=repr)
    if isinstance(value, (list, tuple)):
        return [plain(one, prefix) for one in value]
    if isinstance(value, Exception):
        return f"raises {type(value).__name__}"
    return value


def fetch(consumer: Any, count: int) -> list[Any]:
    """Poll until ``count`` records are there (or the broker has had ample time), then in offset order per partition."""
    records: list[Any] = []
    for _ in range(_MAX_POLLS):
        for batch in consumer.poll(timeout_ms=_POLL_MS).values():
            records += batch
        if len(records) >= count:
            break
    return sorted(records, key=lambda record: (record.partition, record.offset))


def wait_until(condition: Callable[[], bool], *consumers: Any) -> bool:
    """Poll the consumers in turn until the condition holds."""
    for _ in range(_MAX_POLLS):
        for consumer in consumers:
            consumer.poll(timeout_ms=_POLL_MS)
        if condition():
            return True
    return False


# -- scenarios ---------------------------------------------------------------------------------------------------------


def creating_and_deleting_topics(world: World) -> None:
    admin = world.admin()
    name = world.name

    def create(what: str, topic: str, **options: Any) -> None:
        def call() -> Any:
            reply = admin.create_topics({topic: options}, raise_errors=False)
            return [
                (one["name"], one["error_code"], one["num_partitions"], one["replication_factor"])
                for one in reply["topics"]
            ]

        world.ask(what, call)

    create("create", name("t"), num_partitions=3, replication_factor=1)
    create("create again", name("t"), num_partitions=3, replication_factor=1)
    create("broker's defaults", name("defaults"))
    create("an illegal character", name("a b"), num_partitions=1, replication_factor=1)
    create("an empty name", "", num_partitions=1, replication_factor=1)
    create("a dot", ".", num_partitions=1, replication_factor=1)
    create("250 characters", name("x" * (250 - len(world.prefix))), num_partitions=1, replication_factor=1)
    create("no partitions", name("zero"), num_partitions=0, replication_factor=1)
    create("minus two partitions", name("minus"), num_partitions=-2, replication_factor=1)
    create("more replicas than brokers", name("rf"), num_partitions=1, replication_factor=3)
    create("no replicas", name("rf0"), num_partitions=1, replication_factor=0)
    create("an unknown config", name("cfg"), num_partitions=1, replication_factor=1, configs={"no.such": "1"})
    create(
        "a config below its minimum",
        name("cfg"),
        num_partitions=1,
        replication_factor=1,
        configs={"segment.bytes": "1"},
    )
    create(
        "a config that is no number", name("cfg"), num_partitions=1, replication_factor=1, configs={"retention.ms": "x"}
    )
    create(
        "a config not among its values",
        name("cfg"),
        num_partitions=1,
        replication_factor=1,
        configs={"cleanup.policy": "x"},
    )
    create(
        "both policies",
        name("both"),
        num_partitions=1,
        replication_factor=1,
        configs={"cleanup.policy": "compact,delete"},
    )
    create("a name that collides with another's metric", name("col.a"), num_partitions=1, replication_factor=1)
    create("the other", name("col_a"), num_partitions=1, replication_factor=1)
    world.ask(
        "validate only",
        lambda: [
            (one["error_code"], one["num_partitions"])
            for one in admin.create_topics({name("dry"): {"num_partitions": 2}}, validate_only=True)["topics"]
        ],
    )
    world.ask(
        "raises by default", lambda: admin.create_topics({name("t"): {"num_partitions": 1, "replication_factor": 1}})
    )
    admin.wait_for_topics([name("t")])
    world.ask("what is there", lambda: sorted(one for one in admin.list_topics() if one.startswith(world.prefix)))

    def grow(what: str, topic: str, total: int) -> None:
        def call() -> Any:
            admin.create_partitions({name(topic): total})

        world.ask(what, call)

    grow("grow", "t", 5)
    grow("grow to the same", "t", 5)
    grow("shrink", "t", 2)
    grow("grow to minus one", "t", -1)
    grow("grow what is not there", "nowhere", 5)

    def describe(topic: str) -> Any:
        (one,) = admin.describe_topics([name(topic)])
        return (
            one["error_code"],
            one["name"],
            one["is_internal"],
            sorted(p["partition_index"] for p in one["partitions"]),
        )

    world.ask("describe", lambda: describe("t"))
    world.ask("describe what is not there", lambda: describe("nowhere"))

    def delete(*topics: str) -> Any:
        reply = admin.delete_topics([name(topic) for topic in topics], raise_errors=False)
        return [(one["name"], one["error_code"]) for one in reply["topics"]]

    world.ask("delete", lambda: delete("t"))
    world.ask("delete what is not there", lambda: delete("nowhere"))
    world.ask("delete raises by default", lambda: admin.delete_topics([name("nowhere")]))


def reading_positions(world: World) -> None:
    admin = world.admin()
    admin.create_topics(
        {world.name("p"): {"num_partitions": 2, "replication_factor": 1, "configs": _KEEP}}, wait_for_metadata=True
    )
    producer = world.producer()
    for number in range(10):
        producer.send(world.name("p"), b"v%d" % number, partition=0, timestamp_ms=T0_MS + number * 1000)
    producer.flush()
    first, second = world.partition("p", 0), world.partition("p", 1)
    consumer = world.consumer(group_id=None, auto_offset_reset="earliest", enable_auto_commit=False)
    world.ask("position of what is not assigned", lambda: consumer.position(first))
    world.ask("seek in what is not assigned", lambda: consumer.seek(first, 1))
    consumer.assign([first, second])
    world.ask("assignment", consumer.assignment)
    world.ask("position at first", lambda: (consumer.position(first), consumer.position(second)))
    world.ask("beginning", lambda: consumer.beginning_offsets([first, second]))
    world.ask("end", lambda: consumer.end_offsets([first, second]))
    world.ask("partitions", lambda: consumer.partitions_for_topic(world.name("p")))
    world.ask("partitions of what is not there", lambda: consumer.partitions_for_topic(world.name("nowhere")))
    for what, timestamp in {
        "before all": 0,
        "exactly": T0_MS + 3000,
        "between": T0_MS + 3001,
        "the last": T0_MS + 9000,
        "after all": T0_MS + 9001,
    }.items():
        world.ask(f"offset for time: {what}", lambda at=timestamp: consumer.offsets_for_times({first: at, second: at}))
    world.ask("offset for a negative time", lambda: consumer.offsets_for_times({first: -5}))
    world.ask("all", lambda: [record.offset for record in fetch(consumer, 10)])
    world.ask("position after all", lambda: consumer.position(first))
    world.ask("highwater", lambda: consumer.highwater(first))
    consumer.seek(first, 4)
    world.ask("position after a seek", lambda: consumer.position(first))
    world.ask("from there", lambda: [record.offset for record in fetch(consumer, 6)])
    world.ask("seek to a negative offset", lambda: consumer.seek(first, -1))
    consumer.seek_to_end(first)
    world.ask("position at the end", lambda: consumer.position(first))
    consumer.seek_to_beginning()
    world.ask("position at the beginning", lambda: consumer.position(first))
    consumer.pause(first)
    world.ask("paused", consumer.paused)
    world.ask("nothing while paused", lambda: consumer.poll(timeout_ms=500))
    consumer.resume(first)
    world.ask("one at a time", lambda: sum(map(len, consumer.poll(timeout_ms=3000, max_records=1).values())))
    for policy in ("earliest", "latest"):
        beyond = world.consumer(group_id=None, auto_offset_reset=policy, enable_auto_commit=False)
        beyond.assign([first])
        beyond.seek(first, 1000)
        records = fetch(beyond, 10) if policy == "earliest" else beyond.poll(timeout_ms=2000)
        world.note(f"beyond the end with {policy}", len(records))
        world.ask(f"position then with {policy}", lambda one=beyond: one.position(first))
    strict = world.consumer(group_id=None, auto_offset_reset="none", enable_auto_commit=False)
    strict.assign([first])
    world.ask("no offset and no policy", lambda: strict.poll(timeout_ms=2000))
    strict.seek(first, 1000)
    world.ask("beyond the end without policy", lambda: _poll_until_error(strict))
    world.ask("delete records", lambda: admin.delete_records({first: 6}))
    world.ask("beginning then", lambda: consumer.beginning_offsets([first]))
    world.ask("offset for a time now gone", lambda: consumer.offsets_for_times({first: T0_MS + 1000}))
    early = world.consumer(group_id=None, auto_offset_reset="earliest", enable_auto_commit=False)
    early.assign([first])
    early.seek(first, 2)
    world.ask("below the start", lambda: [record.offset for record in fetch(early, 4)])
    world.ask("delete records beyond the end", lambda: admin.delete_records({first: 1000}))
    world.ask("delete records up to the end", lambda: admin.delete_records({first: -1}))
    world.ask("beginning at last", lambda: consumer.beginning_offsets([first]))
    world.ask("delete records of no topic", lambda: admin.delete_records({world.partition("nowhere", 0): 1}))
    world.ask("end of no topic", lambda: consumer.end_offsets([world.partition("nowhere", 0)]))


def _poll_until_error(consumer: Any) -> Any:
    for _ in range(20):
        consumer.poll(timeout_ms=_POLL_MS)
    return "no error"


def what_a_record_looks_like(world: World) -> None:
    admin = world.admin()
    topics = {
        "create": _KEEP,
        "append": {**_KEEP, "message.timestamp.type": "LogAppendTime"},
    }
    for topic, configs in topics.items():
        admin.create_topics(
            {world.name(topic): {"num_partitions": 1, "replication_factor": 1, "configs": configs}},
            wait_for_metadata=True,
        )
    inputs = [
        {"key": b"k", "value": b"v"},
        {"key": b"only"},
        {"value": b"only"},
        {"key": b"", "value": b""},
        {"key": b"h", "value": b"v", "headers": [("a", b"1"), ("a", b"2"), ("empty", b"")]},
        {"key": b"t", "value": b"x" * 40_000, "timestamp_ms": T0_MS},
        {"key": b"old", "value": b"v", "timestamp_ms": 0},
    ]
    for topic in topics:
        for codec in (None, "gzip", "snappy", "lz4", "zstd"):
            producer = world.producer(compression_type=codec)
            futures = [
                producer.send(world.name(topic), partition=0, **{"timestamp_ms": T0_MS + number, **one})
                for number, one in enumerate(inputs)
            ]
            producer.flush()
            for number, future in enumerate(futures):
                metadata = future.get(timeout=30)
                world.note(
                    f"metadata {topic} {codec} {number}",
                    (
                        metadata.topic,
                        metadata.partition,
                        metadata.topic_partition,
                        metadata.offset,
                        metadata.timestamp if topic == "create" else metadata.timestamp > T0_MS,
                        metadata.serialized_key_size,
                        metadata.serialized_value_size,
                        metadata.serialized_header_size,
                    ),
                )
    for topic in topics:
        consumer = world.consumer(group_id=None, auto_offset_reset="earliest")
        consumer.assign([world.partition(topic, 0)])
        for record in fetch(consumer, 35):
            world.note(
                f"record {topic}",
                (
                    record.topic,
                    record.partition,
                    record.offset,
                    record.timestamp if topic == "create" else record.timestamp > T0_MS,
                    record.timestamp_type,
                    record.key,
                    record.value,
                    record.headers,
                    record.checksum,
                    record.serialized_key_size,
                    record.serialized_value_size,
                    record.serialized_header_size,
                    record.leader_epoch,
                    type(record.headers).__name__,
                ),
            )


def what_a_producer_refuses(world: World) -> None:
    admin = world.admin()
    small = {"num_partitions": 1, "replication_factor": 1, "configs": {"max.message.bytes": "2000"}}
    admin.create_topics({world.name("small"): small}, wait_for_metadata=True)
    name = world.name("small")

    def send(what: str, *arguments: Any, **options: Any) -> None:
        producer = world.producer()
        world.ask(what, lambda: producer.send(*arguments, **options).get(timeout=10).offset)

    send("fits", name, b"x" * 1000)
    send("over the topic's limit", name, b"x" * 3000)
    send("over max_request_size", name, b"x" * 2_000_000)
    send("afterwards", name, b"y")
    send("a partition that is not there", name, b"y", partition=7)
    send("a negative partition", name, b"y", partition=-1)
    send("neither key nor value", name)
    send("a value that is no bytes", name, 7)
    send("a key that is no bytes", name, b"v", key="text")
    send("a header that is no pair", name, b"v", headers=["x"])
    send("a header whose value is text", name, b"v", headers=[("x", "text")])
    send("an illegal topic", "a b", b"v")
    send("a negative timestamp", name, b"v", timestamp_ms=-5)
    producer = world.producer()
    producer.close()
    world.ask("closed", lambda: producer.send(name, b"v"))
    world.ask("closed twice", producer.close)


def keys_go_where_java_sends_them(world: World) -> None:
    world.admin().create_topics(
        {world.name("keys"): {"num_partitions": 7, "replication_factor": 1}}, wait_for_metadata=True
    )
    producer = world.producer()
    world.ask("partitions for", lambda: producer.partitions_for(world.name("keys")))
    keys = [b"", b"a", *(b"key-%d" % number for number in range(60)), bytes(range(256))]
    futures = [producer.send(world.name("keys"), b"v", key=key) for key in keys]
    producer.flush()
    world.note("partitions", [future.get(timeout=30).partition for future in futures])


def committing(world: World) -> None:
    admin = world.admin()
    admin.create_topics(
        {world.name("c"): {"num_partitions": 2, "replication_factor": 1, "configs": _KEEP}}, wait_for_metadata=True
    )
    producer = world.producer()
    for number in range(10):
        producer.send(world.name("c"), b"v%d" % number, partition=number % 2, timestamp_ms=T0_MS)
    producer.flush()
    first, second = world.partition("c", 0), world.partition("c", 1)
    group = world.name("g")
    settings = {"group_id": group, "enable_auto_commit": False, "auto_offset_reset": "earliest"}
    consumer = world.consumer("c", **settings)
    world.note("joined", wait_until(lambda: len(consumer.assignment()) == 2, consumer))
    world.ask("nothing committed", lambda: consumer.committed(first))
    world.ask("nothing committed, with metadata", lambda: consumer.committed(first, metadata=True))
    consumer.commit({first: world.offset(3, "three")})
    world.ask("committed", lambda: consumer.committed(first))
    world.ask("committed with metadata", lambda: consumer.committed(first, metadata=True))
    consumer.commit({first: world.offset(1, "back")})
    world.ask("committed backwards", lambda: consumer.committed(first, metadata=True))
    world.ask("commit beyond the end", lambda: consumer.commit({first: world.offset(1000)}))
    world.ask("commit a negative offset", lambda: consumer.commit({first: world.offset(-1)}))
    world.ask(
        "commit to no topic", lambda: consumer.commit({world.partition("nowhere", 0): world.offset(1)}, timeout_ms=2000)
    )
    world.ask("too much metadata", lambda: consumer.commit({first: world.offset(1, "m" * 5000)}))
    world.ask("committed then", lambda: consumer.committed(first, metadata=True))
    consumer.seek(first, 2)
    consumer.seek(second, 4)
    consumer.commit()
    world.ask("committed positions", lambda: (consumer.committed(first), consumer.committed(second)))
    world.ask("group offsets", lambda: _offsets(admin, group))
    world.ask("delete a group with members", lambda: admin.delete_groups([group]))
    world.ask(
        "alter offsets of a group with members", lambda: admin.alter_group_offsets(group, {first: world.offset(0)})
    )
    world.ask("delete offsets of a group with members", lambda: admin.delete_group_offsets(group, [first]))
    world.ask("state", lambda: _state(admin, group))
    outsider = world.consumer(group_id=group, enable_auto_commit=False)
    outsider.assign([first])
    world.ask("commit from outside", lambda: outsider.commit({first: world.offset(0)}))
    outsider.close()
    consumer.close()
    world.ask("state after leaving", lambda: _state(admin, group))
    world.ask(
        "listed",
        lambda: [(one["group_id"], one["protocol_type"]) for one in admin.list_groups() if one["group_id"] == group],
    )
    world.ask("alter", lambda: admin.alter_group_offsets(group, {first: world.offset(5, "m"), second: world.offset(0)}))
    world.ask("altered", lambda: _offsets(admin, group))
    world.ask("delete one", lambda: admin.delete_group_offsets(group, [first]))
    world.ask("one deleted", lambda: _offsets(admin, group))
    again = world.consumer("c", **settings)
    world.note("resumed at", [(record.partition, record.offset) for record in fetch(again, 10)])
    again.close()
    world.ask("delete", lambda: admin.delete_groups([group]))
    world.ask("delete again", lambda: admin.delete_groups([group]))
    world.ask("deleted", lambda: _offsets(admin, group))
    world.ask("state of no group", lambda: _state(admin, world.name("nobody")))
    alone = world.consumer(group_id=None)
    alone.assign([first])
    world.ask("commit without a group", alone.commit)
    world.ask("committed without a group", lambda: alone.committed(first))
    world.ask("subscribe after assign", lambda: alone.subscribe([world.name("c")]))
    simple = world.consumer(group_id=world.name("simple"), enable_auto_commit=False)
    simple.assign([first])
    simple.commit({first: world.offset(2)})
    world.ask("state of a simple group", lambda: _state(admin, world.name("simple")))


def _offsets(admin: Any, group: str) -> Any:
    offsets = admin.list_group_offsets({group: None})[group]
    return {partition: (one.offset, one.metadata) for partition, one in offsets.items()}


def _state(admin: Any, group: str) -> Any:
    described = admin.describe_groups([group])[group]
    return {
        "state": described["group_state"],
        "type": described["protocol_type"],
        "protocol": described["protocol_data"],
        "members": len(described["members"]),
    }


def sharing_partitions(world: World) -> None:
    world.admin().create_topics(
        {world.name("s"): {"num_partitions": 4, "replication_factor": 1}}, wait_for_metadata=True
    )
    settings = {
        "group_id": world.name("sharing"),
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "heartbeat_interval_ms": 100,
        "metadata_max_age_ms": 500,
    }
    calls: list[tuple[str, Any]] = []

    class Listener(world.package.ConsumerRebalanceListener):  # type: ignore[misc,name-defined]
        def on_partitions_revoked(self, revoked: Any) -> None:
            if revoked:  # how often it is called without any is a matter of timing
                calls.append(("revoked", sorted(one.partition for one in revoked)))

        def on_partitions_assigned(self, assigned: Any) -> None:
            if assigned:
                calls.append(("assigned", sorted(one.partition for one in assigned)))

    first = world.consumer(**settings, client_id="a")
    first.subscribe([world.name("s")], listener=Listener())
    world.ask("subscription", first.subscription)
    world.note("alone", wait_until(lambda: len(first.assignment()) == 4, first))
    world.note("calls so far", list(calls))
    second = world.consumer("s", **settings, client_id="b")
    world.note("shared", wait_until(lambda: len(first.assignment()) == 2 == len(second.assignment()), first, second))
    world.note("each partition once", sorted(one.partition for one in first.assignment() | second.assignment()))
    world.note("calls then", list(calls))
    second.close()
    world.note("alone again", wait_until(lambda: len(first.assignment()) == 4, first))
    world.note("calls at last", list(calls))
    first.unsubscribe()
    world.ask("after unsubscribing", lambda: (first.assignment(), first.subscription()))
    world.note("calls after unsubscribing", list(calls))


def topic_configs(world: World) -> None:
    admin = world.admin()
    resource_type = _config_resource_type(world)
    resource = _config_resource(world)
    configs = {"retention.ms": "1000", "cleanup.policy": "compact"}
    admin.create_topics(
        {world.name("cfg"): {"num_partitions": 1, "replication_factor": 1, "configs": configs}}, wait_for_metadata=True
    )

    def describe(only: str = "modified") -> Any:
        reply = admin.describe_configs([resource(resource_type.TOPIC, world.name("cfg"))], config_filter=only)
        return {
            name: entry["value"]
            for resources in reply.values()
            for entries in resources.values()
            for name, entry in entries.items()
        }

    world.ask("modified", describe)
    world.ask("all", lambda: describe("all"))

    def alter(what: str, changes: dict[str, str], topic: str = "cfg") -> None:
        world.ask(
            what, lambda: admin.alter_configs([resource(resource_type.TOPIC, world.name(topic), configs=changes)])
        )

    # Kafka answers a change when its controller has it; its broker hears of that a little later.
    alter("alter", {"retention.ms": "2000"})
    wait_until(lambda: describe().get("retention.ms") == "2000")
    world.ask("altered", describe)
    alter("an unknown name", {"no.such.config": "1"})
    alter("a bad value", {"segment.bytes": "many"})
    alter("out of range", {"min.cleanable.dirty.ratio": "7"})
    alter("a topic that is not there", {"retention.ms": "2000"}, "nowhere")
    world.ask("unchanged", describe)
    world.ask(
        "reset",
        lambda: admin.reset_configs([resource(resource_type.TOPIC, world.name("cfg"), configs=["retention.ms"])]),
    )
    wait_until(lambda: "retention.ms" not in describe())
    world.ask("after the reset", describe)


def _config_resource(world: World) -> Any:
    return __import__(f"{world.package.__name__}.admin", fromlist=["ConfigResource"]).ConfigResource


def _config_resource_type(world: World) -> Any:
    return __import__(f"{world.package.__name__}.admin", fromlist=["ConfigResource"]).ConfigResourceType


def _filled(world: World, topic: str, count: int, *, partitions: int = 2) -> None:
    world.admin().create_topics(
        {world.name(topic): {"num_partitions": partitions, "replication_factor": 1, "configs": _KEEP}},
        wait_for_metadata=True,
    )
    producer = world.producer()
    for number in range(count):
        partition = number % partitions
        producer.send(world.name(topic), b"v%d" % number, partition=partition, timestamp_ms=T0_MS + number * 1000)
    producer.flush()


def moving_a_groups_offsets(world: World) -> None:
    _filled(world, "m", 20)
    admin = world.admin()
    spec = world.package.OffsetSpec
    first, second = world.partition("m", 0), world.partition("m", 1)
    group = world.name("moved")
    for what, where in {"earliest": spec.EARLIEST, "latest": spec.LATEST, "a time": T0_MS + 6000}.items():
        world.ask(f"offsets at {what}", lambda at=where: admin.list_partition_offsets({first: at, second: at}))
    for what, where in {
        "the earliest": spec.EARLIEST,
        "the latest": spec.LATEST,
        "a time": T0_MS + 6000,
        "after all": T0_MS + 10**6,
    }.items():
        world.ask(f"reset to {what}", lambda at=where: admin.reset_group_offsets(group, {first: at, second: at}))
        world.ask(f"after a reset to {what}", lambda: _offsets(admin, group))
    world.ask(
        "reset of no topic", lambda: admin.reset_group_offsets(group, {world.partition("nowhere", 0): spec.EARLIEST})
    )
    world.ask(
        "alter for no topic", lambda: admin.alter_group_offsets(group, {world.partition("nowhere", 0): world.offset(1)})
    )
    world.ask("alter beyond the end", lambda: admin.alter_group_offsets(group, {first: world.offset(500, "far")}))
    world.ask("altered", lambda: _offsets(admin, group))
    world.ask("offsets of an unknown group", lambda: _offsets(admin, world.name("unknown")))
    world.ask("delete offsets of an unknown group", lambda: admin.delete_group_offsets(world.name("unknown"), [first]))
    world.ask(
        "delete an offset that is not there", lambda: admin.delete_group_offsets(group, [world.partition("m", 7)])
    )
    reader = world.consumer("m", group_id=group, enable_auto_commit=False, auto_offset_reset="earliest")
    world.note(
        "a committed offset beyond the end is reset",
        [(record.partition, record.offset) for record in fetch(reader, 10) if record.partition == 0],
    )


def committing_by_itself(world: World) -> None:
    _filled(world, "auto", 20)
    group = world.name("auto")
    settings = {"group_id": group, "auto_offset_reset": "earliest", "max_poll_records": 5}
    consumer = world.consumer("auto", **settings, auto_commit_interval_ms=10**6)
    fetch(consumer, 20)
    consumer.close()
    world.ask("committed at close", lambda: _offsets(world.admin(), group))
    again = world.consumer("auto", **settings)
    world.note("nothing to read again", [record.offset for record in again.poll(timeout_ms=3000).values()])
    again.close(autocommit=False)
    calls: list[Any] = []
    producer = world.producer()
    producer.send(world.name("auto"), b"one more", partition=0).get(timeout=10)
    third = world.consumer("auto", **settings | {"enable_auto_commit": False})
    records = fetch(third, 1)
    world.note("one more", [(record.partition, record.offset) for record in records])
    third.commit_async(callback=lambda offsets, answer: calls.append((sorted(offsets), isinstance(answer, Exception))))
    wait_until(lambda: bool(calls), third)
    world.note("committed asynchronously", len(calls))
    world.ask("committed", lambda: third.committed(world.partition("auto", 0)))


def subscribing(world: World) -> None:
    _filled(world, "sub-a", 4)
    _filled(world, "sub-b", 4)
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "metadata_max_age_ms": 300}
    consumer = world.consumer(group_id=world.name("pattern"), **settings)
    world.ask("poll without a subscription", lambda: consumer.poll(timeout_ms=100))
    world.ask("subscribe to a string", lambda: consumer.subscribe(world.name("sub-a")))
    world.ask("subscribe to topics and a pattern", lambda: consumer.subscribe([world.name("sub-a")], pattern="x"))
    world.ask("subscribe to nothing", lambda: consumer.subscribe())
    world.ask("an illegal name", lambda: consumer.subscribe(["a b"]))
    consumer.close()  # kafka-python's remembers what it was refused
    consumer = world.consumer(group_id=world.name("pattern"), **settings)
    consumer.subscribe(pattern=f"^{world.prefix}sub-.*")
    world.note("by pattern", wait_until(lambda: len(consumer.assignment()) == 4, consumer))
    world.ask("subscription", lambda: sorted(consumer.subscription()))
    world.ask("assign while subscribed", lambda: consumer.assign([world.partition("sub-a", 0)]))
    _filled(world, "sub-c", 2)
    world.note("a new topic that matches", wait_until(lambda: len(consumer.assignment()) == 6, consumer))
    consumer.unsubscribe()
    world.ask("assign after unsubscribing", lambda: consumer.assign([world.partition("sub-a", 0)]))
    world.ask("subscribe while assigned", lambda: consumer.subscribe([world.name("sub-a")]))
    world.ask("pause what is not assigned", lambda: consumer.pause(world.partition("sub-b", 0)))
    world.ask("position of what is not assigned", lambda: consumer.position(world.partition("sub-b", 0)))
    world.ask("highwater of what is not assigned", lambda: consumer.highwater(world.partition("sub-b", 0)))
    world.ask("seek with a bad offset", lambda: consumer.seek(world.partition("sub-a", 0), "x"))
    world.ask("assign with a string", lambda: consumer.assign(["sub-a"]))
    world.ask("assign nothing", lambda: consumer.assign([]))
    consumer.close()
    world.ask("closed", lambda: consumer.poll(timeout_ms=100))
    world.ask("closed twice", consumer.close)


def a_static_member(world: World) -> None:
    _filled(world, "static", 8, partitions=4)
    group = world.name("statics")
    admin = world.admin()
    settings = {
        "group_id": group,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "group_instance_id": "one",
        "session_timeout_ms": 30_000,
    }
    first = world.consumer("static", **settings)
    world.note("joined", wait_until(lambda: len(first.assignment()) == 4, first))

    def members() -> Any:
        described = admin.describe_groups([group])[group]
        return described["group_state"], [member["group_instance_id"] for member in described["members"]]

    world.ask("described", members)
    second = world.consumer("static", **settings)
    world.note("the same instance again", wait_until(lambda: len(second.assignment()) == 4, second))
    world.ask("described then", members)
    second.close()
    world.ask("a static member does not leave by closing", members)
    member = __import__(f"{world.package.__name__}.admin", fromlist=["MemberToRemove"]).MemberToRemove
    world.ask("remove it", lambda: admin.remove_group_members(group, [member(group_instance_id="one")]))
    world.ask("described at last", members)
    world.ask("remove it again", lambda: admin.remove_group_members(group, [member(group_instance_id="one")]))


SCENARIOS: list[Callable[[World], None]] = [
    creating_and_deleting_topics,
    reading_positions,
    what_a_record_looks_like,
    what_a_producer_refuses,
    keys_go_where_java_sends_them,
    committing,
    sharing_partitions,
    topic_configs,
    moving_a_groups_offsets,
    committing_by_itself,
    subscribing,
    a_static_member,
]
