"""What a program is told when its partitions change."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection

from embedkafka.model import TopicPartition


class ConsumerRebalanceListener(ABC):
    """Called inside ``poll`` (and ``close``, ``unsubscribe``), on the thread that called it.

    The sets are those that changed: with an eager assignor everything is revoked and assigned again at each rebalance,
    with a cooperative one only what moves (KIP-429).  A listener may use the consumer: commit, seek, position.
    """

    @abstractmethod
    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """These partitions are about to go to another member; offsets can still be committed."""

    @abstractmethod
    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """These partitions came; nothing was fetched from them yet."""

    def on_partitions_lost(self, lost: Collection[TopicPartition]) -> None:
        """These partitions were taken away while this member was out of the group; commits for them would fail."""
        self.on_partitions_revoked(lost)


class AsyncConsumerRebalanceListener(ABC):
    """The same with coroutines; each runs to its end, on an event loop of its own, before ``poll`` goes on."""

    @abstractmethod
    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """These partitions are about to go to another member; offsets can still be committed."""

    @abstractmethod
    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """These partitions came; nothing was fetched from them yet."""

    async def on_partitions_lost(self, lost: Collection[TopicPartition]) -> None:
        """These partitions were taken away while this member was out of the group; commits for them would fail."""
        await self.on_partitions_revoked(lost)


Listener = ConsumerRebalanceListener | AsyncConsumerRebalanceListener


def check_listener(listener: object) -> None:
    """Raise ``TypeError`` for what is neither None nor a rebalance listener."""
    if listener is not None and not isinstance(listener, Listener):
        raise TypeError(
            "listener must be a ConsumerRebalanceListener or AsyncConsumerRebalanceListener, not "
            f"{type(listener).__name__}"
        )
