"""The command line tools of Apache Kafka 4.3.1, with the Java clients in them, against the listener."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from real_kafka.jars import compiled
from server.clients.java_tools import JavaTools, Tool

NewName = Callable[[str], str]

pytestmark = pytest.mark.real_kafka

PROTOCOLS = ["classic", "consumer"]

_NOT_SERVED = {71, 72}  # telemetry, which Kafka serves only with a plug-in


@pytest.fixture(scope="module")
def tools(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JavaTools]:
    sources = sorted((Path(__file__).parent / "java").glob("*.java"))
    running = JavaTools(compiled(sources, tmp_path_factory.mktemp("tools")), broker)
    yield running
    running.close()


@pytest.fixture
def topic(tools: JavaTools, new_name: NewName) -> str:
    """A topic of two partitions."""
    name = new_name("java")
    tools.run("kafka-topics", "--create", "--topic", name, "--partitions", 2)
    return name


def _produce(tools: JavaTools, topic: str, lines: list[str], *arguments: object) -> None:
    tools.run("kafka-console-producer", "--topic", topic, *arguments, text="".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_records_come_back_as_they_were_sent(tools: JavaTools, topic: str, codec: str) -> None:
    reading = ["--reader-property", "parse.key=true", "--reader-property", "parse.headers=true"]
    _produce(
        tools,
        topic,
        [f"n:{number}\tkey\tvalue {number}" for number in range(9)],
        "--compression-codec",
        codec,
        *reading,
    )
    printing = [f"--formatter-property=print.{what}=true" for what in ("key", "headers", "offset", "partition")]
    printed = tools.run("kafka-console-consumer", "--topic", topic, "--from-beginning", "--max-messages", 9, *printing)
    rows = [line.split("\t") for line in printed.splitlines()]
    assert [row[1:] for row in rows] == [
        [f"Offset:{number}", f"n:{number}", "key", f"value {number}"] for number in range(9)
    ]


def test_a_topic_can_be_administered(tools: JavaTools, new_name: NewName) -> None:
    name = new_name("java")
    tools.run("kafka-topics", "--create", "--topic", name, "--partitions", 1, "--config", "retention.ms=1234")
    again = tools.start("kafka-topics", "--create", "--topic", name, "--partitions", 1)
    again.wait_for(lambda: again.code is not None)
    assert (again.code, "already exists" in again.said) == (1, True)
    tools.run("kafka-topics", "--alter", "--topic", name, "--partitions", 3)
    described = tools.run("kafka-topics", "--describe", "--topic", name)
    assert "PartitionCount: 3" in described
    assert "retention.ms=1234" in described
    assert len(re.findall(r"Leader: 0\tReplicas: 0\tIsr: 0", described)) == 3
    assert name in tools.run("kafka-topics", "--list").splitlines()
    tools.run("kafka-topics", "--delete", "--topic", name)
    assert name not in tools.run("kafka-topics", "--list").splitlines()


def test_configs_can_be_changed_and_are_described_with_their_sources(tools: JavaTools, topic: str) -> None:
    entity = ["--entity-type", "topics", "--entity-name", topic]
    tools.run("kafka-configs", "--alter", *entity, "--add-config", "retention.ms=5678,cleanup.policy=compact")
    tools.run("kafka-configs", "--alter", *entity, "--delete-config", "cleanup.policy")
    described = tools.run("kafka-configs", "--describe", *entity)
    assert "retention.ms=5678 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=5678" in described
    assert "cleanup.policy" not in described
    everything = tools.run("kafka-configs", "--describe", "--all", *entity)
    assert "cleanup.policy=delete" in everything
    broker = tools.run("kafka-configs", "--describe", "--all", "--entity-type", "brokers", "--entity-name", 0)
    assert "num.partitions=" in broker


def _assigned(tool: Tool) -> set[int]:
    """The partitions that a verifiable consumer has now."""
    has: set[int] = set()
    for line in tool.output:
        event = json.loads(line)
        partitions = {entry["partition"] for entry in event.get("partitions", []) if "count" not in entry}
        if event["name"] == "partitions_assigned":
            has |= partitions
        elif event["name"] == "partitions_revoked":
            has -= partitions
    return has


def _count(tool: Tool) -> int:
    """How many records a verifiable consumer has read."""
    return sum(event["count"] for event in tool.events("records_consumed"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_partitions_move_to_a_second_member_and_back(
    tools: JavaTools, topic: str, new_name: NewName, protocol: str
) -> None:
    group = new_name("group")
    options = ["--topic", topic, "--group-id", group, "--group-protocol", protocol]
    if protocol == "classic":
        options += ["--session-timeout", 6000]
    first = tools.start_alone("kafka-verifiable-consumer", *options)
    first.wait_for(lambda: _assigned(first) == {0, 1})
    second = tools.start_alone("kafka-verifiable-consumer", *options)
    second.wait_for(lambda: len(_assigned(second)) == 1)
    first.wait_for(lambda: _assigned(first) == {0, 1} - _assigned(second))
    _produce(tools, topic, [str(number) for number in range(100)])
    described = tools.run("kafka-consumer-groups", "--describe", "--group", group, "--members", "--verbose")
    assert len([line for line in described.splitlines() if line.startswith(group)]) == 2
    first.wait_for(lambda: _count(first) + _count(second) == 100)
    second.stop()
    first.wait_for(lambda: _assigned(first) == {0, 1})
    first.stop()


def test_every_record_of_a_verifiable_producer_is_acknowledged(tools: JavaTools, topic: str) -> None:
    producer = tools.start_alone("kafka-verifiable-producer", "--topic", topic, "--max-messages", 500, "--acks", -1)
    producer.ended()
    assert len(producer.events("producer_send_success")) == 500
    (summary,) = producer.events("tool_data")
    assert (summary["sent"], summary["acked"]) == (500, 500)


def test_a_groups_offsets_are_described_reset_and_deleted(tools: JavaTools, topic: str, new_name: NewName) -> None:
    group = new_name("group")
    _produce(tools, topic, [str(number) for number in range(10)])
    tools.run("kafka-console-consumer", "--topic", topic, "--group", group, "--from-beginning", "--max-messages", 10)
    assert group in tools.run("kafka-consumer-groups", "--list").splitlines()
    assert group in tools.run("kafka-groups", "--list")
    rows = _rows(tools.run("kafka-consumer-groups", "--describe", "--group", group), group)
    assert sum(int(row[3]) for row in rows) == 10
    assert {row[5] for row in rows} == {"0"}
    tools.run(
        "kafka-consumer-groups", "--reset-offsets", "--group", group, "--topic", topic, "--to-earliest", "--execute"
    )
    rows = _rows(tools.run("kafka-consumer-groups", "--describe", "--group", group), group)
    assert {row[3] for row in rows} == {"0"}
    tools.run("kafka-consumer-groups", "--delete-offsets", "--group", group, "--topic", topic)
    tools.run("kafka-consumer-groups", "--delete", "--group", group)
    assert group not in tools.run("kafka-consumer-groups", "--list").splitlines()


def _rows(described: str, group: str) -> list[list[str]]:
    return [line.split() for line in described.splitlines() if line.startswith(group)]


def test_offsets_are_looked_up_and_records_deleted(tools: JavaTools, topic: str, tmp_path: Path) -> None:
    _produce(tools, topic, [str(number) for number in range(10)])
    ends = dict(_offsets(tools, topic, "-1"))
    assert sum(ends.values()) == 10
    doomed = next(partition for partition, end in ends.items() if end > 0)
    request = tmp_path / "offsets.json"
    partitions = [{"topic": topic, "partition": doomed, "offset": ends[doomed]}]
    request.write_text(json.dumps({"version": 1, "partitions": partitions}))
    tools.run("kafka-delete-records", "--offset-json-file", request)
    assert dict(_offsets(tools, topic, "earliest"))[doomed] == ends[doomed]
    logs = tools.run("kafka-log-dirs", "--describe", "--topic-list", topic)
    (described,) = [json.loads(line) for line in logs.splitlines() if line.startswith("{")]
    listed = {entry["partition"] for folder in described["brokers"][0]["logDirs"] for entry in folder["partitions"]}
    assert listed == {f"{topic}-0", f"{topic}-1"}


def _offsets(tools: JavaTools, topic: str, time: str) -> list[tuple[int, int]]:
    printed = tools.run("kafka-get-offsets", "--topic", topic, "--time", time)
    rows = [line.split(":") for line in printed.splitlines()]
    return [(int(partition), int(offset)) for _, partition, offset in rows]


def test_transactions_are_listed_described_and_aborted(
    tools: JavaTools, topic: str, broker: str, new_name: NewName
) -> None:
    transactional = new_name("transactional")
    producer = Producer({"bootstrap.servers": broker, "transactional.id": transactional})  # no tool leaves one open
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(topic, b"open", partition=0)
    producer.flush()
    (row,) = _rows(tools.run("kafka-transactions", "list"), transactional)
    assert row[3] == "Ongoing"
    described = tools.run("kafka-transactions", "describe", "--transactional-id", transactional)
    assert f"{topic}-0" in described
    producers = tools.run("kafka-transactions", "describe-producers", "--topic", topic, "--partition", 0)
    assert row[2] in producers
    tools.run("kafka-transactions", "abort", "--topic", topic, "--partition", 0, "--start-offset", 0)
    assert _rows(tools.run("kafka-transactions", "find-hanging", "--broker-id", 0, "--topic", topic), topic) == []


def test_a_share_group_reads_and_is_administered(tools: JavaTools, topic: str, new_name: NewName) -> None:
    group = new_name("share")
    entity = ["--entity-type", "groups", "--entity-name", group]
    tools.run("kafka-configs", "--alter", *entity, "--add-config", "share.auto.offset.reset=earliest")
    _produce(tools, topic, [str(number) for number in range(10)])
    read = tools.run("kafka-console-share-consumer", "--topic", topic, "--group", group, "--max-messages", 10)
    assert sorted(read.split()[:10], key=int) == [str(number) for number in range(10)]
    assert group in tools.run("kafka-share-groups", "--list").splitlines()
    rows = _rows(tools.run("kafka-share-groups", "--describe", "--group", group), group)
    assert {(row[1], row[2]) for row in rows} == {(topic, "0"), (topic, "1")}
    tools.run("kafka-share-groups", "--delete", "--group", group)
    assert group not in tools.run("kafka-share-groups", "--list").splitlines()


def test_the_cluster_and_its_versions_are_described(tools: JavaTools) -> None:
    assert re.search(r"Cluster ID: [\w-]{22}", tools.run("kafka-cluster", "cluster-id"))
    versions = tools.run("kafka-broker-api-versions")
    assert re.search(r"Produce\(0\): 0 to 13 \[usable: 13\]", versions)
    unsupported = {int(key) for key in re.findall(r"\w+\((\d+)\): UNSUPPORTED", versions)}
    assert unsupported <= _NOT_SERVED
    features = tools.run("kafka-features", "describe")
    assert re.search(r"transaction.version.*FinalizedVersionLevel: 2", features)
    assert re.search(r"share.version.*FinalizedVersionLevel: 1", features)


def test_the_java_clients_get_apache_kafkas_answers(tools: JavaTools, new_name: NewName) -> None:
    expected = (Path(__file__).parent / "java" / "answers.txt").read_text()  # what Apache Kafka 4.3.1 answered
    assert tools.run("answers", new_name("answers")).splitlines() == expected.splitlines()


def test_replicas_are_moved_with_and_without_a_throttle(tools: JavaTools, topic: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [{"topic": topic, "partition": 0, "replicas": [0]}]}))
    given = ["--reassignment-json-file", plan]
    throttled = tools.run("kafka-reassign-partitions", "--execute", *given, "--throttle", 1_000_000)
    assert "The inter-broker throttle limit was set to 1000000 B/s" in throttled
    verified = tools.run("kafka-reassign-partitions", "--verify", *given)
    assert f"Reassignment of partition {topic}-0 is completed." in verified
    assert "Clearing broker-level throttles" in verified
