"""The law of DESIGN section 6 for share groups.

A fresh machine that is fed every record equals the live one, and answers alike.  The share coordinator answers at
random, late, or not at all.
"""

from __future__ import annotations

import random

import pytest
from coordinator.amounts import MANY
from coordinator.laws import check_answers, check_compaction, check_replay
from coordinator.share_driver import ShareDriver, T, U
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.coordinator.api import DeleteGroupsRequest, ListGroupsRequest
from embedkafka.coordinator.config import GroupConfig, GroupSettings
from embedkafka.coordinator.decision import Decision, ExpireOffsets, TopicsDeleted
from embedkafka.coordinator.share.api import (
    AlterShareGroupOffsetsRequest,
    DeleteShareGroupOffsetsRequest,
    DescribeShareGroupsRequest,
    ShareGroupHeartbeatRequest,
)
from embedkafka.coordinator.share.commands import (
    DeleteStates,
    ListStates,
    OpenStates,
    ShareHeartbeat,
    StatesDeleted,
    StatesInitialized,
    StatesNotInitialized,
)
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.share.states import ENTERED_FROM, NO_STATES, PartitionState
from embedkafka.model import TopicIdPartition, TopicPartition

pytestmark = pytest.mark.timeout(600)  # a thousand examples where EMBEDKAFKA_FULL asks for them

GROUPS = ("g", "h")
NAMES = ("a", "b", "c", "d", "e", "f")
SUBSCRIPTIONS = (["t"], ["t", "u"], ["u"], ["nowhere"], ["t", "nowhere"])


class Fuzz:
    """Random commands; the same source gives the same ones to every driver that is in the same state."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)

    def command(self, driver: ShareDriver) -> Decision:
        pick = self.source.choice
        group_id = pick(GROUPS)
        group = driver.machine.find(group_id)
        kind = pick(["heartbeat"] * 6 + ["states"] * 3 + ["operator", "other", "timer"])
        if kind == "heartbeat":
            return self.heartbeat(driver, group_id, group)
        if kind == "timer" and driver.timers:
            return driver.fire(pick(sorted(driver.timers)))
        if kind == "states" and isinstance(group, ShareGroup):
            return self.states(driver, group)
        if kind == "operator":
            return self.operator(driver, group_id)
        driver.now_ms += pick([0, 1, 400, 1000])
        return self.other(driver, group_id)

    def heartbeat(self, driver: ShareDriver, group_id: str, group: object) -> Decision:
        pick = self.source.choice
        member_id, epoch = pick(NAMES), 0
        if isinstance(group, ShareGroup) and group.members and self.source.random() < 0.7:
            member = group.members[pick(sorted(group.members))]
            member_id, epoch = member.member_id, pick([member.epoch] * 8 + [member.previous_epoch, 0, -1, 99])
        says_topics = epoch == 0 or self.source.random() < 0.2
        request = ShareGroupHeartbeatRequest(
            group_id, member_id, epoch, pick([None, "rack"]), pick(SUBSCRIPTIONS) if says_topics else None
        )
        return driver.send(ShareHeartbeat(request, "client", "/h"))

    def states(self, driver: ShareDriver, group: ShareGroup) -> Decision:
        """The share coordinator answers, for some of what it was asked."""
        under_way = driver.open_states(group.group_id)
        some = [each for each in under_way.initializing if self.source.random() < 0.8]
        kind = self.source.randrange(4)
        if kind == 0:
            return driver.send(StatesDeleted(group.group_id, under_way.deleting_topics))
        if kind == 1:
            return driver.send(StatesNotInitialized(group.group_id, some))
        return driver.send(StatesInitialized(group.group_id, some))

    def operator(self, driver: ShareDriver, group_id: str) -> Decision:
        kind = self.source.randrange(4)
        if kind == 0:
            offsets = {TopicPartition(self.source.choice("tu"), self.source.randrange(9)): 7}
            return driver.send(AlterShareGroupOffsetsRequest(group_id, offsets))
        if kind == 1:
            return driver.send(DeleteShareGroupOffsetsRequest(group_id, [self.source.choice("tux")]))
        if kind == 2:
            return driver.send(DeleteStates(group_id))
        return driver.send(DeleteGroupsRequest([group_id]))

    def other(self, driver: ShareDriver, group_id: str) -> Decision:
        kind = self.source.randrange(8)
        name = self.source.choice("tu")
        if kind == 0:
            known = driver.topics.named(name)
            driver.grow(name, max(self.source.randrange(1, 12), known.partition_count if known else 0))
        if kind == 1:
            driver.drop(name)
            if self.source.random() < 0.5:
                return driver.send(TopicsDeleted([name]))
        if kind == 2:
            return driver.send(ExpireOffsets())
        if kind == 3:
            return driver.send(DescribeShareGroupsRequest(GROUPS))
        if kind == 4:
            return driver.send(ListStates(group_id))
        if kind == 5:
            return driver.send(OpenStates(group_id))
        return driver.send(ListGroupsRequest())


def configs() -> st.SearchStrategy[GroupConfig]:
    return st.builds(
        GroupConfig,
        share_max_size=st.sampled_from([2, 100]),
        defaults=st.builds(GroupSettings, share_assignment_interval_ms=st.sampled_from([0, 1000])),
    )


def share_groups(driver: ShareDriver) -> list[ShareGroup]:
    return list(driver.machine.durable().share_groups.values())


@given(st.integers(0, 2**32), st.integers(1, 100), configs())
@MANY
def test_a_fresh_machine_fed_all_records_equals_the_live_one(seed: int, steps: int, config: GroupConfig) -> None:
    check_replay(ShareDriver(config), Fuzz(seed), steps)


@given(st.integers(0, 2**32), st.integers(1, 100), configs())
@MANY
def test_a_machine_and_its_replay_answer_a_hundred_commands_alike(seed: int, steps: int, config: GroupConfig) -> None:
    live, fuzz = ShareDriver(config), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(live)
    replay = live.failed_over()
    assert isinstance(replay, ShareDriver)
    check_answers(live, replay, Fuzz(seed + 1), Fuzz(seed + 1))


@given(st.integers(0, 2**32), st.integers(1, 100), st.data())
@MANY
def test_compacting_the_log_loses_nothing(seed: int, steps: int, data: st.DataObject) -> None:
    driver, fuzz = ShareDriver(), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
    check_compaction(driver, data)


@given(st.integers(0, 2**32), st.integers(1, 100), configs())
@MANY
def test_members_read_what_they_subscribe_to_and_what_has_a_state(seed: int, steps: int, config: GroupConfig) -> None:
    driver, fuzz = ShareDriver(config), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
        for group in share_groups(driver):
            assert group.targets.keys() <= group.members.keys()
            assert group.assignment_epoch <= group.epoch
            assert all(member.epoch <= group.assignment_epoch for member in group.members.values())
            assert not group.states.deleting.keys() & group.states.initialized.keys()
            assert group.subscribed_topics() == {n for each in group.members.values() for n in each.subscribed_topics}


@given(st.integers(0, 2**32), st.integers(1, 100))
@MANY
def test_every_partition_is_read_once_all_have_answered(seed: int, steps: int) -> None:
    """However it came about: two rounds of heartbeats and a share coordinator that answers lead there."""
    driver, fuzz = ShareDriver(), Fuzz(seed)
    for _ in range(steps):
        fuzz.command(driver)
    for group_id in [group.group_id for group in share_groups(driver) if group.members]:
        for _ in range(3):
            for member in list(driver.group(group_id).members.values()):
                request = ShareGroupHeartbeatRequest(group_id, member.member_id, member.epoch)
                if member.epoch:
                    driver.heartbeat_request(request)
                else:
                    driver.heartbeat_request(request._replace(subscribed_topic_names=sorted(member.subscribed_topics)))
                driver.set_up(group_id)
        group = driver.group(group_id)
        topics = driver.topics.existing(sorted(group.subscribed_topics()))
        read = {
            (topic_id, partition)
            for member in group.members.values()
            for topic_id, partitions in member.assigned.items()
            for partition in partitions
        }
        assert read == {(topic.topic_id, each) for topic in topics for each in range(topic.partition_count)}
        for member in group.members.values():
            names = {topic.topic_id for topic in driver.topics.existing(member.subscribed_topics)}
            assert member.assigned.keys() <= names
            assert not group.needs_attention(member.member_id)


def test_partitions_go_from_state_to_state_as_the_table_says_and_everywhere_it_says() -> None:
    seen: set[tuple[PartitionState, PartitionState]] = set()
    everything = [TopicIdPartition(topic_id, number) for topic_id in (T, U) for number in range(12)]
    for seed in range(60):
        driver, fuzz = ShareDriver(), Fuzz(seed)
        for _ in range(100):
            before = {group.group_id: group.states for group in share_groups(driver)}
            fuzz.command(driver)
            for group in share_groups(driver):
                was = before.get(group.group_id, NO_STATES)
                seen |= {(was.of(each), group.states.of(each)) for each in everything}
    changes = {(old, new) for old, new in seen if old is not new}
    # A topic that has a state is deleted whole, with the partitions that it has not.
    without = {(PartitionState.NONE, PartitionState.DELETING)}
    assert changes - without == {(old, new) for new, olds in ENTERED_FROM.items() for old in olds}


def test_the_random_commands_go_everywhere() -> None:
    """So that the laws above are about something."""
    seen: set[str] = set()
    for seed in range(40):
        driver, fuzz = ShareDriver(), Fuzz(seed)
        for _ in range(100):
            fuzz.command(driver)
            for group in share_groups(driver):
                states = group.states
                seen |= {name for name in states._fields if getattr(states, name)}
                seen |= {f"{group.shown_state}"}
                if states.initializing.keys() & states.initialized.keys():
                    seen.add("set anew")
                if len(group.members) > 4:
                    seen.add("crowd")
    assert seen == {"initializing", "initialized", "deleting", "Empty", "Stable", "set anew", "crowd"}
