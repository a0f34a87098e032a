"""What a log remembers of its producers: sequence numbers, epochs, duplicates, and all of it after a restart."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from storage.builders import NOW_MS, append, open_log, values
from storage.producing import end, produced, send, send_in_transaction

from embedkafka.errors import (
    InvalidProducerEpochError,
    InvalidTxnStateError,
    OutOfOrderSequenceNumberError,
    TransactionCoordinatorFencedError,
)
from embedkafka.files import HandleCache, MemoryFiles
from embedkafka.record import encode_batch
from embedkafka.storage.config import LOG_APPEND_TIME, LogConfig
from embedkafka.storage.log import AppendOrigin, Log
from embedkafka.storage.plain import PlainBatch
from embedkafka.storage.producer_state import ProducerEntry, ProducerState, WrittenBatch, decode_snapshot

DAY_MS = 86_400_000
TINY = LogConfig(segment_bytes=400, index_interval_bytes=100, tail_bytes=0)


def refuses(log: Log, error: type[Exception], action: Callable[[], object]) -> None:
    """The action raises and changes nothing."""
    before = log.end_offset, log.producer_state().encode(), log.last_stable_offset
    with pytest.raises(error):
        action()
    assert (log.end_offset, log.producer_state().encode(), log.last_stable_offset) == before


# Sequence numbers -----------------------------------------------------------------------------------------------------


def test_batches_whose_numbers_follow_are_appended() -> None:
    log = open_log()
    assert [send(log, produced(sequence, count=3)).base_offset for sequence in (0, 3, 6)] == [0, 3, 6]


@pytest.mark.parametrize("sequence", [1, 2, 4, 100])
def test_a_gap_is_refused(sequence: int) -> None:
    log = open_log()
    send(log, produced(0, count=3))
    refuses(log, OutOfOrderSequenceNumberError, lambda: send(log, produced(sequence)))


def test_an_unknown_producer_may_start_anywhere() -> None:
    log = open_log()
    assert send(log, produced(1234)).base_offset == 0
    assert send(log, produced(1235)).base_offset == 1


def test_numbers_go_on_with_0_after_the_largest() -> None:
    log = open_log()
    send(log, produced((1 << 31) - 3, count=2))
    assert send(log, produced((1 << 31) - 1)).base_offset == 2
    assert send(log, produced(0)).base_offset == 3


def test_numbers_wrap_inside_a_batch() -> None:
    log = open_log()
    send(log, produced((1 << 31) - 2, count=4))
    assert log.producer_state().entries[7].last_sequence == 1
    assert send(log, produced((1 << 31) - 2, count=4)).is_duplicate
    assert send(log, produced(2)).base_offset == 4


def test_producers_are_told_apart() -> None:
    log = open_log()
    send(log, produced(0))
    send(log, produced(0, producer_id=8))
    assert not send(log, produced(1)).is_duplicate
    assert not send(log, produced(1, producer_id=8)).is_duplicate


# Duplicates -----------------------------------------------------------------------------------------------------------


def test_each_of_the_last_five_batches_is_known_again() -> None:
    log = open_log()
    for number in range(6):
        send(log, produced(2 * number, count=2))
    for number in range(1, 6):
        info = send(log, produced(2 * number, count=2))
        assert (info.is_duplicate, info.base_offset, info.last_offset) == (True, 2 * number, 2 * number + 1)
    assert log.end_offset == 12


def test_the_sixth_last_is_out_of_order() -> None:
    log = open_log()
    for number in range(6):
        send(log, produced(number))
    refuses(log, OutOfOrderSequenceNumberError, lambda: send(log, produced(0)))


def test_part_of_a_batch_is_no_duplicate() -> None:
    log = open_log()
    send(log, produced(0, count=3))
    refuses(log, OutOfOrderSequenceNumberError, lambda: send(log, produced(0, count=2)))


def test_a_duplicate_behind_another_batch_of_the_same_append_is_found() -> None:
    log = open_log()
    send(log, produced(0))
    both = produced(5, producer_id=8) + produced(0)
    assert send(log, bytearray(both)).is_duplicate
    assert log.end_offset == 1


def test_a_duplicate_is_answered_with_the_time_of_the_first_append() -> None:
    log = open_log(config=replace(LogConfig(), message_timestamp_type=LOG_APPEND_TIME))
    first = log.append(produced(0), leader_epoch=0, now_ms=NOW_MS + 5)
    again = log.append(produced(0), leader_epoch=0, now_ms=NOW_MS + 9)
    assert (first.log_append_time_ms, again.log_append_time_ms, again.is_duplicate) == (NOW_MS + 5, NOW_MS + 5, True)


# Epochs ---------------------------------------------------------------------------------------------------------------


def test_a_new_epoch_begins_with_0() -> None:
    log = open_log()
    send(log, produced(0, count=5))
    refuses(log, OutOfOrderSequenceNumberError, lambda: send(log, produced(5, epoch=1)))
    assert send(log, produced(0, epoch=1)).base_offset == 5


def test_an_old_epoch_is_refused() -> None:
    log = open_log()
    send(log, produced(0, epoch=3))
    refuses(log, InvalidProducerEpochError, lambda: send(log, produced(1, epoch=2)))


def test_a_new_epoch_does_not_know_the_batches_of_the_old_one() -> None:
    log = open_log()
    send(log, produced(0))
    info = send(log, produced(0, epoch=1))
    assert (info.is_duplicate, info.base_offset) == (False, 1)


# Transactions ---------------------------------------------------------------------------------------------------------


def test_a_transaction_needs_its_coordinators_word() -> None:
    log = open_log()
    refuses(log, InvalidTxnStateError, lambda: send(log, produced(0, transactional=True)))


def test_a_marker_takes_a_verification_back() -> None:
    log = open_log()
    state = log.producer_state()
    verification = state.start_verification(7, 0, 0, supports_epoch_bump=False, now_ms=NOW_MS)
    end(log, epoch=0, commit=False, transaction_version=1)
    records = produced(0, transactional=True)
    refuses(
        log,
        InvalidTxnStateError,
        lambda: log.append(records, leader_epoch=0, now_ms=NOW_MS, trusted=True, verification=verification),
    )


def test_an_open_transaction_needs_no_further_word() -> None:
    log = open_log()
    send_in_transaction(log, 0)
    assert log.producer_state().start_verification(7, 0, 1, supports_epoch_bump=True, now_ms=NOW_MS) is None
    assert send(log, produced(1, transactional=True)).base_offset == 1


def test_inside_of_a_transaction_everything_is_transactional() -> None:
    log = open_log()
    send_in_transaction(log, 0)
    refuses(log, InvalidTxnStateError, lambda: send(log, produced(1)))


def test_while_lower_numbers_wait_for_the_coordinator_higher_ones_are_refused() -> None:
    log = open_log()
    state = log.producer_state()
    send_in_transaction(log, 0)
    end(log, epoch=0, commit=True, transaction_version=1)
    state.start_verification(7, 0, 1, supports_epoch_bump=False, now_ms=NOW_MS)
    later = state.start_verification(7, 0, 2, supports_epoch_bump=False, now_ms=NOW_MS)
    records = produced(2, transactional=True)
    refuses(
        log,
        OutOfOrderSequenceNumberError,
        lambda: log.append(records, leader_epoch=0, now_ms=NOW_MS, trusted=True, verification=later),
    )


def test_the_first_batch_of_a_transaction_whose_producer_is_unknown_has_number_0() -> None:
    log = open_log()
    refuses(log, OutOfOrderSequenceNumberError, lambda: send_in_transaction(log, 3))


def test_a_verification_for_an_old_epoch_is_refused() -> None:
    log = open_log()
    send(log, produced(0, epoch=2))
    with pytest.raises(InvalidProducerEpochError):
        log.producer_state().start_verification(7, 1, 0, supports_epoch_bump=True, now_ms=NOW_MS)


def test_a_marker_of_version_2_has_a_newer_epoch() -> None:
    log = open_log()
    send_in_transaction(log, 0)
    refuses(log, InvalidProducerEpochError, lambda: end(log, epoch=0, commit=True))
    end(log, epoch=1, commit=True)


def test_a_marker_of_an_older_version_has_the_epoch_of_its_transaction() -> None:
    log = open_log()
    send_in_transaction(log, 0)
    end(log, epoch=0, commit=True, transaction_version=1)
    assert log.last_stable_offset == 2
    assert send(log, produced(1)).base_offset == 2  # numbers go on


def test_a_marker_that_is_repeated_after_the_end_is_written_once_more() -> None:
    log = open_log()
    send_in_transaction(log, 0)
    end(log, epoch=1, commit=True)
    assert end(log, epoch=1, commit=True).base_offset == 2
    assert log.last_stable_offset == 3


def test_a_coordinator_that_was_replaced_is_refused() -> None:
    log = open_log()
    send_in_transaction(log, 0)
    end(log, epoch=1, commit=True, coordinator_epoch=3)
    refuses(log, TransactionCoordinatorFencedError, lambda: end(log, epoch=2, commit=True, coordinator_epoch=2))


def test_after_a_marker_with_a_new_epoch_numbers_begin_with_0() -> None:
    log = open_log()
    send_in_transaction(log, 0, count=4)
    end(log, epoch=1, commit=True)
    assert send_in_transaction(log, 0, epoch=1).base_offset == 5


def test_what_a_coordinator_writes_has_no_sequence_numbers() -> None:
    log = open_log()
    for offset in range(3):
        records = encode_batch([(NOW_MS, b"k", b"v", ())], producer_id=7, producer_epoch=0)
        assert send(log, records, origin=AppendOrigin.COORDINATOR).base_offset == offset


# Expiry ---------------------------------------------------------------------------------------------------------------


def test_a_producer_is_forgotten_a_day_after_its_last_batch() -> None:
    log = open_log()
    send(log, produced(0))
    state = log.producer_state()
    assert state.expire(NOW_MS + DAY_MS - 1, DAY_MS) == 0
    assert state.expire(NOW_MS + DAY_MS, DAY_MS) == 1
    assert send(log, produced(9)).base_offset == 1


def test_one_with_an_open_transaction_stays() -> None:
    log = open_log()
    send_in_transaction(log, 0)
    assert log.producer_state().expire(NOW_MS + 2 * DAY_MS, DAY_MS) == 0


def test_after_a_marker_with_a_new_epoch_the_old_one_is_refused() -> None:
    log = open_log()
    send_in_transaction(log, 0)
    end(log, epoch=1, commit=True)
    refuses(log, InvalidProducerEpochError, lambda: send(log, produced(1)))


def test_a_producer_is_forgotten_a_day_after_its_last_marker() -> None:
    log = open_log()
    send_in_transaction(log, 0)
    end(log, commit=True, timestamp=NOW_MS + DAY_MS)
    assert log.producer_state().expire(NOW_MS + 2 * DAY_MS - 1, DAY_MS) == 0
    assert log.producer_state().expire(NOW_MS + 2 * DAY_MS, DAY_MS) == 1


def test_a_coordinators_word_is_good_for_a_day() -> None:
    def given_and_used_after(age_ms: int) -> Log:
        log = open_log()
        state = log.producer_state()
        verification = state.start_verification(7, 0, 0, supports_epoch_bump=True, now_ms=NOW_MS)
        state.expire(NOW_MS + age_ms, DAY_MS)
        records = produced(0, transactional=True)
        log.append(records, leader_epoch=0, now_ms=NOW_MS, trusted=True, verification=verification)
        return log

    assert given_and_used_after(DAY_MS - 1).end_offset == 1
    with pytest.raises(InvalidTxnStateError):
        given_and_used_after(DAY_MS)


@pytest.mark.parametrize(
    ("asked", "epoch", "sequence"),
    [([(0, 3), (0, 5)], 0, 5), ([(0, 2), (1, 0)], 1, 1)],
    ids=["a lower number of the same epoch", "the first number of a newer epoch"],
)
def test_the_coordinators_word_is_for_the_earliest_number_that_asked(
    asked: list[tuple[int, int]], epoch: int, sequence: int
) -> None:
    log = open_log()
    for asked_epoch, asked_sequence in asked:
        verification = log.producer_state().start_verification(
            7, asked_epoch, asked_sequence, supports_epoch_bump=False, now_ms=NOW_MS
        )

    def append_it() -> object:
        records = produced(sequence, epoch=epoch, transactional=True)
        return log.append(records, leader_epoch=0, now_ms=NOW_MS, trusted=True, verification=verification)

    refuses(log, OutOfOrderSequenceNumberError, append_it)


# The straight way -----------------------------------------------------------------------------------------------------


def plain(log: Log, sequence: int, *, epoch: int = 0, producer_id: int = 7, transactional: bool = False) -> int | None:
    records = produced(sequence, producer_id=producer_id, epoch=epoch, transactional=transactional)
    batch = PlainBatch(records, 1, NOW_MS, producer_id, epoch, sequence, transactional)
    return log.append_plain([batch], leader_epoch=0, now_ms=NOW_MS)


def test_the_straight_way_takes_what_follows_and_remembers_it() -> None:
    straight, general = open_log(), open_log()
    for log in (straight, general):
        send(log, produced(0))
    for sequence in range(1, 8):
        assert plain(straight, sequence) == send(general, produced(sequence)).base_offset
    assert straight.producer_state().entries == general.producer_state().entries
    assert straight.producer_state().entries[7].batches == general.producer_state().entries[7].batches


@pytest.mark.parametrize(
    "batch",
    [
        {"sequence": 0},  # a duplicate
        {"sequence": 2},  # a gap
        {"sequence": 1, "epoch": 1},
        {"sequence": 0, "producer_id": 8},  # unknown
        {"sequence": 1, "transactional": True},
    ],
)
def test_the_straight_way_leaves_anything_else_to_the_general_one(batch: dict[str, int]) -> None:
    log = open_log()
    send(log, produced(0))
    assert plain(log, **batch) is None  # type: ignore[arg-type]
    assert log.end_offset == 1


def test_the_straight_way_serves_an_open_transaction() -> None:
    log = open_log()
    send_in_transaction(log, 0)
    assert plain(log, 1, transactional=True) == 1
    assert plain(log, 2) is None
    assert log.last_stable_offset == 0


def test_the_straight_way_waits_until_an_interrupted_append_is_recorded() -> None:
    log = open_log()
    send(log, produced(0))
    log.producer_state().end_offset = -1  # in doubt, as between publishing and recording
    assert plain(log, 1) is None
    assert log.end_offset == 1
    assert send(log, produced(1)).base_offset == 1
    assert plain(log, 2) == 2


def test_what_is_known_is_as_long_as_the_log_also_behind_batches_of_nobody() -> None:
    log = open_log()
    send(log, produced(0))
    append(log, values("of", "nobody"))
    state = log.producer_state()
    state._settled_offset, state.end_offset = 0, -1  # as an interrupt leaves it
    assert log.producer_state().end_offset == log.end_offset
    assert plain(log, 1) is not None


# After a restart ------------------------------------------------------------------------------------------------------


def script(log: Log) -> None:
    """Something of everything, over several segments."""
    send_in_transaction(log, 0, producer_id=1)
    for sequence in range(6):
        send(log, produced(sequence))
        append(log, values("of", "nobody"))
    send_in_transaction(log, 0, producer_id=2)
    end(log, producer_id=1, commit=False, coordinator_epoch=4)
    send(log, produced(0, epoch=1))
    send_in_transaction(log, 0, producer_id=3)
    end(log, producer_id=2, commit=True)
    send(log, produced(5, producer_id=9, count=3))
    send(log, produced(0, producer_id=0))
    append(log, values("of", "nobody"))


def known(log: Log) -> object:
    """What is known, as far as a snapshot keeps it, and what follows from that."""
    return dict(log.producer_state().entries), log.last_stable_offset, log.aborted_transactions(0, log.end_offset)


def names(files: MemoryFiles, suffix: str) -> list[int]:
    return [int(name[:20]) for name in files.list("/text-0") if name.endswith(suffix)]


def test_a_clean_close_writes_what_is_known_and_opening_reads_nothing_else() -> None:
    files = MemoryFiles()
    log = open_log(files, TINY)
    script(log)
    before = known(log)
    log.close()
    assert names(files, ".snapshot") == [*names(files, ".log")[1:], log.end_offset]
    for name in files.list("/text-0"):
        if name.endswith(".snapshot") and int(name[:20]) != log.end_offset:
            files.unlink(f"/text-0/{name}")
    assert known(open_log(files, TINY, clean=True)) == before


@pytest.mark.parametrize("recovery_point", [0, 7, 15, 10**6])
def test_after_a_crash_the_same_is_known(recovery_point: int) -> None:
    files = MemoryFiles()
    log = open_log(files, TINY)
    script(log)
    log.flush()
    assert known(open_log(files, TINY, recovery_point=recovery_point)) == known(log)


def test_a_damaged_snapshot_is_passed_over() -> None:
    files = MemoryFiles()
    log = open_log(files, TINY)
    script(log)
    before = known(log)
    log.close()
    for offset in names(files, ".snapshot")[-2:]:
        files.open(f"/text-0/{offset:020d}.snapshot").write_all(b"\xff", 20)
    assert known(open_log(files, TINY, clean=True)) == before


def test_without_any_snapshot_left_everything_is_read_again() -> None:
    files = MemoryFiles()
    log = open_log(files, TINY)
    script(log)
    before = known(log)
    log.close()
    for offset in names(files, ".snapshot"):
        files.open(f"/text-0/{offset:020d}.snapshot").write_all(b"\xff", 2)
    assert known(open_log(files, TINY, clean=True)) == before


def test_after_a_restart_the_last_batch_is_known_again_and_the_next_one_follows() -> None:
    files = MemoryFiles()
    log = open_log(files)
    send(log, produced(0, count=3))
    log.close()
    log = open_log(files, clean=True)
    assert send(log, produced(0, count=3)).is_duplicate
    assert send(log, produced(3)).base_offset == 3


def test_after_a_restart_the_straight_way_is_open_at_once() -> None:
    files = MemoryFiles()
    log = open_log(files)
    send(log, produced(0))
    log.close()
    log = open_log(files, clean=True)
    assert send(log, produced(1)).base_offset == 1
    assert plain(log, 2) == 2


def test_a_log_without_producers_has_no_snapshots() -> None:
    files = MemoryFiles()
    log = open_log(files, TINY)
    for _ in range(20):
        append(log, values("a", "b"))
    log.close()
    assert len(names(files, ".log")) > 1
    assert names(files, ".snapshot") == []


def test_snapshots_go_with_their_segments() -> None:
    files = MemoryFiles()
    log = open_log(files, replace(TINY, retention_bytes=400))
    for sequence in range(40):
        send(log, produced(sequence))
    log.delete_old_segments(NOW_MS)
    assert names(files, ".snapshot") == names(files, ".log")
    assert send(log, produced(39)).is_duplicate


@pytest.mark.parametrize("offset", range(0, 22, 3))
def test_truncating_takes_back_what_was_written_behind(offset: int) -> None:
    files, cut_files = MemoryFiles(), MemoryFiles()
    log, cut = open_log(files, TINY), open_log(cut_files, TINY)
    script(log)
    script(cut)
    cut.truncate_to(offset)
    fresh = open_log(MemoryFiles(), TINY)
    for _, batch in log.batches(0, cut.end_offset):
        fresh.append(bytearray(batch), leader_epoch=0, now_ms=NOW_MS, origin=AppendOrigin.REPLICATION)
    assert known(cut) == known(fresh)
    cut.close()
    assert known(open_log(cut_files, TINY, clean=True)) == known(fresh)


def test_snapshots_of_what_was_cut_off_are_not_believed_once_something_else_is_there() -> None:
    files = MemoryFiles()
    log = open_log(files, TINY)
    script(log)
    cut_offset = names(files, ".snapshot")[-2] - 1
    log.truncate_to(cut_offset)
    assert all(offset <= cut_offset for offset in names(files, ".snapshot"))
    for sequence in range(40):
        send(log, produced(sequence, producer_id=5))
    log.flush()
    assert known(open_log(files, TINY, recovery_point=cut_offset)) == known(log)
    log.close()
    assert known(open_log(files, TINY, clean=True)) == known(log)


def test_a_reader_beside_the_owner_knows_the_same_and_writes_nothing() -> None:
    files = MemoryFiles()
    log = open_log(files, TINY)
    script(log)
    content = {name: files.read_bytes(f"/text-0/{name}") for name in files.list("/text-0")}
    assert known(open_log(files, TINY, read_only=True)) == known(log)
    assert {name: files.read_bytes(f"/text-0/{name}") for name in files.list("/text-0")} == content


def test_a_snapshot_holds_what_it_was_made_of() -> None:
    state = ProducerState()
    entries = [
        ProducerEntry(1, 2, 3, 4, 5, [WrittenBatch(6, 9, 2, 4)]),
        ProducerEntry((1 << 63) - 1, (1 << 15) - 1),
    ]
    state.reset(10, entries)
    assert decode_snapshot(state.encode()) == entries
    assert struct.unpack(">hIi", state.encode()[:10])[::2] == (1, 2)


@pytest.mark.parametrize("position", range(0, 110, 7))
def test_a_flipped_bit_in_a_snapshot_is_noticed(position: int) -> None:
    state = ProducerState()
    state.reset(10, [ProducerEntry(1, 2, 3, 4, 5, [WrittenBatch(6, 9, 2, 4)]), ProducerEntry(2)])
    content = bytearray(state.encode())
    content[position % len(content)] ^= 1
    with pytest.raises(ValueError, match=r"expected|fill|takes"):
        decode_snapshot(bytes(content))


def test_half_a_snapshot_is_noticed() -> None:
    state = ProducerState()
    state.reset(10, [ProducerEntry(1)])
    for size in range(len(state.encode())):
        with pytest.raises(ValueError, match=r"expected|fill|takes"):
            decode_snapshot(state.encode()[:size])


def test_two_logs_share_no_state() -> None:
    handles = HandleCache(MemoryFiles())
    one = open_log(handles=handles)
    send(one, produced(0))
    assert not open_log().producer_state().entries
