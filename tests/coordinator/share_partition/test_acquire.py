"""What a member is given: new records, records that came back, never those of others."""

from __future__ import annotations

from coordinator.share_partition.driver import Driver

from embedkafka.coordinator.share_partition.api import AcknowledgeType, AcquireMode
from embedkafka.coordinator.share_partition.config import ShareSettings
from embedkafka.coordinator.share_partition.standing import ACQUIRED

RELEASE = AcknowledgeType.RELEASE


def test_new_records_are_given_once() -> None:
    driver = Driver()
    driver.append(10)
    assert driver.acquire("a") == [(0, 9, 1)]
    assert driver.acquire("b") == []
    driver.append(5)
    assert driver.acquire("b") == [(10, 14, 1)]


def test_whole_batches_are_given_even_beyond_the_number_asked_for() -> None:
    driver = Driver()
    driver.append(10, 10, 10)
    assert driver.acquire(max_records=15) == [(0, 19, 1)]


def test_with_a_record_limit_a_batch_is_divided() -> None:
    driver = Driver()
    driver.append(10)
    assert driver.acquire("a", 4, mode=AcquireMode.RECORD_LIMIT) == [(0, 3, 1)]
    assert driver.acquire("b", 4, mode=AcquireMode.RECORD_LIMIT) == [(4, 7, 1)]
    assert driver.acquire("a", 4, mode=AcquireMode.RECORD_LIMIT) == [(8, 9, 1)]


def test_many_new_records_come_in_portions_of_whole_batches() -> None:
    driver = Driver()
    driver.append(4, 4, 4, 4)
    assert driver.acquire(max_records=100, batch_size=6) == [(0, 7, 1), (8, 15, 1)]


def test_records_that_came_back_are_given_before_new_ones_with_their_count() -> None:
    driver = Driver()
    driver.append(10)
    driver.acquire("a")
    driver.acknowledge((2, 4, RELEASE), member_id="a")
    driver.append(5)
    assert driver.acquire("b") == [(2, 4, 2), (10, 14, 1)]


def test_what_others_hold_is_passed_over() -> None:
    driver = Driver()
    driver.append(4, 4, 4)
    driver.acquire("a", 4)
    driver.acquire("b", 4)
    driver.acquire("c", 4)
    driver.acknowledge((0, 3, RELEASE), member_id="a")
    driver.acknowledge((8, 11, RELEASE), member_id="c")
    assert driver.acquire("d") == [(0, 3, 2), (8, 11, 2)]


def test_no_more_is_in_flight_than_the_limit_of_locks_allows_but_for_whole_batches() -> None:
    driver = Driver(ShareSettings(partition_max_record_locks=10))
    driver.append(4, 4, 4, 4)
    assert driver.acquire() == [(0, 11, 1)], "the batch that reaches the limit is given as a whole"
    assert driver.acquire("b") == []
    driver.acknowledge((0, 3, AcknowledgeType.ACCEPT))
    assert driver.acquire("b") == [(12, 15, 1)]


def test_a_record_that_somebody_holds_for_long_does_not_stop_the_others() -> None:
    """Done records behind it do not count as in flight; in Kafka they do."""
    driver = Driver(ShareSettings(partition_max_record_locks=4))
    driver.append(*[1] * 40)
    driver.acquire("slow", 1)
    for _ in range(13):
        for first, last, _ in driver.acquire("fast"):
            assert driver.acknowledge((first, last, AcknowledgeType.ACCEPT), member_id="fast") == 0
    assert driver.machine.end_offset == 40
    assert len(driver.machine.standings) == 2


def test_markers_are_passed_over_and_count_as_done() -> None:
    driver = Driver()
    driver.append(3)
    driver.append(1, is_visible=False)
    driver.append(2)
    assert driver.acquire() == [(0, 2, 1), (4, 5, 1)]
    driver.acknowledge((0, 2, AcknowledgeType.ACCEPT), (4, 5, AcknowledgeType.ACCEPT))
    assert driver.machine.start_offset == 6


def test_a_marker_alone_moves_the_start_and_that_is_stored() -> None:
    driver = Driver()
    driver.append(1, is_visible=False)
    assert driver.acquire() == []
    assert driver.machine.start_offset == 1
    assert driver.failed_over().start_offset == 1


def test_more_hidden_batches_than_are_read_at_once_do_not_hide_what_follows() -> None:
    driver = Driver()
    driver.append(*[1] * 30, is_visible=False)
    driver.append(2)
    assert driver.acquire(read_batches=4) == [(30, 31, 1)]


def test_what_compaction_has_removed_counts_as_done() -> None:
    driver = Driver()
    driver.append(5, 5, 5)
    driver.acquire("a")
    driver.acknowledge((0, 14, RELEASE), member_id="a")
    del driver.log[:2]
    assert driver.acquire("b") == [(10, 14, 2)]
    assert driver.machine.start_offset == 10


def test_a_hole_between_batches_is_nobodys() -> None:
    driver = Driver()
    driver.log = [(0, 4, True), (20, 24, True)]
    assert driver.acquire() == [(0, 4, 1), (20, 24, 1)]


def test_after_a_fail_over_what_was_not_acknowledged_is_given_again() -> None:
    driver = Driver()
    driver.append(10)
    driver.acquire("a")
    driver.acknowledge((3, 5, AcknowledgeType.ACCEPT), member_id="a")
    driver.machine = driver.failed_over()
    assert driver.acquire("b") == [(0, 2, 1), (6, 9, 1)]


def test_the_delivery_count_survives_a_fail_over_as_it_was_when_the_record_came_back() -> None:
    driver = Driver()
    driver.append(3)
    driver.acquire("a")
    driver.end_locks(30_000)
    driver.acquire("b")
    driver.machine = driver.failed_over()
    assert driver.acquire("c") == [(0, 2, 2)], "the second delivery was not stored when it began"


def test_records_that_failed_often_come_in_ever_smaller_portions_and_at_last_alone() -> None:
    driver = Driver(ShareSettings(delivery_count_limit=5))
    driver.append(16)
    sizes = []
    for _ in range(5):
        found = driver.acquire("a")
        sizes.append(sum(last - first + 1 for first, last, _ in found))
        driver.end_locks(30_000)
    assert sizes == [16, 16, 16, 8, 1]


def test_one_bad_record_does_not_use_up_its_neighbours_deliveries() -> None:
    """The worker dies over record 5; everything else is done in the end."""
    driver = Driver(ShareSettings(delivery_count_limit=5))
    driver.append(16)
    while found := driver.acquire("a"):
        for first, last, _ in found:
            if first <= 5 <= last:
                driver.end_locks(30_000)
                break
            driver.acknowledge((first, last, AcknowledgeType.ACCEPT), member_id="a")
    assert driver.machine.start_offset == 16
    assert [(each.first_offset, each.last_offset) for each in driver.dead_letters] == [(5, 5)]


def test_a_thousand_acquired_records_are_one_range() -> None:
    driver = Driver()
    driver.append(*[100] * 10)
    driver.acquire(max_records=1_000)
    assert [(first, last, each.state) for first, last, each in driver.machine.standings] == [(0, 999, ACQUIRED)]
