"""What a consumer needs of its part in a group, whatever the group's protocol."""

from __future__ import annotations

from typing import Protocol

from embedkafka.client.consumer.commits import Commits


class Group(Protocol):
    """:class:`~embedkafka.client.consumer.coordinator.GroupCoordinator` for the classic protocol,
    :class:`~embedkafka.client.consumer.reconciler.Reconciler` for the consumer protocol (KIP-848)."""

    commits: Commits

    @property
    def state(self) -> str:
        """One of :class:`~embedkafka.model.MemberState`."""

    @property
    def keeps_reading(self) -> bool:
        """Whether the partitions held may be read while others are waited for."""

    def has_reply(self) -> bool:
        """Whether the next :meth:`poll` can take a step that the last one could not."""

    def poll(self, deadline_ms: float) -> bool:
        """Take every step that can be taken until ``deadline_ms``; True once this member may read."""

    def leave(self, reason: str, *, tell: bool) -> None:
        """Give up every partition and leave the group."""
