"""The shell of the group coordinator: shards, timers, liveness, failed and interrupted appends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from broker.fake_groups_host import TOPIC_ID, Life, World
from broker.interrupts import interrupted_at

from embedkafka.broker.api import (
    HeartbeatRequest,
    LeavingMember,
    OffsetCommitRequest,
    OffsetFetchRequest,
    OffsetToCommit,
    RequestContext,
)
from embedkafka.broker.groups.groups import Groups
from embedkafka.broker.shards import partition_of
from embedkafka.clock import ManualClock
from embedkafka.coordinator import records
from embedkafka.coordinator.config import GroupConfig
from embedkafka.errors import KafkaStorageError, NotEnoughReplicasError
from embedkafka.model import TopicPartition
from embedkafka.record import decode_batch

UNKNOWN_TOPIC_OR_PARTITION = 3
COORDINATOR_NOT_AVAILABLE = 15
POLICY_VIOLATION = 44
NOT_COORDINATOR = 16
UNKNOWN_MEMBER_ID = 25
REBALANCE_IN_PROGRESS = 27
KAFKA_STORAGE_ERROR = 56
T0 = TopicPartition("t", 0)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.groups.close()


def committed(world: World, group_id: str = "g") -> dict[TopicPartition, int]:
    reply = world.groups.offset_fetch(world.remote, OffsetFetchRequest(group_id))
    return {topic_partition: found.offset for topic_partition, found in reply.offsets.items()}


def heartbeat(world: World, member_id: str, generation_id: int) -> int:
    return world.groups.heartbeat(world.remote, HeartbeatRequest("g", generation_id, member_id))


def state(world: World) -> str:
    return world.groups.describe_groups(world.remote, ["g"])[0].group_state


def in_process(world: World, **life: Any) -> tuple[RequestContext, Life]:
    alive = Life(world.clock, **life)
    return RequestContext(client_id="c", liveness=alive), alive


@pytest.mark.parametrize(
    ("group_id", "partition"),
    # jshell> Math.abs("...".hashCode()) % 50
    [("", 0), ("g", 3), ("my-group", 12), ("a-rather-long-group-id.with_dots", 14), ("grüße-\U0001f600", 27)],
)
def test_a_group_lies_on_the_partition_that_java_would_choose(group_id: str, partition: int) -> None:
    assert partition_of(group_id, 50) == partition


def test_the_smallest_hash_of_java_lies_on_partition_zero() -> None:
    assert partition_of("polygenelubricants", 50) == 0  # its hashCode is Integer.MIN_VALUE


def test_looking_at_groups_creates_no_topic(world: World) -> None:
    assert world.groups.list_groups(world.remote) == []
    assert committed(world) == {}
    assert heartbeat(world, "m", 1) == UNKNOWN_MEMBER_ID
    assert world.host.logs == {}


def test_a_member_joins_syncs_commits_and_leaves(world: World) -> None:
    joined, synced = world.stable()
    assert synced.assignment == b"all"
    assert world.commit(5, member_id=joined.member_id, generation_id=1) == 0
    assert committed(world) == {T0: 5}
    reply = world.groups.leave_group(world.remote, "g", [LeavingMember(joined.member_id)])
    assert [member.error_code for member in reply.members] == [0]
    assert state(world) == "Empty"


def test_offsets_survive_the_coordinator(world: World) -> None:
    world.commit(5)
    assert committed(world.reopened()) == {T0: 5}


def test_a_commit_for_a_partition_that_is_not_there_is_refused_alone(world: World) -> None:
    offsets = {
        T0: OffsetToCommit(1),
        TopicPartition("t", 8): OffsetToCommit(1),
        TopicPartition("no", 0): OffsetToCommit(1),
    }
    reply = world.groups.offset_commit(world.remote, OffsetCommitRequest("g", offsets))
    assert list(dict(sorted(reply.error_codes.items())).values()) == [
        UNKNOWN_TOPIC_OR_PARTITION,
        0,
        UNKNOWN_TOPIC_OR_PARTITION,
    ]


def test_a_commit_is_written_with_its_topics_id(world: World) -> None:
    world.commit(5)
    (entry,) = decode_batch(world.log().batches[-1])
    assert entry.key is not None
    record = records.decode(entry.key, entry.value)
    assert isinstance(record, records.OffsetRecord)
    assert record.value is not None
    assert record.value.topic_id == TOPIC_ID


def test_find_coordinator_names_this_broker(world: World) -> None:
    (found,) = world.groups.find_coordinator(world.remote, 0, ["g"])
    assert (found.error_code, found.broker_id, found.port) == (0, 0, 9092)


@pytest.mark.parametrize("key", ["g:AAAAAAAAAAAAAAAAAAAAAQ:0", "a:b:AAAAAAAAAAAAAAAAAAAAAQ:7"])
def test_find_coordinator_names_this_broker_for_a_share_partition(world: World, key: str) -> None:
    (found,) = world.groups.find_coordinator(world.remote, 2, [key])
    assert (found.key, found.error_code, found.broker_id) == (key, 0, 0)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "g",
        "g:0",
        ":AAAAAAAAAAAAAAAAAAAAAQ:0",
        " :AAAAAAAAAAAAAAAAAAAAAQ:0",
        "g:short:0",
        "g:AAAAAAAAAAAAAAAAAAAAAQ:x",
    ],
)
def test_a_share_partitions_key_names_group_topic_and_partition(world: World, key: str) -> None:
    (found,) = world.groups.find_coordinator(world.remote, 2, [key])
    assert (found.key, found.error_code, found.broker_id, found.port) == (key, 42, -1, -1)
    assert "group:topic id:partition" in str(found.error_message)


# Time ---------------------------------------------------------------------------------------------------------------


def test_a_remote_member_that_is_silent_is_out_after_its_session_timeout(world: World) -> None:
    joined, _ = world.stable(session_timeout_ms=10_000)
    world.clock.advance(9_999)
    assert state(world) == "Stable"
    world.clock.advance(1)
    assert state(world) == "Empty"
    assert heartbeat(world, joined.member_id, 1) == UNKNOWN_MEMBER_ID


def test_heartbeats_keep_a_remote_member_in(world: World) -> None:
    joined, _ = world.stable(session_timeout_ms=10_000)
    for _ in range(5):
        world.clock.advance(9_000)
        assert heartbeat(world, joined.member_id, 1) == 0
    world.clock.advance(10_000)
    assert state(world) == "Empty"


def test_commits_do_not_pile_up_timers(world: World) -> None:
    joined, _ = world.stable()
    before = len(world.clock._timers)
    for offset in range(100):
        world.commit(offset, member_id=joined.member_id, generation_id=1)
    assert len(world.clock._timers) == before


def test_a_step_of_the_wall_clock_ends_no_session(world: World) -> None:
    joined, _ = world.stable()
    world.clock._start_ms += 10**9
    world.clock.advance(1)
    assert heartbeat(world, joined.member_id, 1) == 0


def test_an_in_process_member_that_lives_needs_no_heartbeat(world: World) -> None:
    context, life = in_process(world)
    joined, _ = world.stable(context=context)
    for _ in range(20):
        world.clock.advance(100_000)
        life.last_poll_ms = world.clock.monotonic_ms()
    assert heartbeat(world, joined.member_id, 1) == 0


def test_an_in_process_member_that_was_killed_times_out(world: World) -> None:
    context, life = in_process(world)
    world.stable(context=context, session_timeout_ms=10_000)
    life.alive = False
    world.clock.advance(9_000)
    assert state(world) == "Stable"
    world.clock.advance(1_000)
    assert state(world) == "Empty"


def test_an_in_process_member_that_does_not_poll_is_out_at_that_moment(world: World) -> None:
    context, _ = in_process(world, max_poll_interval_ms=4_000)
    world.stable(context=context, session_timeout_ms=10_000)
    world.clock.advance(3_999)
    assert state(world) == "Stable"
    world.clock.advance(1)
    assert state(world) == "Empty"


def test_polls_put_the_end_of_an_in_process_member_off(world: World) -> None:
    context, life = in_process(world, max_poll_interval_ms=4_000)
    world.stable(context=context)
    world.clock.advance(3_000)
    life.last_poll_ms = world.clock.monotonic_ms()
    world.clock.advance(3_000)
    assert state(world) == "Stable"
    world.clock.advance(1_000)
    assert state(world) == "Empty"


def test_an_in_process_member_that_waits_in_its_join_is_not_late_with_its_poll(world: World) -> None:
    first, _ = world.stable(rebalance_timeout_ms=60_000, session_timeout_ms=60_000)
    context, _ = in_process(world, max_poll_interval_ms=2_000)
    waiting = world.enter(context=context, session_timeout_ms=60_000)
    world.clock.advance(10_000)
    assert waiting.reply is None
    world.join(first.member_id)
    assert waiting.reply.error_code == 0


def test_a_wait_without_a_timeout_does_not_hope_for_the_session_of_a_living_member(world: World) -> None:
    context, _ = in_process(world)
    world.stable(context=context)
    condition = threading.Condition()
    with condition, pytest.raises(RuntimeError, match="nothing will move"):
        world.clock.wait(condition, lambda: False)


def test_expired_offsets_go_by_themselves() -> None:
    world = World(GroupConfig(offsets_retention_ms=1_000, offsets_retention_check_interval_ms=400))
    world.commit(5)
    world.clock.advance(999)
    assert committed(world) == {T0: 5}
    world.clock.advance(401)
    assert committed(world) == {}
    world.groups.close()


# Who waits and who watches ------------------------------------------------------------------------------------------


def test_a_join_waits_for_the_others(world: World) -> None:
    first, _ = world.stable()
    second = world.enter()
    assert second.reply is None
    world.join(first.member_id)
    assert second.reply.generation_id == 2


def test_a_join_that_is_repeated_answers_the_first_one(world: World) -> None:
    world.stable()
    told = world.join()
    first = world.join(told.reply.member_id)
    world.join(told.reply.member_id)
    assert first.reply.error_code == NOT_COORDINATOR


def test_a_member_that_watches_learns_of_a_rebalance(world: World) -> None:
    joined, _ = world.stable()
    calls: list[str] = []
    world.groups.watch_group(world.remote, "g", joined.member_id, lambda: calls.append("look"))
    assert calls == []
    world.enter()
    assert calls


def test_a_member_that_watches_learns_that_it_is_out(world: World) -> None:
    joined, _ = world.stable()
    calls: list[str] = []
    world.groups.watch_group(world.remote, "g", joined.member_id, lambda: calls.append("look"))
    world.clock.advance(10_000)
    assert calls


def test_a_watch_that_starts_too_late_is_told_at_once(world: World) -> None:
    calls: list[str] = []
    world.groups.watch_group(world.remote, "g", "nobody", lambda: calls.append("look"))
    assert calls == ["look"]


def test_a_watch_ends(world: World) -> None:
    joined, _ = world.stable()
    calls: list[str] = []
    world.groups.watch_group(world.remote, "g", joined.member_id, lambda: calls.append("look"))()
    world.enter()
    assert calls == []


def test_a_reply_may_call_the_groups_again(world: World) -> None:
    """No lock is held while it runs."""
    first, _ = world.stable()
    seen: list[Any] = []
    told = world.join().reply

    def complete(reply: Any) -> None:
        seen.append((reply.generation_id, state(world)))

    from embedkafka.broker.api import JoinGroupRequest

    world.groups.join_group(
        world.remote, JoinGroupRequest("g", 10_000, 30_000, told.member_id, "consumer", [("range", b"")]), complete
    )
    world.join(first.member_id)
    assert seen == [(2, "CompletingRebalance")]


def test_closing_answers_everyone_who_waits(world: World) -> None:
    world.stable()
    waiting = world.enter()
    world.groups.close()
    assert waiting.reply.error_code == COORDINATOR_NOT_AVAILABLE
    assert world.commit(1) == COORDINATOR_NOT_AVAILABLE
    assert not [timer for *_, timer in world.clock._timers if timer.callback is not None]


# What can go wrong --------------------------------------------------------------------------------------------------


def test_a_commit_whose_append_fails_has_not_happened(world: World) -> None:
    world.commit(1)
    world.log().failure = KafkaStorageError("no space left")
    assert world.commit(2) == KAFKA_STORAGE_ERROR
    assert committed(world) == {T0: 1}


def test_the_next_commit_after_a_failed_append_works(world: World) -> None:
    world.commit(1)
    world.log().failure = KafkaStorageError("no space left")
    world.commit(2)
    assert world.commit(3) == 0
    assert committed(world) == committed(world.reopened()) == {T0: 3}


def test_missing_replicas_are_told_as_kafka_does(world: World) -> None:
    world.commit(1)
    world.log().failure = NotEnoughReplicasError()
    assert world.commit(2) == COORDINATOR_NOT_AVAILABLE


def test_who_waits_is_answered_when_an_append_fails(world: World) -> None:
    first, _ = world.stable()
    waiting = world.enter()
    world.log().failure = KafkaStorageError("no space left")
    world.commit(1, member_id=first.member_id, generation_id=1)
    assert waiting.reply.error_code == NOT_COORDINATOR
    assert heartbeat(world, first.member_id, 1) == 0


def test_an_append_that_fails_for_an_unexpected_reason_is_an_error_reply(world: World) -> None:
    world.commit(1)
    world.log().failure = ValueError("a bug")
    assert world.commit(2) == -1
    assert committed(world) == {T0: 1}


@pytest.mark.parametrize("after_write", [False, True])
def test_an_interrupt_at_the_append_leaves_memory_and_log_equal(world: World, after_write: bool) -> None:
    world.commit(1)
    world.log().failure = KeyboardInterrupt()
    world.log().fail_after_write = after_write
    with pytest.raises(KeyboardInterrupt):
        world.commit(2)
    assert committed(world) == committed(world.reopened()) == {T0: 2 if after_write else 1}


def rebalance_with_interrupt(at_line: int) -> bool:
    """A second member enters a stable group and both sync; one call is interrupted at the given line.

    Returns False when the line was never reached.  Whatever was interrupted, trying again leads to a stable group of
    the members that are left, and a new coordinator over the same log sees the same.
    """
    world = World()
    first, _ = world.stable()
    second = world.enter()

    def rejoin_and_sync() -> None:
        box = world.join(first.member_id)
        if box.reply is not None and box.reply.error_code == 0:
            world.sync(box.reply, {m.member_id: b"x" for m in box.reply.members})

    was_interrupted = interrupted_at(at_line, rejoin_and_sync)
    world.clock.run_tasks()
    for _ in range(4):
        again = world.join(first.member_id)
        if second.reply is None or second.reply.error_code:
            second = world.enter()
            again = world.join(first.member_id) if again.reply is None or again.reply.error_code else again
        elif again.reply is None:
            second = world.join(second.reply.member_id)
        if again.reply is not None and again.reply.error_code == 0:
            world.sync(again.reply, {m.member_id: m.member_id.encode() for m in again.reply.members})
        if state(world) == "Stable":
            break
    assert state(world) == "Stable", f"interrupted at line {at_line}"
    reopened = world.reopened()
    assert reopened.groups.describe_groups(world.remote, ["g"]) == world.groups.describe_groups(world.remote, ["g"])
    world.groups.close()
    assert again.reply is not None
    assert second.reply is not None
    return was_interrupted


def test_an_interrupt_at_any_line_of_a_rebalance_leaves_a_group_that_goes_on() -> None:
    at_line = 1
    while rebalance_with_interrupt(at_line):
        at_line += 1
    assert at_line > 300


def test_an_interrupt_at_any_line_of_a_commit_leaves_memory_and_log_equal() -> None:
    at_line, reached = 1, True
    while reached:
        world = World()
        world.commit(1)
        reached = interrupted_at(at_line, lambda: world.commit(2))  # noqa: B023 # called at once
        assert committed(world) == committed(world.reopened()), f"interrupted at line {at_line}"
        assert world.commit(3) == 0
        world.groups.close()
        at_line += 1
    assert at_line > 60


# Opened again -------------------------------------------------------------------------------------------------------


def test_in_process_members_of_a_process_that_is_gone_are_removed_when_the_log_is_opened_again(world: World) -> None:
    context, _ = in_process(world)
    world.stable(context=context)
    reopened = world.reopened()
    assert state(reopened) == "Empty"
    reopened.groups.close()


def test_remote_members_may_come_back_after_a_restart(world: World) -> None:
    joined, _ = world.stable()
    reopened = world.reopened()
    assert heartbeat(reopened, joined.member_id, 1) == 0
    reopened.groups.close()


def test_static_in_process_members_may_come_back_after_a_restart(world: World) -> None:
    context, _ = in_process(world)
    joined = world.join(context=context, instance_id="one").reply
    world.sync(joined, {joined.member_id: b"all"}, group_instance_id="one")
    reopened = world.reopened()
    back = reopened.join(context=in_process(reopened)[0], instance_id="one").reply
    assert (back.error_code, back.generation_id) == (0, 1)
    reopened.groups.close()


def test_living_in_process_members_stay_when_a_shard_is_loaded_again(world: World) -> None:
    context, _ = in_process(world)
    joined, _ = world.stable(context=context)
    world.log().failure = KafkaStorageError("no space left")
    world.commit(1, member_id=joined.member_id, generation_id=1)
    assert heartbeat(world, joined.member_id, 1) == 0


def test_a_read_only_coordinator_answers_from_the_log_and_changes_nothing(world: World) -> None:
    context, _ = in_process(world)
    world.stable(context=context)
    clock = ManualClock()
    world.host.clock = clock
    looking = Groups(world.host, world.config, read_only=True)
    assert looking.describe_groups(world.remote, ["g"])[0].group_state == "Stable"
    assert looking.heartbeat(world.remote, HeartbeatRequest("g", 1, "m")) == POLICY_VIOLATION
    assert not clock._timers


def test_groups_of_many_threads_do_not_disturb_each_other(world: World) -> None:
    def work(number: int) -> None:
        for offset in range(200):
            world.commit(offset, group_id=f"group-{number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reopened = world.reopened()
    for number in range(6):
        assert committed(reopened, f"group-{number}") == {T0: 199}
    reopened.groups.close()
