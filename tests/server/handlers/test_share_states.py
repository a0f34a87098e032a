"""The state of share groups over the wire; the answers are those of Apache Kafka 4.3.1."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from server.handlers.topics import create
from server.peers import WirePeer

from embedkafka import EmbeddedKafka
from embedkafka.errors import (
    FencedLeaderEpochError,
    FencedStateEpochError,
    InvalidRequestError,
    NotCoordinatorError,
    UnknownTopicOrPartitionError,
)
from embedkafka.protocol.apis import api_83_initialize_share_group_state as initializing
from embedkafka.protocol.apis import api_84_read_share_group_state as reading
from embedkafka.protocol.apis import api_85_write_share_group_state as writing
from embedkafka.protocol.apis import api_86_delete_share_group_state as deleting
from embedkafka.protocol.apis import api_87_read_share_group_state_summary as summing
from embedkafka.protocol.apis.api_76_share_group_heartbeat import ShareGroupHeartbeatRequest

DONE = 2


@pytest.fixture
def topic_id(kafka: EmbeddedKafka, peer: WirePeer) -> UUID:
    """A topic, after some share group has brought the topic of states into being."""
    created = create(kafka, peer, "t")
    peer.ask(76, 1, ShareGroupHeartbeatRequest("other", "m", 0, None, ["t"]))
    return created


def initialize(peer: WirePeer, topic_id: UUID, partition: int = 0, *, group: str = "g", epoch: int = 3) -> Any:
    asked = [initializing.InitializeStateData(topic_id, [initializing.PartitionData(partition, epoch, 7)])]
    return peer.ask(83, 0, initializing.InitializeShareGroupStateRequest(group, asked)).results


def read(peer: WirePeer, topic_id: UUID, partition: int = 0, *, leader_epoch: int = 0) -> Any:
    asked = [reading.ReadStateData(topic_id, [reading.PartitionData(partition, leader_epoch)])]
    (topic,) = peer.ask(84, 0, reading.ReadShareGroupStateRequest("g", asked)).results
    (found,) = topic.partitions
    return found


def write(peer: WirePeer, topic_id: UUID, *, version: int = 1, state_epoch: int = 3, leader_epoch: int = 7) -> int:
    batches = [writing.StateBatch(9, 10, DONE, 1)]
    done = 2 if version else -1
    asked = [writing.WriteStateData(topic_id, [writing.PartitionData(0, state_epoch, leader_epoch, 9, done, batches)])]
    (topic,) = peer.ask(85, version, writing.WriteShareGroupStateRequest("g", asked)).results
    error_code: int = topic.partitions[0].error_code
    return error_code


def summary(peer: WirePeer, topic_id: UUID, partition: int = 0, *, version: int = 1) -> Any:
    asked = [summing.ReadStateSummaryData(topic_id, [summing.PartitionData(partition, 0)])]
    (topic,) = peer.ask(87, version, summing.ReadShareGroupStateSummaryRequest("g", asked)).results
    (found,) = topic.partitions
    return found


def delete(peer: WirePeer, topic_id: UUID, partition: int = 0) -> int:
    asked = [deleting.DeleteStateData(topic_id, [deleting.PartitionData(partition)])]
    (topic,) = peer.ask(86, 0, deleting.DeleteShareGroupStateRequest("g", asked)).results
    error_code: int = topic.partitions[0].error_code
    return error_code


def test_what_a_leader_writes_is_read_again(peer: WirePeer, topic_id: UUID) -> None:
    assert initialize(peer, topic_id)[0].partitions[0].error_code == 0
    begun = read(peer, topic_id, leader_epoch=7)
    assert (begun.state_epoch, begun.start_offset, begun.state_batches) == (3, 7, [])
    assert write(peer, topic_id) == 0
    found = read(peer, topic_id, leader_epoch=7)
    assert (found.start_offset, found.state_batches) == (9, [reading.StateBatch(9, 10, DONE, 1)])


@pytest.mark.parametrize(("version", "done"), [(0, -1), (1, 2)])
def test_a_summary_counts_what_is_done_from_version_1_on(
    peer: WirePeer, topic_id: UUID, version: int, done: int
) -> None:
    initialize(peer, topic_id)
    write(peer, topic_id)
    found = summary(peer, topic_id, version=version)
    assert (found.state_epoch, found.leader_epoch, found.start_offset) == (3, 7, 9)
    assert found.delivery_complete_count == done


def test_older_epochs_are_fenced(peer: WirePeer, topic_id: UUID) -> None:
    initialize(peer, topic_id)
    read(peer, topic_id, leader_epoch=7)
    assert read(peer, topic_id, leader_epoch=6).error_code == FencedLeaderEpochError.errno
    assert write(peer, topic_id, leader_epoch=6) == FencedLeaderEpochError.errno
    assert write(peer, topic_id, state_epoch=2) == FencedStateEpochError.errno
    assert initialize(peer, topic_id, epoch=2)[0].partitions[0].error_code == FencedStateEpochError.errno


def test_a_deleted_state_is_there_no_more(peer: WirePeer, topic_id: UUID) -> None:
    initialize(peer, topic_id)
    assert (delete(peer, topic_id), delete(peer, topic_id)) == (0, 0)
    assert read(peer, topic_id).error_code == InvalidRequestError.errno
    assert summary(peer, topic_id).start_offset == -1


def test_partitions_that_are_not_there_are_refused(peer: WirePeer, topic_id: UUID) -> None:
    unknown = UnknownTopicOrPartitionError.errno
    for where in ((topic_id, 9), (uuid4(), 0)):
        assert initialize(peer, *where)[0].partitions[0].error_code == unknown
        assert summary(peer, *where).error_code == unknown
        assert delete(peer, *where) == unknown
        assert read(peer, *where).error_code == InvalidRequestError.errno
    assert initialize(peer, topic_id, -1)[0].partitions[0].error_code == InvalidRequestError.errno


def test_no_group_has_no_results(peer: WirePeer, topic_id: UUID) -> None:
    assert initialize(peer, topic_id, group="") == []


def test_before_the_first_share_group_there_is_no_coordinator(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    topic_id = create(kafka, peer, "t")
    assert summary(peer, topic_id).error_code == NotCoordinatorError.errno
    assert initialize(peer, topic_id)[0].partitions[0].error_code == NotCoordinatorError.errno
    with kafka.admin() as admin:
        assert "__share_group_state" not in admin.list_topics()
