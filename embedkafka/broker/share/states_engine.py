"""The engine as the share coordinator sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedkafka.broker.internal_topic import InternalLog, InternalTopic
from embedkafka.broker.share.states import ShareStates
from embedkafka.broker.share.states_host import share_state_config
from embedkafka.broker.topic import SHARE_GROUP_STATE
from embedkafka.clock import Clock
from embedkafka.storage.plain import PlainBatch

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine


class EngineShareStateLog(InternalLog):
    """See :class:`embedkafka.broker.share.states_host.ShareStateLog`."""

    __slots__ = ()

    @property
    def end_offset(self) -> int:
        return self._partition.log.end_offset

    def append(self, batch: bytearray, record_count: int | None = None, timestamp_ms: int = -1) -> None:
        """A commit of one job waits for this, so it takes the straight way where that is open."""
        plain = None
        if record_count is not None:
            plain = self._partition.append_plain((PlainBatch(batch, record_count, timestamp_ms),))
        if plain is None:
            super().append(batch)

    def prune(self, offset: int) -> None:
        self._partition.advance_log_start(offset)


class EngineHost:
    """See :class:`embedkafka.broker.share.states_host.ShareStatesHost`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._state = InternalTopic(
            engine,
            SHARE_GROUP_STATE,
            partition_count=engine.config.integer("share.coordinator.state.topic.num.partitions"),
            load_buffer_bytes=engine.config.integer("share.coordinator.load.buffer.size"),
            log=EngineShareStateLog,
        )

    @property
    def clock(self) -> Clock:
        return self._engine.clock

    def share_state_partition_count(self) -> int:
        return self._state.partition_count()

    def share_state_partitions_in_use(self) -> list[int]:
        return self._state.partitions_in_use()

    def share_state_log(self, partition: int, create: bool) -> EngineShareStateLog | None:
        return self._state.log(partition, create)


def open_share_states(engine: Engine) -> ShareStates:
    """The coordinator of an engine's share partitions."""
    return ShareStates(EngineHost(engine), share_state_config(engine.config), read_only=engine.read_only)
