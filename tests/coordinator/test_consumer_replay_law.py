"""The law of DESIGN section 6 for consumer groups, and for groups that change their type.

A fresh machine that is fed every record equals the live one, and answers alike; here nothing is soft but what a classic
group has under way, so the test brings that to its end first.
"""

from __future__ import annotations

import random

import pytest
from coordinator import test_replay_law as classic
from coordinator.amounts import MANY
from coordinator.consumer_driver import ConsumerDriver
from coordinator.driver import SUBSCRIBED_TO_T
from coordinator.laws import check_answers, check_compaction, check_replay
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.coordinator.api import (
    ConsumerGroupHeartbeatRequest,
    DeleteGroupsRequest,
    DescribeConsumerGroupsRequest,
    DescribeGroupsRequest,
    HeartbeatRequest,
    LeavingMember,
    ListGroupsRequest,
    OffsetFetchRequest,
)
from embedkafka.coordinator.classic.group import Group
from embedkafka.coordinator.config import GroupConfig, GroupSettings, MigrationPolicy
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.consumer.member import MemberState
from embedkafka.coordinator.decision import ConsumerHeartbeat, Decision, ExpireOffsets, TopicsDeleted

pytestmark = pytest.mark.timeout(600)  # a thousand examples where EMBEDKAFKA_FULL asks for them

GROUPS = ("g", "h")
NAMES = ("a", "b", "c", "d")
INSTANCES = (None, None, "static-1", "static-2")
SUBSCRIPTIONS = ((("t",), None), (("t", "u"), None), (("u",), ""), ((), "t|u"), ((), "[a-z]"), (("t",), "u"))


class Fuzz:
    """Random commands; the same source gives the same ones to every driver that is in the same state."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)

    def command(self, driver: ConsumerDriver) -> Decision:
        pick = self.source.choice
        group_id = pick(GROUPS)
        group = driver.machine.find(group_id)
        kind = pick(["heartbeat"] * 6 + ["classic"] * 3 + ["commit", "other", "timer"])
        if kind == "heartbeat":
            return self.heartbeat(driver, group_id, group)
        if kind == "classic":
            return self.classic(driver, group_id, group)
        if kind == "timer" and driver.timers:
            return driver.fire(pick(sorted(driver.timers)))
        if kind == "commit":
            members = sorted(group.members) if isinstance(group, ConsumerGroup) else []
            member_id = pick([*members, "", "nobody"])
            epoch = self.source.randrange(-1, 6)
            if isinstance(group, ConsumerGroup) and member_id in group.members:
                epoch = group.members[member_id].epoch - pick([0, 0, 0, 1, -1])
            driver.commit(self.source.randrange(100), member_id, epoch, group_id=group_id, topic=pick(["t", "u"]))
            return driver.send(OffsetFetchRequest(group_id))
        driver.now_ms += pick([0, 1, 400, 1000])
        return self.other(driver, group_id)

    def heartbeat(self, driver: ConsumerDriver, group_id: str, group: object) -> Decision:
        pick = self.source.choice
        member_id, instance_id, epoch = pick(NAMES), pick(INSTANCES), 0
        owned: dict[object, list[int]] | None = {}
        if isinstance(group, ConsumerGroup) and group.members and self.source.random() < 0.7:
            member = group.members[pick(sorted(group.members))]
            member_id, instance_id = member.member_id, member.instance_id
            epoch = pick([member.epoch] * 8 + [member.epoch - 1, 0, -1, -2 if instance_id else -1])
            keeps = pick([True, True, False])
            owned = pick([None, {t: list(p) for t, p in member.assigned.items()}])
            if owned is not None and keeps:
                for topic_id, partitions in member.revoking.items():
                    owned.setdefault(topic_id, []).extend(partitions)
        joins = epoch == 0
        topics, regex = pick(SUBSCRIPTIONS) if joins or self.source.random() < 0.2 else (None, None)
        request = ConsumerGroupHeartbeatRequest(
            group_id,
            member_id,
            epoch,
            instance_id=instance_id,
            rebalance_timeout_ms=30_000 if joins else -1,
            subscribed_topic_names=topics,
            subscribed_topic_regex=regex,
            server_assignor=pick([None, "range", "uniform"]) if joins else None,
            topic_partitions={} if joins else owned,  # type: ignore[arg-type]
        )
        return driver.send(ConsumerHeartbeat(request, "client", "/h", driver.fresh_id()))

    def classic(self, driver: ConsumerDriver, group_id: str, group: object) -> Decision:
        """Classic members, in groups of either type."""
        pick = self.source.choice
        if isinstance(group, ConsumerGroup):
            members = [(each.member_id, each.instance_id, each.epoch) for each in group.members.values()]
        elif isinstance(group, Group):
            members = [(each.member_id, each.group_instance_id, group.generation_id) for each in group.members.values()]
        else:
            members = []
        if not members or self.source.random() < 0.3:
            return driver.join(group_id=group_id, instance_id=pick(INSTANCES), require_member_id=pick([True, False]))
        member_id, instance_id, generation_id = pick(members)
        kind = pick(["join", "join", "sync", "sync", "heartbeat", "leave"])
        if kind == "join":
            return driver.join(member_id, group_id=group_id, instance_id=instance_id, protocols=(PROTOCOL,))
        if kind == "sync":
            shares = {each: ASSIGNMENT for each, _, _ in members}
            return driver.sync(member_id, generation_id, shares, group_id=group_id, group_instance_id=instance_id)
        if kind == "heartbeat":
            return driver.send(HeartbeatRequest(group_id, generation_id, member_id, instance_id))
        driver.leave(LeavingMember(member_id, instance_id), group_id=group_id)
        return driver.send(ListGroupsRequest())

    def other(self, driver: ConsumerDriver, group_id: str) -> Decision:
        kind = self.source.randrange(7)
        if kind == 0:
            return driver.send(DeleteGroupsRequest([group_id]))
        if kind == 1:
            return driver.send(TopicsDeleted([self.source.choice(["t", "u"])]))
        if kind == 2:
            driver.grow("t", self.source.randrange(1, 9))
        if kind == 3:
            driver.now_ms += self.source.choice([0, driver.config.offsets_retention_ms])
            return driver.send(ExpireOffsets())
        if kind == 4:
            return driver.send(DescribeGroupsRequest(GROUPS))
        if kind == 5:
            return driver.send(DescribeConsumerGroupsRequest(GROUPS))
        return driver.send(ListGroupsRequest())


PROTOCOL = ("range", SUBSCRIBED_TO_T)
ASSIGNMENT = bytes.fromhex("0000000000010001740000000100000000ffffffff")  # t-0


def configs() -> st.SearchStrategy[GroupConfig]:
    return st.builds(
        GroupConfig,
        consumer_max_size=st.sampled_from([2, 100]),
        defaults=st.builds(GroupSettings, consumer_assignment_interval_ms=st.sampled_from([0, 1000])),
        consumer_migration_policy=st.sampled_from(MigrationPolicy),
    )


def consumer_groups(driver: ConsumerDriver) -> list[ConsumerGroup]:
    return list(driver.machine.durable().consumer_groups.values())


@given(st.integers(0, 2**32), st.integers(1, 100), configs())
@MANY
def test_a_fresh_machine_fed_all_records_equals_the_live_one(seed: int, steps: int, config: GroupConfig) -> None:
    check_replay(ConsumerDriver(config), Fuzz(seed), steps)


@given(st.integers(0, 2**32), st.integers(1, 100), configs())
@MANY
def test_a_machine_and_its_replay_answer_a_hundred_commands_alike(seed: int, steps: int, config: GroupConfig) -> None:
    live, fuzz = ConsumerDriver(config), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(live)
    classic.settle(live)
    replay = live.failed_over()
    assert isinstance(replay, ConsumerDriver)
    check_answers(live, replay, Fuzz(seed + 1), Fuzz(seed + 1))


@given(st.integers(0, 2**32), st.integers(1, 100), st.data())
@MANY
def test_compacting_the_log_loses_nothing(seed: int, steps: int, data: st.DataObject) -> None:
    driver, fuzz = ConsumerDriver(), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
    check_compaction(driver, data)


@given(st.integers(0, 2**32), st.integers(1, 100), configs())
@MANY
def test_no_partition_is_ever_in_two_hands(seed: int, steps: int, config: GroupConfig) -> None:
    driver, fuzz = ConsumerDriver(config), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
        for group in consumer_groups(driver):
            owners: dict[tuple[object, int], str] = {}
            for member in group.members.values():
                for owned in (member.assigned, member.revoking):
                    for topic_id, partitions in owned.items():
                        for partition in partitions:
                            assert owners.setdefault((topic_id, partition), member.member_id) == member.member_id
            held = {(t, p) for t, epochs in group.owners.items() for p in epochs}
            assert held == owners.keys()


@given(st.integers(0, 2**32), st.integers(1, 100), configs())
@MANY
def test_a_group_is_what_its_members_make_it(seed: int, steps: int, config: GroupConfig) -> None:
    """What is kept up with every record equals what a look at everyone gives."""
    driver, fuzz = ConsumerDriver(config), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
        for group in consumer_groups(driver):
            members = group.members.values()
            assert group.classic_count == sum(member.classic is not None for member in members)
            assert group.static_members == {m.instance_id: m.member_id for m in members if m.instance_id is not None}
            assert group.targets.keys() <= group.members.keys()
            assert group.assignment_epoch <= group.epoch
            for member in members:
                assert member.epoch <= group.assignment_epoch
                assert bool(member.revoking) <= (member.state is MemberState.UNREVOKED_PARTITIONS)
            targets = [(t, p) for target in group.targets.values() for t in target for p in target[t]]
            assert len(targets) == len(set(targets))
            assert group.group_id not in driver.machine.durable().groups


def test_the_random_commands_go_everywhere() -> None:
    """So that the laws above are about something: every state of a member, and both ways of a group's type."""
    states: set[MemberState] = set()
    changes: set[tuple[str, str]] = set()
    for seed in range(40):
        driver, fuzz = ConsumerDriver(), Fuzz(seed)
        for _ in range(100):
            before = {group.group_id: group for group in driver.machine.groups() if not group.is_empty}
            fuzz.command(driver)
            for group in driver.machine.groups():
                was = before.get(group.group_id)
                if was is not None and not group.is_empty and was.group_type != group.group_type:
                    changes.add((was.group_type, group.group_type))
            states |= {member.state for group in consumer_groups(driver) for member in group.members.values()}
    assert states == {MemberState.STABLE, MemberState.UNREVOKED_PARTITIONS, MemberState.UNRELEASED_PARTITIONS}
    assert changes == {("classic", "consumer"), ("consumer", "classic")}
