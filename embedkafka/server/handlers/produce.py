"""Produce (0): record batches as they came, in the frame they came in."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial

from embedkafka.broker import api
from embedkafka.errors import (
    InvalidRecordError,
    KafkaError,
    UnknownTopicIdError,
    UnsupportedCompressionTypeError,
    for_code,
)
from embedkafka.model import TopicPartition
from embedkafka.protocol.apis.api_00_produce import (
    BatchIndexAndErrorMessage,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import NO_RESPONSE, Handler

_TOPIC_IDS = 13  # the first version with them
_IMPLICIT_ADD = 12  # KIP-890: a transaction's first batch adds its partition
_ZSTD = 7

# Where a batch says how long it is, and its attributes, see embedkafka.record.format.
_LENGTH = struct.Struct("!8xi")
_LENGTH_END = 12
_ATTRIBUTES = struct.Struct("!21xh")
_COMPRESSION_MASK = 7
_ZSTD_TYPE = 4

Refusals = dict[TopicPartition, api.PartitionProduceReply]


def produce(call: Call, request: ProduceRequest) -> object:
    """Append; each partition succeeds or fails for itself."""
    names = [
        call.port.topic_name(topic.topic_id) if call.version >= _TOPIC_IDS else topic.name
        for topic in request.topic_data
    ]
    frame_bytes = len(call.header.frame)
    batches: list[api.PartitionBatches] = []
    refused: Refusals = {}
    for topic, name in zip(request.topic_data, names, strict=True):
        if name is None:
            continue
        for data in topic.partition_data:
            topic_partition = TopicPartition(name, data.index)
            error = _mistake(data.records, call.version)
            if error is not None or data.records is None:
                refused[topic_partition] = api.PartitionProduceReply(
                    topic_partition,
                    (error or InvalidRecordError()).errno,
                    None if error is None else str(error.args[0]),
                )
                continue
            # A log may keep what it is given for its readers: a small part of a frame must not keep the whole one.
            is_most = 2 * len(data.records) >= frame_bytes
            batches.append(api.PartitionBatches(topic_partition, data.records if is_most else bytearray(data.records)))
    asked = api.ProduceRequest(
        batches,
        request.acks,
        request.timeout_ms,
        request.transactional_id,
        transaction_version=2 if call.version >= _IMPLICIT_ADD else 1,
    )
    prompt = None if call.is_heavy else call.port.produce_promptly(call.context, asked)
    if prompt is not None:
        return _answer(call, request, names, refused, prompt)
    return call.in_worker(_produce, call, asked, partial(_answer, call, request, names, refused))


def _produce(call: Call, asked: api.ProduceRequest, answer: Callable[[api.ProduceReply], object]) -> object:
    """The same where waiting is no harm."""
    return call.later(partial(call.port.produce, call.context, asked), answer)


def _mistake(records: memoryview | None, version: int) -> InvalidRecordError | UnsupportedCompressionTypeError | None:
    """What is wrong with a partition's records as far as this API's version decides it."""
    if records is None or len(records) < _ATTRIBUTES.size:
        return InvalidRecordError("a produce request has one record batch per partition, this one none")
    (length,) = _LENGTH.unpack_from(records)
    if length + _LENGTH_END != len(records):
        return InvalidRecordError(
            f"a produce request has one record batch per partition: {len(records)} bytes, the first batch has "
            f"{length + _LENGTH_END}"
        )
    if version < _ZSTD and _ATTRIBUTES.unpack_from(records)[0] & _COMPRESSION_MASK == _ZSTD_TYPE:
        return UnsupportedCompressionTypeError(f"Produce v{version} cannot carry zstd, from v{_ZSTD} on it can")
    return None


def _answer(
    call: Call, request: ProduceRequest, names: list[str | None], refused: Refusals, reply: api.ProduceReply
) -> object:
    replies = {each.topic_partition: each for each in reply.partitions}
    replies.update(refused)
    if request.acks == 0:
        for each in replies.values():
            if each.error_code:  # as Kafka: a producer that wants no answers learns of an error by a closed connection
                raise KafkaError(f"{each.topic_partition}: {for_code(each.error_code).__name__}, and acks=0")
        return NO_RESPONSE
    responses = []
    for topic, name in zip(request.topic_data, names, strict=True):
        if name is None:
            partitions = [
                PartitionProduceResponse(data.index, UnknownTopicIdError.errno, -1) for data in topic.partition_data
            ]
        else:
            partitions = [_partition(replies[TopicPartition(name, data.index)]) for data in topic.partition_data]
        responses.append(TopicProduceResponse(topic.name, topic.topic_id, partitions))
    return ProduceResponse(responses)


def _partition(reply: api.PartitionProduceReply) -> PartitionProduceResponse:
    return PartitionProduceResponse(
        index=reply.topic_partition.partition,
        error_code=reply.error_code,
        base_offset=reply.base_offset,
        log_append_time_ms=reply.log_append_time_ms,
        log_start_offset=reply.log_start_offset,
        record_errors=[BatchIndexAndErrorMessage(index) for index in reply.record_indexes],
        error_message=reply.error_message,
    )


HANDLERS = (Handler(0, produce, on_loop=True),)
