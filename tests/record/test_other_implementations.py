"""Our batches read by kafka-python's and aiokafka's record classes, and theirs by ours."""

from __future__ import annotations

from typing import Any

import kafka.record.default_records as kafka_python
import pytest
from aiokafka.record import default_records as aiokafka
from hypothesis import given
from hypothesis import strategies as st
from record.codecs import CODECS, records

from embedkafka.record import decode_batch, encode_batch, stamp_append_time, verify_checksum
from embedkafka.record.format import LOG_APPEND_TIME

READERS = {
    "kafka-python": kafka_python.DefaultRecordBatch,
    "aiokafka": aiokafka.DefaultRecordBatch,
    "aiokafka in Python": aiokafka._DefaultRecordBatchPy,
}
COMPRESSION = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def as_read(batch: Any) -> list[tuple[Any, ...]]:
    return [(r.offset, r.timestamp, r.timestamp_type, r.key, r.value, list(r.headers)) for r in batch]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("compression", COMPRESSION)
@given(records=records, base_offset=st.integers(0, 2**40))
def test_what_we_write_is_what_they_read(reader: str, compression: str, records: Any, base_offset: int) -> None:
    batch = encode_batch(records, base_offset=base_offset, compression_type=COMPRESSION[compression])

    other = READERS[reader](bytes(batch))
    assert other.validate_crc()
    assert as_read(other) == [
        (base_offset + index, timestamp, 0, key, value, headers)
        for index, (timestamp, key, value, headers) in enumerate(records)
    ]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("compression", COMPRESSION)
@given(records=records, append_time=st.integers(0, 2**42))
def test_they_read_our_append_time(reader: str, compression: str, records: Any, append_time: int) -> None:
    batch = encode_batch(records, compression_type=COMPRESSION[compression])
    stamp_append_time(batch, 0, append_time)

    other = READERS[reader](bytes(batch))
    assert other.validate_crc()
    assert {(timestamp, kind) for _, timestamp, kind, *_ in as_read(other)} == {(append_time, LOG_APPEND_TIME)}


@pytest.mark.parametrize("codec_name", sorted(CODECS))
@pytest.mark.parametrize("compression", COMPRESSION)
@given(records=records)
def test_an_open_batch_is_what_they_read(codec_name: str, compression: str, records: Any) -> None:
    from embedkafka.record import compress

    lane = CODECS[codec_name].OpenBatch()
    lane.compression_type = COMPRESSION[compression]
    for timestamp, key, value, headers in records:
        future = lane.append(key, value, headers, timestamp)
        assert future or lane.start(object(), 1 << 20, key, value, headers, timestamp)
    assert lane.detach()
    (sealed,) = lane.sealed
    sealed.finish(COMPRESSION[compression], compress)

    other = kafka_python.DefaultRecordBatch(bytes(sealed.records))
    assert other.validate_crc()
    assert other.records_count == sealed.records_count == len(records)
    assert other.max_timestamp == max(timestamp for timestamp, *_ in records)
    assert [fields[1:] for fields in as_read(other)] == [(t, 0, k, v, h) for t, k, v, h in records]


@pytest.mark.parametrize("compression", COMPRESSION)
@given(records=records)
def test_what_kafka_python_writes_is_what_we_read(compression: str, records: Any) -> None:
    builder = kafka_python.DefaultRecordBatchBuilder(2, COMPRESSION[compression], False, -1, -1, -1, 1 << 20)
    for offset, (timestamp, key, value, headers) in enumerate(records):
        builder.append(offset, timestamp, key, value, headers)
    check(builder.build(), records)


@pytest.mark.parametrize("builder", [aiokafka.DefaultRecordBatchBuilder, aiokafka._DefaultRecordBatchBuilderPy])
@pytest.mark.parametrize("compression", COMPRESSION)
@given(records=records)
def test_what_aiokafka_writes_is_what_we_read(builder: Any, compression: str, records: Any) -> None:
    theirs = builder(
        magic=2,
        compression_type=COMPRESSION[compression],
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    for offset, (timestamp, key, value, headers) in enumerate(records):
        theirs.append(offset, timestamp=timestamp, key=key, value=value, headers=headers)
    check(theirs.build(), records)


def check(batch: Any, records: Any) -> None:
    verify_checksum(batch)
    read = decode_batch(batch)
    assert [(r.timestamp, r.key, r.value, r.headers) for r in read] == records
    for codec in CODECS.values():
        consumed = codec.RecordCursor([batch], "topic", 3, 0).take(1000)
        assert [(r.offset, r.timestamp, r.key, r.value, r.headers) for r in consumed] == [
            (offset, *fields) for offset, fields in enumerate(records)
        ]


def test_kafka_python_reads_our_transaction_markers() -> None:
    from embedkafka.record import EndTransactionMarker

    key, value = EndTransactionMarker(commit=True, coordinator_epoch=7).encode()
    batch = encode_batch([(5, key, value, ())], producer_id=9, producer_epoch=1, is_transactional=True, is_control=True)

    other = kafka_python.DefaultRecordBatch(bytes(batch))
    (marker,) = list(other)
    assert other.is_control_batch
    assert other.is_transactional
    assert (other.producer_id, other.producer_epoch) == (9, 1)
    assert marker.commit
    assert not marker.abort
