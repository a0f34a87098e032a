"""Reading as a share group (KIP-932): ShareFetch (78) and ShareAcknowledge (79)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from uuid import UUID

from embedkafka.broker import api
from embedkafka.errors import InvalidRequestError
from embedkafka.protocol.apis import api_78_share_fetch as fetching
from embedkafka.protocol.apis import api_79_share_acknowledge as acknowledging
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler
from embedkafka.server.share_members import ShareMember

_CLOSES = -1  # the epoch that ends a session


def _acknowledgements(
    batches: Iterable[fetching.AcknowledgementBatch | acknowledging.AcknowledgementBatch],
) -> list[api.AcknowledgementBatch]:
    return [api.AcknowledgementBatch(each.first_offset, each.last_offset, each.acknowledge_types) for each in batches]


def _speaks(call: Call, group_id: str, member_id: str, epoch: int) -> None:
    """Remember whose connection this is, as long as there is a session."""
    member = ShareMember(group_id, member_id)
    if epoch == _CLOSES:
        call.site.share_members.silent(member)
    else:
        call.site.share_members.speaks(member, call.peer, call.context)


# ShareFetch (78) -----------------------------------------------------------------------------------------------------


def share_fetch(call: Call, request: fetching.ShareFetchRequest) -> object:
    """Settle what was acquired, then acquire more, or wait for it."""
    group_id, member_id = request.group_id, request.member_id
    if group_id is None or member_id is None:
        return fetching.ShareFetchResponse(error_code=InvalidRequestError.errno)
    _speaks(call, group_id, member_id, request.share_session_epoch)
    asked = api.ShareFetchRequest(
        group_id,
        member_id,
        request.share_session_epoch,
        [
            api.ShareFetchPartition(
                api.TopicIdPartition(topic.topic_id, each.partition_index),
                _acknowledgements(each.acknowledgement_batches),
            )
            for topic in request.topics
            for each in topic.partitions
        ],
        [
            api.TopicIdPartition(topic.topic_id, partition)
            for topic in request.forgotten_topics_data
            for partition in topic.partitions
        ],
        max(0, request.max_wait_ms),
        request.min_bytes,
        request.max_bytes,
        request.max_records,
        request.batch_size,
        request.share_acquire_mode,
        request.is_renew_ack,
    )

    def ask(complete: Callable[[api.ShareFetchReply], None]) -> None:
        parked = call.port.share_fetch(call.context, asked, complete)
        if parked is not None:
            call.parked(parked, asked.max_wait_ms)

    return call.later(ask, partial(_fetched, call))


def _fetched(call: Call, reply: api.ShareFetchReply) -> fetching.ShareFetchResponse:
    topics: dict[UUID, fetching.ShareFetchableTopicResponse] = {}
    for each in reply.partitions:
        topic_id, partition = each.partition
        topics.setdefault(topic_id, fetching.ShareFetchableTopicResponse(topic_id)).partitions.append(
            fetching.PartitionData(
                partition_index=partition,
                error_code=each.error_code,
                error_message=each.error_message,
                acknowledge_error_code=each.acknowledge_error_code,
                acknowledge_error_message=each.acknowledge_error_message,
                current_leader=fetching.LeaderIdAndEpoch(max(0, each.leader_id), max(0, each.leader_epoch)),
                records=each.records or memoryview(b""),
                acquired_records=[fetching.AcquiredRecords(*acquired) for acquired in each.acquired],
            )
        )
    return fetching.ShareFetchResponse(
        error_code=reply.error_code,
        error_message=reply.error_message,
        acquisition_lock_timeout_ms=reply.acquisition_lock_timeout_ms,
        responses=list(topics.values()),
        node_endpoints=[
            fetching.NodeEndpoint(leader_id, *call.endpoint(leader_id)) for leader_id in _leaders(reply.partitions)
        ],
    )


def _leaders(
    partitions: Sequence[api.ShareFetchPartitionReply | api.ShareAcknowledgePartitionReply],
) -> list[int]:
    """Brokers to go to instead, where a partition's leader is another one (KIP-951)."""
    return sorted({each.leader_id for each in partitions if each.leader_id >= 0})


# ShareAcknowledge (79) -----------------------------------------------------------------------------------------------


def share_acknowledge(
    call: Call, request: acknowledging.ShareAcknowledgeRequest
) -> acknowledging.ShareAcknowledgeResponse:
    """Settle what was acquired."""
    group_id, member_id = request.group_id, request.member_id
    if group_id is None or member_id is None:
        return acknowledging.ShareAcknowledgeResponse(error_code=InvalidRequestError.errno)
    _speaks(call, group_id, member_id, request.share_session_epoch)
    reply = call.port.share_acknowledge(
        call.context,
        api.ShareAcknowledgeRequest(
            group_id,
            member_id,
            request.share_session_epoch,
            [
                api.ShareAcknowledgePartition(
                    api.TopicIdPartition(topic.topic_id, each.partition_index),
                    _acknowledgements(each.acknowledgement_batches),
                )
                for topic in request.topics
                for each in topic.partitions
            ],
            request.is_renew_ack,
        ),
    )
    topics: dict[UUID, acknowledging.ShareAcknowledgeTopicResponse] = {}
    for each in reply.partitions:
        topic_id, partition = each.partition
        topics.setdefault(topic_id, acknowledging.ShareAcknowledgeTopicResponse(topic_id)).partitions.append(
            acknowledging.PartitionData(
                partition,
                each.error_code,
                each.error_message,
                acknowledging.LeaderIdAndEpoch(max(0, each.leader_id), max(0, each.leader_epoch)),
            )
        )
    return acknowledging.ShareAcknowledgeResponse(
        error_code=reply.error_code,
        error_message=reply.error_message,
        acquisition_lock_timeout_ms=reply.acquisition_lock_timeout_ms,
        responses=list(topics.values()),
        node_endpoints=[
            acknowledging.NodeEndpoint(leader_id, *call.endpoint(leader_id)) for leader_id in _leaders(reply.partitions)
        ],
    )


HANDLERS = (Handler(78, share_fetch), Handler(79, share_acknowledge))
