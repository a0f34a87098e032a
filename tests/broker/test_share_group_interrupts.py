"""Ctrl-C at every line of what goes through both coordinators: whoever comes next makes it good."""

from __future__ import annotations

import pytest
from broker.interrupts import every_line, interrupted_at
from broker.support import Broker, running

from embedkafka.broker import api
from embedkafka.broker.groups.shard import GroupShard
from embedkafka.model import TopicPartition

pytestmark = pytest.mark.timeout(900)  # every single line where EMBEDKAFKA_FULL asks for them

REMOTE = api.RequestContext(client_id="c", in_process=False)


def beat(broker: Broker, group_id: str, member_id: str, epoch: int = 0) -> api.ShareGroupHeartbeatReply:
    request = api.ShareGroupHeartbeatRequest(group_id, member_id, epoch, None, ["t"] if epoch == 0 else None)
    return broker.port.share_group_heartbeat(REMOTE, request)


def check_law(broker: Broker, group_id: str) -> None:
    """What the shard holds is what its log says."""
    shard = broker.engine.groups._shards.of(group_id)
    assert isinstance(shard, GroupShard)
    broker.port.share_group_describe(REMOTE, [group_id])  # whatever is suspect is loaded again
    live = shard._machine.durable()
    shard._reload()
    assert shard._machine.durable() == live


def test_a_group_works_whatever_line_its_first_heartbeat_was_interrupted_at() -> None:
    with running() as broker:
        broker.create(partitions=3)
        for line in every_line(usual_step=11):
            group_id = f"g{line}"
            went_through = not interrupted_at(line, lambda group_id=group_id: beat(broker, group_id, "a"))  # type: ignore[misc]
            replies = [beat(broker, group_id, name) for name in ("a", "b")]
            replies[0] = beat(broker, group_id, "a", replies[0].member_epoch)
            assert [each.error_code for each in replies] == [0, 0]
            read = [number for each in replies for numbers in (each.assignment or {}).values() for number in numbers]
            assert sorted(read) == [0, 1, 2], f"line {line}: {replies}"
            check_law(broker, group_id)
            if went_through:
                break


def test_a_group_is_deleted_whatever_line_the_first_attempt_was_interrupted_at() -> None:
    with running() as broker:
        broker.create(partitions=3)
        for line in every_line(usual_step=13):
            group_id = f"g{line}"
            offsets = {TopicPartition("t", 0): 1, TopicPartition("t", 2): 5}
            broker.port.alter_share_group_offsets(REMOTE, api.AlterShareGroupOffsetsRequest(group_id, offsets))
            went_through = not interrupted_at(
                line,
                lambda group_id=group_id: broker.port.delete_groups(REMOTE, [group_id]),  # type: ignore[misc]
            )
            (result,) = broker.port.delete_groups(REMOTE, [group_id])
            assert result.error_code in (0, 69), f"line {line}: {result}"  # 69: it is gone already
            assert group_id not in [each.group_id for each in broker.port.list_groups(REMOTE)]
            asked = api.DescribeShareGroupOffsetsRequest(group_id, list(offsets))
            (group,) = broker.port.describe_share_group_offsets(REMOTE, [asked])
            assert [each.start_offset for each in group.offsets.values()] == [-1, -1]
            check_law(broker, group_id)
            if went_through:
                assert result.error_code == 69
                break
