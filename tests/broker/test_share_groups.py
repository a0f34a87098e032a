"""The shell under share groups (KIP-932): asking the share coordinator, sessions, watches, crashes."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from broker.fake_groups_host import FakeHost, Life, World, topic_id

from embedkafka.broker.api import (
    AlterShareGroupOffsetsRequest,
    DeleteShareGroupOffsetsRequest,
    DescribedShareGroupOffsets,
    DescribeShareGroupOffsetsRequest,
    RequestContext,
    ShareGroupHeartbeatReply,
    ShareGroupHeartbeatRequest,
)
from embedkafka.broker.shards import partition_of
from embedkafka.errors import (
    CoordinatorNotAvailableError,
    KafkaStorageError,
    NonEmptyGroupError,
    UnknownMemberIdError,
    UnknownTopicOrPartitionError,
)
from embedkafka.model import TopicIdPartition, TopicPartition

T = topic_id("t")
ALL = list(range(8))


def beat(
    world: World,
    member_id: str = "a",
    epoch: int = 0,
    *,
    group_id: str = "g",
    topics: Sequence[str] | None = None,
    context: RequestContext | None = None,
) -> ShareGroupHeartbeatReply:
    names = ["t"] if epoch == 0 and topics is None else topics
    request = ShareGroupHeartbeatRequest(group_id, member_id, epoch, None, names)
    return world.groups.share.heartbeat(context or world.remote, request)


def members(world: World, group_id: str = "g") -> list[str]:
    (group,) = world.groups.share.describe([group_id])
    return [member.member_id for member in group.members]


def local(life: Life) -> RequestContext:
    return RequestContext(client_id="c", liveness=life)


def where(world: World, partitions: Sequence[TopicPartition] | None = None) -> DescribedShareGroupOffsets:
    return world.groups.share.describe_offsets(DescribeShareGroupOffsetsRequest("g", partitions))


# Joining -------------------------------------------------------------------------------------------------------------


def test_whoever_joins_is_told_at_once_what_to_read() -> None:
    world = World()
    reply = beat(world)
    assert (reply.error_code, reply.assignment) == (0, {T: ALL})
    assert world.host.share_states.start_offsets == {("g", TopicIdPartition(T, each)): -1 for each in ALL}


def test_states_belong_to_the_epoch_in_which_they_were_asked_for() -> None:
    world = World()
    beat(world)
    assert world.host.share_states.state_epochs == [2]


def test_the_share_coordinator_is_asked_with_the_shards_lock_released() -> None:
    world = World()
    shard = world.groups._shards.of("g")
    free: list[bool] = []

    def look() -> None:
        free.append(shard.lock.acquire(blocking=False))
        shard.lock.release()

    world.host.share_states.before = look
    beat(world)
    assert free == [True]


def test_states_are_asked_for_once_by_members_that_join_together() -> None:
    world = World()
    is_asked, has_joined, times = threading.Event(), threading.Event(), []

    def wait_for_the_other() -> None:
        times.append(1)
        is_asked.set()
        assert has_joined.wait(5)

    world.host.share_states.before = wait_for_the_other
    first = threading.Thread(target=beat, args=(world, "a"))
    second = threading.Thread(target=beat, args=(world, "b"))
    first.start()
    assert is_asked.wait(5)
    world.groups.watch_group(world.remote, "g", "a", lambda: has_joined.set() if len(members(world)) == 2 else None)
    second.start()
    first.join()
    second.join()
    assert times == [1]
    assert sorted(beat(world, "a").assignment[T] + beat(world, "b").assignment[T]) == ALL  # type: ignore[index, operator]


def test_a_share_coordinator_that_fails_is_asked_again_by_the_next_heartbeat() -> None:
    world = World()
    world.host.share_states.failure = CoordinatorNotAvailableError.errno
    assert beat(world).error_code == CoordinatorNotAvailableError.errno
    world.host.share_states.failure = 0
    assert beat(world).assignment == {T: ALL}


def test_an_interrupted_initialization_is_made_good_by_the_next_heartbeat() -> None:
    world = World()

    def interrupt() -> None:
        raise KeyboardInterrupt

    world.host.share_states.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        beat(world)
    world.host.share_states.before = lambda: None
    assert beat(world).assignment == {T: ALL}


def test_a_crash_while_states_are_initialized_is_made_good_by_the_next_coordinator() -> None:
    world = World()

    def crash() -> None:
        raise KeyboardInterrupt

    world.host.share_states.before = crash
    with pytest.raises(KeyboardInterrupt):
        beat(world)
    assert beat(world.reopened(), "a", 2).assignment == {T: ALL}


def test_a_failed_append_lets_nobody_in() -> None:
    world = World()
    beat(world, "a")
    world.log().failure = KafkaStorageError("the disk is gone")
    assert beat(world, "b").error_code == KafkaStorageError.errno
    assert members(world) == ["a"]


def test_a_topic_that_goes_while_states_are_initialized_leaves_none() -> None:
    world = World()

    def delete_topic() -> None:
        del world.host.topics["t"]
        world.host.share_states.before = lambda: None
        world.groups.topics_deleted(["t"])

    world.host.share_states.before = delete_topic
    assert beat(world).assignment == {}
    assert world.host.share_states.start_offsets == {}


def test_topics_never_grow_older_for_a_shard() -> None:
    """A command that looked at them before it waited for the lock would take a new topic for a deleted one."""
    world = World()
    old = world.host.known_topics()
    world.host.topics["new"] = 1
    beat(world, topics=["t", "new"])
    newest = world.host.known_topics
    world.host.known_topics = lambda: old  # type: ignore[method-assign]
    beat(world, "b")
    world.host.known_topics = newest  # type: ignore[method-assign]
    assert len(where(world).offsets) == 9


# Staying -------------------------------------------------------------------------------------------------------------


def test_a_remote_member_stays_as_long_as_it_sends_heartbeats() -> None:
    world = World()
    epoch = beat(world).member_epoch
    for _ in range(10):
        world.clock.advance(40_000)
        assert beat(world, epoch=epoch).error_code == 0
    world.clock.advance(45_000)
    assert beat(world, epoch=epoch).error_code == UnknownMemberIdError.errno
    assert world.host.gone == [("g", "a")]


def test_a_member_in_this_process_need_not_send_heartbeats() -> None:
    world = World()
    life = Life(world.clock, max_poll_interval_ms=1_000_000)
    beat(world, context=local(life))
    world.clock.advance(900_000)
    assert members(world) == ["a"]
    life.alive = False
    world.clock.advance(45_000)
    assert members(world) == []


def test_members_of_a_process_that_died_are_gone_when_the_next_one_looks() -> None:
    world = World()
    beat(world, "here", context=local(Life(world.clock)))
    beat(world, "there")
    reopened = world.reopened()
    assert members(reopened) == ["there"]


def test_a_watch_tells_that_there_is_something_to_hear() -> None:
    world = World()
    epoch = beat(world, "a").member_epoch
    calls: list[int] = []
    unwatch = world.groups.watch_group(world.remote, "g", "a", lambda: calls.append(1))
    beat(world, "a", epoch)
    assert calls == []
    beat(world, "b")
    assert calls
    assert len(beat(world, "a", epoch).assignment[T]) == 4  # type: ignore[index]
    unwatch()


def test_a_watch_is_told_with_no_lock_held() -> None:
    world = World()
    beat(world, "a")
    shard = world.groups._shards.of("g")
    free: list[bool] = []

    def look() -> None:
        for lock in (shard.lock, shard.states_lock):
            free.append(lock.acquire(blocking=False))
            if free[-1]:
                lock.release()

    world.groups.watch_group(world.remote, "g", "a", look)
    beat(world, "b", topics=["u"])
    assert len(free) > 2
    assert all(free)


def test_whoever_leaves_is_gone_at_once() -> None:
    world = World()
    beat(world)
    assert beat(world, epoch=-1).error_code == 0
    assert members(world) == []
    assert world.host.gone == [("g", "a")]


# Offsets -------------------------------------------------------------------------------------------------------------


def test_the_lag_is_what_is_neither_before_the_start_nor_settled() -> None:
    world = World()
    beat(world)
    world.host.share_states.start_offsets["g", TopicIdPartition(T, 1)] = 40
    found = where(world).offsets
    assert (found[TopicPartition("t", 1)].start_offset, found[TopicPartition("t", 1)].lag) == (40, 100 - 40 - 3)
    assert (found[TopicPartition("t", 0)].start_offset, found[TopicPartition("t", 0)].lag) == (-1, -1)
    assert len(found) == 8


def test_partitions_of_no_topic_are_nowhere() -> None:
    world = World()
    found = where(world, [TopicPartition("t", 1), TopicPartition("x", 0)]).offsets
    assert [(each.error_code, each.start_offset, each.leader_epoch) for each in found.values()] == [(0, -1, 0)] * 2


def test_a_group_that_does_not_exist_is_nowhere() -> None:
    assert where(World()) == DescribedShareGroupOffsets("g")


def test_a_group_without_members_begins_where_it_is_told() -> None:
    world = World()
    beat(world)
    beat(world, epoch=-1)
    request = AlterShareGroupOffsetsRequest("g", {TopicPartition("t", 2): 17, TopicPartition("t", 8): 1})
    reply = world.groups.share.alter_offsets(request)
    assert [each.error_code for each in reply.offsets.values()] == [0, UnknownTopicOrPartitionError.errno]
    assert where(world, [TopicPartition("t", 2)]).offsets[TopicPartition("t", 2)].start_offset == 17
    assert world.host.share_states.state_epochs[-1] > 2  # so that whoever has the old state is fenced


def test_an_offset_that_the_share_coordinator_refuses_is_an_error_of_its_partition() -> None:
    world = World()
    world.host.share_states.failure = 3
    reply = world.groups.share.alter_offsets(AlterShareGroupOffsetsRequest("g", {TopicPartition("t", 2): 17}))
    assert (reply.error_code, reply.offsets[TopicPartition("t", 2)].error_code) == (0, 3)
    world.host.share_states.failure = 0
    assert where(world).offsets == {}
    assert not any(world.groups._shards.of("g")._machine.find("g").states)  # type: ignore[union-attr]


def test_offsets_of_a_topic_are_forgotten() -> None:
    world = World()
    beat(world)
    beat(world, epoch=-1)
    reply = world.groups.share.delete_offsets(DeleteShareGroupOffsetsRequest("g", ["t"]))
    assert (reply.error_code, [each.error_code for each in reply.topics]) == (0, [0])
    assert where(world).offsets == {}
    assert world.host.share_states.start_offsets == {}


def test_offsets_that_could_not_be_forgotten_can_be_tried_again() -> None:
    world = World()
    beat(world)
    beat(world, epoch=-1)
    world.host.share_states.failure = CoordinatorNotAvailableError.errno
    reply = world.groups.share.delete_offsets(DeleteShareGroupOffsetsRequest("g", ["t"]))
    assert [each.error_code for each in reply.topics] == [CoordinatorNotAvailableError.errno]
    world.host.share_states.failure = 0
    assert world.groups.share.delete_offsets(DeleteShareGroupOffsetsRequest("g", ["t"])).topics[0].error_code == 0
    assert world.host.share_states.start_offsets == {}


# Deleting ------------------------------------------------------------------------------------------------------------


def test_a_deleted_group_leaves_no_state() -> None:
    world = World()
    beat(world)
    beat(world, epoch=-1)
    (result,) = world.groups.delete_groups(world.remote, ["g"])
    assert result.error_code == 0
    assert world.groups.list_groups(world.remote) == []
    assert world.host.share_states.start_offsets == {}


def test_a_group_with_members_keeps_its_states() -> None:
    world = World()
    beat(world)
    (result,) = world.groups.delete_groups(world.remote, ["g"])
    assert result.error_code == NonEmptyGroupError.errno
    assert len(world.host.share_states.start_offsets) == 8


def test_a_group_whose_states_cannot_be_deleted_stays() -> None:
    world = World()
    beat(world)
    beat(world, epoch=-1)
    world.host.share_states.failure = KafkaStorageError.errno
    (result,) = world.groups.delete_groups(world.remote, ["g"])
    assert result.error_code == KafkaStorageError.errno
    assert len(world.groups.list_groups(world.remote)) == 1
    world.host.share_states.failure = 0
    assert world.groups.delete_groups(world.remote, ["g"])[0].error_code == 0


def test_a_closed_coordinator_says_so() -> None:
    world = World()
    beat(world)
    world.groups.close()
    code = CoordinatorNotAvailableError.errno
    assert beat(world).error_code == code
    assert world.groups.share.describe(["g"])[0].error_code == code
    assert where(world).error_code == code
    assert world.groups.share.delete_offsets(DeleteShareGroupOffsetsRequest("g", ["t"])).error_code == code
    assert world.groups.share.alter_offsets(AlterShareGroupOffsetsRequest("g", {})).error_code == code


def test_share_groups_fall_on_the_same_partitions_as_others() -> None:
    host = FakeHost()
    beat(World(host=host), group_id="somewhere")
    assert list(host.logs) == [partition_of("somewhere", 50)]
