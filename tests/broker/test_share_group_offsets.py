"""Offsets of share groups from the port to the share coordinator, as a real broker answers."""

from __future__ import annotations

from broker.support import Broker

from embedkafka.broker import api
from embedkafka.model import TopicPartition

REMOTE = api.RequestContext(client_id="c", in_process=False)
FIRST = TopicPartition("t", 0)


def offset(broker: Broker, *partitions: TopicPartition) -> api.ShareGroupOffset:
    request = api.DescribeShareGroupOffsetsRequest("g", list(partitions) or None)
    (group,) = broker.port.describe_share_group_offsets(REMOTE, [request])
    assert group.error_code == 0
    return group.offsets[FIRST]


def beat(broker: Broker, epoch: int = 0) -> api.ShareGroupHeartbeatReply:
    request = api.ShareGroupHeartbeatRequest("g", "m", epoch, None, ["t"] if epoch == 0 else None)
    return broker.port.share_group_heartbeat(REMOTE, request)


def test_a_partition_that_nobody_has_read_has_no_offset_and_no_lag(broker: Broker) -> None:
    broker.send(b"a", b"b", b"c")
    beat(broker)
    found = offset(broker)
    assert (found.start_offset, found.leader_epoch, found.lag) == (-1, 0, -1)
    assert found.topic_id == broker.engine.topics.topic("t").topic_id  # type: ignore[union-attr]


def test_the_lag_of_an_offset_that_was_set_is_what_lies_behind_it(broker: Broker) -> None:
    broker.send(b"a", b"b", b"c")
    broker.port.alter_share_group_offsets(REMOTE, api.AlterShareGroupOffsetsRequest("g", {FIRST: 2}))
    found = offset(broker, FIRST)
    assert (found.start_offset, found.lag) == (2, 1)


def test_a_deleted_topic_takes_its_offsets_along(broker: Broker) -> None:
    broker.port.alter_share_group_offsets(REMOTE, api.AlterShareGroupOffsetsRequest("g", {FIRST: 2}))
    broker.port.delete_topics(REMOTE, ["t"])
    assert broker.create().error_code == 0
    (group,) = broker.port.describe_share_group_offsets(REMOTE, [api.DescribeShareGroupOffsetsRequest("g")])
    assert group.offsets == {}
    assert offset(broker, FIRST).start_offset == -1


def test_a_deleted_group_begins_anew(broker: Broker) -> None:
    broker.port.alter_share_group_offsets(REMOTE, api.AlterShareGroupOffsetsRequest("g", {FIRST: 2}))
    assert [each.error_code for each in broker.port.delete_groups(REMOTE, ["g"])] == [0]
    beat(broker)
    assert offset(broker).start_offset == -1
