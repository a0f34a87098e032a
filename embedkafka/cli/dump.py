"""``log dump``: a file's batches, records or index entries, in the words of Kafka's ``DumpLogSegments``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from embedkafka.cli import text
from embedkafka.cli.exits import CliError, ExitCode
from embedkafka.cli.offsets import OFFSETS_TOPIC, describe
from embedkafka.cli.output import Output
from embedkafka.cli.segments import ScanEnd, ScannedBatch, offset_entries, scan, time_entries
from embedkafka.record import decode_batch

COMPRESSION_NAMES = {0: "none", 1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
TIMESTAMP_NAMES = {-1: "NoTimestampType", 0: "CreateTime", 1: "LogAppendTime"}


def dump_file(out: Output, path: Path, *, deep: bool) -> bool:
    """Print one file; True when something in it is damaged.

    Raises:
        CliError: not a kind of file this can read.
    """
    try:
        base_offset = int(path.stem)
    except ValueError:
        raise CliError(f"{path} is not named like a segment's file", "", ExitCode.USAGE) from None
    out.note(f"Dumping {path}")
    if path.suffix == ".log":
        return _dump_log(out, path, base_offset, deep=deep)
    if path.suffix == ".index":
        for offset, position in offset_entries(path, base_offset):
            _emit(out, path, {"offset": offset, "position": position})
        return False
    if path.suffix == ".timeindex":
        for timestamp_ms, offset in time_entries(path, base_offset):
            _emit(out, path, {"timestamp": timestamp_ms, "offset": offset})
        return False
    raise CliError(f"{path}: only .log, .index and .timeindex files can be dumped", "", ExitCode.USAGE)


def _dump_log(out: Output, path: Path, base_offset: int, *, deep: bool) -> bool:
    out.note(f"Log starting offset: {base_offset}")
    damaged = False
    end = ScanEnd()
    for batch in scan(path, end):
        damaged |= bool(batch.problem)
        _emit(out, path, _batch_fields(batch))
        if deep and not batch.problem:
            _dump_records(out, path, batch)
    if end.problem:
        out.warn(f"{path}: byte {end.position}: {end.problem}; {text.counted(end.left_bytes, 'byte')} not read")
    return damaged


def _batch_fields(batch: ScannedBatch) -> dict[str, Any]:
    header = batch.header
    return {
        "baseOffset": header.base_offset,
        "lastOffset": header.last_offset,
        "count": header.records_count,
        "baseSequence": header.base_sequence,
        "lastSequence": header.last_sequence,
        "producerId": header.producer_id,
        "producerEpoch": header.producer_epoch,
        "partitionLeaderEpoch": header.partition_leader_epoch,
        "isTransactional": header.is_transactional,
        "isControl": header.is_control,
        "deleteHorizonMs": header.delete_horizon_ms,
        "position": batch.position,
        TIMESTAMP_NAMES[header.timestamp_type]: header.max_timestamp,
        "size": header.size_bytes,
        "magic": header.magic,
        "compresscodec": COMPRESSION_NAMES.get(header.compression_type, str(header.compression_type)),
        "crc": header.checksum,
        "isvalid": not batch.problem,
    }


def _dump_records(out: Output, path: Path, batch: ScannedBatch) -> None:
    header = batch.header
    for record in decode_batch(batch.data):
        sequence = -1
        if header.base_sequence >= 0:
            sequence = (header.base_sequence + record.offset - header.base_offset) & 0x7FFFFFFF
        fields: dict[str, Any] = {
            "offset": record.offset,
            TIMESTAMP_NAMES[record.timestamp_type]: record.timestamp,
            "keySize": -1 if record.key is None else len(record.key),
            "valueSize": -1 if record.value is None else len(record.value),
            "sequence": sequence,
            "headerKeys": [name for name, _ in record.headers],
        }
        decoded = describe(record.key, record.value) if path.parent.name.startswith(OFFSETS_TOPIC + "-") else None
        if out.as_json:
            fields |= text.json_bytes("key", record.key) | text.json_bytes("payload", record.value)
            if decoded:
                fields["decoded_key"], fields["decoded_payload"] = map(json.loads, decoded)
            _emit(out, path, fields)
        else:
            fields["headerKeys"] = "[" + ",".join(text.printable(name.encode()) for name in fields["headerKeys"]) + "]"
            key, value = decoded or (text.printable(record.key), text.printable(record.value))
            if decoded and record.value is None:
                value = "<DELETE>"  # Kafka's word for a tombstone in an internal topic
            shown_key = "" if record.key is None else f" key: {key}"
            shown_value = "" if record.value is None and not decoded else f" payload: {value}"
            out.line(f"| {_words(fields)}{shown_key}{shown_value}")


def _emit(out: Output, path: Path, fields: dict[str, Any]) -> None:
    if out.as_json:
        out.json({"file": str(path), **fields})
    else:
        out.line(_words(fields))


def _words(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}: {_word(name, value)}" for name, value in fields.items())


def _word(name: str, value: object) -> str:
    """A value as Java prints it."""
    if name == "deleteHorizonMs":
        return "OptionalLong.empty" if value is None else f"OptionalLong[{value}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
