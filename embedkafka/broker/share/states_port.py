"""The port's part about the state of share groups: Kafka's APIs 83 to 87 (KIP-932).

Brokers say these to each other, and tools that look after a cluster may: the leader of a share partition keeps its
state at the share coordinator.  Here both are one broker, which calls
:class:`~embedkafka.broker.share.states.ShareStates` directly; whoever comes over the wire gets Kafka's answers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from embedkafka.broker import api
from embedkafka.broker.topic import SHARE_GROUP_STATE
from embedkafka.errors import InvalidRequestError, NotCoordinatorError, UnknownTopicOrPartitionError
from embedkafka.model import TopicIdPartition

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine

_INITIALIZE, _READ, _WRITE, _DELETE, _READ_SUMMARY = 83, 84, 85, 86, 87


class ShareStatesPort(ABC):
    """A part of :class:`embedkafka.broker.port.BrokerPort`.  What is not in an answer was not for any group."""

    _engine: Engine

    @abstractmethod
    def _admit(self, api_key: int, context: api.RequestContext) -> None:
        """What every request passes through."""

    def initialize_share_group_state(
        self, context: api.RequestContext, group_id: str, starts: Mapping[TopicIdPartition, api.ShareStateStart]
    ) -> Mapping[TopicIdPartition, int]:
        """Begin, or begin anew; Kafka's error codes."""
        self._admit(_INITIALIZE, context)
        error_codes = self._refusals(group_id, starts, must_exist=True)
        by_epoch: defaultdict[int, dict[TopicIdPartition, int]] = defaultdict(dict)
        for partition, start in starts.items():
            if group_id and partition not in error_codes:
                by_epoch[start.state_epoch][partition] = start.start_offset
        for state_epoch, start_offsets in by_epoch.items():
            error_codes.update(self._engine.share_states.initialize(group_id, start_offsets, state_epoch))
        return error_codes

    def read_share_group_state(
        self, context: api.RequestContext, group_id: str, leader_epochs: Mapping[TopicIdPartition, int]
    ) -> Mapping[TopicIdPartition, api.ShareState]:
        """Whole states, for partitions' leaders: older ones are fenced from here on."""
        self._admit(_READ, context)
        refused = self._refusals(group_id, leader_epochs)
        return {
            partition: api.ShareState(refused[partition])
            if partition in refused
            else self._engine.share_states.read(group_id, partition, leader_epoch)
            for partition, leader_epoch in leader_epochs.items()
            if group_id
        }

    def write_share_group_state(
        self, context: api.RequestContext, group_id: str, changes: Mapping[TopicIdPartition, api.ShareStateWrite]
    ) -> Mapping[TopicIdPartition, int]:
        """Store changes of partitions' leaders; Kafka's error codes."""
        self._admit(_WRITE, context)
        refused = self._refusals(group_id, changes)
        return {
            partition: refused[partition]
            if partition in refused
            else self._engine.share_states.write(group_id, partition, change)
            for partition, change in changes.items()
            if group_id
        }

    def delete_share_group_state(
        self, context: api.RequestContext, group_id: str, partitions: Collection[TopicIdPartition]
    ) -> Mapping[TopicIdPartition, int]:
        """Forget partitions; one without a state is no error.  Kafka's error codes."""
        self._admit(_DELETE, context)
        error_codes = self._refusals(group_id, partitions, must_exist=True)
        known = [each for each in partitions if group_id and each not in error_codes]
        return {**error_codes, **(self._engine.share_states.delete(group_id, known) if known else {})}

    def read_share_group_state_summary(
        self, context: api.RequestContext, group_id: str, partitions: Collection[TopicIdPartition]
    ) -> Mapping[TopicIdPartition, api.ShareStateSummary]:
        """How far a group is; start offset -1 and no error where nothing is known."""
        self._admit(_READ_SUMMARY, context)
        refused = self._refusals(group_id, partitions, must_exist=True)
        known = [each for each in partitions if group_id and each not in refused]
        return {
            **{partition: api.ShareStateSummary(error_code) for partition, error_code in refused.items()},
            **(self._engine.share_states.read_summary(group_id, known) if known else {}),
        }

    def _refusals(
        self, group_id: str, partitions: Collection[TopicIdPartition], *, must_exist: bool = False
    ) -> dict[TopicIdPartition, int]:
        """Error codes of what the share coordinator need not look at.

        Before the first share group it is nobody's coordinator: a stranger's question does not make its topic.
        """
        if not group_id:
            return {}
        if self._engine.topics.topic(SHARE_GROUP_STATE) is None:
            return dict.fromkeys(partitions, NotCoordinatorError.errno)
        refused = {}
        for partition in partitions:
            if partition.partition < 0:
                refused[partition] = InvalidRequestError.errno
            elif must_exist and not self._exists(partition):
                refused[partition] = UnknownTopicOrPartitionError.errno
        return refused

    def _exists(self, partition: TopicIdPartition) -> bool:
        topic = self._engine.topics.topic(self._engine.topics.name_of(partition.topic_id) or "")
        return topic is not None and partition.partition < len(topic.partitions)
