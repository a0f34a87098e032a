"""What time brings: transactions that are open for too long, and transactional ids that nobody uses any more."""

from __future__ import annotations

from collections.abc import Mapping

from embedkafka.coordinator.transaction.config import TransactionConfig
from embedkafka.coordinator.transaction.decision import Decision, LastEpoch
from embedkafka.coordinator.transaction.init_producer import fence_and_abort
from embedkafka.coordinator.transaction.records import TransactionRecord
from embedkafka.coordinator.transaction.state import TransactionState
from embedkafka.coordinator.transaction.transaction import Transaction


def abort_timed_out(transactions: Mapping[str, Transaction], now_ms: int) -> Decision:
    """Abort what is open for longer than its producer's timeout, and fence that producer."""
    records: list[TransactionRecord] = []
    events: list[LastEpoch] = []
    prepared: list[str] = []
    is_open = False
    for transactional_id, known in sorted(transactions.items()):
        if known.state is not TransactionState.ONGOING:
            continue
        if known.start_ms + known.timeout_ms >= now_ms:
            is_open = True
            continue
        one = fence_and_abort(transactional_id, known, now_ms, 0)
        records += one.records
        events += one.events
        prepared += one.prepared
    return Decision(records=records, events=events, prepared=prepared, watch_timeouts=is_open)


def expire_ids(transactions: Mapping[str, Transaction], config: TransactionConfig, now_ms: int) -> Decision:
    """Forget ids without an open transaction whose last use is long ago."""
    expired = [
        transactional_id
        for transactional_id, known in sorted(transactions.items())
        if known.state.is_idle and known.update_ms + config.id_expiration_ms <= now_ms
    ]
    return Decision(
        records=[TransactionRecord(transactional_id, None) for transactional_id in expired],
        events=[LastEpoch(transactional_id, None) for transactional_id in expired],
    )


def start(transactions: Mapping[str, Transaction]) -> Decision:
    """After loading: complete what is prepared, watch what is open."""
    return Decision(
        prepared=sorted(name for name, known in transactions.items() if known.state.is_prepared),
        watch_timeouts=any(known.state is TransactionState.ONGOING for known in transactions.values()),
    )
