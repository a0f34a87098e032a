"""What a group of any type has to know for the commands that all types share: offsets, deletion, listing, watching."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from embedkafka.coordinator.records import Record
from embedkafka.model import TopicPartition
from embedkafka.protocol.internal.offset_commit import OffsetCommitValue

if TYPE_CHECKING:
    from embedkafka.coordinator.api import OffsetFetchRequest
    from embedkafka.coordinator.config import GroupSettings
    from embedkafka.coordinator.decision import CommitOffsets, Timer


class Session(NamedTuple):
    """How long a member may be silent; ``is_parked`` while its client waits here for a reply."""

    timeout_ms: int
    is_parked: bool = False


class KnownMember(NamedTuple):
    member_id: str
    client_host: str
    instance_id: str | None


class AnyGroup(Protocol):
    """A group as the shared commands see it.  No method changes it."""

    @property
    def group_id(self) -> str: ...

    @property
    def group_type(self) -> str:
        """Kafka's name of the type, as ListGroups shows it."""

    @property
    def shown_protocol_type(self) -> str: ...

    @property
    def shown_state(self) -> str:
        """Kafka's name of the state."""

    @property
    def is_empty(self) -> bool:
        """No members."""

    @property
    def is_abandoned(self) -> bool:
        """No members, and nobody about to become one."""

    @property
    def member_count(self) -> int: ...

    def known_members(self) -> Iterator[KnownMember]: ...

    def knows(self, member_id: str) -> bool:
        """Whether this is a member, or was told to become one."""

    def session(self, member_id: str, settings: GroupSettings) -> Session | None:
        """A member's session; None for who is no member."""

    def needs_attention(self, member_id: str) -> bool:
        """Whether the member's next heartbeat would tell it something, or that it is out."""

    def commit_errors(self, command: CommitOffsets) -> Mapping[TopicPartition, int]:
        """The error codes of partitions for which the offsets may not be stored."""

    def fetch_error(self, request: OffsetFetchRequest) -> int:
        """0, or why this reader may not know the group's offsets."""

    def after_commit(self, member_id: str) -> Sequence[Timer]:
        """What a commit means as a sign of life."""

    def is_subscribed_to(self, topic: str) -> bool:
        """Whether a member reads the topic; where that cannot be known, it is assumed."""

    def offset_delete_error(self) -> int:
        """0, or why no offset may be deleted: what members read cannot be known, or there are no offsets."""

    def retention_start_ms(self, topic: str, value: OffsetCommitValue) -> int | None:
        """From when an offset's retention counts; None while it is in use."""

    @property
    def is_kept_elsewhere(self) -> bool:
        """Whether another coordinator has something of the group, which has to go before the group does."""

    def tombstones(self) -> list[Record]:
        """What deletes the group, without its offsets."""
