"""The engine as the share coordinator sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from embedkafka.broker.partition import Partition
from embedkafka.broker.share.states import ShareStates
from embedkafka.broker.share.states_host import share_state_config
from embedkafka.broker.topic import SHARE_GROUP_STATE
from embedkafka.clock import Clock
from embedkafka.model import TopicPartition
from embedkafka.storage.log import AppendOrigin

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine


class EngineShareStateLog:
    """See :class:`embedkafka.broker.share.states_host.ShareStateLog`."""

    __slots__ = ("_load_buffer_bytes", "_partition")

    def __init__(self, partition: Partition, load_buffer_bytes: int) -> None:
        self._partition = partition
        self._load_buffer_bytes = load_buffer_bytes

    @property
    def end_offset(self) -> int:
        return self._partition.log.end_offset

    def append(self, batch: bytearray, record_count: int | None = None, timestamp_ms: int = -1) -> None:
        """A commit of one job waits for this, so it takes the straight way where that is open."""
        partition = self._partition
        plain = None
        if record_count is not None:
            plain = partition.append_plain(batch, record_count=record_count, max_timestamp=timestamp_ms)
        if plain is None:
            partition.append(batch, origin=AppendOrigin.COORDINATOR)

    def read_all(self) -> Iterator[memoryview]:
        return self._partition.read_all(chunk_bytes=self._load_buffer_bytes)

    def wake_readers(self) -> None:
        self._partition.wake_readers()

    def prune(self, offset: int) -> None:
        self._partition.advance_log_start(offset)


class EngineHost:
    """See :class:`embedkafka.broker.share.states_host.ShareStatesHost`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._topics = engine.topics
        self._load_buffer_bytes = engine.config.integer("share.coordinator.load.buffer.size")

    @property
    def clock(self) -> Clock:
        return self._engine.clock

    def share_state_partition_count(self) -> int:
        """Fixed once ``__share_group_state`` has its entry in the catalog; until then what the setting says."""
        entry = self._topics.catalog.topic(SHARE_GROUP_STATE)
        if entry is not None:
            return len(entry.replicas)
        return self._engine.config.integer("share.coordinator.state.topic.num.partitions")

    def share_state_partitions_in_use(self) -> list[int]:
        store = self._engine.store
        numbers = range(self.share_state_partition_count())
        return [number for number in numbers if store.has_folder(TopicPartition(SHARE_GROUP_STATE, number))]

    def share_state_log(self, partition: int, create: bool) -> EngineShareStateLog | None:
        if create:
            self._topics.ensure_internal(SHARE_GROUP_STATE)
        found = self._topics.partition(TopicPartition(SHARE_GROUP_STATE, partition))
        return None if found is None else EngineShareStateLog(found, self._load_buffer_bytes)


def open_share_states(engine: Engine) -> ShareStates:
    """The coordinator of an engine's share partitions."""
    return ShareStates(EngineHost(engine), share_state_config(engine.config), read_only=engine.read_only)
