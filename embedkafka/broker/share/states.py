"""The share coordinator's door: the state of share partitions, kept in ``__share_group_state`` (KIP-932).

Share partitions are spread over the partitions of that topic as in Kafka, so that Kafka's tools find them.  The topic
comes into being with the first share group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar
from uuid import UUID

from embedkafka.broker.shards import Shards
from embedkafka.broker.share.states_host import ShareStatesHost
from embedkafka.broker.share.states_shard import ShareStateShard
from embedkafka.coordinator.share_state.api import ShareState, ShareStateSummary, ShareStateWrite
from embedkafka.coordinator.share_state.config import ShareStateConfig
from embedkafka.coordinator.share_state.decision import (
    Command,
    DeleteStates,
    ForgetTopics,
    InitializeStates,
    ReadState,
    ReadSummaries,
)
from embedkafka.coordinator.share_state.state import SharePartitionKey
from embedkafka.model import TopicIdPartition

R = TypeVar("R")


class ShareStates:
    """All share partitions' states of an engine.  Safe to call from any thread, without a shard's lock held.

    No method raises for the state of partitions or log: every answer carries Kafka's error code.

    Args:
        host: the engine.
        config: the coordinator's settings.
        read_only: for an engine beside a live owner: states can be looked at only.
    """

    def __init__(self, host: ShareStatesHost, config: ShareStateConfig, *, read_only: bool = False) -> None:
        self._host = host
        self._shards = Shards(
            host.share_state_partition_count(), lambda index: ShareStateShard(index, host, config, read_only=read_only)
        )
        self.set_up_anew: Callable[[str, Collection[TopicIdPartition]], None] = lambda group_id, partitions: None
        """Told of share partitions whose state somebody else than their leader has changed.  Set by the leader."""

    def close(self) -> None:
        """End every timer."""
        self._shards.close()

    def initialize(
        self, group_id: str, start_offsets: Mapping[TopicIdPartition, int], state_epoch: int
    ) -> dict[TopicIdPartition, int]:
        """Begin, or begin anew at another offset; -1 lets ``share.auto.offset.reset`` decide.

        What is acquired at the moment is no longer the readers'.

        Returns:
            Kafka's error codes; FENCED_STATE_EPOCH where there is a newer state epoch.
        """

        def ask(keys: Collection[SharePartitionKey]) -> Command:
            return InitializeStates({key: start_offsets[key[1:]] for key in keys}, state_epoch)  # type: ignore[index]

        error_codes: dict[TopicIdPartition, int] = self._spread(group_id, start_offsets, ask)
        self.set_up_anew(group_id, list(start_offsets))
        return error_codes

    def delete(self, group_id: str, partitions: Collection[TopicIdPartition]) -> dict[TopicIdPartition, int]:
        """Forget partitions; one that is not known is no error.  Returns Kafka's error codes."""
        error_codes: dict[TopicIdPartition, int] = self._spread(group_id, partitions, DeleteStates)
        self.set_up_anew(group_id, partitions)
        return error_codes

    def read_summary(
        self, group_id: str, partitions: Collection[TopicIdPartition]
    ) -> dict[TopicIdPartition, ShareStateSummary]:
        """How far the group is; start offset -1 and no error where nothing is known."""
        return self._spread(group_id, partitions, ReadSummaries)

    def read(self, group_id: str, partition: TopicIdPartition, leader_epoch: int) -> ShareState:
        """The whole state, for whoever leads the partition; a leader of an older epoch is fenced from here on.

        INVALID_REQUEST where the partition was not initialized.
        """
        key = SharePartitionKey(group_id, *partition)
        state: ShareState = self.shard_of(key).run(ReadState(key, leader_epoch))
        return state

    def write(self, group_id: str, partition: TopicIdPartition, change: ShareStateWrite) -> int:
        """Store a change.

        Returns:
            Kafka's error code: FENCED_STATE_EPOCH, FENCED_LEADER_EPOCH, or what the log says.
        """
        key = SharePartitionKey(group_id, *partition)
        return self.shard_of(key).write(key, change)

    def forget_topics(self, topic_ids: Collection[UUID]) -> None:
        """Topics are gone, and so are their share partitions."""
        on_disk = (self._shards.at(index) for index in self._host.share_state_partitions_in_use())
        for shard in dict.fromkeys((*self._shards.in_use(), *on_disk)):
            shard.run(ForgetTopics(frozenset(topic_ids)))

    def shard_of(self, key: SharePartitionKey) -> ShareStateShard:
        """Where a share partition's state is kept; always the same one."""
        return self._shards.of(key.text)

    # ------------------------------------------------------------------------------------------------------------------

    def _spread(
        self,
        group_id: str,
        partitions: Iterable[TopicIdPartition],
        ask: Callable[[Collection[SharePartitionKey]], Command],
    ) -> dict[TopicIdPartition, R]:
        """Ask every shard about its partitions."""
        by_shard: defaultdict[ShareStateShard, list[SharePartitionKey]] = defaultdict(list)
        for partition in partitions:
            key = SharePartitionKey(group_id, *partition)
            by_shard[self.shard_of(key)].append(key)
        replies: dict[TopicIdPartition, R] = {}
        for shard, keys in by_shard.items():
            replies.update({TopicIdPartition(*key[1:]): reply for key, reply in shard.run(ask(keys)).items()})
        return replies
