"""Short ways to write to a log as producers and their coordinator do."""

from __future__ import annotations

from storage.builders import NOW_MS

from embedkafka.record import EndTransactionMarker, encode_batch
from embedkafka.storage.log import AppendInfo, AppendOrigin, Log


def produced(
    sequence: int,
    *,
    producer_id: int = 7,
    epoch: int = 0,
    count: int = 1,
    transactional: bool = False,
    timestamp: int = NOW_MS,
    key: bytes = b"k",
    value: bytes | None = b"v",
) -> bytearray:
    """A batch of a producer with an id."""
    return encode_batch(
        [(timestamp, key, value, ())] * count,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=sequence,
        is_transactional=transactional,
    )


def send(log: Log, records: bytearray, *, origin: AppendOrigin = AppendOrigin.CLIENT) -> AppendInfo:
    """Append outside of a transaction."""
    return log.append(records, leader_epoch=0, now_ms=NOW_MS, trusted=True, origin=origin)


def send_in_transaction(
    log: Log,
    sequence: int,
    *,
    producer_id: int = 7,
    epoch: int = 0,
    count: int = 1,
    key: bytes = b"k",
    value: bytes = b"v",
    timestamp: int = NOW_MS,
) -> AppendInfo:
    """Append a batch of a transaction, which begins with it where it is not open; its coordinator agrees."""
    verification = log.producer_state().start_verification(
        producer_id, epoch, sequence, supports_epoch_bump=True, now_ms=NOW_MS
    )
    records = produced(
        sequence,
        producer_id=producer_id,
        epoch=epoch,
        count=count,
        transactional=True,
        key=key,
        value=value,
        timestamp=timestamp,
    )
    return log.append(records, leader_epoch=0, now_ms=NOW_MS, trusted=True, verification=verification)


def end(
    log: Log,
    *,
    producer_id: int = 7,
    epoch: int = 1,
    commit: bool,
    coordinator_epoch: int = 0,
    transaction_version: int = 2,
    timestamp: int = NOW_MS,
) -> AppendInfo:
    """Append a marker."""
    key, value = EndTransactionMarker(commit, coordinator_epoch).encode()
    records = encode_batch(
        [(timestamp, key, value, ())],
        producer_id=producer_id,
        producer_epoch=epoch,
        is_transactional=True,
        is_control=True,
    )
    return log.append(
        records,
        leader_epoch=0,
        now_ms=NOW_MS,
        trusted=True,
        origin=AppendOrigin.COORDINATOR,
        transaction_version=transaction_version,
    )
