"""Join, sync, heartbeat and leave by Kafka's classic protocol."""

from __future__ import annotations

import pytest
from coordinator.driver import SUBSCRIBED_TO_T, Driver

from embedkafka.coordinator.api import DescribeGroupsRequest, HeartbeatRequest, LeavingMember, SyncGroupRequest
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import JOIN, SESSION, SYNC, TimerKey

ILLEGAL_GENERATION = 22
INCONSISTENT_GROUP_PROTOCOL = 23
INVALID_GROUP_ID = 24
UNKNOWN_MEMBER_ID = 25
INVALID_SESSION_TIMEOUT = 26
REBALANCE_IN_PROGRESS = 27
MEMBER_ID_REQUIRED = 79
GROUP_MAX_SIZE_REACHED = 81
FENCED_INSTANCE_ID = 82


@pytest.fixture
def driver() -> Driver:
    return Driver()


def test_a_dynamic_member_is_told_its_id_first(driver: Driver) -> None:
    reply = driver.join(require_member_id=True).reply
    assert (reply.error_code, reply.member_id) == (MEMBER_ID_REQUIRED, "client-id1")
    assert driver.state() == "Empty"


def test_joining_with_that_id_makes_a_generation_of_one(driver: Driver) -> None:
    told = driver.join(require_member_id=True).reply
    reply = driver.join(told.member_id).reply
    assert (reply.error_code, reply.generation_id, reply.leader) == (0, 1, told.member_id)
    assert [member.member_id for member in reply.members] == [told.member_id]
    assert (reply.protocol_type, reply.protocol_name) == ("consumer", "range")


def test_an_id_that_was_told_lapses_after_the_session_timeout(driver: Driver) -> None:
    told = driver.join(require_member_id=True, session_timeout_ms=7_000).reply
    key = TimerKey(SESSION, "g", told.member_id)
    assert driver.timers[key][0] == 7_000
    driver.fire(key)
    assert driver.join(told.member_id).reply.error_code == UNKNOWN_MEMBER_ID


@pytest.mark.parametrize("timeout_ms", [5_999, 1_800_001])
def test_a_session_timeout_out_of_bounds_is_refused(driver: Driver, timeout_ms: int) -> None:
    assert driver.join(session_timeout_ms=timeout_ms).reply.error_code == INVALID_SESSION_TIMEOUT
    assert driver.log == []


def test_an_empty_group_id_is_refused_everywhere(driver: Driver) -> None:
    assert driver.join(group_id="").reply.error_code == INVALID_GROUP_ID
    assert driver.send(SyncGroupRequest("", 1, "m")).reply.error_code == INVALID_GROUP_ID
    assert driver.send(HeartbeatRequest("", 1, "m")).reply == INVALID_GROUP_ID


def test_an_unknown_member_is_not_let_in_by_a_made_up_id(driver: Driver) -> None:
    assert driver.join("made-up").reply.error_code == UNKNOWN_MEMBER_ID
    driver.stable_group()
    assert driver.join("made-up").reply.error_code == UNKNOWN_MEMBER_ID


def test_a_member_without_a_protocol_in_common_is_refused(driver: Driver) -> None:
    driver.stable_group()
    assert driver.join(protocols=(("other", b""),)).reply.error_code == INCONSISTENT_GROUP_PROTOCOL
    assert driver.join(protocol_type="connect").reply.error_code == INCONSISTENT_GROUP_PROTOCOL
    assert driver.state() == "Stable"


def test_a_member_without_any_protocol_is_refused(driver: Driver) -> None:
    assert driver.join(protocols=()).reply.error_code == INCONSISTENT_GROUP_PROTOCOL


def test_the_protocol_most_members_prefer_among_those_all_know_wins(driver: Driver) -> None:
    a, b, c = (("a", b""), ("b", b""), ("c", b""))
    first = driver.join(protocols=(a, b)).reply.member_id
    second = driver.join(protocols=(b, a, c)).park.member_id
    third = driver.join(protocols=(c, b, a)).park.member_id
    driver.join(first, protocols=(a, b))
    assert driver.joined(second).protocol_name == "b"
    assert driver.joined(third).protocol_name == "b"


def test_a_second_member_makes_the_first_one_join_again(driver: Driver) -> None:
    (first,) = driver.stable_group()
    second = driver.join().park.member_id
    assert driver.state() == "PreparingRebalance"
    assert driver.heartbeat(first, 1) == REBALANCE_IN_PROGRESS
    leader = driver.join(first).reply
    assert leader.generation_id == 2
    assert [member.member_id for member in leader.members] == [first, second]
    assert driver.joined(second).members == ()


def test_followers_wait_for_the_leaders_assignment(driver: Driver) -> None:
    first, second = driver.stable_group(2)
    third = driver.join().park.member_id
    driver.join(first)
    generation_id = driver.join(second).reply.generation_id
    assert driver.sync(second, generation_id).park is not None
    assert driver.sync(first, generation_id, {first: b"1", second: b"2", third: b"3"}).reply.assignment == b"1"
    assert driver.answered[("sync", "g", second)].assignment == b"2"
    assert driver.sync(third, generation_id).reply.assignment == b"3"


def test_a_member_that_the_leader_left_out_gets_an_empty_assignment(driver: Driver) -> None:
    first, second = driver.stable_group(2)
    driver.join(first)
    generation_id = driver.join(second).reply.generation_id
    driver.sync(first, generation_id, {first: b"all"})
    assert driver.sync(second, generation_id).reply.assignment == b""


def test_the_assignment_is_written_before_anyone_gets_it(driver: Driver) -> None:
    member_id = driver.join().reply.member_id
    decision = driver.sync(member_id, 1, {member_id: b"all"})
    (record,) = decision.records
    assert record.value.members[0].assignment == b"all"
    assert decision.reply.assignment == b"all"


def test_a_sync_is_checked_for_generation_member_and_protocol(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    assert driver.sync(member_id, 0).reply.error_code == ILLEGAL_GENERATION
    assert driver.sync("nobody", 1).reply.error_code == UNKNOWN_MEMBER_ID
    assert driver.sync(member_id, 1, protocol_name="other").reply.error_code == INCONSISTENT_GROUP_PROTOCOL
    assert driver.sync(member_id, 1, protocol_type="connect").reply.error_code == INCONSISTENT_GROUP_PROTOCOL


def test_a_sync_during_the_join_phase_sends_the_member_back(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    driver.join()
    assert driver.sync(member_id, 1).reply.error_code == REBALANCE_IN_PROGRESS


def test_a_join_during_the_sync_phase_sends_waiting_followers_back(driver: Driver) -> None:
    first, second = driver.stable_group(2)
    driver.join(first)
    generation_id = driver.join(second).reply.generation_id
    driver.sync(second, generation_id)
    driver.join()
    assert driver.answered[("sync", "g", second)].error_code == REBALANCE_IN_PROGRESS


def test_a_follower_that_asks_again_in_a_stable_group_is_told_what_is(driver: Driver) -> None:
    _, second = driver.stable_group(2)
    reply = driver.join(second).reply
    assert (reply.error_code, reply.members) == (0, ())
    assert driver.state() == "Stable"


def test_a_leader_that_joins_again_starts_a_rebalance(driver: Driver) -> None:
    first, _ = driver.stable_group(2)
    assert driver.join(first).park is not None
    assert driver.state() == "PreparingRebalance"


def test_a_follower_with_another_subscription_starts_a_rebalance(driver: Driver) -> None:
    _, second = driver.stable_group(2)
    driver.join(second, protocols=(("range", SUBSCRIBED_TO_T + b"!"),))
    assert driver.state() == "PreparingRebalance"


def test_members_that_do_not_join_in_time_are_out(driver: Driver) -> None:
    first, second = driver.stable_group(2, rebalance_timeout_ms=45_000)
    driver.join(first, rebalance_timeout_ms=45_000)
    assert driver.timers[TimerKey(JOIN, "g")][0] == 45_000
    driver.fire(TimerKey(JOIN, "g"))
    assert [member.member_id for member in driver.joined(first).members] == [first]
    assert driver.heartbeat(second, 3) == UNKNOWN_MEMBER_ID


def test_a_leader_that_does_not_join_in_time_is_succeeded(driver: Driver) -> None:
    _first, second = driver.stable_group(2)
    third = driver.join().park.member_id
    driver.join(second)
    driver.fire(TimerKey(JOIN, "g"))
    assert driver.joined(second).leader == second
    assert driver.joined(third).leader == second


def test_members_that_do_not_sync_in_time_are_out(driver: Driver) -> None:
    first, second = driver.stable_group(2)
    driver.join(first)
    generation_id = driver.join(second).reply.generation_id
    driver.sync(first, generation_id, {})
    driver.fire(TimerKey(SYNC, "g"))
    assert driver.state() == "PreparingRebalance"
    assert driver.heartbeat(second, generation_id) == UNKNOWN_MEMBER_ID


def test_the_sync_timer_ends_when_everyone_has_synced(driver: Driver) -> None:
    driver.stable_group(2)
    assert TimerKey(SYNC, "g") not in driver.timers


def test_a_heartbeat_starts_the_session_again(driver: Driver) -> None:
    (member_id,) = driver.stable_group(session_timeout_ms=9_000)
    driver.timers.clear()
    assert driver.heartbeat(member_id, 1) == 0
    assert driver.timers[TimerKey(SESSION, "g", member_id)][0] == 9_000


def test_a_heartbeat_is_checked_for_group_member_and_generation(driver: Driver) -> None:
    assert driver.heartbeat("nobody", 1) == UNKNOWN_MEMBER_ID
    (member_id,) = driver.stable_group()
    assert driver.heartbeat("nobody", 1) == UNKNOWN_MEMBER_ID
    assert driver.heartbeat(member_id, 2) == ILLEGAL_GENERATION


def test_a_member_whose_session_ends_is_out_and_the_others_join_again(driver: Driver) -> None:
    first, second = driver.stable_group(2)
    driver.fire(TimerKey(SESSION, "g", second))
    assert driver.heartbeat(first, 2) == REBALANCE_IN_PROGRESS
    assert [member.member_id for member in driver.join(first).reply.members] == [first]


def test_a_member_that_waits_for_others_does_not_lose_its_session(driver: Driver) -> None:
    first, _ = driver.stable_group(2)
    driver.join(first)
    driver.fire(TimerKey(SESSION, "g", first))
    assert first in driver.machine.find("g").members


def test_a_new_member_that_waits_too_long_is_out(driver: Driver) -> None:
    driver.stable_group()
    second = driver.join().park.member_id
    key = TimerKey(SESSION, "g", second)
    assert driver.timers[key][0] == 300_000
    driver.fire(key)
    assert driver.joined(second).error_code == UNKNOWN_MEMBER_ID


def test_when_the_last_member_leaves_the_group_is_empty_and_that_is_written(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    assert driver.leave(LeavingMember(member_id)) == [0]
    assert driver.state() == "Empty"
    stored = driver.machine.durable().groups["g"]
    assert (stored.generation, stored.protocol, stored.leader, stored.members) == (2, None, None, [])


def test_each_leaving_member_gets_its_own_answer(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    assert driver.leave(LeavingMember("nobody"), LeavingMember(member_id)) == [UNKNOWN_MEMBER_ID, 0]


def test_nobody_leaves_a_group_that_is_not_there(driver: Driver) -> None:
    assert driver.leave(LeavingMember("m")) == [UNKNOWN_MEMBER_ID]


def test_a_leaving_member_that_waits_to_join_is_told_so(driver: Driver) -> None:
    driver.stable_group()
    second = driver.join().park.member_id
    driver.leave(LeavingMember(second))
    assert driver.joined(second).error_code == UNKNOWN_MEMBER_ID


def test_an_id_that_was_told_can_be_given_back(driver: Driver) -> None:
    told = driver.join(require_member_id=True).reply
    assert driver.leave(LeavingMember(told.member_id)) == [0]
    assert driver.timers == {}


def test_a_full_group_takes_nobody(driver: Driver) -> None:
    full = Driver(GroupConfig(max_size=1))
    full.stable_group()
    assert full.join().reply.error_code == GROUP_MAX_SIZE_REACHED
    assert full.state() == "Stable"


def test_an_empty_group_waits_for_more_members_as_long_as_they_come() -> None:
    driver = Driver(GroupConfig(initial_rebalance_delay_ms=3_000))
    first = driver.join(rebalance_timeout_ms=5_000).park.member_id
    assert driver.timers[TimerKey(JOIN, "g")][0] == 3_000
    second = driver.join(rebalance_timeout_ms=5_000).park.member_id
    driver.fire(TimerKey(JOIN, "g"))
    assert driver.timers[TimerKey(JOIN, "g")][0] == 2_000
    driver.fire(TimerKey(JOIN, "g"))
    assert len(driver.joined(first).members) == 2
    assert driver.joined(second).generation_id == 1


# Static members (KIP-345) -------------------------------------------------------------------------------------------


def static_pair(driver: Driver) -> tuple[str, str]:
    first = driver.join(instance_id="one").reply.member_id
    second = driver.join(instance_id="two").park.member_id
    generation_id = driver.join(first, instance_id="one").reply.generation_id
    driver.sync(first, generation_id, {first: b"1", second: b"2"}, group_instance_id="one")
    driver.sync(second, generation_id, group_instance_id="two")
    return first, second


def test_a_static_member_is_let_in_at_once(driver: Driver) -> None:
    assert driver.join(instance_id="one", require_member_id=True).reply.error_code == 0


def test_a_returning_static_member_keeps_its_assignment_without_a_rebalance(driver: Driver) -> None:
    static_pair(driver)
    returned = driver.join(instance_id="two").reply
    assert (returned.error_code, driver.state()) == (0, "Stable")
    synced = driver.sync(returned.member_id, returned.generation_id, group_instance_id="two").reply
    assert synced.assignment == b"2"


def test_a_returning_static_leader_need_not_assign_again(driver: Driver) -> None:
    static_pair(driver)
    returned = driver.join(instance_id="one").reply
    assert (returned.skip_assignment, returned.leader, len(returned.members)) == (True, returned.member_id, 2)


def test_the_return_of_a_static_member_is_written(driver: Driver) -> None:
    static_pair(driver)
    returned = driver.join(instance_id="two").reply
    assert returned.member_id in {member.member_id for member in driver.machine.durable().groups["g"].members}


def test_the_earlier_holder_of_an_instance_id_is_fenced(driver: Driver) -> None:
    _, second = static_pair(driver)
    driver.join(instance_id="two")
    assert driver.heartbeat(second, 2, "two") == FENCED_INSTANCE_ID
    assert driver.sync(second, 2, group_instance_id="two").reply.error_code == FENCED_INSTANCE_ID
    assert driver.join(second, instance_id="two").reply.error_code == FENCED_INSTANCE_ID


def test_a_fenced_member_that_waits_is_told_so(driver: Driver) -> None:
    first, second = static_pair(driver)
    driver.join(first, instance_id="one")
    driver.join(instance_id="one")
    assert driver.joined(first).error_code == FENCED_INSTANCE_ID
    assert second in driver.machine.find("g").members


def test_a_returning_static_member_with_another_protocol_starts_a_rebalance(driver: Driver) -> None:
    both = (("a", b""), ("b", b""))
    first = driver.join(instance_id="one", protocols=both).reply.member_id
    driver.sync(first, 1, {}, group_instance_id="one")
    returned = driver.join(instance_id="one", protocols=(("b", b""), ("a", b"")))
    assert returned.reply.generation_id == 2
    assert returned.reply.protocol_name == "b"


def test_static_members_that_do_not_join_in_time_stay(driver: Driver) -> None:
    first, second = static_pair(driver)
    driver.join(first, instance_id="one")
    driver.fire(TimerKey(JOIN, "g"))
    assert [member.member_id for member in driver.joined(first).members] == [first, second]


def test_an_admin_removes_a_static_member_by_its_instance_id(driver: Driver) -> None:
    static_pair(driver)
    assert driver.leave(LeavingMember("", "two"), LeavingMember("", "three")) == [0, UNKNOWN_MEMBER_ID]
    assert driver.state() == "PreparingRebalance"


# What others see ----------------------------------------------------------------------------------------------------


def test_members_of_a_stable_group_are_described_with_what_they_own(driver: Driver) -> None:
    (member_id,) = driver.stable_group()
    (described,) = driver.send(DescribeGroupsRequest(["g"])).reply
    assert (described.group_state, described.protocol_type, described.protocol_data) == ("Stable", "consumer", "range")
    (member,) = described.members
    assert (member.member_id, member.client_id, member.client_host) == (member_id, "client", "/127.0.0.1")
    assert member.member_metadata == SUBSCRIBED_TO_T
    assert member.member_assignment == b"part of " + member_id.encode()


def test_a_group_that_is_not_there_is_described_as_dead(driver: Driver) -> None:
    (described,) = driver.send(DescribeGroupsRequest(["nope"])).reply
    assert (described.group_state, described.error_code) == ("Dead", 69)


# After a fail-over --------------------------------------------------------------------------------------------------


def test_members_of_a_stable_group_go_on_after_a_fail_over(driver: Driver) -> None:
    first, second = driver.stable_group(2)
    after = driver.failed_over()
    assert after.heartbeat(first, 2) == 0
    assert after.sync(second, 2).reply.assignment == b"part of " + second.encode()
    assert set(after.timers) == {TimerKey(SESSION, "g", first), TimerKey(SESSION, "g", second)}


def test_a_rebalance_in_progress_is_forgotten_at_a_fail_over(driver: Driver) -> None:
    (first,) = driver.stable_group()
    second = driver.join().park.member_id
    after = driver.failed_over()
    assert after.state() == "Stable"
    assert after.heartbeat(first, 1) == 0
    assert after.join(second).reply.error_code == UNKNOWN_MEMBER_ID


def test_an_id_that_was_told_is_forgotten_at_a_fail_over_but_the_group_is_there(driver: Driver) -> None:
    told = driver.join(require_member_id=True).reply
    after = driver.failed_over()
    assert after.state() == "Empty"
    assert after.join(told.member_id).reply.error_code == UNKNOWN_MEMBER_ID


def test_a_group_over_a_smaller_limit_rebalances_at_a_fail_over(driver: Driver) -> None:
    driver.stable_group(2)
    driver.config = GroupConfig(max_size=1)
    assert driver.failed_over().state() == "PreparingRebalance"
