"""Java's record classes read the batches we write, and we read theirs, for every codec."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from embedkafka import record

CODECS = {0: "none", 1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
LOG_APPEND_TIME = 1
BASE_TIMESTAMP_MS = 1_700_000_000_000


def _hex(data: bytes | memoryview | None) -> str | None:
    return None if data is None else bytes(data).hex()


def _facts_of(data: bytes) -> list[dict[str, Any]]:
    """What ReadBatches prints, from our decoder."""
    facts = []
    for position, header in record.iter_headers(data):
        record.verify_checksum(data, position)
        for one in record.decode_batch(data, position):
            fact: dict[str, Any] = {
                "offset": one.offset,
                "codec": CODECS[header.compression_type],
                "timestamp_type": header.timestamp_type,
                "timestamp": one.timestamp,
                "key": _hex(one.key),
                "value": _hex(one.value),
                "control": header.is_control,
            }
            if one.headers:
                fact["headers"] = [[name, _hex(value)] for name, value in one.headers]
            facts.append(fact)
    return facts


def test_we_read_every_batch_that_java_writes(kafka_jars: Any, scratch: Path, seed: int) -> None:
    expected = kafka_jars.run_json_lines("WriteBatches", scratch / "java.log", seed)
    facts = _facts_of((scratch / "java.log").read_bytes())
    assert {fact["codec"] for fact in facts} == set(CODECS.values())
    assert expected.pop() == {"offset": facts[-1]["offset"], "control": True}
    assert facts.pop()["control"] is True
    assert facts == expected


def _random_bytes(source: random.Random, size_bytes: int) -> bytes:
    """Half text that compresses, half noise that does not."""
    return source.randbytes(size_bytes) if source.random() < 0.5 else (b"abcdefg" * (size_bytes // 7 + 1))[:size_bytes]


def _random_record(
    source: random.Random, number: int
) -> tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    key = None if number % 5 == 4 else _random_bytes(source, source.randrange(12))
    # 150,000 bytes span several lz4 blocks (64 KiB) and xerial chunks (32 KiB)
    size_bytes = 150_000 if number == 7 else source.randrange(300)
    value = None if number % 11 == 10 else _random_bytes(source, size_bytes)
    headers: list[tuple[str, bytes | None]] = [("h\u00e9ader", b"\x00\xff"), ("", None)] if number % 4 == 3 else []
    return BASE_TIMESTAMP_MS + source.randrange(1_000_000), key, value, headers


@pytest.mark.parametrize("count", [1, 3, 400])
def test_java_reads_every_batch_that_we_write(kafka_jars: Any, scratch: Path, seed: int, count: int) -> None:
    source = random.Random(seed)
    data = bytearray()
    expected: list[dict[str, Any]] = []
    for codec, codec_name in CODECS.items():
        for timestamp_type in (0, LOG_APPEND_TIME):
            base_offset = len(expected)
            records = [_random_record(source, number) for number in range(count)]
            batch = record.encode_batch(
                records,
                base_offset=base_offset,
                compression_type=codec,
                producer_id=4711,
                producer_epoch=3,
                base_sequence=base_offset,
                leader_epoch=6,
            )
            append_time_ms = BASE_TIMESTAMP_MS + 5_000_000
            if timestamp_type == LOG_APPEND_TIME:
                record.stamp_append_time(batch, 0, append_time_ms)
            largest_ms = append_time_ms if timestamp_type else max(timestamp for timestamp, *_ in records)
            data += batch
            for number, (timestamp, key, value, headers) in enumerate(records):
                fact: dict[str, Any] = {
                    "offset": base_offset + number,
                    "codec": codec_name,
                    "timestamp_type": timestamp_type,
                    "timestamp": append_time_ms if timestamp_type else timestamp,
                    "key": _hex(key),
                    "value": _hex(value),
                    "control": False,
                    "max_timestamp": largest_ms,
                    "leader_epoch": 6,
                    "producer_id": 4711,
                    "sequence": base_offset + number,
                }
                if headers:
                    fact["headers"] = [[name, _hex(header)] for name, header in headers]
                expected.append(fact)
    (scratch / "ours.log").write_bytes(data)
    assert kafka_jars.run_json_lines("ReadBatches", scratch / "ours.log") == expected


def test_java_refuses_a_batch_of_ours_with_one_bit_turned(kafka_jars: Any, scratch: Path) -> None:
    batch = record.encode_batch([(BASE_TIMESTAMP_MS, b"key", b"value", [])])
    batch[-3] ^= 1
    (scratch / "broken.log").write_bytes(batch)
    with pytest.raises(AssertionError, match="CorruptRecordException"):
        kafka_jars.run_json_lines("ReadBatches", scratch / "broken.log")
