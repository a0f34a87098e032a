"""Kafka's DumpLogSegments finds in our directory what was written, and nothing to complain about."""

from __future__ import annotations

import json
import random
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from real_kafka.dump import DamageReportedError, DumpedFile, committed_offsets, parse

import embedkafka
from embedkafka.clock import ManualClock

CODECS = {None: "none", "gzip": "gzip", "snappy": "snappy", "lz4": "lz4", "zstd": "zstd"}
TINY_SEGMENTS = {"internal.segment.bytes": "105000", "index.interval.bytes": "1000", "retention.ms": "-1"}
INDEX_ENTRY = struct.Struct(">ii")


@dataclass(frozen=True)
class Sent:
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    header_keys: tuple[str, ...] = ()


@dataclass
class Written:
    """A closed directory and what went into it: records by topic, partition and offset; commits by group."""

    folder: Path
    records: dict[tuple[str, int], dict[int, Sent]] = field(default_factory=dict)
    commits: dict[tuple[str, str, int], tuple[int, str]] = field(default_factory=dict)

    def files(self, topic: str, partition: int, *suffixes: str) -> list[Path]:
        (folder,) = self.folder.glob(f"broker-*/{topic}-{partition}")
        return sorted(one for one in folder.iterdir() if one.suffix in (suffixes or (".log",)))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    result = Written(tmp_path_factory.mktemp("dump") / "data")
    clock = ManualClock()
    with embedkafka.EmbeddedKafka(result.folder, clock=clock) as engine:
        admin = embedkafka.KafkaAdminClient(bootstrap_servers=engine)
        admin.create_topics(
            {
                "varied": {"num_partitions": 2, "configs": TINY_SEGMENTS},
                "stamped": {
                    "num_partitions": 1,
                    "configs": {**TINY_SEGMENTS, "message.timestamp.type": "LogAppendTime"},
                },
                "compacted": {
                    "num_partitions": 1,
                    "configs": {
                        **TINY_SEGMENTS,
                        "cleanup.policy": "compact",
                        "min.cleanable.dirty.ratio": "0.01",
                        "internal.segment.bytes": "4000",
                        "index.interval.bytes": "100",
                    },
                },
            }
        )
        for topic, partition in (("varied", 0), ("varied", 1), ("stamped", 0)):
            for codec in CODECS:
                _produce_varied(engine, result, clock, topic, partition, codec)
        _produce_compacted(engine, result)
        clock.advance(600_000)  # the cleaner's turn
        _commit(engine, result)
        admin.close()
    return result


def _produce_varied(
    engine: Any, result: Written, clock: ManualClock, topic: str, partition: int, codec: str | None
) -> None:
    source = random.Random(f"{topic} {partition} {codec}")
    futures = []
    with embedkafka.KafkaProducer(bootstrap_servers=engine, compression_type=codec, batch_size=4_000) as producer:
        for number in range(500):
            key = None if number % 7 == 6 else source.randbytes(source.randrange(12))
            # A key without a value is a tombstone; a large one spans compression blocks.
            value = None if key is not None and number % 9 == 8 else source.randbytes(source.randrange(300))
            if number == 50:
                value = b"large" * 20_000
            headers = [("trace", b"\x00\x01"), ("empty", b"")] if number % 5 == 4 else []
            # Times go back and forth: an index entry needs the largest so far.
            timestamp_ms = clock.now_ms() + source.randrange(-5_000, 5_000)
            sent = Sent(timestamp_ms, key, value, tuple(name for name, _ in headers))
            future = producer.send(
                topic, key=key, value=value, headers=headers, partition=partition, timestamp_ms=timestamp_ms
            )
            futures.append((future, sent))
            if number % 20 == 19:
                clock.advance(10)  # seals the batch
        producer.flush()
        offsets = result.records.setdefault((topic, partition), {})
        for future, sent in futures:
            metadata = future.get(timeout=10)
            offsets[metadata.offset] = Sent(metadata.timestamp, sent.key, sent.value, sent.header_keys)


def _produce_compacted(engine: Any, result: Written) -> None:
    offsets = result.records.setdefault(("compacted", 0), {})
    with embedkafka.KafkaProducer(bootstrap_servers=engine, compression_type="lz4") as producer:
        for number in range(600):
            key, value = b"key-%d" % (number % 23), b"value-%d" % number if number % 31 else None
            metadata = producer.send("compacted", key=key, value=value, partition=0).get(timeout=10)
            offsets[metadata.offset] = Sent(metadata.timestamp, key, value)


def _commit(engine: Any, result: Written) -> None:
    for group in ("one", "two"):
        for attempt in range(3):
            consumer = embedkafka.KafkaConsumer(bootstrap_servers=engine, group_id=group, enable_auto_commit=False)
            for partition in (0, 1):
                offset = 10 * attempt + partition
                consumer.assign([embedkafka.TopicPartition("varied", partition)])
                consumer.commit(
                    {
                        embedkafka.TopicPartition("varied", partition): embedkafka.OffsetAndMetadata(
                            offset, f"note {attempt}", -1
                        )
                    }
                )
                result.commits[group, "varied", partition] = (offset, f"note {attempt}")
            consumer.close()


def _hex(data: bytes | None) -> str | None:
    return None if data is None else f"0x{data.hex()}"


def _as_dumped(offset: int, sent: Sent) -> tuple[int, int, str | None, str | None, str]:
    return offset, sent.timestamp_ms, _hex(sent.key), _hex(sent.value), ",".join(sent.header_keys)


def _dumped_records(files: list[DumpedFile]) -> list[tuple[int, int, str | None, str | None, str]]:
    return [
        (int(one["offset"]), int(one["timestamp"]), one["key"], one["payload"], one["header_keys"])
        for file in files
        for one in file.records
    ]


@pytest.mark.parametrize(("topic", "partition"), [("varied", 0), ("varied", 1), ("stamped", 0)])
def test_every_record_of_every_segment_reads_as_it_was_written(
    kafka_jars: Any, written: Written, topic: str, partition: int
) -> None:
    segments = written.files(topic, partition)
    assert len(segments) > 3
    files = parse(kafka_jars.dump(segments, "--deep-iteration", "--print-data-log"))
    assert [file.path for file in files] == list(map(str, segments))
    expected = written.records[topic, partition]
    assert _dumped_records(files) == [_as_dumped(offset, expected[offset]) for offset in sorted(expected)]
    batches = [batch for file in files for batch in file.batches]
    assert {batch["codec"] for batch in batches} == set(CODECS.values())
    assert {batch["timestamp_type"] for batch in batches} == {"LogAppendTime" if topic == "stamped" else "CreateTime"}
    assert [int(file.batches[0]["base_offset"]) for file in files] == [int(segment.stem) for segment in segments]


def test_a_compacted_log_keeps_the_last_value_of_every_key_at_its_offset(kafka_jars: Any, written: Written) -> None:
    output = kafka_jars.dump(written.files("compacted", 0), "--deep-iteration", "--print-data-log")
    files = parse(output, compacted=True)
    sent = written.records["compacted", 0]
    dumped = _dumped_records(files)
    assert len(dumped) < len(sent) / 3
    for record in dumped:
        assert record == _as_dumped(record[0], sent[record[0]])
    last_offset = {one.key: offset for offset, one in sorted(sent.items())}
    assert set(last_offset.values()) <= {offset for offset, *_ in dumped}


@pytest.mark.parametrize(("topic", "partition"), [("varied", 0), ("varied", 1), ("stamped", 0), ("compacted", 0)])
def test_indexes_agree_with_their_logs(kafka_jars: Any, written: Written, topic: str, partition: int) -> None:
    indexes = written.files(topic, partition, ".index", ".timeindex")
    files = parse(kafka_jars.dump(indexes, "--deep-iteration"))
    entries = {Path(file.path).suffix: len(file.index_entries) for file in files}
    assert entries.keys() == {".index", ".timeindex"}
    assert sum(len(file.index_entries) for file in files) > (0 if topic == "compacted" else 10 * len(files))
    for only in ("--index-sanity-check", "--verify-index-only"):
        parse(kafka_jars.dump(indexes, only))


def test_the_last_commit_of_every_group_and_partition_is_there(kafka_jars: Any, written: Written) -> None:
    segments = sorted(written.folder.glob("broker-*/__consumer_offsets-*/*.log"))
    assert segments
    found = {}
    for file in parse(kafka_jars.dump(segments, "--offsets-decoder")):
        for group, topic, partition, value in committed_offsets(file.records):
            assert value is not None
            found[group, topic, partition] = (value["offset"], value["metadata"])
    assert found == written.commits


def _broken_copy(written: Written, scratch: Path, suffix: str) -> Path:
    """A copy of the first segment whose index of this kind has enough entries to break one."""
    for index in written.files("varied", 0, suffix):
        if index.stat().st_size >= 3 * 8:
            for one in index.parent.glob(f"{index.stem}.*"):
                (scratch / one.name).write_bytes(one.read_bytes())
            return scratch / index.name
    raise AssertionError(f"no {suffix} with three entries")


def test_a_broken_offset_index_would_be_reported(kafka_jars: Any, written: Written, scratch: Path) -> None:
    index = _broken_copy(written, scratch, ".index")
    parse(kafka_jars.dump([index], "--deep-iteration"))
    content = bytearray(index.read_bytes())
    relative_offset, position = INDEX_ENTRY.unpack_from(content, 8)
    INDEX_ENTRY.pack_into(content, 8, relative_offset - 1, position)
    index.write_bytes(content)
    with pytest.raises(DamageReportedError, match="Mismatches in"):
        parse(kafka_jars.dump([index], "--deep-iteration"))


def test_a_broken_time_index_would_be_reported(kafka_jars: Any, written: Written, scratch: Path) -> None:
    index = _broken_copy(written, scratch, ".timeindex")
    parse(kafka_jars.dump([index], "--deep-iteration"))
    content = bytearray(index.read_bytes())
    timestamp_ms, relative_offset = struct.unpack_from(">qi", content, 0)
    struct.pack_into(">qi", content, 0, timestamp_ms + 100_000, relative_offset)
    index.write_bytes(content)
    with pytest.raises(DamageReportedError, match="Found timestamp mismatch"):
        parse(kafka_jars.dump([index], "--deep-iteration"))


def test_a_broken_record_would_be_reported(kafka_jars: Any, written: Written, scratch: Path) -> None:
    segment = written.files("varied", 0)[0]
    content = bytearray(segment.read_bytes())
    first = parse(kafka_jars.dump([segment], "--deep-iteration"))[0].batches[0]
    content[int(first["size_bytes"]) - 1] ^= 1
    (scratch / segment.name).write_bytes(content)
    with pytest.raises(DamageReportedError, match="isvalid: false"):
        parse(kafka_jars.dump([scratch / segment.name], "--deep-iteration"))


def test_an_unknown_line_of_the_output_is_damage() -> None:
    with pytest.raises(DamageReportedError):
        parse("Dumping x\nSomething nobody expected\n")


def test_a_missing_offset_is_damage_except_in_a_compacted_log() -> None:
    output = "Dumping x\nNon-consecutive offsets in x\n  -1 is followed by 7\n  8 is followed by 10\n"
    with pytest.raises(DamageReportedError, match="8 is followed by 10"):
        parse(output)
    parse(output, compacted=True)


def test_decoded_commits_are_read_from_the_records() -> None:
    key = json.dumps({"type": "1", "data": {"group": "g", "topic": "t", "partition": 3}})
    assert list(committed_offsets([{"key": key, "payload": "null"}])) == [("g", "t", 3, None)]
