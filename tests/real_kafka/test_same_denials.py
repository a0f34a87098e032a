"""A client that rules are made against is answered by our listener as by an Apache Kafka broker: field by field."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from real_kafka.conftest import KafkaBroker
from real_kafka.denied_requests import OPEN_GROUP, OPEN_ID, OPEN_TOPIC, TOPIC, message, requests
from server.peers import WirePeer

from embedkafka import EmbeddedKafka

SETTINGS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
    "auto.create.topics.enable": "false",
}
DENY, ALLOW = 2, 3
CLUSTER_ACTION = 9
ANYBODY = {"principal": "User:ANONYMOUS", "host": "*", "permission_type": DENY}
NAMES = [
    {"resource_type": kind, "resource_name": "denied", "resource_pattern_type": 4, "operation": 2, **ANYBODY}
    for kind in (2, 3, 5)
]
CLUSTER = [
    {
        "resource_type": 4,
        "resource_name": "kafka-cluster",
        "resource_pattern_type": 3,
        "operation": operation,
        **ANYBODY,
        # Broker and controller are ANONYMOUS for each other, too, and once there is a rule nothing else is everyone's.
        "permission_type": ALLOW if operation == CLUSTER_ACTION else DENY,
    }
    for operation in (5, 6, 7, 8, CLUSTER_ACTION, 10, 11, 12)
]
_SETTLE_S = 1.0  # a broker hears of new rules from its controller; nothing tells when

# Not of the answer's making: where and when it was made, what else is in a cluster; and words for people.
UNLIKE = {
    "throttle_time_ms", "cluster_id", "topic_id", "host", "port", "broker_id", "node_id", "leader_id", "replica_nodes",
    "isr_nodes", "brokers", "controller_id", "log_append_time_ms", "member_id", "assignment", "configs",
    "error_message", "aborted_transactions",
}  # fmt: skip


class At:
    """Where a listener is, for a peer."""

    def __init__(self, address: str) -> None:
        self.host, _, port = address.partition(":")
        self.port = int(port)


@pytest.fixture
def both(kafka_jars: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[At, At]]:
    """Apache Kafka's broker and ours, with the same topics and rules."""
    broker = KafkaBroker(kafka_jars, tmp_path_factory.mktemp("kafka-broker"), SETTINGS)
    try:
        broker.start()
        with EmbeddedKafka(**SETTINGS) as kafka:
            yield At(broker.bootstrap_servers), At(kafka.listen().address)
    finally:
        broker.remove()


def ask(at: At, key: int, version: int, request: Any) -> Any:
    with WirePeer(at) as peer:  # type: ignore[arg-type]  # what it asks of a listener
        return peer.ask(key, version, request)


def shown(value: Any) -> Any:
    """An answer without what cannot be the same; lists in order, since Kafka's come out of hash tables."""
    if is_dataclass(value):
        return {field.name: shown(getattr(value, field.name)) for field in fields(value) if field.name not in UNLIKE}
    if isinstance(value, list | tuple):
        return sorted((shown(each) for each in value), key=repr)
    if isinstance(value, memoryview):
        return bytes(value)
    return "" if value is None else value


def wait_for_coordinator(at: At) -> None:
    """A broker makes its internal topics when they are first asked for."""
    offset = {"partition_index": 0, "committed_offset": 1}
    topics = [{"name": OPEN_TOPIC, "partitions": [offset]}]
    commit = message(8, group_id=OPEN_GROUP, generation_id_or_member_epoch=-1, member_id="", topics=topics)
    find = message(10, key=OPEN_ID, key_type=1)
    group = message(10, key=OPEN_GROUP, key_type=0)
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        found = [ask(at, 10, 3, each).error_code for each in (find, group)]
        committed = ask(at, 8, 8, commit).topics[0].partitions[0].error_code
        if [*found, committed] == [0, 0, 0]:
            return
        time.sleep(0.2)
    raise AssertionError("the broker has no coordinators")


def test_denials_are_answered_alike(both: tuple[At, At]) -> None:
    new = [{"name": name, "num_partitions": 1, "replication_factor": 1} for name in (TOPIC, OPEN_TOPIC)]
    for at in both:
        created = ask(at, 19, 5, message(19, topics=new, timeout_ms=10_000, validate_only=False))
        assert [topic.error_code for topic in created.topics] == [0, 0]
        wait_for_coordinator(at)
    differences = []
    count = 0
    for rules in (NAMES, CLUSTER):
        for at in both:
            made = ask(at, 30, 3, message(30, creations=rules))
            assert {result.error_code for result in made.results} == {0}
        time.sleep(_SETTLE_S)
        for name, key, version, request in requests():
            count += 1
            theirs, ours = (shown(ask(at, key, version, request)) for at in both)
            if theirs != ours:
                differences.append(f"{name} (API {key}):\n  Kafka {theirs}\n  ours  {ours}")
    assert not differences, f"{len(differences)} of {count} differ:\n" + "\n".join(differences)
