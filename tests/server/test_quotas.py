"""What a peer beyond its limit is told, byte for byte."""

from __future__ import annotations

import pytest
from server.peers import WirePeer

from embedkafka import EmbeddedKafka
from embedkafka.protocol.apis.api_19_create_topics import CreatableTopic, CreateTopicsRequest
from embedkafka.protocol.apis.api_20_delete_topics import DeleteTopicsRequest, DeleteTopicState
from embedkafka.protocol.apis.api_37_create_partitions import CreatePartitionsRequest, CreatePartitionsTopic

QUOTA_EXCEEDED = 89


@pytest.fixture
def exceeded(kafka: EmbeddedKafka, peer: WirePeer) -> WirePeer:
    """A peer that has created more partitions than it may in the next minutes, where its topic ``t`` is."""
    with kafka.admin() as admin:
        admin.alter_client_quotas({"user": None}, {"controller_mutation_rate": 0.01})
    assert create(peer, 6, "t", partitions=10) == (0, 0)
    return peer


def create(peer: WirePeer, version: int, topic: str, *, partitions: int = 1) -> tuple[int, int]:
    """What comes of creating a topic, and how long to wait."""
    reply = peer.ask(19, version, CreateTopicsRequest([CreatableTopic(topic, partitions, 1)], 1000, False))
    return reply.topics[0].error_code, reply.throttle_time_ms


def test_newer_clients_may_not_change_topics_beyond_their_limit(exceeded: WirePeer) -> None:
    reply = exceeded.ask(37, 3, CreatePartitionsRequest([CreatePartitionsTopic("t", 11, None)], 1000, False))
    assert reply.results[0].error_code == QUOTA_EXCEEDED
    assert reply.throttle_time_ms > 800_000


def test_newer_clients_may_not_delete_topics_beyond_their_limit(exceeded: WirePeer) -> None:
    reply = exceeded.ask(20, 6, DeleteTopicsRequest([DeleteTopicState("t")]))
    assert (reply.responses[0].error_code, reply.throttle_time_ms > 800_000) == (QUOTA_EXCEEDED, True)


def test_newer_clients_may_not_create_topics_beyond_their_limit(exceeded: WirePeer) -> None:
    code, throttle_ms = create(exceeded, 6, "other")
    assert (code, throttle_ms > 800_000) == (QUOTA_EXCEEDED, True)


def test_older_clients_create_topics_and_wait_afterwards(exceeded: WirePeer) -> None:
    code, throttle_ms = create(exceeded, 5, "other")
    assert (code, throttle_ms > 900_000) == (0, True)
