"""The state of share groups as brokers tell each other (KIP-932): InitializeShareGroupState (83), ReadShareGroupState
(84), WriteShareGroupState (85), DeleteShareGroupState (86) and ReadShareGroupStateSummary (87)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar
from uuid import UUID

from embedkafka.broker import api
from embedkafka.protocol.apis import api_83_initialize_share_group_state as initializing
from embedkafka.protocol.apis import api_84_read_share_group_state as reading
from embedkafka.protocol.apis import api_85_write_share_group_state as writing
from embedkafka.protocol.apis import api_86_delete_share_group_state as deleting
from embedkafka.protocol.apis import api_87_read_share_group_state_summary as summing
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler


class _Partition(Protocol):
    partition: int


P = TypeVar("P", bound=_Partition)
A = TypeVar("A")
R = TypeVar("R")


class _Topic(Protocol[P]):
    topic_id: UUID
    partitions: list[P]


def _asked(topics: Iterable[_Topic[P]]) -> dict[api.TopicIdPartition, P]:
    return {api.TopicIdPartition(topic.topic_id, each.partition): each for topic in topics for each in topic.partitions}


def _told(
    answers: Mapping[api.TopicIdPartition, A],
    asked: Mapping[api.TopicIdPartition, Any],
    topic_result: Callable[[UUID, list[R]], Any],
    result: Callable[[int, A], R],
) -> list[Any]:
    """Answers by topic, in the order of the questions; a partition without one is left out."""
    topics: dict[UUID, list[R]] = {}
    for each in asked:
        if each in answers:
            topics.setdefault(each.topic_id, []).append(result(each.partition, answers[each]))
    return [topic_result(topic_id, results) for topic_id, results in topics.items()]


def initialize(
    call: Call, request: initializing.InitializeShareGroupStateRequest
) -> initializing.InitializeShareGroupStateResponse:
    """Begin share partitions, or begin them anew."""
    asked = _asked(request.topics)
    starts = {key: api.ShareStateStart(each.state_epoch, each.start_offset) for key, each in asked.items()}
    answers = call.port.initialize_share_group_state(call.context, request.group_id, starts)
    return initializing.InitializeShareGroupStateResponse(
        _told(answers, asked, initializing.InitializeStateResult, initializing.PartitionResult)
    )


def read(call: Call, request: reading.ReadShareGroupStateRequest) -> reading.ReadShareGroupStateResponse:
    """Whole states, for share partitions' leaders."""
    asked = _asked(request.topics)
    epochs = {key: each.leader_epoch for key, each in asked.items()}
    answers = call.port.read_share_group_state(call.context, request.group_id, epochs)
    return reading.ReadShareGroupStateResponse(_told(answers, asked, reading.ReadStateResult, _state))


def _state(partition: int, state: api.ShareState) -> reading.PartitionResult:
    if state.error_code:
        return reading.PartitionResult(partition, state.error_code, state.error_message)
    batches = [reading.StateBatch(*batch) for batch in state.batches]
    return reading.PartitionResult(partition, 0, None, state.state_epoch, state.start_offset, batches)


def write(call: Call, request: writing.WriteShareGroupStateRequest) -> writing.WriteShareGroupStateResponse:
    """Changes that share partitions' leaders store."""
    asked = _asked(request.topics)
    answers = call.port.write_share_group_state(
        call.context, request.group_id, {key: _change(each) for key, each in asked.items()}
    )
    return writing.WriteShareGroupStateResponse(
        _told(answers, asked, writing.WriteStateResult, writing.PartitionResult)
    )


def _change(asked: writing.PartitionData) -> api.ShareStateWrite:
    return api.ShareStateWrite(
        asked.state_epoch,
        asked.leader_epoch,
        asked.start_offset,
        asked.delivery_complete_count,
        [
            api.StateBatch(each.first_offset, each.last_offset, each.delivery_state, each.delivery_count)
            for each in asked.state_batches
        ],
    )


def delete(call: Call, request: deleting.DeleteShareGroupStateRequest) -> deleting.DeleteShareGroupStateResponse:
    """Forget share partitions."""
    asked = _asked(request.topics)
    answers = call.port.delete_share_group_state(call.context, request.group_id, asked)
    return deleting.DeleteShareGroupStateResponse(
        _told(answers, asked, deleting.DeleteStateResult, deleting.PartitionResult)
    )


def read_summary(
    call: Call, request: summing.ReadShareGroupStateSummaryRequest
) -> summing.ReadShareGroupStateSummaryResponse:
    """How far a share group is."""
    asked = _asked(request.topics)
    answers = call.port.read_share_group_state_summary(call.context, request.group_id, asked)
    return summing.ReadShareGroupStateSummaryResponse(_told(answers, asked, summing.ReadStateSummaryResult, _summary))


def _summary(partition: int, summary: api.ShareStateSummary) -> summing.PartitionResult:
    if summary.error_code:
        return summing.PartitionResult(partition, summary.error_code, summary.error_message)
    return summing.PartitionResult(
        partition,
        state_epoch=summary.state_epoch,
        leader_epoch=max(summary.leader_epoch, 0),  # -1 until the first leader reads it; Kafka says 0, too
        start_offset=summary.start_offset,
        delivery_complete_count=summary.delivery_complete_count,
    )


HANDLERS = (
    Handler(83, initialize),
    Handler(84, read),
    Handler(85, write),
    Handler(86, delete),
    Handler(87, read_summary),
)
