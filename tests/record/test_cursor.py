"""From fetched batches to records, in both codecs."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record.codecs import CODECS, records

from embedkafka.errors import CorruptRecordError, RecordDeserializationError
from embedkafka.record import (
    EndTransactionMarker,
    decode_batch,
    encode_batch,
    stamp_append_time,
)


def values(count: int, base_offset: int = 0, **options: Any) -> memoryview:
    return memoryview(
        encode_batch(
            [(n, None, b"%d" % (base_offset + n), ()) for n in range(count)], base_offset=base_offset, **options
        )
    )


def offsets(taken: list[Any]) -> list[int]:
    return [record.offset for record in taken]


@given(batches=st.lists(st.tuples(records, st.integers(0, 4)), min_size=1, max_size=4), limit=st.integers(1, 7))
def test_both_codecs_read_the_same_records(batches: Any, limit: int) -> None:
    chunks, base_offset = [], 100
    for content, compression in batches:
        chunks.append(encode_batch(content, base_offset=base_offset, compression_type=compression, leader_epoch=3))
        base_offset += len(content)
    expected = [record for chunk in chunks for record in decode_batch(chunk)]

    for codec in CODECS.values():
        cursor = codec.RecordCursor(chunks, "topic", 3, 100)
        read = []
        while taken := cursor.take(limit):
            read += taken
            assert cursor.next_offset >= taken[-1].offset + 1
        assert [(r.offset, r.timestamp, r.timestamp_type, r.key, r.value, r.headers) for r in read] == expected
        for r in read:
            assert (r.topic, r.partition, r.leader_epoch, r.checksum) == ("topic", 3, 3, None)
            assert r.serialized_key_size == (-1 if r.key is None else len(r.key))
            assert r.serialized_value_size == (-1 if r.value is None else len(r.value))
            size = sum(len(name.encode()) + len(content or b"") for name, content in r.headers)
            assert r.serialized_header_size == (size if r.headers else -1)
        assert cursor.exhausted
        assert cursor.next_offset == base_offset
        assert cursor.records_read == len(expected)
        assert cursor.next_record() is None


def test_several_batches_lie_in_one_chunk_and_one_that_is_cut_off_is_an_error(codec: Any) -> None:
    third = bytes(values(3, 6))
    for cut_to in (1, 20, 60, 61, len(third) - 1):
        whole = bytes(values(3)) + bytes(values(3, 3)) + third[:cut_to]
        cursor = codec.RecordCursor([whole, bytes(values(3, 9))], "t", 0, 0)
        assert offsets(cursor.take(100)) == [0, 1, 2, 3, 4, 5]
        assert cursor.next_offset == 6
        for _ in range(2):
            with pytest.raises(CorruptRecordError, match="t-0"):
                cursor.take(100)
        assert cursor.next_offset == 6


def test_a_damaged_header_is_not_believed_when_it_says_that_a_batch_may_be_passed_over(codec: Any) -> None:
    control, behind = bytearray(values(3)), bytearray(values(3))
    control[22] ^= 0x20  # now a control batch
    behind[23:27] = b"\xff\xff\xff\xff"  # now ends before the offset asked for
    for batch in (control, behind):
        cursor = codec.RecordCursor([batch, values(3, 3)], "t", 0, 0)
        with pytest.raises(CorruptRecordError, match="checksum"):
            cursor.take(100)
        assert cursor.next_offset == 0


def test_records_below_the_fetch_offset_are_passed_over(codec: Any) -> None:
    for compression in (0, 3):
        cursor = codec.RecordCursor([values(5, 10, compression_type=compression)], "t", 0, 13)
        assert cursor.next_offset == 13
        assert offsets(cursor.take(100)) == [13, 14]
    cursor = codec.RecordCursor([values(5), values(5, 5)], "t", 0, 7)
    assert offsets(cursor.take(100)) == [7, 8, 9]


def test_gaps_are_kept_and_the_end_of_a_compacted_batch_is_passed(codec: Any) -> None:
    batch = encode_batch([(0, b"a", b"1", ()), (0, b"b", b"2", ())], offsets=[12, 15], base_offset=10, last_offset=19)
    cursor = codec.RecordCursor([batch], "t", 0, 10)
    assert offsets(cursor.take(1)) == [12]
    assert cursor.next_offset == 13
    assert offsets(cursor.take(5)) == [15]
    assert cursor.take(1) == []
    assert cursor.next_offset == 20


def test_an_empty_batch_only_moves_the_position(codec: Any) -> None:
    cursor = codec.RecordCursor([encode_batch([], base_offset=5, last_offset=9), values(1, 10)], "t", 0, 5)
    assert offsets(cursor.take(10)) == [10]
    assert cursor.take(1) == []
    assert cursor.next_offset == 11


def test_control_batches_are_not_handed_out(codec: Any) -> None:
    key, value = EndTransactionMarker(commit=True, coordinator_epoch=0).encode()
    marker = encode_batch([(0, key, value, ())], base_offset=2, is_control=True, is_transactional=True, producer_id=1)
    cursor = codec.RecordCursor([values(2), marker, values(1, 3)], "t", 0, 0)
    assert offsets(cursor.take(10)) == [0, 1, 3]
    cursor = codec.RecordCursor([values(2), marker], "t", 0, 0)
    assert offsets(cursor.take(10)) == [0, 1]
    assert cursor.next_offset == 3


def test_append_time_is_every_records_timestamp(codec: Any) -> None:
    batch = bytearray(values(3))
    stamp_append_time(batch, 0, 777)
    assert {(r.timestamp, r.timestamp_type) for r in codec.RecordCursor([batch], "t", 0, 0).take(9)} == {(777, 1)}


def test_deserializers_are_callables_or_objects(codec: Any) -> None:
    class Topical:
        def deserialize(self, topic: str, headers: Any, data: bytes | None) -> Any:
            return topic, list(headers), data

    batch = encode_batch([(0, b"k", b"7", [("h", b"x")]), (0, None, b"8", ())])
    one, two = codec.RecordCursor(
        [batch], "t", 0, 0, key_deserializer=Topical(), value_deserializer=lambda data: int(data)
    ).take(5)
    assert (one.key, one.value) == (("t", [("h", b"x")], b"k"), 7)
    assert (two.key, two.value) == (("t", [], None), 8)
    assert (one.serialized_key_size, one.serialized_value_size) == (1, 1)


@pytest.mark.parametrize("which", ["key_deserializer", "value_deserializer"])
def test_a_record_that_cannot_be_deserialized_is_not_passed(codec: Any, which: str) -> None:
    batch = encode_batch([(0, b"%d" % n, b"%d" % n, ()) for n in range(2)] + [(0, b"x", b"x", ())], base_offset=20)
    cursor = codec.RecordCursor([batch], "t", 4, 20, **{which: int})
    assert offsets(cursor.take(10)) == [20, 21]
    for _ in range(2):
        with pytest.raises(RecordDeserializationError) as caught:
            cursor.take(10)
        assert caught.value.topic_partition == ("t", 4)
        assert caught.value.offset == 22
        assert isinstance(caught.value.__cause__, ValueError)
        assert cursor.next_offset == 22
    assert offsets(codec.RecordCursor([batch], "t", 4, 21, value_deserializer=int).take(1)) == [21]


def test_a_wrong_checksum_is_refused_unless_nobody_checks(codec: Any) -> None:
    batch = bytearray(values(2))
    batch[-2] ^= 1
    with pytest.raises(CorruptRecordError, match="checksum"):
        codec.RecordCursor([batch], "t", 0, 0).take(1)
    assert len(codec.RecordCursor([batch], "t", 0, 0, check_crcs=False).take(9)) == 2


def test_a_foreign_batch_is_refused(codec: Any) -> None:
    batch = bytearray(values(2))
    batch[16] = 1
    with pytest.raises(CorruptRecordError, match="magic"):
        codec.RecordCursor([batch], "t", 0, 0).take(1)


@given(position=st.integers(61, 200), byte=st.integers(0, 255))
def test_broken_records_raise_and_never_crash(position: int, byte: int) -> None:
    batch = encode_batch([(n * 1000, b"key", b"value" * 5, [("name", b"x")]) for n in range(4)])
    batch[min(position, len(batch) - 1)] = byte
    outcomes = []
    for codec in CODECS.values():
        try:
            outcomes.append([tuple(r) for r in codec.RecordCursor([batch], "t", 0, 0, check_crcs=False).take(99)])
        except CorruptRecordError:
            outcomes.append("corrupt")
    assert outcomes.count(outcomes[0]) == len(outcomes)


@given(junk=st.binary(max_size=80), count=st.integers(0, 5))
def test_junk_instead_of_records_is_corrupt_in_both(junk: bytes, count: int) -> None:
    outcomes = []
    for codec in CODECS.values():
        try:
            outcomes.append(codec.decode_records(junk, 0, count, 0, 0, None))
        except CorruptRecordError:
            outcomes.append("corrupt")
    assert outcomes.count(outcomes[0]) == len(outcomes)


@given(junk=st.binary(max_size=80), count=st.integers(0, 5))
def test_a_survey_of_junk_is_corrupt_where_decoding_it_is(junk: bytes, count: int) -> None:
    for codec in CODECS.values():
        outcomes = []
        for read in (
            partial(codec.decode_records, junk, 0, count, 0, 0, None),
            partial(codec.survey_records, junk, count, 0),
        ):
            try:
                read()
                outcomes.append("whole")
            except CorruptRecordError:
                outcomes.append("corrupt")
        assert outcomes[0] == outcomes[1]


@given(
    parts=st.lists(st.tuples(st.integers(-1, 2**42), st.none() | st.binary(max_size=9)), min_size=1, max_size=9),
    gap=st.integers(0, 1),
)
def test_a_survey_tells_what_the_records_have(parts: list[tuple[int, bytes | None]], gap: int) -> None:
    offsets = [*range(len(parts) - 1), len(parts) - 1 + gap]
    for codec in CODECS.values():
        out = bytearray()
        codec.encode_records(out, [(stamp, key, b"v", [("h", None)]) for stamp, key in parts], offsets, 0, 0)
        timed = [stamp for stamp, _ in parts if stamp != -1]
        assert codec.survey_records(out, len(parts), 0) == (
            max(timed, default=-1),
            min(timed, default=2**63 - 1),
            not gap,
            all(key is not None for _, key in parts),
        )


def test_closing_lets_go_of_the_memory(codec: Any) -> None:
    chunk = bytearray(values(5))
    cursor = codec.RecordCursor([memoryview(chunk)], "t", 0, 0)
    cursor.take(2)
    cursor.close()
    assert cursor.take(1) == []
    chunk.clear()  # raises BufferError while somebody looks at it


def test_a_cursor_in_a_garbage_cycle_is_collected(codec: Any) -> None:
    """As every deserializer's error makes one: its traceback holds the cursor."""
    import gc

    class Holder:
        pass

    gc.collect()
    gc.freeze()  # a whole run's objects need not be looked through forty times
    for compression in (0, 3):
        for _ in range(20):
            holder = Holder()
            chunk = memoryview(bytes(values(10, compression_type=compression)))
            holder.cursor = codec.RecordCursor([chunk], "t", 0, 0, key_deserializer=lambda data, h=holder: data)
            holder.cursor.take(3)
            holder.itself = holder
            del holder, chunk
            gc.collect()
    gc.unfreeze()


# -- transactions ------------------------------------------------------------------------------------------------------


def written(*steps: tuple[Any, ...]) -> tuple[list[memoryview], list[tuple[int, int]]]:
    """Batches, and the transactions that were aborted: of (producer id, "data" | "plain" | "commit" | "abort")."""
    chunks: list[memoryview] = []
    aborted: list[tuple[int, int]] = []
    open_since: dict[int, int] = {}
    offset = 0
    for producer_id, action in steps:
        if action in ("data", "plain"):
            chunk = values(
                2, offset, producer_id=producer_id, producer_epoch=0, base_sequence=0, is_transactional=action == "data"
            )
            if action == "data":
                open_since.setdefault(producer_id, offset)
            offset += 2
        else:
            key, value = EndTransactionMarker(action == "commit", 0).encode()
            chunk = memoryview(
                encode_batch(
                    [(0, key, value, ())],
                    base_offset=offset,
                    producer_id=producer_id,
                    producer_epoch=0,
                    is_transactional=True,
                    is_control=True,
                )
            )
            first = open_since.pop(producer_id, None)
            if first is not None and action == "abort":
                aborted.append((producer_id, first))
            offset += 1
        chunks.append(chunk)
    return chunks, aborted


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
def test_records_of_aborted_transactions_are_passed_over(codec: Any) -> None:
    chunks, aborted = written((1, "data"), (2, "data"), (1, "abort"), (3, "plain"), (2, "commit"), (1, "data"))
    cursor = codec.RecordCursor(chunks, "t", 0, 0, aborted_transactions=aborted)
    assert offsets(cursor.take(100)) == [2, 3, 5, 6, 8, 9]
    assert cursor.next_offset == 10


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
def test_without_the_list_everything_but_markers_is_shown(codec: Any) -> None:
    chunks, _ = written((1, "data"), (1, "abort"), (2, "data"), (2, "commit"))
    assert offsets(codec.RecordCursor(chunks, "t", 0, 0).take(100)) == [0, 1, 3, 4]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
def test_what_a_producer_sends_after_its_abort_is_shown(codec: Any) -> None:
    chunks, aborted = written((1, "data"), (1, "abort"), (1, "plain"), (1, "data"), (1, "commit"), (1, "data"))
    cursor = codec.RecordCursor(chunks, "t", 0, 0, aborted_transactions=aborted)
    assert offsets(cursor.take(100)) == [3, 4, 5, 6, 8, 9]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
def test_a_fetch_from_the_middle_of_an_aborted_transaction_shows_none_of_it(codec: Any) -> None:
    chunks, aborted = written((1, "data"), (2, "plain"), (1, "data"), (1, "abort"), (2, "plain"))
    cursor = codec.RecordCursor(chunks[1:], "t", 0, 3, aborted_transactions=aborted)
    assert offsets(cursor.take(100)) == [3, 7, 8]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
def test_at_the_end_the_position_lies_behind_what_was_passed_over(codec: Any) -> None:
    chunks, aborted = written((1, "data"), (1, "data"), (1, "abort"))
    cursor = codec.RecordCursor(chunks, "t", 0, 0, aborted_transactions=aborted)
    assert (cursor.take(100), cursor.next_offset, cursor.exhausted) == ([], 5, True)


@given(
    steps=st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["data", "plain", "commit", "abort"])), max_size=30),
    start=st.integers(0, 20),
    limit=st.integers(1, 5),
)
def test_a_reader_gets_what_was_not_aborted_from_anywhere(steps: Any, start: int, limit: int) -> None:
    chunks, _ = written(*steps)
    aborted: list[tuple[int, int]] = []  # as a broker lists them: not those that ended before the start
    expected: list[int] = []
    offset = 0
    transaction: dict[int, list[int]] = {}
    for producer_id, action in steps:
        if action == "plain":
            expected += [offset, offset + 1]
        elif action == "data":
            transaction.setdefault(producer_id, []).extend((offset, offset + 1))
        elif action == "commit":
            expected += transaction.pop(producer_id, [])
        elif (dropped := transaction.pop(producer_id, None)) and offset >= start:
            aborted.append((producer_id, dropped[0]))
        offset += 2 if action in ("data", "plain") else 1
    for left in transaction.values():  # not ended: a broker would not have sent it, a cursor shows it
        expected += left
    skipped = sum(1 for chunk in chunks if decode_batch(chunk)[-1].offset < start)
    for codec in CODECS.values():
        cursor = codec.RecordCursor(chunks[skipped:], "t", 0, start, aborted_transactions=aborted)
        read: list[int] = []
        while taken := cursor.take(limit):
            read += offsets(taken)
        assert read == sorted(each for each in expected if each >= start)


# Acquired records --------------------------------------------------------------------------------------------------


def test_only_acquired_records_come_out_each_with_its_delivery_count(codec: Any) -> None:
    cursor = codec.RecordCursor([values(4), values(4, 4)], "t", 0, 0)
    first = cursor.take_acquired(100, 1, 2, 1)
    second = cursor.take_acquired(100, 5, 6, 3)
    assert [(record.offset, record.delivery_count) for record in first + second] == [(1, 1), (2, 1), (5, 3), (6, 3)]
    assert cursor.next_offset == 7
    assert not cursor.exhausted


@given(
    bounds=st.lists(st.integers(0, 30), min_size=2, max_size=12, unique=True).map(sorted),
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=8),
    limit=st.integers(1, 5),
)
def test_both_codecs_take_the_same_acquired_records(bounds: Any, sizes: Any, limit: int) -> None:
    ranges = list(zip(bounds[::2], bounds[1::2], strict=False))
    chunks, end = [], 0
    for size in sizes:
        chunks.append(values(size, end))
        end += size
    for codec in CODECS.values():
        cursor = codec.RecordCursor(chunks, "t", 0, 0)
        read = []
        for count, (first, last) in enumerate(ranges, 1):
            while taken := cursor.take_acquired(limit, first, last, count):
                assert len(taken) <= limit
                read += [(record.offset, record.delivery_count) for record in taken]
        expected = enumerate(ranges, 1)
        assert read == [(each, n) for n, (first, last) in expected for each in range(first, min(last + 1, end))]


def test_a_deserializer_that_fails_leaves_the_others_of_an_acquisition_to_be_read(codec: Any) -> None:
    cursor = codec.RecordCursor([values(4)], "t", 0, 0, value_deserializer=lambda data: 1 // (int(data) - 2))
    assert offsets(cursor.take_acquired(10, 0, 3, 1)) == [0, 1]
    with pytest.raises(RecordDeserializationError):
        cursor.take_acquired(10, 0, 3, 1)
    assert offsets(cursor.take_acquired(10, 3, 3, 1)) == [3]
