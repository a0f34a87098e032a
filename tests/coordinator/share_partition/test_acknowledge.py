"""What becomes of records: acknowledged, released, rejected, renewed, forgotten by their readers."""

from __future__ import annotations

import pytest
from coordinator.share_partition.driver import Driver

from embedkafka.coordinator.share_partition.api import AcknowledgeType
from embedkafka.coordinator.share_partition.config import ShareSettings
from embedkafka.coordinator.share_partition.decision import DeadLetters
from embedkafka.coordinator.share_partition.standing import ACKNOWLEDGED, ACQUIRED, ARCHIVED, AVAILABLE, PREDECESSORS
from embedkafka.errors import InvalidRecordStateError, InvalidRequestError

GAP, ACCEPT, RELEASE, REJECT, RENEW = range(5)


@pytest.fixture
def driver() -> Driver:
    """Ten records that member ``m`` has acquired."""
    made = Driver()
    made.append(10)
    made.acquire()
    return made


def test_the_numbers_are_kafkas() -> None:
    names = ("GAP", "ACCEPT", "RELEASE", "REJECT", "RENEW")
    assert [getattr(AcknowledgeType, name) for name in names] == [0, 1, 2, 3, 4]


def test_when_all_before_is_done_the_start_moves(driver: Driver) -> None:
    driver.acknowledge((4, 9, ACCEPT))
    assert driver.machine.start_offset == 0
    driver.acknowledge((0, 3, ACCEPT))
    assert (driver.machine.start_offset, driver.machine.end_offset, len(driver.machine.standings)) == (10, 10, 0)


def test_each_offset_may_have_a_type_of_its_own(driver: Driver) -> None:
    driver.acknowledge((0, 4, (RELEASE, ACCEPT, REJECT, GAP, RELEASE)))
    found = [driver.states_by_offset()[offset] for offset in range(6)]
    expected = [(AVAILABLE, 1), (ACKNOWLEDGED, 1), (ARCHIVED, 1), (ARCHIVED, 1), (AVAILABLE, 1), (ACQUIRED, 1)]
    assert found == expected


def test_a_record_is_acknowledged_once(driver: Driver) -> None:
    driver.acknowledge((4, 4, ACCEPT))
    assert driver.acknowledge((4, 4, ACCEPT)) == InvalidRecordStateError.errno
    assert driver.acknowledge((4, 4, REJECT)) == InvalidRecordStateError.errno


def test_nobody_acknowledges_what_somebody_else_holds(driver: Driver) -> None:
    assert driver.acknowledge((0, 0, ACCEPT), member_id="other") == InvalidRecordStateError.errno


def test_what_is_done_already_below_the_start_may_be_acknowledged_again(driver: Driver) -> None:
    driver.acknowledge((0, 3, ACCEPT))
    assert driver.acknowledge((0, 3, ACCEPT)) == 0
    assert driver.acknowledge((2, 5, ACCEPT)) == 0
    assert driver.machine.start_offset == 6


def test_nobody_acknowledges_what_was_given_to_nobody(driver: Driver) -> None:
    assert driver.acknowledge((8, 12, ACCEPT)) == InvalidRequestError.errno


@pytest.mark.parametrize(
    "batches",
    [
        [(3, 2, ACCEPT)],
        [(0, 3, ACCEPT), (2, 5, ACCEPT)],
        [(4, 5, ACCEPT), (0, 1, ACCEPT)],
        [(0, 3, (ACCEPT, ACCEPT))],
        [(0, 3, ())],
        [(0, 0, 5)],
        [(0, 1, (ACCEPT, -1))],
        [(-1, 0, ACCEPT)],
    ],
    ids=["ends before it begins", "overlap", "order", "too few types", "no type", "type 5", "type -1", "offset -1"],
)
def test_acknowledgements_that_make_no_sense_are_refused(driver: Driver, batches: list[tuple[int, int, int]]) -> None:
    before = driver.states_by_offset()
    assert driver.acknowledge(*batches) == InvalidRequestError.errno
    assert driver.states_by_offset() == before


def test_an_offset_that_two_acknowledgements_share_is_not_acquired_any_more_for_the_second(driver: Driver) -> None:
    before = driver.states_by_offset()
    assert driver.acknowledge((0, 3, ACCEPT), (3, 5, ACCEPT)) == InvalidRecordStateError.errno
    assert driver.states_by_offset() == before


def test_one_bad_acknowledgement_spoils_all(driver: Driver) -> None:
    driver.acknowledge((5, 5, ACCEPT))
    before = driver.states_by_offset()
    assert driver.acknowledge((0, 1, ACCEPT), (4, 6, ACCEPT)) == InvalidRecordStateError.errno
    assert driver.states_by_offset() == before


def test_a_released_record_is_given_again_until_the_limit_is_reached() -> None:
    driver = Driver(ShareSettings(delivery_count_limit=3))
    driver.append(1)
    for count in (1, 2, 3):
        assert driver.acquire() == [(0, 0, count)]
        driver.acknowledge((0, 0, RELEASE))
    assert driver.acquire() == []
    assert driver.machine.start_offset == 1
    assert driver.dead_letters == [DeadLetters(0, 0, 3, is_rejected=False)]


def test_a_rejected_record_is_undeliverable_at_once(driver: Driver) -> None:
    driver.acknowledge((2, 3, REJECT))
    assert driver.dead_letters == [DeadLetters(2, 3, 1, is_rejected=True)]


def test_a_gap_is_no_dead_letter(driver: Driver) -> None:
    driver.acknowledge((2, 3, GAP))
    assert driver.dead_letters == []


def test_a_lock_that_ends_gives_the_record_to_others(driver: Driver) -> None:
    driver.end_locks(29_999)
    assert driver.acquire("other") == []
    driver.end_locks(1)
    assert driver.acquire("other") == [(0, 9, 2)]
    assert driver.acknowledge((0, 9, ACCEPT)) == InvalidRecordStateError.errno


def test_a_lock_that_ends_at_the_limit_makes_a_dead_letter() -> None:
    driver = Driver(ShareSettings(delivery_count_limit=2))
    driver.append(1)
    driver.acquire()
    driver.end_locks(30_000)
    driver.acquire()
    driver.end_locks(30_000)
    assert driver.dead_letters == [DeadLetters(0, 0, 2, is_rejected=False)]
    assert driver.machine.start_offset == 1


def test_a_renewed_lock_begins_anew_for_some_of_the_records(driver: Driver) -> None:
    driver.now_ms = 20_000
    assert driver.acknowledge((3, 5, RENEW)) == 0
    driver.end_locks(10_000)
    assert driver.acquire("other") == [(0, 2, 2), (6, 9, 2)]
    assert driver.acknowledge((3, 5, ACCEPT)) == 0


def test_renewing_and_accepting_go_together(driver: Driver) -> None:
    assert driver.acknowledge((0, 2, (ACCEPT, RENEW, ACCEPT))) == 0
    assert driver.machine.start_offset == 1
    assert driver.states_by_offset()[1] == (ACQUIRED, 1)


def test_when_a_session_is_closed_others_get_its_records(driver: Driver) -> None:
    """The delivery counts, as in Kafka 4.3.1."""
    driver.acknowledge((0, 1, ACCEPT))
    driver.release()
    assert driver.acquire("other") == [(2, 9, 2)]


def test_a_session_that_is_closed_at_the_limit_makes_dead_letters() -> None:
    driver = Driver(ShareSettings(delivery_count_limit=2))
    driver.append(1)
    for _ in range(2):
        driver.acquire()
        driver.release()
    assert driver.dead_letters == [DeadLetters(0, 0, 2, is_rejected=False)]


def test_closing_a_session_leaves_others_alone(driver: Driver) -> None:
    driver.append(5)
    driver.acquire("other")
    driver.release("other")
    assert driver.acknowledge((0, 9, ACCEPT)) == 0


def test_when_the_log_loses_its_beginning_the_start_moves_and_acknowledgements_for_it_are_taken(
    driver: Driver,
) -> None:
    driver.acknowledge((6, 7, ACCEPT))
    driver.move_start(5)
    assert (driver.machine.start_offset, driver.machine.complete_count) == (5, 2)
    assert driver.acknowledge((0, 5, ACCEPT)) == 0
    assert driver.machine.start_offset == 8


def test_when_the_log_loses_everything_the_next_record_is_new(driver: Driver) -> None:
    driver.log = [(0, 29, True)]
    driver.move_start(30)
    driver.log = [(30, 32, True)]
    assert driver.acquire("other") == [(30, 32, 1)]


def test_an_acknowledged_record_stays_done_after_a_fail_over(driver: Driver) -> None:
    driver.acknowledge((0, 4, ACCEPT), (7, 7, REJECT))
    driver.machine = driver.failed_over()
    assert driver.acquire("other") == [(5, 6, 1), (8, 9, 1)]


def test_every_state_has_its_predecessors_in_the_table() -> None:
    assert set(PREDECESSORS) == {AVAILABLE, ACQUIRED, ACKNOWLEDGED, ARCHIVED, -1}
    assert all(before in PREDECESSORS for each in PREDECESSORS.values() for before in each)
