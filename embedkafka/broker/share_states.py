"""The share coordinator's door: the state of share partitions, kept in ``__share_group_state`` (KIP-932)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from embedkafka.coordinator.share_state.api import ShareState, ShareStateSummary, ShareStateWrite
from embedkafka.model import TopicIdPartition


class ShareStates(Protocol):
    """All share partitions' states of an engine.  Safe to call from any thread, without a shard's lock held.

    No method raises for the state of partitions or log: every answer carries Kafka's error code.
    """

    def initialize(
        self, group_id: str, start_offsets: Mapping[TopicIdPartition, int], state_epoch: int
    ) -> dict[TopicIdPartition, int]:
        """Begin, or begin anew at another offset; -1 lets ``share.auto.offset.reset`` decide.  Error codes.

        What is acquired at the moment is no longer the readers'.  FENCED_STATE_EPOCH: there is a newer state epoch.
        """

    def delete(self, group_id: str, partitions: Collection[TopicIdPartition]) -> dict[TopicIdPartition, int]:
        """Forget partitions; one that is not known is no error.  Error codes."""

    def read_summary(
        self, group_id: str, partitions: Collection[TopicIdPartition]
    ) -> dict[TopicIdPartition, ShareStateSummary]:
        """How far the group is; start offset -1 and no error where nothing is known."""

    def read(self, group_id: str, partition: TopicIdPartition, leader_epoch: int) -> ShareState:
        """The whole state, for whoever leads the partition; a leader of an older epoch is fenced from here on."""

    def write(self, group_id: str, partition: TopicIdPartition, change: ShareStateWrite) -> int:
        """Store a change.  Error code: FENCED_STATE_EPOCH, FENCED_LEADER_EPOCH, or what the log says."""

    def topics_deleted(self, topic_ids: Sequence[object]) -> None:
        """Forget the partitions of topics that are gone."""
