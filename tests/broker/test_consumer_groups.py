"""The shell under consumer groups (KIP-848): sessions, watches, failed appends, restarts, remote members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
from broker.fake_groups_host import FakeHost, Life, World, topic_id

from embedkafka.broker.api import (
    ConsumerGroupHeartbeatReply,
    ConsumerGroupHeartbeatRequest,
    OffsetFetchRequest,
    RequestContext,
)
from embedkafka.coordinator.config import GroupConfig
from embedkafka.errors import (
    CoordinatorNotAvailableError,
    KafkaStorageError,
    NotEnoughReplicasError,
    StaleMemberEpochError,
    UnknownMemberIdError,
)

T = topic_id("t")


def beat(
    world: World,
    member_id: str = "a",
    epoch: int = 0,
    owned: Mapping[UUID, Sequence[int]] | None = None,
    *,
    context: RequestContext | None = None,
    instance_id: str | None = None,
    group_id: str = "g",
) -> ConsumerGroupHeartbeatReply:
    joins = epoch == 0
    request = ConsumerGroupHeartbeatRequest(
        group_id,
        member_id,
        epoch,
        instance_id=instance_id,
        rebalance_timeout_ms=30_000 if joins else -1,
        subscribed_topic_names=["t"] if joins else None,
        topic_partitions={} if joins else owned,
    )
    return world.groups.consumer_group_heartbeat(context or world.remote, request)


def members(world: World, group_id: str = "g") -> list[str]:
    (group,) = world.groups.consumer_group_describe(world.remote, [group_id])
    return [member.member_id for member in group.members]


def local(world: World, life: Life) -> RequestContext:
    return RequestContext(client_id="c", liveness=life)


def test_a_remote_member_stays_as_long_as_it_sends_heartbeats() -> None:
    world = World()
    epoch = beat(world).member_epoch
    for _ in range(10):
        world.clock.advance(40_000)
        assert beat(world, epoch=epoch).error_code == 0
    world.clock.advance(45_000)
    assert beat(world, epoch=epoch).error_code == UnknownMemberIdError.errno


def test_a_member_without_an_id_is_given_one() -> None:
    """Version 0 of the heartbeat allowed that; version 1 has the client make it (KIP-1082)."""
    world = World()
    reply = beat(world, member_id="")
    assert reply.member_id
    assert members(world) == [reply.member_id]


def test_a_member_in_this_process_need_not_send_heartbeats() -> None:
    world = World()
    life = Life(world.clock, max_poll_interval_ms=1_000_000)
    beat(world, context=local(world, life))
    world.clock.advance(900_000)
    assert members(world) == ["a"]
    life.alive = False
    world.clock.advance(45_000)
    assert members(world) == []


def test_a_member_in_this_process_that_is_not_polled_is_out() -> None:
    world = World()
    beat(world, context=local(world, Life(world.clock, max_poll_interval_ms=60_000)))
    world.clock.advance(59_000)
    assert members(world) == ["a"]
    world.clock.advance(2_000)
    assert members(world) == []


def test_a_watcher_hears_when_a_heartbeat_would_tell_it_something() -> None:
    world = World()
    calls: list[str] = []
    reply = beat(world)
    world.groups.watch_group(world.remote, "g", "a", lambda: calls.append("a"))
    assert calls == []
    beat(world, epoch=reply.member_epoch, owned=reply.assignment)
    assert calls == []
    other = beat(world, "b")
    assert calls == ["a"]
    world.groups.watch_group(world.remote, "g", "b", lambda: calls.append("b"))
    told = beat(world, epoch=reply.member_epoch, owned=reply.assignment)
    assert calls == ["a"]
    assert told.assignment is not None
    beat(world, epoch=told.member_epoch, owned=told.assignment)
    assert calls == ["a", "b"]
    assert beat(world, "b", other.member_epoch).assignment is not None


def test_a_watcher_hears_that_its_member_is_out() -> None:
    world = World()
    beat(world)
    calls: list[str] = []
    world.groups.watch_group(world.remote, "g", "a", lambda: calls.append("a"))
    world.clock.advance(45_000)
    assert calls == ["a"]


@pytest.mark.parametrize(
    ("failure", "error_code"),
    [
        (NotEnoughReplicasError("x"), CoordinatorNotAvailableError.errno),
        (KafkaStorageError("x"), KafkaStorageError.errno),
    ],
)
@pytest.mark.parametrize("after_write", [False, True])
def test_a_failed_append_is_answered_and_the_group_is_what_its_log_says(
    failure: BaseException, error_code: int, after_write: bool
) -> None:
    world = World()
    epoch = beat(world).member_epoch
    log = world.log()
    log.failure, log.fail_after_write = failure, after_write
    assert beat(world, "b").error_code == error_code
    assert members(world) == (["a", "b"] if after_write else ["a"])
    assert beat(world, epoch=epoch).error_code == 0


def test_a_group_is_there_after_a_restart_with_its_sessions() -> None:
    world = World()
    epoch = beat(world).member_epoch
    again = world.reopened()
    assert beat(again, epoch=epoch).error_code == 0
    assert members(again) == ["a"]
    again.clock.advance(45_000)
    assert members(again) == []


def test_who_had_to_give_up_before_a_restart_has_to_after_it() -> None:
    world = World()
    epoch = beat(world).member_epoch
    beat(world, "b")
    assert beat(world, epoch=epoch).assignment is not None
    again = world.reopened()
    beat(again, "b", 3)
    again.clock.advance(30_000)
    assert members(again) == ["b"]


def test_members_of_a_process_that_is_gone_are_out_at_once_unless_they_are_static() -> None:
    world = World()
    beat(world, "a", context=local(world, Life(world.clock)))
    beat(world, "b", context=local(world, Life(world.clock)), instance_id="i")
    beat(world, "c")
    again = World(world.config, FakeHost(world.clock, world.host.logs))
    assert members(again) == ["b", "c"]


def test_a_commit_of_another_epoch_is_refused() -> None:
    world = World()
    epoch = beat(world).member_epoch
    assert world.commit(member_id="a", generation_id=epoch) == 0
    assert world.commit(member_id="a", generation_id=epoch + 1) == StaleMemberEpochError.errno
    assert world.commit(member_id="b", generation_id=epoch) == UnknownMemberIdError.errno
    assert world.commit() == UnknownMemberIdError.errno


def test_a_commit_of_an_older_epoch_counts_for_what_the_member_has_owned_since() -> None:
    """So a commit that was on its way while the group's epoch moved on is not lost (Kafka 4.3)."""
    world = World()
    reply = beat(world)
    beat(world, "b")
    told = beat(world, epoch=reply.member_epoch, owned=reply.assignment)
    confirmed = beat(world, epoch=told.member_epoch, owned=told.assignment)
    assert confirmed.member_epoch > reply.member_epoch
    commit: Any = world.commit
    from embedkafka.model import TopicPartition

    kept, lost = TopicPartition("t", 0), TopicPartition("t", 7)
    assert commit(member_id="a", generation_id=reply.member_epoch, topic_partition=kept) == 0
    assert commit(member_id="a", generation_id=reply.member_epoch, topic_partition=lost) == StaleMemberEpochError.errno


def test_offsets_may_be_fetched_by_a_member_of_the_right_epoch_or_by_anyone_who_names_none() -> None:
    world = World()
    epoch = beat(world).member_epoch
    world.commit(5, member_id="a", generation_id=epoch)

    def fetched(member_id: str | None, member_epoch: int) -> int:
        request = OffsetFetchRequest("g", None, member_id=member_id, member_epoch=member_epoch)
        return world.groups.offset_fetch(world.remote, request).error_code

    assert (fetched(None, -1), fetched("a", epoch)) == (0, 0)
    assert fetched("a", epoch + 1) == StaleMemberEpochError.errno
    assert fetched("b", epoch) == UnknownMemberIdError.errno


def test_an_empty_consumer_group_goes_when_its_offsets_do() -> None:
    world = World(GroupConfig(offsets_retention_ms=1_000_000))
    epoch = beat(world).member_epoch
    world.commit(member_id="a", generation_id=epoch)
    beat(world, epoch=-1)
    assert [group.group_id for group in world.groups.list_groups(world.remote)] == ["g"]
    world.clock.advance(2_000_000)
    assert world.groups.list_groups(world.remote) == []
    assert world.reopened().groups.list_groups(world.remote) == []
