"""Regular expressions of consumer groups where an authorizer says who may know of which topic."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from broker.support import Broker, running

from embedkafka.broker import api
from embedkafka.broker.api import AclOperation, AclPatternType, AclPermissionType, AclResourceType
from embedkafka.clock import ManualClock

ALICE = api.RequestContext("app", "User:alice", "/10.0.0.1", in_process=False)


@pytest.fixture
def guarded() -> Iterator[Broker]:
    """Three topics, of which User:alice may know ``t``, and reads the group ``g``."""
    settings = {"authorizer.class.name": "StandardAuthorizer", "super.users": "User:ANONYMOUS"}
    with running(clock=ManualClock(), **settings) as broker:
        for name in "tuv":
            broker.create(name)
        allow(broker, AclResourceType.GROUP, "g", AclOperation.READ)
        allow(broker, AclResourceType.TOPIC, "t", AclOperation.DESCRIBE)
        yield broker


def allow(broker: Broker, kind: int, name: str, operation: int) -> None:
    binding = api.AclBinding(kind, name, AclPatternType.LITERAL, "User:alice", "*", operation, AclPermissionType.ALLOW)
    (result,) = broker.port.create_acls(broker.context, [binding])
    assert result.error_code == 0


def beat(broker: Broker, epoch: int, regex: str | None = None) -> api.ConsumerGroupHeartbeatReply:
    request = api.ConsumerGroupHeartbeatRequest(
        "g",
        "m",
        epoch,
        rebalance_timeout_ms=1000 if epoch == 0 else -1,
        subscribed_topic_regex=regex,
        topic_partitions={} if epoch == 0 else None,
    )
    reply = broker.port.consumer_group_heartbeat(ALICE, request)
    assert reply.error_code == 0, reply
    return reply


def names(broker: Broker, reply: api.ConsumerGroupHeartbeatReply) -> list[str | None]:
    return sorted(str(broker.engine.topics.name_of(topic_id)) for topic_id in reply.assignment or ())


def test_a_pattern_matches_only_topics_that_the_member_may_know_of(guarded: Broker) -> None:
    assert names(guarded, beat(guarded, 0, "[tuv]")) == ["t"]


def test_a_topic_that_it_may_know_of_later_comes_with_a_later_heartbeat(guarded: Broker) -> None:
    epoch = beat(guarded, 0, "[tuv]").member_epoch
    allow(guarded, AclResourceType.TOPIC, "u", AclOperation.DESCRIBE)
    assert names(guarded, beat(guarded, epoch)) == ["t", "u"]


def test_a_heartbeat_without_an_authorizer_hides_nothing(broker: Broker) -> None:
    broker.create("u")
    assert names(broker, beat(broker, 0, "[tu]")) == ["t", "u"]
