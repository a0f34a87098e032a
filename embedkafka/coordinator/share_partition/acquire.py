"""A member is given records: available ones first, then new ones.

Records that failed often are given in ever smaller portions, the last attempt of each alone, so that one bad record
does not use up the deliveries of its neighbours (as in Kafka 4.2 and later).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from embedkafka.coordinator.share_partition.api import AcquiredRecords, AcquireMode
from embedkafka.coordinator.share_partition.config import ShareSettings
from embedkafka.coordinator.share_partition.decision import Acquire, Acquired, Decision, Event, Hidden, StateChange
from embedkafka.coordinator.share_partition.partition import SharePartition
from embedkafka.coordinator.share_partition.standing import AVAILABLE

_LOWEST_THROTTLE = 2  # SharePartition.MINIMUM_THROTTLE_RECORDS_DELIVERY_LIMIT
_ALONE_FROM_LIMIT = 3  # a limit of 2 leaves nothing to tell apart


class _Piece(NamedTuple):
    """Offsets that stand alike, within one span or outside of all."""

    first: int
    last: int
    is_visible: bool
    delivery_count: int


def acquire(known: SharePartition, command: Acquire, settings: ShareSettings, now_ms: float) -> Decision:
    """Give the member what it asks for, as far as there is something."""
    locked_until_ms = now_ms + settings.record_lock_duration_ms
    taken: list[Acquired] = []
    hidden: list[Hidden] = []
    left = command.max_records
    free = settings.partition_max_record_locks - known.in_flight_count
    for piece in _pieces(known, command):
        if not piece.is_visible:
            hidden.append(Hidden(piece.first, piece.last, piece.delivery_count))
            continue
        is_new = piece.first >= known.end_offset
        wanted = min(left, free) if is_new else left
        if wanted <= 0:
            break
        allowed = _portion(piece, settings)
        if allowed is not None and taken:
            break
        last = _last_taken(piece, command, min(wanted, allowed or wanted), is_exact=allowed is not None)
        taken.append(Acquired(piece.first, last, piece.delivery_count + 1, command.member_id, locked_until_ms))
        count = last - piece.first + 1
        left -= count
        if is_new:
            free -= count
        if last < piece.last or allowed is not None:
            break
    events: list[Event] = [*taken, *hidden]
    return Decision(_reply(taken, known.end_offset, command), _moved_start(known, hidden), events)


def _pieces(known: SharePartition, command: Acquire) -> Iterator[_Piece]:
    """What could be given, and what is to be hidden, in offset order: in flight and available, then new."""
    spans, batch_lasts = command.fetched
    end_offset = batch_lasts[-1] + 1
    for first, last, standing in known.standings.overlapping(command.fetch_offset, end_offset - 1):
        if standing.state == AVAILABLE:
            yield from _cut(spans, first, last, standing.delivery_count)
    if end_offset > known.end_offset:
        yield from _cut(spans, known.end_offset, end_offset - 1, 0)


def _cut(spans: Sequence[tuple[int, int]], first: int, last: int, delivery_count: int) -> Iterator[_Piece]:
    """The offsets from first to last, cut where a span begins or ends."""
    for index in range(bisect_left(spans, first, key=lambda span: span[1]), len(spans)):
        span_first, span_last = spans[index]
        if span_first > last:
            break
        if span_first > first:
            yield _Piece(first, span_first - 1, False, delivery_count)
            first = span_first
        end = min(span_last, last)
        yield _Piece(first, end, True, delivery_count)
        first = end + 1
    if first <= last:
        yield _Piece(first, last, False, delivery_count)


def _portion(piece: _Piece, settings: ShareSettings) -> int | None:
    """How many records that failed often are given at once, and nothing beside them; None for others."""
    limit = settings.delivery_count_limit
    throttle = max(_LOWEST_THROTTLE, (limit + 1) // 2)
    if piece.delivery_count >= limit - 1 and limit >= _ALONE_FROM_LIMIT:
        return 1
    if piece.delivery_count < throttle:
        return None
    return max(1, (piece.last - piece.first + 1) >> (piece.delivery_count - throttle + 1))


def _last_taken(piece: _Piece, command: Acquire, count: int, *, is_exact: bool) -> int:
    """The last offset of about ``count`` records of a piece: with whole batches, the end of the batch it falls in."""
    last = piece.first + count - 1
    if last >= piece.last:
        return piece.last
    if is_exact or command.mode == AcquireMode.RECORD_LIMIT:
        return last
    batch_lasts = command.fetched.batch_lasts
    return min(piece.last, batch_lasts[bisect_left(batch_lasts, last)])


def _reply(taken: Sequence[Acquired], end_offset: int, command: Acquire) -> list[AcquiredRecords]:
    """What was taken; new records in portions of about ``batch_size``, each of whole batches."""
    reply: list[AcquiredRecords] = []
    batch_lasts = command.fetched.batch_lasts
    for each in taken:
        first = each.first_offset
        if command.mode == AcquireMode.BATCH_OPTIMIZED and first >= end_offset and command.batch_size > 0:
            while each.last_offset - first >= command.batch_size:
                last = batch_lasts[bisect_left(batch_lasts, first + command.batch_size - 1)]
                if last >= each.last_offset:
                    break
                reply.append(AcquiredRecords(first, last, each.delivery_count))
                first = last + 1
        reply.append(AcquiredRecords(first, each.last_offset, each.delivery_count))
    return reply


def _moved_start(known: SharePartition, hidden: Sequence[Hidden]) -> StateChange | None:
    """What is hidden is done; None where that does not move the start."""
    if not hidden:
        return None
    start_offset = known.start_after([each[:2] for each in hidden])
    if start_offset == known.start_offset:
        return None
    below = [each for each in hidden if each.first_offset < start_offset]
    passed = sum(min(each.last_offset, start_offset - 1) - each.first_offset + 1 for each in below)
    return StateChange(start_offset, known.complete_count + passed - (start_offset - known.start_offset))
