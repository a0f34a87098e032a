"""Requests that meet rules: about topics, groups and transactional ids that are denied (their names begin with
``denied``), about others, and about rules, users and limits themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from embedkafka.protocol.apis import api
from embedkafka.record import encode_batch

TOPIC, GROUP, ID = "denied-t", "denied-g", "denied-x"
OPEN_TOPIC, OPEN_GROUP, OPEN_ID = "open-t", "open-g", "open-x"
MEMBER = "AAAAAAAAAAAAAAAAAAAAAQ"

Request = tuple[str, int, int, Any]  # what it is about, API key, version, message


def message(api_key: int, /, **fields: Any) -> Any:
    """A request; what is nested is given as dicts."""
    return _built(api(api_key).request.message, fields)


def _built(kind: Any, fields: dict[str, Any]) -> Any:
    from embedkafka.protocol.fields import Array, Struct, wire_fields

    types = {field.name: wired.type for field, wired in wire_fields(kind)}

    def build(wire_type: Any, value: Any) -> Any:
        if isinstance(wire_type, Array) and value is not None:
            return [build(wire_type.element, each) for each in value]
        if isinstance(wire_type, Struct) and isinstance(value, dict):
            return _built(wire_type.message, value)
        return value

    return kind(**{name: build(types[name], value) for name, value in fields.items()})


def requests() -> Iterator[Request]:
    """What is asked, in this order."""
    yield from _records()
    yield from _topics()
    yield from _groups()
    yield from _transactions()
    yield from _rules()
    yield from _limits()
    yield from _users()


def _records() -> Iterator[Request]:
    for topic in (TOPIC, OPEN_TOPIC):
        records = memoryview(encode_batch([(1_700_000_000_000, None, b"v", ())]))
        partition = {"index": 0, "records": records}
        yield (
            f"produce to {topic}", 0, 9,
            message(0, acks=-1, timeout_ms=1000, topic_data=[{"name": topic, "partition_data": [partition]}]),
        )  # fmt: skip
    asked = [
        {"topic": topic, "partitions": [{"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1000}]}
        for topic in (TOPIC, OPEN_TOPIC)
    ]
    yield "fetch", 1, 12, message(1, max_wait_ms=100, min_bytes=0, topics=asked)
    for topic in (TOPIC, OPEN_TOPIC):
        about = f"of {topic}"
        latest = {"partition_index": 0, "timestamp": -1}
        yield f"list offsets {about}", 2, 6, message(2, replica_id=-1, topics=[{"name": topic, "partitions": [latest]}])
        epoch = {"partition": 0, "current_leader_epoch": -1, "leader_epoch": 0}
        yield (
            f"epoch's end {about}", 23, 4,
            message(23, replica_id=-1, topics=[{"topic": topic, "partitions": [epoch]}]),
        )  # fmt: skip
        yield (
            f"delete records {about}", 21, 2,
            message(21, timeout_ms=1000, topics=[{"name": topic, "partitions": [{"partition_index": 0, "offset": 0}]}]),
        )  # fmt: skip
        yield (
            f"producers {about}", 61, 0, message(61, topics=[{"name": topic, "partition_indexes": [5]}]),
        )  # fmt: skip


def _topics() -> Iterator[Request]:
    for name in (TOPIC, "denied-nowhere", OPEN_TOPIC, "open-nowhere"):
        asked = [{"name": name}]
        yield (
            f"metadata of {name}", 3, 12,
            message(
                3, topics=asked, allow_auto_topic_creation=name.startswith("denied"),
                include_topic_authorized_operations=True,
            ),
        )  # fmt: skip
    yield "cluster", 60, 0, message(60, include_cluster_authorized_operations=True)
    for name in ("denied-new", "open-new"):
        new = {"name": name, "num_partitions": 1, "replication_factor": 1}
        yield f"create {name}", 19, 5, message(19, topics=[new], timeout_ms=1000, validate_only=True)
    yield (
        "grow", 37, 3,
        message(37, topics=[{"name": TOPIC, "count": 3, "assignments": None}], timeout_ms=1000, validate_only=True),
    )  # fmt: skip
    for kind, name in ((2, TOPIC), (4, ""), (32, GROUP)):
        resource = {"resource_type": kind, "resource_name": name}
        yield (
            f"settings of {name}", 32, 4,
            message(32, resources=[{**resource, "configuration_keys": ["nothing.of.that.name"]}]),
        )  # fmt: skip
        if name:
            yield f"set {name}", 33, 2, message(33, resources=[{**resource, "configs": []}], validate_only=True)
        yield f"change {name}", 44, 1, message(44, resources=[{**resource, "configs": []}], validate_only=True)
    yield "what has settings", 74, 1, message(74, resource_types=[16])
    yield "partitions of topics", 75, 0, message(75, topics=[{"name": TOPIC}], response_partition_limit=10)


def _groups() -> Iterator[Request]:
    offsets = [{"name": topic, "partitions": [{"partition_index": 0}]} for topic in (TOPIC, OPEN_TOPIC)]
    wanted = [{"name": topic, "partition_indexes": [0]} for topic in (TOPIC, OPEN_TOPIC)]
    for group in (GROUP, OPEN_GROUP):
        yield (
            f"commit of {group}", 8, 8,
            message(8, group_id=group, generation_id_or_member_epoch=-1, member_id="", topics=offsets),
        )  # fmt: skip
        yield f"offsets of {group}", 9, 7, message(9, group_id=group, topics=wanted)
        yield f"all offsets of {group}", 9, 8, message(9, groups=[{"group_id": group, "topics": None}])
        yield f"coordinator of {group}", 10, 3, message(10, key=group, key_type=0)
        yield f"forget offsets of {group}", 47, 0, message(47, group_id=group, topics=offsets[:1])
        yield (
            f"groups with {group}", 15, 5,
            message(15, groups=[group, "open-nobody"], include_authorized_operations=True),
        )  # fmt: skip
    yield (
        "join", 11, 7,
        message(
            11, group_id=GROUP, session_timeout_ms=10_000, rebalance_timeout_ms=10_000, member_id="",
            protocol_type="consumer", protocols=[{"name": "range", "metadata": b""}],
        ),
    )  # fmt: skip
    yield "heartbeat", 12, 4, message(12, group_id=GROUP, generation_id=1, member_id="m")
    yield "leave", 13, 4, message(13, group_id=GROUP, members=[{"member_id": "m"}])
    yield "sync", 14, 4, message(14, group_id=GROUP, generation_id=1, member_id="m")
    yield "delete group", 42, 2, message(42, groups_names=[GROUP])
    yield "list groups", 16, 4, message(16)
    for group, topic in ((GROUP, OPEN_TOPIC), ("open-cg", TOPIC)):
        yield (
            f"{group} subscribes to {topic}", 68, 1,
            message(
                68, group_id=group, member_id=MEMBER, member_epoch=0, rebalance_timeout_ms=1000,
                subscribed_topic_names=[topic], topic_partitions=[],
            ),
        )  # fmt: skip
        yield (
            f"share group {group} subscribes to {topic}", 76, 1,
            message(76, group_id=group, member_id=MEMBER, member_epoch=0, subscribed_topic_names=[topic]),
        )  # fmt: skip
    yield "consumer group", 69, 0, message(69, group_ids=[GROUP], include_authorized_operations=True)
    yield "share group", 77, 1, message(77, group_ids=[GROUP], include_authorized_operations=True)
    yield "share offsets", 90, 0, message(90, groups=[{"group_id": GROUP, "topics": None}])
    yield "alter share offsets", 91, 0, message(91, group_id=GROUP, topics=[])
    yield "delete share offsets", 92, 0, message(92, group_id=GROUP, topics=[])
    yield "share fetch", 78, 1, message(78, group_id=GROUP, member_id=MEMBER, share_session_epoch=0, max_bytes=100)
    yield "share acknowledge", 79, 1, message(79, group_id=GROUP, member_id=MEMBER, share_session_epoch=1)


def _transactions() -> Iterator[Request]:
    producer = {"producer_id": 1, "producer_epoch": 0}
    yield "producer id", 22, 4, message(22, transactional_id=ID, transaction_timeout_ms=1000, producer_id=-1)
    yield "coordinator of id", 10, 3, message(10, key=ID, key_type=1)
    for name, topics in ((ID, [OPEN_TOPIC]), (OPEN_ID, [OPEN_TOPIC, TOPIC])):
        added = {f"v3_and_below_{field}": value for field, value in {"transactional_id": name, **producer}.items()}
        partitions = [{"name": topic, "partitions": [0]} for topic in topics]
        yield f"partitions of {name}", 24, 3, message(24, **added, v3_and_below_topics=partitions)
    for name, group in ((ID, OPEN_GROUP), (OPEN_ID, GROUP)):
        yield f"offsets of {name}", 25, 3, message(25, transactional_id=name, group_id=group, **producer)
        offset = {"partition_index": 0, "committed_offset": 1}
        committed = [{"name": OPEN_TOPIC, "partitions": [offset]}]
        yield (
            f"commit offsets of {name}", 28, 3,
            message(28, transactional_id=name, group_id=group, member_id="", topics=committed, **producer),
        )  # fmt: skip
    yield "end", 26, 3, message(26, transactional_id=ID, committed=True, **producer)
    yield "transactions", 65, 0, message(65, transactional_ids=[ID])
    yield "list transactions", 66, 0, message(66)


def _rules() -> Iterator[Request]:
    any_rule = {"operation": 1, "permission_type": 1}
    rule = {
        "resource_type": 2, "resource_name": "ruled", "resource_pattern_type": 3, "principal": "User:x", "host": "*",
        "operation": 3, "permission_type": 3,
    }  # fmt: skip
    yield "make a rule", 30, 3, message(30, creations=[rule])
    yield "a rule without a name", 30, 3, message(30, creations=[{**rule, "resource_name": ""}])
    yield "a rule about another cluster", 30, 3, message(30, creations=[{**rule, "resource_type": 4}])
    yield "a rule for nobody", 30, 3, message(30, creations=[{**rule, "principal": "x"}])
    wanted = {"resource_type_filter": 2, "resource_name_filter": "ruled", "pattern_type_filter": 3, **any_rule}
    yield "delete rules", 31, 3, message(31, filters=[wanted])
    absent = {**wanted, "resource_name_filter": "nowhere"}
    yield "describe rules", 29, 3, message(29, **absent)


def _limits() -> Iterator[Request]:
    for components in (
        [("user", 0, "nobody")], [("user", 0, None)], [("user", 1, "x")], [("user", 2, "x")], [("user", 3, None)],
        [("user", 0, "a"), ("ip", 0, "a")], [("user", 0, "a"), ("user", 0, "b")], [("nobody", 0, "a")], [("", 0, "a")],
    ):  # fmt: skip
        filters = [dict(zip(("entity_type", "match_type", "match"), each, strict=True)) for each in components]
        yield f"limits {components}", 48, 1, message(48, components=filters)
    for entity, key, value in (
        ([("user", "u")], "producer_byte_rate", 1.5),
        ([("user", "v")], "bytes", 1.0),
        ([("user", "w")], "producer_byte_rate", -1.0),
        ([("user", "a")], "connection_creation_rate", 1.0),
        ([("ip", "127.0.0.1")], "producer_byte_rate", 1.0),
        ([("group", "g")], "producer_byte_rate", 1.0),
        ([], "producer_byte_rate", 1.0),
        ([("user", "")], "producer_byte_rate", 1.0),
        ([("user", "good"), ("client-id", None)], "request_percentage", 1.5),
    ):
        parts = [{"entity_type": kind, "entity_name": name} for kind, name in entity]
        operations = [{"key": key, "value": value, "remove": False}]
        yield f"limit {entity} {key}", 49, 1, message(49, entries=[{"entity": parts, "ops": operations}])


def _users() -> Iterator[Request]:
    def deletion(name: str, mechanism: int = 1) -> dict[str, Any]:
        return {"name": name, "mechanism": mechanism}

    def upsertion(name: str, mechanism: int = 1, iterations: int = 4096) -> dict[str, Any]:
        return {**deletion(name, mechanism), "iterations": iterations, "salt": b"salt", "salted_password": b"p" * 32}

    deletions = [deletion("nobody"), deletion(""), deletion("strange", 0)]
    upsertions = [
        upsertion("few", iterations=100), upsertion("many", iterations=100_000), upsertion("twice"),
        upsertion("twice", 2), upsertion("odd", 3), upsertion(""), upsertion("good"),
    ]  # fmt: skip
    yield "passwords", 51, 0, message(51, deletions=deletions, upsertions=upsertions)
    yield "unknown users", 50, 0, message(50, users=[{"name": "unknown"}, {"name": "same"}, {"name": "same"}])
    yield "log in", 17, 1, message(17, mechanism="PLAIN")
    yield "prove", 36, 2, message(36, auth_bytes=b"x")
