from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from broker.support import START_MS, TOPIC, Broker, batch, running

from embedkafka.broker.engine import Engine
from embedkafka.broker.partition import Partition
from embedkafka.clock import ManualClock, SystemClock
from embedkafka.files import MemoryFiles
from embedkafka.model import TopicPartition

HOUR_MS = 3_600_000


def partition_of(broker: Broker, topic_partition: TopicPartition = TOPIC) -> Partition:
    partition = broker.engine.topics.partition(topic_partition)
    assert partition is not None
    return partition


def fill(broker: Broker, count: int, *, key: bytes | None = b"k") -> None:
    for number in range(count):
        broker.send(b"%d" % number, key=key)


# Retention ------------------------------------------------------------------------------------------------------------


def test_old_segments_go_when_their_time_is_up_and_no_earlier(clock: ManualClock) -> None:
    with running(clock=clock, log_retention_check_interval_ms=1000, log_initial_task_delay_ms=0) as broker:
        broker.create(internal_segment_bytes="100", retention_ms=str(HOUR_MS))
        fill(broker, 3)
        clock.advance(HOUR_MS)
        assert broker.offset(-2) == 0
        clock.advance(1000)
        assert broker.offset(-2) == 3
        assert broker.values() == []


def test_reading_removes_nothing(broker: Broker) -> None:
    fill(broker, 3)
    assert broker.values() == broker.values() == [b"0", b"1", b"2"]


def test_retention_by_size_keeps_the_newest(clock: ManualClock) -> None:
    with running(clock=clock) as broker:
        broker.create(internal_segment_bytes="100", retention_bytes="200")
        fill(broker, 10)
        clock.advance(30_000)  # log.initial.task.delay.ms
        assert broker.offset(-1) == 10
        assert 0 < broker.offset(-2) < 10
        assert partition_of(broker).log.size_bytes <= 300


def test_deleted_records_are_removed_from_the_disk_by_the_next_retention(path: Path, clock: ManualClock) -> None:
    with running(path, clock=clock) as broker:
        broker.create(internal_segment_bytes="100")
        fill(broker, 5)
        assert len(list(path.glob("broker-0/t-0/*.log"))) == 5
        broker.port.delete_records(broker.context, {TOPIC: 4})
        clock.advance(30_000)
        assert len(list(path.glob("broker-0/t-0/*.log"))) == 1
        assert broker.values() == [b"4"]


def test_a_log_that_nobody_has_touched_since_the_opening_is_kept_in_bounds_too(path: Path) -> None:
    with running(path) as broker:
        broker.create(internal_segment_bytes="100", retention_ms="1000")
        fill(broker, 3)
    clock = ManualClock(START_MS + HOUR_MS)
    with running(path, clock=clock) as broker:
        clock.advance(30_000)
        assert broker.offset(-2) == 3


def test_a_waiting_reader_of_what_retention_removed_is_told_at_its_next_look(clock: ManualClock) -> None:
    with running(clock=clock) as broker:
        broker.create(internal_segment_bytes="100", retention_ms="1000")
        fill(broker, 3)
        clock.advance(31_000)
        assert broker.fetch(0).error_code == 1


# Compaction -----------------------------------------------------------------------------------------------------------


def compacted(broker: Broker, **configs: str) -> None:
    broker.create(internal_segment_bytes="400", cleanup_policy="compact", **configs)


def test_a_compacted_log_keeps_the_last_value_of_every_key(clock: ManualClock) -> None:
    with running(clock=clock) as broker:
        compacted(broker)
        for number in range(40):
            broker.send(b"%d" % number, key=b"k%d" % (number % 4))
        clock.advance(15_000)  # log.cleaner.backoff.ms
        assert broker.offset(-1) == 40
        values = broker.values()
        assert len(values) < 15
        assert values[-4:] == [b"36", b"37", b"38", b"39"]


def test_the_cleaner_goes_on_where_it_stopped_after_a_reopening(path: Path, clock: ManualClock) -> None:
    with running(path, clock=clock) as broker:
        compacted(broker)
        fill(broker, 40)
        clock.advance(15_000)
        offset = broker.engine.store.broker.cleaner_offsets[TOPIC]
        assert offset > 0
    with running(path, clock=ManualClock(START_MS)) as broker:
        assert broker.engine.store.broker.cleaner_offsets[TOPIC] == offset


def test_a_log_from_before_the_opening_is_compacted_without_a_new_append(path: Path) -> None:
    with running(path) as broker:
        compacted(broker)
        fill(broker, 40)
    clock = ManualClock(START_MS)
    with running(path, clock=clock) as broker:
        clock.advance(15_000)
        assert len(broker.values()) < 15


def test_a_record_is_not_compacted_before_min_compaction_lag(clock: ManualClock) -> None:
    with running(clock=clock) as broker:
        compacted(broker, min_compaction_lag_ms=str(HOUR_MS))
        fill(broker, 40)
        clock.advance(HOUR_MS - 60_000)
        assert len(broker.values()) == 40
        clock.advance(120_000)
        assert len(broker.values()) < 15


def test_the_cleaner_can_be_switched_off(clock: ManualClock) -> None:
    with running(clock=clock, log_cleaner_enable=False) as broker:
        compacted(broker)
        fill(broker, 40)
        clock.advance(HOUR_MS)
        assert len(broker.values()) == 40


def test_a_topic_that_becomes_compacted_is_cleaned_after_its_next_append(broker: Broker, clock: ManualClock) -> None:
    broker.set_config(internal_segment_bytes="400")
    fill(broker, 40)
    broker.set_config(cleanup_policy="compact")
    fill(broker, 1)
    clock.advance(15_000)
    assert len(broker.values()) < 15


def test_deleting_a_topic_while_it_is_compacted_hurts_nobody(clock: ManualClock) -> None:
    with running(clock=clock) as broker:
        compacted(broker)
        fill(broker, 40)
        cleaning = broker.engine.housekeeping.cleaning
        cleaning._turn()
        assert cleaning._current is partition_of(broker)
        cleaning._step()
        broker.port.delete_topics(broker.context, ["t"])
        clock.advance(60_000)
        assert broker.engine.store.error_code == 0
        assert cleaning._current is None
        compacted(broker)
        fill(broker, 40)
        clock.advance(15_000)
        assert len(broker.values()) < 15


@pytest.mark.parametrize("steps", range(6))
def test_closing_after_any_step_of_a_compaction_loses_nothing(path: Path, steps: int) -> None:
    with running(path) as broker:
        compacted(broker)
        for number in range(40):
            broker.send(b"%d" % number, key=b"k%d" % (number % 4))
        cleaning = broker.engine.housekeeping.cleaning
        cleaning._turn()
        for _ in range(steps):
            cleaning._step()
    with running(path) as broker:
        assert broker.values()[-4:] == [b"36", b"37", b"38", b"39"]
        assert broker.offset(-1) == 40


def test_an_interrupted_compaction_begins_anew(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(clock=clock) as broker:
        compacted(broker)
        fill(broker, 40)

        def interrupted(*_: object, **__: object) -> Iterator[str]:
            raise KeyboardInterrupt
            yield "never"

        with monkeypatch.context() as patched:
            patched.setattr("embedkafka.broker.cleaning.clean", interrupted)
            with pytest.raises(KeyboardInterrupt):
                clock.advance(15_000)
        assert len(broker.values()) == 40
        clock.advance(15_000)
        assert len(broker.values()) < 15


# Syncing and checkpoints ----------------------------------------------------------------------------------------------


def test_flush_messages_syncs_before_the_acknowledgement(path: Path) -> None:
    with running(path) as broker:
        broker.create(flush_messages="2")
        broker.send(b"a")
        assert partition_of(broker).log.recovery_point == 0
        broker.send(b"b")
        assert partition_of(broker).log.recovery_point == 2


def test_flush_ms_syncs_that_long_after_the_first_record(path: Path, clock: ManualClock) -> None:
    with running(path, clock=clock) as broker:
        broker.create(flush_ms="500")
        broker.send(b"a")
        clock.advance(300)
        broker.send(b"b")
        clock.advance(199)
        assert partition_of(broker).log.recovery_point == 0
        clock.advance(1)
        assert partition_of(broker).log.recovery_point == 2
        broker.send(b"c")
        clock.advance(500)
        assert partition_of(broker).log.recovery_point == 3


def test_a_closed_segment_is_synced_soon(path: Path, clock: ManualClock) -> None:
    with running(path, clock=clock) as broker:
        broker.create(internal_segment_bytes="100")
        fill(broker, 3)
        clock.run_tasks()
        assert partition_of(broker).log.recovery_point == 2


def test_recovery_points_are_written_down_a_minute_after_an_append(path: Path, clock: ManualClock) -> None:
    checkpoint = path / "broker-0" / "recovery-point-offset-checkpoint"
    with running(path, clock=clock) as broker:
        broker.create(flush_messages="1")
        broker.send(b"a")
        clock.advance(59_999)
        assert not checkpoint.exists()
        clock.advance(1)
        assert f"t 0 {partition_of(broker).log.recovery_checkpoint}\n" in checkpoint.read_text()
        checkpoint.unlink()
        clock.advance(HOUR_MS)
        assert not checkpoint.exists()  # nothing happened, nothing to write
        broker.send(b"b")
        clock.advance(60_000)
        assert f"t 0 {partition_of(broker).log.recovery_checkpoint}\n" in checkpoint.read_text()


def test_an_idle_engine_has_no_timers_but_retention_and_expiry_of_producers() -> None:
    engine = Engine.open(clock=ManualClock(START_MS))
    assert len(engine.clock._timers) == 2
    engine.close()


def test_after_an_append_an_idle_engine_comes_to_rest_again(broker: Broker, clock: ManualClock) -> None:
    fill(broker, 3)
    clock.advance(HOUR_MS)
    assert len([timer for *_, timer in clock._timers if timer.callback is not None]) == 2


def test_housekeeping_of_a_real_engine_runs_on_its_thread(path: Path) -> None:
    done = threading.Event()
    names: list[str] = []
    engine = Engine.open(path, configs={"log.initial.task.delay.ms": 0})
    assert isinstance(engine.clock, SystemClock)

    def note() -> None:
        names.append(threading.current_thread().name)
        done.set()

    engine.clock.call_later(1, note)
    assert done.wait(20)
    engine.close()
    assert names == ["embedkafka-housekeeping"]


class _BrokenSyncs(MemoryFiles):
    """A device that fails every sync once ``is_broken``."""

    is_broken = False

    def sync_dir(self, path: str) -> None:
        if self.is_broken:
            raise OSError(5, "Input/output error")
        super().sync_dir(path)


def test_a_failed_sync_takes_the_directory_offline_for_good(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    files = _BrokenSyncs()
    engine = Engine.open(clock=clock, files=files)
    broker = Broker(engine)
    broker.create(flush_messages="1")
    files.is_broken = True
    reply = broker.produce(batch(b"v"))
    assert reply.error_code == 56
    files.is_broken = False
    assert broker.produce(batch(b"v")).error_code == 56
    assert broker.fetch().error_code == 56
    (log_dir,) = broker.port.describe_log_dirs(broker.context, None)
    assert log_dir.error_code == 56
    clock.advance(HOUR_MS)  # housekeeping keeps its hands off
    engine.close()
