"""A member says what became of the records it was given."""

from __future__ import annotations

from collections.abc import Iterator

from embedkafka.coordinator.share_partition.api import AcknowledgementBatch, AcknowledgeType
from embedkafka.coordinator.share_partition.config import ShareSettings
from embedkafka.coordinator.share_partition.decision import (
    Acknowledge,
    Acquired,
    DeadLetters,
    Decision,
    Event,
    Refusal,
)
from embedkafka.coordinator.share_partition.partition import SharePartition
from embedkafka.coordinator.share_partition.standing import (
    ACQUIRED,
    AFTER_ACKNOWLEDGEMENT,
    ARCHIVED,
    AVAILABLE,
)
from embedkafka.coordinator.share_state.api import StateBatch
from embedkafka.errors import InvalidRecordStateError, InvalidRequestError


def acknowledge(known: SharePartition, command: Acknowledge, settings: ShareSettings, now_ms: float) -> Decision:
    """Let the acknowledgements count, all of them or none.

    What lies below the start is passed over: it is done, or the log has lost it.
    """
    batches: list[StateBatch] = []
    events: list[Event] = []
    dead_letters: list[DeadLetters] = []
    refusal = check_batches(command)
    if refusal is not None:
        return Decision(refusal)
    standings = known.standings
    for batch in command.batches:
        if batch.last_offset >= known.end_offset:
            return _refused(InvalidRequestError.errno, "The last offset is past acquired records.")
        for type_, low, high in _by_type(batch):
            if high < known.start_offset:
                continue
            for first, last, standing in standings.overlapping(max(low, known.start_offset), high):
                if standing.state != ACQUIRED or standing.member_id != command.member_id:
                    return _refused(InvalidRecordStateError.errno, "The record is not acquired by the member.")
                count = standing.delivery_count
                if type_ == AcknowledgeType.RENEW:
                    locked_until_ms = now_ms + settings.record_lock_duration_ms
                    events.append(Acquired(first, last, count, command.member_id, locked_until_ms))
                    continue
                state = AFTER_ACKNOWLEDGEMENT[type_]
                is_exhausted = state == AVAILABLE and count >= settings.delivery_count_limit
                if is_exhausted:
                    state = ARCHIVED
                if is_exhausted or type_ == AcknowledgeType.REJECT:
                    dead_letters.append(DeadLetters(first, last, count, type_ == AcknowledgeType.REJECT))
                batches.append(StateBatch(first, last, state, count))
    return Decision(None, known.changed(batches) if batches else None, events, dead_letters)


def check_batches(command: Acknowledge) -> Refusal | None:
    """Whether the acknowledgements are well formed (``KafkaApis.validateAcknowledgementBatches``)."""
    previous = -1
    for first, last, types in command.batches:
        if first == previous >= 0:
            return Refusal(InvalidRecordStateError.errno, f"offset {first} is acknowledged twice")
        if last < first or first < max(0, previous):
            return Refusal(InvalidRequestError.errno, "acknowledgement batches must be in order and not overlap")
        if len(types) != 1 and len(types) != last - first + 1:
            return Refusal(InvalidRequestError.errno, "a batch has one acknowledge type, or one for each offset")
        for type_ in types:
            if type_ not in AFTER_ACKNOWLEDGEMENT:
                return Refusal(InvalidRequestError.errno, f"Invalid acknowledge type: {type_}")
        previous = last
    return None


def _by_type(batch: AcknowledgementBatch) -> Iterator[tuple[int, int, int]]:
    """The ranges of a batch that have one type each."""
    first, last, types = batch
    if len(types) == 1:
        yield types[0], first, last
        return
    begin = 0
    for index in range(1, len(types) + 1):
        if index == len(types) or types[index] != types[begin]:
            yield types[begin], first + begin, first + index - 1
            begin = index


def _refused(error_code: int, message: str) -> Decision:
    return Decision(Refusal(error_code, message))
