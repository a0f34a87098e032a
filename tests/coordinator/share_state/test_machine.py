"""The share coordinator decides: initializing, writing, fencing, snapshots, pruning."""

from __future__ import annotations

from coordinator.share_state.driver import KEY, OTHER, Driver

from embedkafka.coordinator.share_state import records
from embedkafka.coordinator.share_state.api import DeliveryState, StateBatch
from embedkafka.coordinator.share_state.config import ShareStateConfig
from embedkafka.coordinator.share_state.decision import ForgetTopics, SnapshotCold
from embedkafka.coordinator.share_state.state import Snapshot, Update
from embedkafka.errors import FencedLeaderEpochError, FencedStateEpochError, InvalidRequestError

AVAILABLE, DONE = DeliveryState.AVAILABLE, DeliveryState.ACKNOWLEDGED


def kinds(driver: Driver) -> list[type]:
    return [type(record.change) for entry in driver.log if (record := records.decode(*entry)) is not None]


def test_a_partition_that_was_not_initialized_can_be_neither_read_nor_written() -> None:
    driver = Driver()
    assert driver.read().error_code == InvalidRequestError.errno
    assert driver.write((0, 0, DONE, 1)) == InvalidRequestError.errno
    assert driver.log == []


def test_a_new_partition_has_no_start_offset_until_its_leader_gives_it_one() -> None:
    driver = Driver()
    assert driver.initialize(state_epoch=5) == [0]
    assert (driver.read().start_offset, driver.read().state_epoch, driver.read().batches) == (-1, 5, [])


def test_what_is_written_of_an_offset_replaces_what_was_said_before() -> None:
    driver = Driver()
    driver.initialize(start_offset=0)
    driver.write((0, 9, AVAILABLE, 1))
    driver.write((3, 4, DONE, 1))
    assert driver.read().batches == [
        StateBatch(0, 2, AVAILABLE, 1),
        StateBatch(3, 4, DONE, 1),
        StateBatch(5, 9, AVAILABLE, 1),
    ]


def test_nothing_below_the_start_offset_is_kept() -> None:
    driver = Driver()
    driver.initialize(start_offset=0)
    driver.write((0, 9, DONE, 1), (10, 12, AVAILABLE, 1))
    driver.write(start_offset=11)
    assert driver.read().batches == [StateBatch(11, 12, AVAILABLE, 1)]
    assert driver.summary().start_offset == 11


def test_after_so_many_updates_comes_a_snapshot() -> None:
    driver = Driver(ShareStateConfig(snapshot_update_records_per_snapshot=2))
    driver.initialize(start_offset=0)
    driver.read()
    for offset in range(4):
        driver.write((offset, offset, DONE, 1))
    assert kinds(driver) == [Snapshot, Snapshot, Update, Update, Snapshot, Update]
    assert driver.read().batches == [StateBatch(0, 3, DONE, 1)]


def test_an_older_state_epoch_is_fenced() -> None:
    driver = Driver()
    driver.initialize(start_offset=0, state_epoch=2)
    assert driver.write((0, 0, DONE, 1), state_epoch=1) == FencedStateEpochError.errno
    assert driver.initialize(start_offset=9, state_epoch=1) == [FencedStateEpochError.errno]
    assert driver.read().start_offset == 0


def test_a_leader_of_an_older_epoch_is_fenced_once_a_newer_one_has_read() -> None:
    driver = Driver()
    driver.initialize(start_offset=0)
    assert driver.write((0, 0, DONE, 1), leader_epoch=3) == 0
    assert driver.read(leader_epoch=4).error_code == 0
    assert driver.write((0, 0, DONE, 1), leader_epoch=3) == FencedLeaderEpochError.errno
    assert driver.read(leader_epoch=3).error_code == FencedLeaderEpochError.errno


def test_initializing_again_forgets_what_was_there() -> None:
    driver = Driver()
    driver.initialize(start_offset=0)
    driver.write((0, 9, DONE, 1))
    driver.initialize(start_offset=4, state_epoch=1)
    assert (driver.read().start_offset, driver.read().batches) == (4, [])


def test_what_is_deleted_is_unknown_and_deleting_it_again_is_no_error() -> None:
    driver = Driver()
    driver.initialize(KEY, OTHER, start_offset=0)
    assert driver.delete() == {KEY: 0}
    length = len(driver.log)
    assert driver.delete() == {KEY: 0}
    assert len(driver.log) == length
    assert driver.read().error_code == InvalidRequestError.errno
    assert driver.summary().start_offset == -1
    assert driver.read(OTHER).error_code == 0


def test_a_deleted_topic_takes_its_share_partitions_along() -> None:
    driver = Driver()
    driver.initialize(KEY, OTHER, start_offset=0)
    driver.send(ForgetTopics([KEY.topic_id]))
    assert driver.machine.durable() == {}


def test_the_log_is_pruned_up_to_the_oldest_snapshot_that_holds() -> None:
    driver = Driver(ShareStateConfig(snapshot_update_records_per_snapshot=1))
    driver.initialize(KEY, OTHER, start_offset=0)
    for offset in range(6):
        driver.write((offset, offset, DONE, 1))
    assert driver.machine.prunable_before(len(driver.log)) == 1, "OTHER has nothing newer"
    driver.write((0, 0, DONE, 1), key=OTHER)
    driver.write((1, 1, DONE, 1), key=OTHER)
    driver.prune()
    assert driver.start > 1
    assert driver.replayed().durable() == driver.machine.durable()


def test_a_partition_that_nobody_changes_is_written_anew_so_that_the_others_can_be_pruned() -> None:
    driver = Driver(ShareStateConfig(snapshot_update_records_per_snapshot=0))
    driver.initialize(KEY, OTHER, start_offset=0)
    driver.now_ms += driver.config.cold_snapshot_interval_ms
    driver.write((0, 0, DONE, 1))
    driver.prune()
    assert driver.start == 2
    assert driver.replayed().durable() == driver.machine.durable()


def test_when_all_are_cold_nothing_is_written() -> None:
    driver = Driver()
    driver.initialize(KEY, OTHER, start_offset=0)
    driver.now_ms += driver.config.cold_snapshot_interval_ms
    length = len(driver.log)
    driver.prune()
    assert len(driver.log) == length


def test_with_nothing_left_the_whole_log_can_go() -> None:
    driver = Driver()
    driver.initialize(start_offset=0)
    driver.delete()
    driver.prune()
    assert driver.start == len(driver.log)


def test_a_partition_that_was_written_long_ago_in_the_log_is_written_anew_where_that_is_asked_for() -> None:
    driver = Driver(ShareStateConfig(snapshot_update_records_per_snapshot=1))
    driver.initialize(KEY, OTHER, start_offset=0)
    for offset in range(6):
        driver.write((offset, offset, DONE, 1))
    driver.send(SnapshotCold(before_offset=3))
    assert driver.machine.prunable_before(len(driver.log)) > 3
    assert driver.replayed().durable() == driver.machine.durable()
