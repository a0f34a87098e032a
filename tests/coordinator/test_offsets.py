"""Offsets: who may commit, what is kept, what is deleted and when."""

from __future__ import annotations

from typing import Any

import pytest
from coordinator.driver import SUBSCRIBED_TO_T, Driver

from embedkafka.coordinator.api import (
    DeleteGroupsRequest,
    LeavingMember,
    ListGroupsRequest,
    OffsetDeleteRequest,
    OffsetFetchRequest,
)
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import SESSION, ExpireOffsets, TimerKey, TopicsDeleted
from embedkafka.model import TopicPartition

T0, T1, U0 = TopicPartition("t", 0), TopicPartition("t", 1), TopicPartition("u", 0)
RETENTION_MS = GroupConfig().offsets_retention_ms
OFFSET_METADATA_TOO_LARGE = 12
ILLEGAL_GENERATION = 22
UNKNOWN_MEMBER_ID = 25
REBALANCE_IN_PROGRESS = 27
NON_EMPTY_GROUP = 68
GROUP_ID_NOT_FOUND = 69
GROUP_SUBSCRIBED_TO_TOPIC = 86


@pytest.fixture
def driver() -> Driver:
    return Driver()


def test_a_program_without_a_group_membership_commits_to_an_empty_group(driver: Driver) -> None:
    assert driver.commit(7) == 0
    assert driver.committed() == {T0: 7}
    assert driver.state() == "Empty"


def test_such_a_group_is_listed_without_a_protocol_type(driver: Driver) -> None:
    driver.commit(7)
    (listed,) = driver.send(ListGroupsRequest()).reply
    assert (listed.group_id, listed.protocol_type, listed.group_state, listed.group_type) == (
        "g",
        "",
        "Empty",
        "classic",
    )


def test_a_commit_from_outside_is_refused_while_the_group_has_members(driver: Driver) -> None:
    driver.stable_group()
    assert driver.commit(7) == UNKNOWN_MEMBER_ID
    assert driver.committed() == {}


def test_a_member_commits_in_its_generation_only(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    assert driver.commit(7, member_id, 1) == 0
    assert driver.commit(8, member_id, 0) == ILLEGAL_GENERATION
    assert driver.commit(8, "nobody", 1) == UNKNOWN_MEMBER_ID
    assert driver.committed() == {T0: 7}


def test_a_commit_in_a_generation_of_a_group_that_is_gone_is_refused(driver: Driver) -> None:
    assert driver.commit(7, "m", 3) == ILLEGAL_GENERATION


def test_members_may_still_commit_while_a_rebalance_is_prepared(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    driver.join()
    assert driver.commit(7, member_id, 1) == 0


def test_nobody_commits_between_join_and_sync(driver: Driver) -> None:
    member_id = driver.join().reply.member_id
    assert driver.commit(7, member_id, 1) == REBALANCE_IN_PROGRESS


def test_a_commit_is_a_sign_of_life(driver: Driver) -> None:
    (member_id,) = driver.stable_group(session_timeout_ms=8_000)
    driver.timers.clear()
    driver.commit(7, member_id, 1)
    assert driver.timers[TimerKey(SESSION, "g", member_id)][0] == 8_000


def test_metadata_over_the_limit_is_refused_for_its_partition_alone(driver: Driver) -> None:
    assert driver.commit(7, metadata="x" * 4_096) == 0
    assert driver.commit(8, metadata="x" * 4_097, partition=1) == OFFSET_METADATA_TOO_LARGE
    assert driver.committed() == {T0: 7}


def test_selected_partitions_without_a_commit_have_offset_minus_one(driver: Driver) -> None:
    driver.commit(7, metadata="why")
    reply: Any = driver.send(OffsetFetchRequest("g", [T0, T1])).reply
    assert (reply.offsets[T0].offset, reply.offsets[T0].metadata) == (7, "why")
    assert (reply.offsets[T1].offset, reply.offsets[T1].leader_epoch) == (-1, -1)


def test_an_unknown_group_has_committed_nothing(driver: Driver) -> None:
    assert driver.committed(group_id="nope") == {}


def test_two_groups_do_not_see_each_others_offsets(driver: Driver) -> None:
    driver.commit(7)
    driver.commit(9, group_id="h")
    assert (driver.committed(), driver.committed(group_id="h")) == ({T0: 7}, {T0: 9})


def test_offsets_of_a_subscribed_topic_are_not_deleted(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    driver.commit(7, member_id, 1)
    driver.commit(8, member_id, 1, topic="u")
    reply: Any = driver.send(OffsetDeleteRequest("g", [T0, U0])).reply
    assert reply.error_codes == {T0: GROUP_SUBSCRIBED_TO_TOPIC, U0: 0}
    assert driver.committed() == {T0: 7}


def test_a_subscription_that_breaks_off_after_version_0_tells_its_topics(driver: Driver) -> None:
    of_version_1 = b"\0\1" + SUBSCRIBED_TO_T[2:]  # without the partitions that this version adds
    (member_id,) = driver.stable_group(protocols=(("range", of_version_1),))
    driver.commit(7, member_id, 1)
    driver.commit(8, member_id, 1, topic="u")
    reply: Any = driver.send(OffsetDeleteRequest("g", [T0, U0])).reply
    assert reply.error_codes == {T0: GROUP_SUBSCRIBED_TO_TOPIC, U0: 0}


def test_offsets_of_a_group_of_another_type_are_deleted_only_when_it_is_empty(driver: Driver) -> None:
    member_id = driver.join(protocol_type="connect").reply.member_id
    reply: Any = driver.send(OffsetDeleteRequest("g", [T0])).reply
    assert reply.error_code == NON_EMPTY_GROUP
    driver.leave(LeavingMember(member_id))
    driver.commit(7)
    driver.send(OffsetDeleteRequest("g", [T0]))
    assert driver.committed() == {}


def test_offsets_of_a_group_that_is_not_there_cannot_be_deleted(driver: Driver) -> None:
    reply: Any = driver.send(OffsetDeleteRequest("g", [T0])).reply
    assert reply.error_code == GROUP_ID_NOT_FOUND


def test_groups_with_members_are_not_deleted(driver: Driver) -> None:
    driver.stable_group()
    driver.commit(1, group_id="h")
    results: Any = driver.send(DeleteGroupsRequest(["g", "h", "nope"])).reply
    assert [result.error_code for result in results] == [NON_EMPTY_GROUP, 0, GROUP_ID_NOT_FOUND]
    assert (driver.state(), driver.state("h")) == ("Stable", None)


def test_a_deleted_group_leaves_tombstones_for_all_it_had(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    driver.commit(7, member_id, 1)
    driver.leave(LeavingMember(member_id))
    decision = driver.send(DeleteGroupsRequest(["g"]))
    assert [record.value for record in decision.records] == [None, None]
    assert driver.replayed().durable().group_ids() == set()


def test_the_offsets_of_a_deleted_topic_are_forgotten_by_every_group(driver: Driver) -> None:
    driver.commit(7)
    driver.commit(8, topic="u")
    driver.commit(9, group_id="h")
    driver.send(TopicsDeleted(["t"]))
    assert (driver.committed(), driver.committed(group_id="h")) == ({U0: 8}, {})


def test_groups_are_listed_by_state_and_type_without_regard_to_case(driver: Driver) -> None:
    driver.stable_group()
    driver.commit(1, group_id="h")
    listed = {
        filters: [group.group_id for group in driver.send(ListGroupsRequest(*filters)).reply]
        for filters in [((), ()), (("stable",), ()), (("Empty",), ("Classic",)), ((), ("consumer",))]
    }
    assert list(listed.values()) == [["g", "h"], ["g"], ["h"], []]


# Retention (KIP-211) ------------------------------------------------------------------------------------------------


def expire(driver: Driver, after_ms: int) -> None:
    driver.now_ms += after_ms
    driver.send(ExpireOffsets())


def test_offsets_of_a_group_without_members_ever_expire_by_their_commit(driver: Driver) -> None:
    driver.commit(7)
    expire(driver, RETENTION_MS - 1)
    assert driver.committed() == {T0: 7}
    expire(driver, 1)
    assert driver.committed() == {}
    assert driver.state() is None


def test_offsets_of_a_group_that_became_empty_expire_counted_from_then(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    driver.commit(7, member_id, 1)
    driver.now_ms += RETENTION_MS
    driver.leave(LeavingMember(member_id))
    expire(driver, RETENTION_MS - 1)
    assert driver.committed() == {T0: 7}
    expire(driver, 1)
    assert (driver.committed(), driver.state()) == ({}, None)


def test_offsets_of_topics_that_members_read_do_not_expire(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    driver.commit(7, member_id, 1)
    expire(driver, 10 * RETENTION_MS)
    assert driver.committed() == {T0: 7}


def test_offsets_of_topics_that_members_do_not_read_any_more_expire(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    driver.commit(7, member_id, 1, topic="u")
    expire(driver, RETENTION_MS)
    assert (driver.committed(), driver.state()) == ({}, "Stable")


def test_offsets_of_other_protocol_types_do_not_expire_under_members(driver: Driver) -> None:
    member_id = driver.join(protocol_type="connect").reply.member_id
    driver.sync(member_id, 1, {})
    driver.commit(7, member_id, 1)
    expire(driver, 10 * RETENTION_MS)
    assert driver.committed() == {T0: 7}


def test_an_empty_group_without_offsets_is_deleted_at_the_next_check(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    driver.leave(LeavingMember(member_id))
    expire(driver, 0)
    assert driver.state() is None


def test_a_group_that_somebody_is_about_to_join_is_not_deleted(driver: Driver) -> None:
    told = driver.join(require_member_id=True).reply
    expire(driver, 0)
    assert driver.join(told.member_id).reply.error_code == 0


def test_an_expiry_of_its_own_in_an_old_record_is_obeyed(driver: Driver) -> None:
    driver.commit(7)
    value = driver.machine.durable().offsets["g"][T0]
    value.expire_timestamp = driver.now_ms + 10
    expire(driver, 9)
    assert driver.committed() == {T0: 7}
    expire(driver, 1)
    assert driver.committed() == {}


def test_a_group_of_offsets_alone_is_gone_with_them_even_if_somebody_nearly_joined(driver: Driver) -> None:
    driver.commit(7)
    told = driver.join(require_member_id=True).reply
    driver.send(OffsetDeleteRequest("g", [T0]))
    driver.fire(TimerKey(SESSION, "g", told.member_id))
    assert (driver.state(), driver.failed_over().state()) == (None, None)
