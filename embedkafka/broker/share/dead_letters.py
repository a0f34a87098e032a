"""Records that a share group cannot deliver, put on its dead-letter topic (KIP-1191).

Apache Kafka 4.3 has only the beginnings of this; names, headers and rules are those of 4.4.  Differing from there, a
dead letter is in its topic before the record counts as archived, so that a crash in between makes a second dead letter
rather than none; an offset that holds no record (compacted away) makes no dead letter; and a copied record keeps its
own headers, before those that say where it comes from.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from embedkafka.broker.partition import Partition
from embedkafka.broker.share.host import ShareGroupSettings, SharesHost
from embedkafka.coordinator.share_partition.decision import DeadLetters
from embedkafka.errors import BrokerResponseError
from embedkafka.model import TopicPartition
from embedkafka.record import Record, decode_batch, encode_batch, iter_headers

_log = logging.getLogger(__name__)

_REJECTED = "Offset rejected by client."
_EXHAUSTED = "Offset delivery count exceeded the threshold."
_CHUNK_BYTES = 1 << 20


def bury(
    host: SharesHost, group_id: str, settings: ShareGroupSettings, source: Partition, letters: Sequence[DeadLetters]
) -> Partition | None:
    """Append dead letters where the group has a topic for them; whoever calls wakes its readers afterwards.

    What cannot be written is logged and lost, as in Kafka: a group does not stop over its dead letters.

    Returns:
        The partition that has them now; None where nothing was appended.

    Raises:
        DeadLetterTopicMissing: it has to be created, and then this is to be called again.
    """
    topic = settings.errors_deadletterqueue_topic_name
    if not topic or not letters:
        return None
    found: Partition | None = None
    try:
        target = host.dead_letter_partition(topic, source.topic_partition.partition)
        copy = settings.errors_deadletterqueue_copy_record_enable
        for each in letters:
            for record in _records(source, each):
                headers = _headers(source.topic_partition, group_id, record, each)
                _append(target, host.clock.now_ms(), record, headers, copy=copy)
                found = target
    except (BrokerResponseError, OSError) as error:
        _log.warning("dead letters of group %r from %s are lost: %s", group_id, source.topic_partition, error)
    return found


def _append(
    target: Partition, now_ms: int, record: Record, headers: list[tuple[str, bytes | None]], *, copy: bool
) -> None:
    if copy:
        try:
            target.append(encode_batch([(now_ms, record.key, record.value, [*record.headers, *headers])]))
            return
        except BrokerResponseError as error:
            _log.warning("offset %d is too much for %s: %s", record.offset, target.topic_partition, error)
    target.append(encode_batch([(now_ms, None, None, headers)]))


def _records(source: Partition, letters: DeadLetters) -> Iterator[Record]:
    """The records at these offsets that the log still has."""
    log = source.log
    offset = max(letters.first_offset, log.log_start_offset)
    end_offset = min(letters.last_offset + 1, log.end_offset)
    while offset < end_offset:
        chunks = log.read(offset, max_bytes=_CHUNK_BYTES, max_offset=log.end_offset)
        if not chunks:
            return
        for chunk in chunks:
            for position, header in iter_headers(chunk):
                if not header.is_control:
                    for record in decode_batch(chunk, position, header):
                        if offset <= record.offset < end_offset:
                            yield record
                offset = max(offset, header.next_offset)
                if offset >= end_offset:
                    return


def _headers(
    source: TopicPartition, group_id: str, record: Record, letters: DeadLetters
) -> list[tuple[str, bytes | None]]:
    return [
        ("__dlq.errors.topic", source.topic.encode()),
        ("__dlq.errors.partition", str(source.partition).encode()),
        ("__dlq.errors.offset", str(record.offset).encode()),
        ("__dlq.errors.group", group_id.encode()),
        ("__dlq.errors.delivery.count", str(letters.delivery_count).encode()),
        ("__dlq.errors.message", (_REJECTED if letters.is_rejected else _EXHAUSTED).encode()),
    ]
