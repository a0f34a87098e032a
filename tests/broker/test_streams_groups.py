"""Streams groups through the port: internal topics are created, with the member's rights; a restart loses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedkafka.broker import api
from embedkafka.broker.engine import Engine
from embedkafka.broker.port import BrokerPort
from embedkafka.clock import ManualClock
from embedkafka.coordinator.streams.configured import StatusCode
from embedkafka.errors import StreamsInvalidTopologyError, UnsupportedVersionError
from embedkafka.model import TopicPartition

REMOTE = api.RequestContext(client_id="c", in_process=False)
CHANGELOG = api.TopicInfo("changelog", configs=(("cleanup.policy", "compact"),))


def topology(*, changelog: api.TopicInfo = CHANGELOG, source: str = "in") -> api.Topology:
    return api.Topology(0, (api.Subtopology("0", (source,), state_changelog_topics=(changelog,)),))


def join(port: BrokerPort, plan: api.Topology, context: api.RequestContext = REMOTE) -> api.StreamsGroupHeartbeatReply:
    request = api.StreamsGroupHeartbeatRequest(
        "g",
        "m",
        0,
        rebalance_timeout_ms=60_000,
        topology=plan,
        active_tasks={},
        standby_tasks={},
        warmup_tasks={},
        process_id="p",
    )
    return port.streams_group_heartbeat(context, request)


@pytest.fixture
def engine() -> Engine:
    engine = Engine.open(clock=ManualClock())
    engine.ports[0].create_topics(REMOTE, [api.NewTopicSpec("in", 3)])
    return engine


def test_internal_topics_are_created_and_tasks_assigned_with_the_first_heartbeat(engine: Engine) -> None:
    reply = join(engine.ports[0], topology())
    assert (reply.error_code, reply.status) == (0, [])
    assert reply.tasks is not None
    assert reply.tasks.active == {"0": [0, 1, 2]}
    made = engine.topics.topic("changelog")
    assert made is not None
    assert len(made.partitions) == 3
    (config,) = engine.ports[0].describe_configs(REMOTE, [api.ConfigResourceKey(2, "changelog")])
    assert {entry.name: entry.value for entry in config.entries}["cleanup.policy"] == "compact"


def test_why_an_internal_topic_cannot_be_created_is_told(engine: Engine) -> None:
    broken = api.TopicInfo("changelog", configs=(("cleanup.policy", "nonsense"),))
    reply = join(engine.ports[0], topology(changelog=broken))
    (status,) = reply.status or ()
    assert status.code == StatusCode.MISSING_INTERNAL_TOPICS
    assert "changelog" in status.detail
    assert "nonsense" in status.detail


@pytest.mark.parametrize("name", ["__consumer_offsets", "no topic", ""])
def test_a_topology_of_topics_that_cannot_be_is_refused(engine: Engine, name: str) -> None:
    assert join(engine.ports[0], topology(source=name)).error_code == StreamsInvalidTopologyError.errno


def test_without_the_protocol_nobody_joins() -> None:
    engine = Engine.open(clock=ManualClock(), configs={"group.coordinator.rebalance.protocols": "classic"})
    assert join(engine.ports[0], topology()).error_code == UnsupportedVersionError.errno


def test_a_member_creates_internal_topics_with_its_own_rights_only() -> None:
    configs = {"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer"}
    engine = Engine.open(clock=ManualClock(), configs=configs)
    port = engine.ports[0]
    root = api.RequestContext(in_process=True)
    port.create_topics(root, [api.NewTopicSpec("in", 3)])

    def allow(kind: int, name: str, operation: int) -> None:
        binding = api.AclBinding(kind, name, 3, "User:alice", "*", operation, 3)
        assert [each.error_code for each in port.create_acls(root, [binding])] == [0]

    alice = api.RequestContext(principal="User:alice", in_process=False)
    allow(api.AclResourceType.GROUP, "g", api.AclOperation.READ)
    for topic in ("in", "changelog"):
        allow(api.AclResourceType.TOPIC, topic, api.AclOperation.DESCRIBE)
    (status,) = join(port, topology(), alice).status or ()
    assert status.code == StatusCode.MISSING_INTERNAL_TOPICS
    assert "not authorized to CREATE" in status.detail
    assert engine.topics.topic("changelog") is None
    allow(api.AclResourceType.TOPIC, "changelog", api.AclOperation.CREATE)
    assert join(port, topology(), alice).status == []


def test_a_group_goes_on_after_a_restart(tmp_path: Path) -> None:
    engine = Engine.open(tmp_path / "data", clock=ManualClock())
    engine.ports[0].create_topics(REMOTE, [api.NewTopicSpec("in", 3)])
    epoch = join(engine.ports[0], topology()).member_epoch
    before = engine.ports[0].streams_group_describe(REMOTE, ["g"])
    engine.close()
    engine = Engine.open(tmp_path / "data", clock=ManualClock())
    assert engine.ports[0].streams_group_describe(REMOTE, ["g"]) == before
    reply = engine.ports[0].streams_group_heartbeat(REMOTE, api.StreamsGroupHeartbeatRequest("g", "m", epoch))
    assert (reply.error_code, reply.member_epoch) == (0, epoch)
    commit = api.OffsetCommitRequest("g", {TopicPartition("in", 0): api.OffsetToCommit(1)}, epoch, "m")
    assert list(engine.ports[0].offset_commit(REMOTE, commit).error_codes.values()) == [0]
    engine.close()
