"""The law every coordinator obeys: a machine fed the records equals the one that wrote them (DESIGN section 6)."""

from __future__ import annotations

import random

from coordinator.amounts import MANY
from coordinator.driver import Driver
from hypothesis import example, given
from hypothesis import strategies as st

from embedkafka.coordinator.api import (
    DeleteGroupsRequest,
    DescribeGroupsRequest,
    LeavingMember,
    ListGroupsRequest,
    OffsetDeleteRequest,
    OffsetFetchRequest,
)
from embedkafka.coordinator.classic.group import Group, GroupState, Member
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import Decision, ExpireOffsets, TopicsDeleted
from embedkafka.model import TopicPartition

GROUPS = ("g", "h")
TOPICS = ("t", "u")
INSTANCES = (None, None, "static-1", "static-2")


class Fuzz:
    """Random commands; the same source gives the same ones to every driver that is in the same state."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)

    def command(self, driver: Driver) -> Decision:
        pick = self.source.choice
        group_id = pick(GROUPS)
        group = driver.machine.find(group_id)
        members = sorted(group.members) if group is not None else []
        pending = sorted(group.pending_members) if group is not None else []
        generation_id = (group.generation_id if group is not None else 0) - (self.source.random() < 0.05)
        member_id = pick([*members, *members, *pending, "nobody"])
        instance_id = group.members[member_id].group_instance_id if group is not None and member_id in members else None
        kind = pick(
            ["join", "join", "rejoin", "rejoin", "sync", "sync", "heartbeat", "commit", "commit", "other", "timer"]
        )
        if kind == "join":
            instance_id = pick(INSTANCES)
            return driver.join(group_id=group_id, instance_id=instance_id, require_member_id=pick([True, False]))
        if kind == "rejoin":
            return driver.join(member_id, group_id=group_id, instance_id=instance_id)
        if kind == "sync":
            shares = {each: f"{each}@{generation_id}".encode() for each in members}
            return driver.sync(member_id, generation_id, shares, group_id=group_id, group_instance_id=instance_id)
        if kind == "timer" and driver.timers:
            return driver.fire(pick(sorted(driver.timers)))
        if kind == "commit":
            outside = self.source.random() < 0.3
            driver.commit(
                self.source.randrange(100),
                "" if outside else member_id,
                -1 if outside else generation_id,
                group_id=group_id,
                topic=pick(TOPICS),
                partition=self.source.randrange(3),
            )
            return driver.send(OffsetFetchRequest(group_id))
        if kind == "other":
            return self.other(driver, group_id, member_id, instance_id)
        driver.now_ms += self.source.choice([0, 1, 1000])
        return driver.send(DescribeGroupsRequest(GROUPS))

    def other(self, driver: Driver, group_id: str, member_id: str, instance_id: str | None) -> Decision:
        kind = self.source.randrange(7)
        if kind == 0:
            driver.leave(LeavingMember(member_id, instance_id), group_id=group_id)
        if kind == 1:
            return driver.send(DeleteGroupsRequest([group_id]))
        if kind == 2:
            partitions = [TopicPartition(self.source.choice(TOPICS), self.source.randrange(3))]
            return driver.send(OffsetDeleteRequest(group_id, partitions))
        if kind == 3:
            return driver.send(TopicsDeleted([self.source.choice(TOPICS)]))
        if kind == 4:
            driver.now_ms += self.source.choice([0, driver.config.offsets_retention_ms])
            return driver.send(ExpireOffsets())
        return driver.send(ListGroupsRequest())


def settle(driver: Driver) -> None:
    """Bring every rebalance to its end, so that nothing soft is left but what a fail-over starts anew."""
    for group_id in GROUPS:
        for _ in range(100):
            group = driver.machine.find(group_id)
            if not isinstance(group, Group):
                break
            if group.pending_members:
                driver.fire(next(key for key in sorted(driver.timers) if key.member_id in group.pending_members))
            elif group.state is GroupState.PREPARING_REBALANCE:
                idle = [m for m in group.members.values() if not m.awaiting_join]
                if len(idle) == len(group.members):
                    driver.leave(*(LeavingMember(m.member_id, m.group_instance_id) for m in idle), group_id=group_id)
                else:
                    driver.fire(next(key for key in driver.timers if key[:2] == ("join", group_id)))
            elif group.pending_syncs:
                leader_first = sorted(group.pending_syncs, key=lambda member_id: member_id != group.leader)
                instance_id = group.members[leader_first[0]].group_instance_id
                shares = {each: each.encode() for each in group.members}
                driver.sync(
                    leader_first[0], group.generation_id, shares, group_id=group_id, group_instance_id=instance_id
                )
            else:
                break
        else:
            raise AssertionError(f"{group_id} does not settle: {group}")


def members_of(driver: Driver, group_id: str) -> list[Member]:
    group = driver.machine.find(group_id)
    return [] if group is None else list(group.members.values())


def configs() -> st.SearchStrategy[GroupConfig]:
    return st.builds(
        GroupConfig, max_size=st.sampled_from([2, 100]), initial_rebalance_delay_ms=st.sampled_from([0, 3000])
    )


@given(st.integers(0, 2**32), st.integers(1, 80), configs())
@MANY
def test_a_fresh_machine_fed_all_records_equals_the_live_one(seed: int, steps: int, config: GroupConfig) -> None:
    driver, fuzz = Driver(config), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
        assert driver.replayed().durable() == driver.machine.durable()


@given(st.integers(0, 2**32), st.integers(1, 80))
@MANY
def test_a_settled_machine_and_its_replay_answer_a_hundred_commands_alike(seed: int, steps: int) -> None:
    live, fuzz = Driver(), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(live)
    settle(live)
    replay = live.failed_over()
    live.timers, live.parked = dict(replay.timers), set()
    one, other = Fuzz(seed + 1), Fuzz(seed + 1)
    for _ in range(100):
        ours, theirs = one.command(live), other.command(replay)
        assert (ours.reply, ours.park, ours.completions) == (theirs.reply, theirs.park, theirs.completions)
        assert list(ours.records) == list(theirs.records)
    assert live.machine.durable() == replay.machine.durable()


@given(st.integers(0, 2**32), st.integers(1, 80), st.data())
@MANY
def test_compacting_the_log_loses_nothing(seed: int, steps: int, data: st.DataObject) -> None:
    driver, fuzz = Driver(), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
    latest = dict(driver.log)
    keep = {position for position, (key, value) in enumerate(driver.log) if latest[key] == value}
    whole, driver.log = driver.replayed(), [entry for position, entry in enumerate(driver.log) if position in keep]
    assert driver.replayed().durable() == whole.durable()


@given(st.integers(0, 2**32), st.integers(1, 80), configs())
@example(1, 46, GroupConfig(max_size=2, initial_rebalance_delay_ms=0))  # one that waits asks again and is answered
@MANY
def test_every_parked_client_is_a_waiting_member(seed: int, steps: int, config: GroupConfig) -> None:
    """So every one of them is answered when its member is, and nobody waits for ever."""
    driver, fuzz = Driver(config), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
        waiting = {
            (kind, group_id, member.member_id)
            for group_id in GROUPS
            for member in members_of(driver, group_id)
            for kind, is_waiting in (("join", member.awaiting_join), ("sync", member.awaiting_sync))
            if is_waiting
        }
        assert {tuple(key) for key in driver.parked} == waiting
