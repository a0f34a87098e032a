"""Streams groups (KIP-1071), whose members come over the network, through the admin client."""

from __future__ import annotations

import pytest

from embedkafka import EmbeddedKafka, KafkaAdminClient, OffsetAndMetadata, TopicPartition, errors
from embedkafka.broker import api

REMOTE = api.RequestContext(client_id="c", in_process=False)
TOPOLOGY = api.Topology(
    0, (api.Subtopology("0", ("t",), state_changelog_topics=(api.TopicInfo("log", configs=(("retention.ms", "5"),)),)),)
)
TP = TopicPartition("t", 0)


@pytest.fixture
def app(kafka: EmbeddedKafka) -> EmbeddedKafka:
    """An application of one thread, which has read five records of a partition."""
    kafka.create_topic("t", 2)
    port = kafka.engine.ports[0]
    join = api.StreamsGroupHeartbeatRequest(
        "app",
        "m",
        0,
        rebalance_timeout_ms=1_000,
        topology=TOPOLOGY,
        active_tasks={},
        standby_tasks={},
        warmup_tasks={},
        process_id="p",
        client_tags={"zone": "a"},
    )
    epoch = port.streams_group_heartbeat(REMOTE, join).member_epoch
    port.offset_commit(REMOTE, api.OffsetCommitRequest("app", {TP: api.OffsetToCommit(5)}, epoch, "m"))
    return kafka


def leave(kafka: EmbeddedKafka) -> None:
    kafka.engine.ports[0].streams_group_heartbeat(REMOTE, api.StreamsGroupHeartbeatRequest("app", "m", -1))


def test_a_group_is_listed_with_its_type(app: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    assert [group["group_type"] for group in admin.list_groups(types_filter=["streams"])] == ["streams"]


def test_a_group_is_described_with_topology_tasks_and_what_they_read(
    app: EmbeddedKafka, admin: KafkaAdminClient
) -> None:
    group = admin.describe_streams_groups(["app"])["app"]
    assert (group["group_state"], group["error"]) == ("Stable", None)
    (subtopology,) = group["topology"]["subtopologies"]
    assert subtopology["state_changelog_topics"] == [
        {"name": "log", "partitions": 2, "replication_factor": 0, "configs": {"retention.ms": "5"}}
    ]
    (member,) = group["members"]
    assert (member["process_id"], member["client_tags"]) == ("p", {"zone": "a"})
    assert member["tasks"] == member["target_tasks"] == {"active": {"0": [0, 1]}, "standby": {}, "warmup": {}}
    assert member["member_assignment"]["assigned_partitions"] == [{"topic": "t", "partitions": [0, 1]}]


def test_what_is_no_streams_group_has_an_error(app: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    group = admin.describe_streams_groups(["nobody"])["nobody"]
    assert (group["group_state"], group["members"]) == ("Dead", [])
    assert "nobody" in group["error"]


def test_offsets_are_seen_moved_and_forgotten_once_nobody_is_there(app: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    moved = {TP: OffsetAndMetadata(2, "", None)}
    assert admin.list_streams_group_offsets("app")["app"][TP].offset == 5
    assert admin.alter_streams_group_offsets("app", moved) == {TP: errors.UnknownMemberIdError}
    assert admin.delete_streams_groups(["app"]) == {"app": "NonEmptyGroupError"}
    leave(app)
    assert admin.alter_streams_group_offsets("app", moved) == {TP: errors.NoError}
    assert admin.list_streams_group_offsets("app")["app"][TP].offset == 2
    assert admin.delete_streams_group_offsets("app", [TP]) == {TP: errors.NoError}
    assert admin.list_streams_group_offsets("app") == {"app": {}}
    assert admin.delete_streams_groups(["app"]) == {"app": "OK"}
