"""What members of every kind of group say to its coordinator in the same way: watching it, and offsets fenced by it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from embedkafka.broker.api import (
    CommittedOffset,
    Liveness,
    OffsetCommitRequest,
    OffsetFetchRequest,
    OffsetToCommit,
)
from embedkafka.errors import for_code
from embedkafka.model import OffsetAndMetadata, TopicPartition

if TYPE_CHECKING:
    from embedkafka.broker.port import BrokerPort
    from embedkafka.client.link import EmbeddedLink


class MemberLiveness:
    """What the engine looks at to know that an in-process member lives; holds nothing of the client."""

    __slots__ = ("alive", "last_poll_ms", "max_poll_interval_ms")

    def __init__(self, now_ms: float, max_poll_interval_ms: float) -> None:
        self.alive = True
        self.last_poll_ms = now_ms
        self.max_poll_interval_ms = max_poll_interval_ms


class Watching(Protocol):
    """What a member can ask of its group, whatever the group's type and whatever carries it."""

    group_id: str
    member_id: str

    def watch(self, changed: Callable[[], None]) -> None: ...
    def unwatch(self) -> None: ...


class GroupOffsets(Protocol):
    """What a member can say of its group's offsets, whatever the group's protocol."""

    group_id: str

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> Mapping[TopicPartition, int]: ...
    def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, CommittedOffset]: ...


class EmbeddedMember:
    """A member that speaks to the coordinator in this process.

    Args:
        liveness: what the engine looks at instead of heartbeats.
    """

    def __init__(self, link: EmbeddedLink, group_id: str, member_id: str, liveness: Liveness) -> None:
        self._link = link
        self._context = link.context._replace(liveness=liveness)
        self._unwatch: Callable[[], None] | None = None
        self.group_id = group_id
        self.member_id = member_id

    @property
    def _coordinator(self) -> BrokerPort:
        return self._link.coordinator_port(self.group_id)

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called, on any thread, when the next heartbeat would tell this member something."""
        self.unwatch()
        self._unwatch = self._coordinator.watch_group(self._context, self.group_id, self.member_id, changed)

    def unwatch(self) -> None:
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None


class CommittingMember(EmbeddedMember, ABC):
    """One whose group keeps committed offsets."""

    def __init__(
        self, link: EmbeddedLink, group_id: str, member_id: str, group_instance_id: str | None, liveness: Liveness
    ) -> None:
        super().__init__(link, group_id, member_id, liveness)
        self.group_instance_id = group_instance_id

    @abstractmethod
    def _fence(self) -> tuple[int, str]:
        """Generation or member epoch, and member id, as whom offsets are committed."""

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> Mapping[TopicPartition, int]:
        """Commit as this member of this generation or epoch; error codes by partition, 0 for committed."""
        generation_id, member_id = self._fence()
        request = OffsetCommitRequest(
            self.group_id,
            {partition: _to_commit(offset) for partition, offset in offsets.items()},
            generation_id=generation_id,
            member_id=member_id,
            group_instance_id=self.group_instance_id,
        )
        return self._coordinator.offset_commit(self._context, request).error_codes

    def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, CommittedOffset]:
        """What the group has committed; an offset that is pending in a transaction is an error (KIP-447).

        Raises:
            BrokerResponseError: the coordinator's answer was an error.
        """
        request = OffsetFetchRequest(self.group_id, partitions, require_stable=True)
        reply = self._coordinator.offset_fetch(self._context, request)
        if reply.error_code:
            raise for_code(reply.error_code)(self.group_id)
        return reply.offsets


def _to_commit(offset: OffsetAndMetadata) -> OffsetToCommit:
    assert offset.offset is not None
    epoch = -1 if offset.leader_epoch is None else offset.leader_epoch
    return OffsetToCommit(offset.offset, epoch, offset.metadata or "")
