"""Upkeep of logs: retention, syncing by time, checkpoints.  Compaction has its own file, ``cleaning.py``.

=====================  ================================================================  ==============================
what                   when                                                              wakes an idle engine
=====================  ================================================================  ==============================
retention              every ``log.retention.check.interval.ms``                         yes: age alone makes it due
expiry of producers    every ``producer.id.expiration.check.interval.ms``                yes: age alone makes it due
``flush.ms``           that long after the first record that is not synced               no
checkpoints            ``log.flush.offset.checkpoint.interval.ms`` after an append       no
=====================  ================================================================  ==============================

A partition that gets a record while none of its timers runs says so once (:meth:`Housekeeping.appended`); after that
an append costs one look at a flag.  Everything here runs as a timer of the engine's clock: on the housekeeping thread,
or with a ``ManualClock`` on the thread that moves it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from embedkafka.broker.cleaning import Cleaning
from embedkafka.broker.store import Store
from embedkafka.clock import Clock, Timer
from embedkafka.config import BrokerConfig
from embedkafka.errors import BrokerResponseError, KafkaStorageError
from embedkafka.storage.config import LONG_MAX

if TYPE_CHECKING:
    from embedkafka.broker.partition import Partition
    from embedkafka.broker.topics import Topics

_log = logging.getLogger(__name__)


class Housekeeping:
    """The timers of one engine's logs."""

    def __init__(self, config: BrokerConfig, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._first_delay_ms = config.integer("log.initial.task.delay.ms")
        self._retention_interval_ms = config.integer("log.retention.check.interval.ms")
        self._checkpoint_interval_ms = min(
            config.integer("log.flush.offset.checkpoint.interval.ms"),
            config.integer("log.flush.start.offset.checkpoint.interval.ms"),
        )
        self._producer_interval_ms = config.integer("producer.id.expiration.check.interval.ms")
        self._producer_expiration_ms = config.integer("producer.id.expiration.ms")
        self.cleaning = Cleaning(config, store, clock)
        self._topics: Topics | None = None
        self._timers: dict[str, Timer] = {}
        self._unwritten: set[Partition] = set()
        self._is_closed = False

    def start(self, topics: Topics) -> None:
        """Begin; until then nothing runs."""
        self._topics = topics
        self._later("retention", self._first_delay_ms)
        self._later("producers", self._producer_interval_ms)
        is_limited = self._store.broker.usage.limit_bytes >= 0
        for partition in topics.partitions():
            if self._store.has_folder(partition.topic_partition):
                if is_limited:
                    partition.log  # noqa: B018  # opening counts its bytes against log.max.total.bytes
                if partition.topic.log_config.is_compacted:
                    self.cleaning.consider(partition)

    def close(self) -> None:
        """Start nothing any more."""
        self._is_closed = True
        for timer in self._timers.values():
            timer.cancel()
        self.cleaning.close()

    def _later(self, what: str, delay_ms: float) -> None:
        if not self._is_closed:
            run = {
                "retention": self._retain,
                "producers": self._expire_producers,
                "checkpoints": self._write_checkpoints,
            }[what]
            self._timers[what] = self._clock.call_later(delay_ms, run, background=True)

    def appended(self, partition: Partition) -> None:
        """A partition without timers has a new record.  Called with no lock held."""
        partition.is_idle = False
        if self._is_closed:
            return
        self._unwritten.add(partition)
        if "checkpoints" not in self._timers:
            self._later("checkpoints", self._checkpoint_interval_ms)
        config = partition.topic.log_config
        if config.is_compacted:
            self.cleaning.consider(partition)
        if config.flush_ms < LONG_MAX:
            self._clock.call_later(config.flush_ms, lambda: self._sync(partition), background=True)

    def _sync(self, partition: Partition) -> None:
        partition.is_idle = True  # before the sync: a record that comes meanwhile starts a timer of its own
        log = partition.open_log
        if log is not None and not self._is_closed and log.recovery_point < log.end_offset:
            log.flush()

    def _retain(self) -> None:
        assert self._topics is not None
        try:
            for partition in self._topics.partitions():
                if self._store.error_code:
                    return
                self.retain(partition)
        finally:
            self._later("retention", self._retention_interval_ms)

    def retain(self, partition: Partition) -> int:
        """Remove the segments of one partition that retention does not keep; returns how many bytes went."""
        if partition.open_log is None and not self._store.has_folder(partition.topic_partition):
            return 0
        try:
            log = partition.log
            with partition.lock:
                if partition.is_deleted:
                    return 0
                return log.delete_old_segments(self._clock.now_ms())
        except BrokerResponseError as error:
            _log.warning("retention of %s failed: %s", partition.topic_partition, error)
            return 0

    def _expire_producers(self) -> None:
        assert self._topics is not None
        now_ms = self._clock.now_ms()
        try:
            for partition in self._topics.partitions():
                if self._store.error_code:
                    return
                partition.expire_producers(now_ms, self._producer_expiration_ms)
        finally:
            self._later("producers", self._producer_interval_ms)

    def retire(self, partition: Partition) -> None:
        """Take a deleted partition's log out of use.  Called with ``Topics.lock`` held; may be repeated."""
        with self.cleaning.aborted(partition):
            self._store.retire(partition)
        self._unwritten.discard(partition)

    def _write_checkpoints(self) -> None:
        assert self._topics is not None
        self._timers.pop("checkpoints", None)
        unwritten, self._unwritten = self._unwritten, set()
        for partition in unwritten:
            partition.is_idle = True
        try:
            with self._topics.lock:  # so that no log is deleted meanwhile
                self._store.broker.write_checkpoints()
        except KafkaStorageError as error:
            _log.warning("writing checkpoints failed: %s", error)
