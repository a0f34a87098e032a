"""The last stable offset and the index of aborted transactions, whatever happens to the log's files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from broker.interrupts import every_line, interrupted_at
from hypothesis import given
from hypothesis import strategies as st
from storage.builders import NOW_MS, append, open_log, read_all, values
from storage.producing import end, produced, send, send_in_transaction
from storage.test_compaction import COMPACT, DAY_MS, compact

from embedkafka.errors import KafkaStorageError
from embedkafka.files import MemoryFiles
from embedkafka.files.faulty import FaultyFiles
from embedkafka.record import decode_batch
from embedkafka.storage.config import LogConfig
from embedkafka.storage.log import Log

TINY = LogConfig(segment_bytes=400, index_interval_bytes=100, tail_bytes=0)


def aborted(log: Log, start: int = 0, stop: int | None = None) -> list[tuple[int, int, int]]:
    """Producer id, first and last offset."""
    found = log.aborted_transactions(start, log.end_offset if stop is None else stop)
    return [(each.producer_id, each.first_offset, each.last_offset) for each in found]


# The last stable offset -----------------------------------------------------------------------------------------------


def test_without_transactions_it_is_the_end() -> None:
    log = open_log()
    send(log, produced(0))
    assert log.last_stable_offset == log.end_offset == 1


def test_it_is_where_the_oldest_open_transaction_begins() -> None:
    log = open_log()
    send(log, produced(0, producer_id=1))
    send_in_transaction(log, 0, producer_id=2)
    send_in_transaction(log, 0, producer_id=3)
    send(log, produced(1, producer_id=1))
    assert log.last_stable_offset == 1
    end(log, producer_id=2, commit=True)
    assert log.last_stable_offset == 2
    end(log, producer_id=3, commit=False)
    assert log.last_stable_offset == log.end_offset == 6


def test_it_is_not_before_the_log_start() -> None:
    log = open_log()
    send_in_transaction(log, 0)
    append(log, values("a", "b"))
    log.advance_log_start(2)
    assert log.last_stable_offset == 2


def test_a_batch_that_cannot_be_written_opens_no_transaction() -> None:
    files = FaultyFiles()
    log = open_log(files)
    send(log, produced(0, producer_id=1))
    files.capacity_bytes = files.used_bytes() + 10
    with pytest.raises(KafkaStorageError):
        send_in_transaction(log, 0)
    files.capacity_bytes = None
    assert log.last_stable_offset == 1
    assert log.producer_state().entries.keys() == {1}
    append(log, values("somebody else's"))
    assert log.last_stable_offset == 2
    assert send_in_transaction(log, 0).base_offset == 2


# The index ------------------------------------------------------------------------------------------------------------


def test_what_was_aborted_is_found_by_any_range_that_it_overlaps() -> None:
    log = open_log()
    for number in range(4):  # offsets 3 n, 3 n + 1, and the marker
        send_in_transaction(log, 0, producer_id=number, count=2)
        end(log, producer_id=number, commit=number % 2 == 0)
    assert aborted(log) == [(1, 3, 5), (3, 9, 11)]
    assert aborted(log, 5, 9) == [(1, 3, 5)]
    assert aborted(log, 6, 9) == []
    assert aborted(log, 6, 10) == [(3, 9, 11)]


def test_a_transaction_without_records_is_not_listed() -> None:
    log = open_log()
    end(log, commit=False)
    assert aborted(log) == []


def test_no_file_is_made_before_something_was_aborted() -> None:
    files = MemoryFiles()
    log = open_log(files)
    send_in_transaction(log, 0)
    end(log, commit=True)
    assert not any(name.endswith(".txnindex") for name in files.list("/text-0"))


def test_a_transaction_over_several_segments_is_found_from_each_of_them() -> None:
    log = open_log(config=TINY)
    send_in_transaction(log, 0)
    for _ in range(20):
        append(log, values("a", "b"))
    end(log, commit=False)
    assert len(log.segments) > 3
    for segment in log.segments:
        assert aborted(log, segment.base_offset, segment.base_offset + 1) == [(7, 0, 41)]


def test_a_search_ends_where_later_aborts_cannot_matter() -> None:
    log = open_log(config=TINY)
    for number in range(30):
        send_in_transaction(log, 0, epoch=number)
        end(log, epoch=number + 1, commit=False)
    looked_at = []
    for segment in log.segments:
        index = segment.transaction_index
        looked_at.append((segment, index.entries))
        index._entries = None  # read again when asked for
    assert aborted(log, 0, 2) == [(7, 0, 1)]
    assert [segment.transaction_index._entries is None for segment, _ in looked_at[1:]] == [True] * len(looked_at[1:])


def test_aborts_go_with_their_segments() -> None:
    files = MemoryFiles()
    log = open_log(files, replace(TINY, retention_bytes=400))
    for number in range(30):
        send_in_transaction(log, 0, epoch=number)
        end(log, epoch=number + 1, commit=False)
    log.delete_old_segments(NOW_MS)
    start = log.segments[0].base_offset
    assert start > 10
    assert [first for _, first, _ in aborted(log)] == list(range(start - start % 2, 60, 2))
    indexes = {name[:20] for name in files.list("/text-0") if name.endswith(".txnindex")}
    assert indexes == {f"{segment.base_offset:020d}" for segment in log.segments}


# Compaction -----------------------------------------------------------------------------------------------------------


def kept(log: Log) -> list[tuple[int, int, bool]]:
    """Offset, records and whether it is a marker, of every batch."""
    return [(header.base_offset, header.records_count, header.is_control) for header, _ in log.batches()]


def compacted(log: Log, now_ms: int = NOW_MS) -> None:
    """Clean everything written so far."""
    log.roll(now_ms)
    compact(log, now_ms=now_ms)


def test_compaction_removes_what_was_aborted_and_keeps_what_it_seemed_to_replace() -> None:
    log = open_log(config=COMPACT)
    append(log, values("old"))
    send_in_transaction(log, 0, value=b"aborted")
    end(log, epoch=1, commit=False)
    send_in_transaction(log, 0, epoch=1, key=b"other")
    end(log, epoch=2, commit=True)
    compacted(log)
    assert [
        record.value for header, batch in log.batches() if not header.is_control for record in decode_batch(batch)
    ] == [
        b"old",
        b"v",
    ]


def test_a_marker_stays_until_its_transaction_is_gone_and_its_time_has_come() -> None:
    log = open_log(config=COMPACT)
    send_in_transaction(log, 0)
    end(log, epoch=1, commit=True)
    send_in_transaction(log, 0, epoch=1)  # replaces it
    end(log, epoch=2, commit=True)
    send(log, produced(0, producer_id=8, key=b"other"))
    compacted(log)
    assert (1, 1, True) in kept(log)  # its batch was there when the cleaning began
    append(log, values("x"))
    compacted(log)
    assert (1, 1, True) in kept(log)  # none of it is left, so from now on it has a day
    append(log, values("x"))
    compacted(log, NOW_MS + DAY_MS - 1)
    assert (1, 1, True) in kept(log)
    append(log, values("x"))
    compacted(log, NOW_MS + DAY_MS)
    assert not any(offset == 1 for offset, _, _ in kept(log))


def test_the_index_of_a_compacted_segment_holds_what_readers_still_need() -> None:
    files = MemoryFiles()
    log = open_log(files, COMPACT)
    for number in range(6):
        send_in_transaction(log, 0, epoch=number, count=2)
        end(log, epoch=number + 1, commit=number % 2 == 0)
    before = aborted(log)
    compacted(log)
    assert aborted(log) == before  # the markers were kept, as their batches were met
    log.close()
    assert aborted(open_log(files, COMPACT, clean=True)) == before


def test_a_producers_last_batch_stays_though_it_is_empty() -> None:
    log = open_log(config=COMPACT)
    send(log, produced(0, count=3))
    append(log, values("replaces"))
    append(log, values("and again"))
    compacted(log)
    assert kept(log)[0] == (0, 0, False)
    assert send(log, produced(0, count=3)).is_duplicate
    assert send(log, produced(3)).base_offset == 5


def test_after_compaction_and_a_crash_the_producer_is_still_known() -> None:
    files = MemoryFiles()
    log = open_log(files, COMPACT)
    send(log, produced(0, count=3))
    for _ in range(2):
        append(log, values("replaces"))
    compacted(log)
    for offset in log.producers.snapshots.offsets:
        files.unlink(f"/text-0/{offset:020d}.snapshot")
    log = open_log(files, COMPACT)
    assert send(log, produced(0, count=3)).is_duplicate


def test_an_open_transaction_is_not_compacted() -> None:
    log = open_log(config=COMPACT)
    append(log, values("a"))
    send_in_transaction(log, 0)
    append(log, values("b"))
    compacted(log)
    assert [record.value for record in read_all(log)] == [b"a", b"v", b"b"]


# Interrupts -----------------------------------------------------------------------------------------------------------


def _steps(log: Log) -> None:
    send_in_transaction(log, 0, producer_id=1, count=2)
    send(log, produced(0, producer_id=2))
    end(log, producer_id=1, commit=False)
    send(log, produced(1, producer_id=2))


def test_an_interrupt_at_any_line_leaves_what_the_log_says() -> None:
    for line in every_line():
        files = MemoryFiles()
        log = open_log(files, TINY)
        was_interrupted = interrupted_at(line, lambda log=log: _steps(log))  # type: ignore[misc]
        found = dict(log.producer_state().entries), log.last_stable_offset, aborted(log)
        if was_interrupted:
            append(log, values("somebody else's"))
            found = *found[:1], log.last_stable_offset, *found[2:]
        if log.active_segment is not None:
            log.active_segment.cut_dead_bytes()  # what was written and not published
        again = open_log(files, TINY)  # as after a kill: from the log alone
        assert found == (dict(again.producer_state().entries), again.last_stable_offset, aborted(again)), line
        if not was_interrupted:
            return


# A model --------------------------------------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["data", "plain", "commit", "abort", "roll", "reopen", "crash"]),
        st.integers(0, 3),
        st.integers(1, 3),
    ),
    max_size=40,
)


@given(ACTIONS)
def test_a_log_says_of_transactions_what_a_plain_model_says(actions: list[tuple[str, int, int]]) -> None:
    files = MemoryFiles()
    log = open_log(files, TINY)
    open_since: dict[int, int] = {}
    epochs = dict.fromkeys(range(4), 0)
    sequences = dict.fromkeys(range(4), 0)
    finished: list[tuple[int, int, int]] = []
    offset = 0
    for action, producer_id, count in actions:
        if action == "data":
            info = send_in_transaction(
                log, sequences[producer_id], producer_id=producer_id, epoch=epochs[producer_id], count=count
            )
            assert info.base_offset == offset
            open_since.setdefault(producer_id, offset)
            sequences[producer_id] += count
            offset += count
        elif action == "plain":
            append(log, values(*"abc"[:count]))
            offset += count
        elif action in ("commit", "abort"):
            epochs[producer_id] += 1
            end(log, producer_id=producer_id, epoch=epochs[producer_id], commit=action == "commit")
            sequences[producer_id] = 0
            first = open_since.pop(producer_id, None)
            if first is not None and action == "abort":
                finished.append((producer_id, first, offset))
            offset += 1
        elif action == "roll":
            log.roll(NOW_MS)
        elif action == "reopen":
            log.close()
            log = open_log(files, TINY, clean=True)
        else:
            log = open_log(files, TINY, recovery_point=log.recovery_checkpoint)
        assert log.last_stable_offset == min(open_since.values(), default=offset)
        assert aborted(log) == finished
