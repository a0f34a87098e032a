"""Fetch (1): batches as they lie in the log, for what the request or its session names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from embedkafka.broker import api
from embedkafka.errors import (
    FetchSessionIdNotFoundError,
    FetchSessionTopicIdError,
    InvalidFetchSessionEpochError,
    UnknownTopicIdError,
    UnknownTopicOrPartitionError,
    UnsupportedCompressionTypeError,
)
from embedkafka.model import TopicPartition
from embedkafka.protocol.apis.api_01_fetch import (
    AbortedTransaction,
    FetchableTopicResponse,
    FetchRequest,
    FetchResponse,
    PartitionData,
)
from embedkafka.protocol.fields import ZERO_UUID
from embedkafka.record import iter_headers
from embedkafka.record.compression import ZSTD
from embedkafka.record.format import read_through
from embedkafka.server.call import Call
from embedkafka.server.fetch_sessions import FINAL_EPOCH, INITIAL_EPOCH, Asked, Session, SessionKey, next_epoch
from embedkafka.server.handler import Handler
from embedkafka.server.limits import MANY_PARTITIONS

_TOPIC_IDS = 13  # the first version with them
_ZSTD = 10
_NO_OFFSET = -1
_UNKNOWN = (UnknownTopicOrPartitionError.errno, UnknownTopicIdError.errno)


class _Reading(NamedTuple):
    """What a request comes to: partitions in order, and the session that they belong to.

    ``is_incremental``: the reply holds only what is new to the session.  ``wants_session``: it is to begin one.
    """

    asked: dict[SessionKey, Asked]
    session: Session | None = None
    is_incremental: bool = False
    wants_session: bool = False


def fetch(call: Call, request: FetchRequest) -> object:
    """Read what is asked now, or wait for it."""
    if not call.is_heavy and call.site.fetch_sessions.partition_count(request.session_id) > MANY_PARTITIONS:
        call.becomes_heavy(fetch, call, request)
        return None
    reading = _begin(call, request)
    if isinstance(reading, int):
        return FetchResponse(error_code=reading)
    keys: dict[TopicPartition, SessionKey] = {}
    partitions: list[api.PartitionFetch] = []
    unknown: list[SessionKey] = []
    for key, asked in reading.asked.items():
        name = call.port.topic_name(key.topic) if not isinstance(key.topic, str) else key.topic
        if name is None:
            unknown.append(key)
            continue
        topic_partition = TopicPartition(name, key.partition)
        keys[topic_partition] = key
        partitions.append(api.PartitionFetch(topic_partition, *asked))
    wanted = api.FetchRequest(
        partitions,
        0 if unknown else max(0, request.max_wait_ms),
        request.min_bytes,
        request.max_bytes,
        request.isolation_level,
        wants_all=not reading.is_incremental,
    )

    def ask(complete: Callable[[api.FetchReply], None]) -> None:
        parked = call.port.fetch(call.context, wanted, complete)
        if parked is not None:
            call.parked(parked, wanted.max_wait_ms)

    is_committed = request.isolation_level == api.READ_COMMITTED
    answer = partial(_answer, call, reading, keys, unknown, is_committed)
    if not call.is_heavy and call.port.fetches_promptly(wanted):
        return call.later(ask, answer)
    return call.in_worker(ask, partial(_answer_cold, call, answer))


def _answer_cold(call: Call, answer: Callable[[api.FetchReply], FetchResponse], reply: api.FetchReply) -> None:
    """Read what is mapped, here in the worker, so that writing it to the socket does not wait for the disk."""
    for partition in reply.partitions:
        for chunk in partition.records:
            read_through(chunk)
    call.answer(answer, reply)


def _begin(call: Call, request: FetchRequest) -> _Reading | int:
    """Settle the session; an error code where the request does not fit it."""
    uses_topic_ids = call.version >= _TOPIC_IDS
    asked = {
        SessionKey(topic.topic_id if uses_topic_ids else topic.topic, partition.partition): Asked(
            partition.fetch_offset,
            partition.partition_max_bytes,
            partition.current_leader_epoch,
            partition.last_fetched_epoch,
        )
        for topic in request.topics
        for partition in topic.partitions
    }
    sessions = call.site.fetch_sessions
    if request.session_epoch in (FINAL_EPOCH, INITIAL_EPOCH):
        sessions.remove(request.session_id)
        return _Reading(asked, wants_session=request.session_epoch == INITIAL_EPOCH)
    session = sessions.find(request.session_id)
    if session is None:
        return FetchSessionIdNotFoundError.errno
    if session.epoch != request.session_epoch:
        return InvalidFetchSessionEpochError.errno
    if session.uses_topic_ids != uses_topic_ids:
        return FetchSessionTopicIdError.errno
    session.change(
        asked,
        [
            SessionKey(topic.topic_id if uses_topic_ids else topic.topic, partition)
            for topic in request.forgotten_topics_data
            for partition in topic.partitions
        ],
    )
    session.epoch = next_epoch(session.epoch)
    held = {key: partition.asked for key, partition in list(session.partitions.items())}
    return _Reading(held, session, is_incremental=True)


def _answer(
    call: Call,
    reading: _Reading,
    keys: dict[TopicPartition, SessionKey],
    unknown: list[SessionKey],
    is_committed: bool,
    reply: api.FetchReply,
) -> FetchResponse:
    session = reading.session
    if reading.wants_session and reading.asked:
        session = call.site.fetch_sessions.create(reading.asked, uses_topic_ids=call.version >= _TOPIC_IDS)
    response = FetchResponse(session_id=0 if session is None else session.session_id)
    topics: dict[str, FetchableTopicResponse] = {}
    for each in reply.partitions:
        key = keys[each.topic_partition]
        if session is not None:
            has_news = session.has_news(
                key,
                error_code=each.error_code,
                high_watermark=each.high_watermark,
                log_start_offset=each.log_start_offset,
                has_records=bool(each.records),
            )
            if reading.is_incremental and not has_news:
                continue
        name = each.topic_partition.topic
        topic = topics.get(name)
        if topic is None:
            topic_id = ZERO_UUID if isinstance(key.topic, str) else key.topic
            topic = topics[name] = FetchableTopicResponse(name, topic_id)
            response.responses.append(topic)
        topic.partitions.append(_partition(each, call.version, is_committed=is_committed))
    for key in unknown:
        assert not isinstance(key.topic, str)
        refused = _refused(key.partition, UnknownTopicIdError.errno)
        response.responses.append(FetchableTopicResponse("", key.topic, [refused]))
    return response


def _partition(reply: api.PartitionFetchReply, version: int, *, is_committed: bool) -> PartitionData:
    records = reply.records
    if version < _ZSTD and any(_has_zstd(chunk) for chunk in records):
        return _refused(reply.topic_partition.partition, UnsupportedCompressionTypeError.errno)
    if reply.error_code:
        return _refused(reply.topic_partition.partition, reply.error_code)
    aborted = [AbortedTransaction(*each) for each in reply.aborted_transactions] if is_committed else None
    return PartitionData(
        partition_index=reply.topic_partition.partition,
        error_code=0,
        high_watermark=reply.high_watermark,
        last_stable_offset=reply.last_stable_offset,
        log_start_offset=reply.log_start_offset,
        aborted_transactions=aborted,
        records=records or memoryview(b""),  # consumers take null for a broken reply
    )


def _refused(partition: int, error_code: int) -> PartitionData:
    aborted: list[AbortedTransaction] | None = [] if error_code in _UNKNOWN else None  # as Kafka answers
    return PartitionData(partition, error_code, _NO_OFFSET, aborted_transactions=aborted, records=memoryview(b""))


def _has_zstd(chunk: memoryview) -> bool:
    return any(header.compression_type == ZSTD for _, header in iter_headers(chunk))


HANDLERS = (Handler(1, fetch, on_loop=True),)
