"""Share groups at the group coordinator's door: membership by their shard, states by the share coordinator.

A shard only writes down that a state is to be initialized or deleted.  Here the share coordinator is told, with the
shard's own lock released, and the shard hears what came of it.  One thread at a time does so for a shard
(``GroupShard.states_lock``); whatever an interrupted one left is done by whoever comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from embedkafka.broker.api import (
    AlteredShareGroupOffset,
    AlterShareGroupOffsetsReply,
    AlterShareGroupOffsetsRequest,
    DeleteGroupsRequest,
    DeleteShareGroupOffsetsReply,
    DeleteShareGroupOffsetsRequest,
    DescribedShareGroup,
    DescribedShareGroupOffsets,
    DescribeShareGroupOffsetsRequest,
    DescribeShareGroupsRequest,
    GroupResult,
    RequestContext,
    ShareGroupHeartbeatReply,
    ShareGroupHeartbeatRequest,
    ShareGroupOffset,
)
from embedkafka.broker.groups.host import GroupsHost
from embedkafka.broker.groups.members import host_of
from embedkafka.broker.groups.shard import Asker, GroupShard
from embedkafka.coordinator.decision import Command
from embedkafka.coordinator.share.commands import (
    DeleteStates,
    ListedStates,
    ListStates,
    OpenStates,
    ShareHeartbeat,
    StatesDeleted,
    StatesInitialized,
    StatesNotInitialized,
    StatesUnderWay,
)
from embedkafka.coordinator.share.member import LEAVE_EPOCH
from embedkafka.coordinator.share_state.api import ShareStateSummary
from embedkafka.errors import GroupIdNotFoundError
from embedkafka.model import TopicIdPartition, TopicPartition

Ask = Callable[[Command], Any]

_BY_RESET = -1  # a start offset that ``share.auto.offset.reset`` decides about


class ShareGroups:
    """The share groups of an engine.  Safe to call from any thread; no method raises for the state of groups.

    Args:
        host: the engine.
        shard_of: the shard that a group falls on.
    """

    def __init__(self, host: GroupsHost, shard_of: Callable[[str], GroupShard]) -> None:
        self._host = host
        self._shard = shard_of

    # Membership ------------------------------------------------------------------------------------------------------

    def heartbeat(self, context: RequestContext, request: ShareGroupHeartbeatRequest) -> ShareGroupHeartbeatReply:
        """Join, stay in or leave a share group, and learn of which partitions to read.

        Partitions that nobody of the group has read before are assigned once they have a state.  Kafka tells the
        member with its next heartbeat; as the state is here at once, this heartbeat is answered anew.
        """
        shard = self._shard(request.group_id)
        asker = Asker(liveness=context.liveness)
        host = host_of(context)
        reply: ShareGroupHeartbeatReply = shard.run(ShareHeartbeat(request, context.client_id, host), asker)
        if reply.error_code or request.member_epoch == LEAVE_EPOCH:
            return reply
        under_way = shard.run(OpenStates(request.group_id))
        if not isinstance(under_way, StatesUnderWay) or not under_way.initializing:
            return reply
        error_code = self._initialize(shard, request.group_id)
        if error_code:
            return ShareGroupHeartbeatReply(error_code, "the share coordinator could not initialize the group's state")
        repeated = ShareGroupHeartbeatRequest(request.group_id, request.member_id, reply.member_epoch)
        again: ShareGroupHeartbeatReply = shard.run(ShareHeartbeat(repeated, context.client_id, host))
        if again.error_code:
            return reply
        return again if again.assignment is not None else again._replace(assignment=reply.assignment)

    def describe(self, group_ids: Collection[str]) -> list[DescribedShareGroup]:
        """Share groups with their members, in the order asked."""
        return [self._shard(group_id).run(DescribeShareGroupsRequest([group_id]))[0] for group_id in group_ids]

    def delete_group(self, group_id: str) -> GroupResult:
        """Delete a group of any type that has no members; a share group's states go first."""
        shard = self._shard(group_id)
        with _states_of(shard) as ask:
            refusal = ask(DeleteStates(group_id))  # None where there is no share group
            if refusal:  # not to be asked again: a member that goes now would take the group along without its states
                return GroupResult(group_id, refusal, "the group's states cannot be deleted: it has members")
            error_code = 0 if refusal is None else self._delete_open(ask, group_id)
            if error_code:
                return GroupResult(group_id, error_code, "the share coordinator could not delete the group's states")
            result: GroupResult = ask(DeleteGroupsRequest([group_id]))[0]
            return result

    # Offsets ---------------------------------------------------------------------------------------------------------

    def describe_offsets(self, request: DescribeShareGroupOffsetsRequest) -> DescribedShareGroupOffsets:
        """How far a group is; one that does not exist is nowhere, as in Kafka."""
        group_id = request.group_id
        unknown: dict[TopicPartition, ShareGroupOffset] = {}
        if request.partitions is None:
            listed = self._shard(group_id).run(ListStates(group_id))
            if isinstance(listed, int):
                return DescribedShareGroupOffsets(group_id, listed)
            names = listed.initialized if isinstance(listed, ListedStates) else {}
        else:
            names, unknown = self._resolve(request.partitions)
        summaries = self._host.share_states.read_summary(group_id, list(names)) if names else {}
        ends = self._ends({each: names[each] for each, summary in summaries.items() if _has_lag(summary)})
        known = {
            TopicPartition(names[each], each.partition): _offset(each, summary, ends.get(each))
            for each, summary in summaries.items()
        }
        return DescribedShareGroupOffsets(group_id, offsets={**known, **unknown})

    def alter_offsets(self, request: AlterShareGroupOffsetsRequest) -> AlterShareGroupOffsetsReply:
        """Have a group without members begin elsewhere."""
        shard = self._shard(request.group_id)
        with _states_of(shard) as ask:
            reply: AlterShareGroupOffsetsReply = ask(request)
            wanted = {
                TopicIdPartition(result.topic_id, each.partition): request.offsets[each]
                for each, result in reply.offsets.items()
                if not result.error_code
            }
            if reply.error_code or not wanted:
                return reply
            error_codes = self._set_up(ask, request.group_id, wanted)
        return reply._replace(
            offsets={each: _altered(each, result, error_codes) for each, result in reply.offsets.items()}
        )

    def delete_offsets(self, request: DeleteShareGroupOffsetsRequest) -> DeleteShareGroupOffsetsReply:
        """Forget how far a group without members is in whole topics."""
        shard = self._shard(request.group_id)
        with _states_of(shard) as ask:
            reply: DeleteShareGroupOffsetsReply = ask(request)
            if reply.error_code or all(each.error_code for each in reply.topics):
                return reply
            error_code = self._delete_open(ask, request.group_id)
        if not error_code:
            return reply
        return reply._replace(
            topics=[each if each.error_code else each._replace(error_code=error_code) for each in reply.topics]
        )

    # The share coordinator -------------------------------------------------------------------------------------------

    def _initialize(self, shard: GroupShard, group_id: str) -> int:
        """Initialize what waits for it; the reply is an error code."""
        with _states_of(shard) as ask:
            under_way = ask(OpenStates(group_id))
            if not isinstance(under_way, StatesUnderWay) or not under_way.initializing:
                return 0  # somebody else was quicker
            error_codes = self._set_up(ask, group_id, dict.fromkeys(under_way.initializing, _BY_RESET))
        return next((code for code in error_codes.values() if code), 0)

    def _set_up(
        self, ask: Ask, group_id: str, start_offsets: Mapping[TopicIdPartition, int]
    ) -> Mapping[TopicIdPartition, int]:
        under_way = ask(OpenStates(group_id))
        if not isinstance(under_way, StatesUnderWay):
            return dict.fromkeys(start_offsets, _code(under_way))
        error_codes = self._host.share_states.initialize(group_id, start_offsets, under_way.state_epoch)
        done = frozenset(each for each, code in error_codes.items() if not code)
        failed = frozenset(error_codes) - done
        if done:
            ask(StatesInitialized(group_id, done))
        if failed:
            ask(StatesNotInitialized(group_id, failed))
        self._forget_late(group_id, done)
        return error_codes

    def _forget_late(self, group_id: str, partitions: Collection[TopicIdPartition]) -> None:
        """Delete states of topics that went meanwhile: the share coordinator may have heard of that before."""
        topics = self._host.known_topics()
        late = [each for each in partitions if topics.with_id(each.topic_id) is None]
        if late:
            self._host.share_states.delete(group_id, late)

    def _delete_open(self, ask: Ask, group_id: str) -> int:
        """Delete what waits for it; the reply is an error code."""
        under_way = ask(OpenStates(group_id))
        if not isinstance(under_way, StatesUnderWay):
            return _code(under_way)
        if under_way.deleting:
            error_codes = self._host.share_states.delete(group_id, under_way.deleting)
            error_code = next((code for code in error_codes.values() if code), 0)
            if error_code:
                return error_code
        if under_way.deleting_topics:
            ask(StatesDeleted(group_id, under_way.deleting_topics))
        return 0

    # Partitions ------------------------------------------------------------------------------------------------------

    def _resolve(
        self, partitions: Collection[TopicPartition]
    ) -> tuple[dict[TopicIdPartition, str], dict[TopicPartition, ShareGroupOffset]]:
        topics = self._host.known_topics()
        names: dict[TopicIdPartition, str] = {}
        unknown: dict[TopicPartition, ShareGroupOffset] = {}
        for topic_partition in partitions:
            topic = topics.named(topic_partition.topic)
            if topic is None:
                unknown[topic_partition] = ShareGroupOffset()  # nowhere, and no error, as in Kafka
            else:
                names[TopicIdPartition(topic.topic_id, topic_partition.partition)] = topic.name
        return names, unknown

    def _ends(self, names: Mapping[TopicIdPartition, str]) -> dict[TopicIdPartition, tuple[int, int]]:
        """Error code and end offset."""
        asked = {each: TopicPartition(name, each.partition) for each, name in names.items()}
        ends = self._host.end_offsets(list(asked.values())) if asked else {}
        return {each: ends[topic_partition] for each, topic_partition in asked.items()}


@contextmanager
def _states_of(shard: GroupShard) -> Iterator[Ask]:
    """Be the one who has the states of a shard's groups changed; gives what sends commands to the shard meanwhile.

    Watchers and others hear of what they are owed afterwards, with no lock held.
    """
    try:
        with shard.states_lock:
            yield partial(shard.run, deliver=False)
    finally:
        shard.deliver()


def _code(answer: object) -> int:
    """The error code that came instead of what was asked for; nothing comes where the group is gone."""
    return answer if isinstance(answer, int) else GroupIdNotFoundError.errno


def _has_lag(summary: ShareStateSummary) -> bool:
    return not summary.error_code and summary.start_offset >= 0 and summary.delivery_complete_count >= 0


def _offset(partition: TopicIdPartition, summary: ShareStateSummary, end: tuple[int, int] | None) -> ShareGroupOffset:
    if summary.error_code:
        return ShareGroupOffset(-1, 0, -1, summary.error_code, summary.error_message, partition.topic_id)
    leader_epoch = max(0, summary.leader_epoch)  # -1 is that of a state that nobody has read
    if end is None:
        return ShareGroupOffset(summary.start_offset, leader_epoch, topic_id=partition.topic_id)
    error_code, end_offset = end
    if error_code:
        return ShareGroupOffset(error_code=error_code, topic_id=partition.topic_id)
    lag = max(0, end_offset - summary.start_offset - summary.delivery_complete_count)
    return ShareGroupOffset(summary.start_offset, leader_epoch, lag, topic_id=partition.topic_id)


def _altered(
    topic_partition: TopicPartition, result: AlteredShareGroupOffset, error_codes: Mapping[TopicIdPartition, int]
) -> AlteredShareGroupOffset:
    error_code = error_codes.get(TopicIdPartition(result.topic_id, topic_partition.partition), 0)
    if result.error_code or not error_code:
        return result
    return result._replace(error_code=error_code, error_message="the share coordinator refused")
