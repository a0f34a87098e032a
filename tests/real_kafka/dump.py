"""Reads what DumpLogSegments prints.  A line that is not understood is an error: that is how it reports damage."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_BATCH = re.compile(
    r"baseOffset: (?P<base_offset>\d+) lastOffset: (?P<last_offset>\d+) count: (?P<count>\d+) "
    r"baseSequence: (?P<base_sequence>-?\d+) lastSequence: (?P<last_sequence>-?\d+) "
    r"producerId: (?P<producer_id>-?\d+) producerEpoch: (?P<producer_epoch>-?\d+) "
    r"partitionLeaderEpoch: (?P<leader_epoch>-?\d+) isTransactional: (?:true|false) "
    r"isControl: (?:true|false) deleteHorizonMs: (?P<delete_horizon>\S+) position: (?P<position>\d+) "
    r"(?P<timestamp_type>CreateTime|LogAppendTime): (?P<max_timestamp>-?\d+) size: (?P<size_bytes>\d+) "
    r"magic: (?P<magic>\d) compresscodec: (?P<codec>\w+) crc: (?P<crc>\d+) isvalid: (?P<is_valid>true|false)"
)
_RECORD = re.compile(
    r"\| offset: (?P<offset>\d+) (?P<timestamp_type>CreateTime|LogAppendTime): (?P<timestamp>-?\d+) "
    r"keySize: (?P<key_size>-?\d+) valueSize: (?P<value_size>-?\d+) sequence: (?P<sequence>-?\d+) "
    r"headerKeys: \[(?P<header_keys>.*?)\](?: key: (?P<key>.*?))?(?: payload: (?P<payload>.*))?"
)
_OFFSET_ENTRY = re.compile(r"offset: (\d+) position: (\d+)")
_TIME_ENTRY = re.compile(r"timestamp: (-?\d+) offset: (\d+)")
_GAPS = re.compile(r"Non-consecutive offsets in .+")
_GAP = re.compile(r" *(-?\d+) is followed by (\d+)")
_HEAD = re.compile(r"Dumping (?P<file>.+)")
_START = re.compile(r"Log starting offset: (?P<offset>\d+)")


class DamageReportedError(AssertionError):
    """DumpLogSegments said something about a file that it does not say about a sound one."""


@dataclass
class DumpedFile:
    """One file's part of the output."""

    path: str
    batches: list[dict[str, str]] = field(default_factory=list)
    records: list[dict[str, str]] = field(default_factory=list)
    index_entries: list[tuple[int, int]] = field(default_factory=list)


def _is_harmless(line: str, *, compacted: bool) -> bool:
    """Lines that a sound file causes, too."""
    if gap := _GAP.fullmatch(line):
        # Before the first record of a file the tool thinks of -1, whatever offset the file begins with.
        return compacted or gap[1] == "-1"
    return bool(
        _START.fullmatch(line) or _GAPS.fullmatch(line) or line.endswith((" passed sanity check.", " is empty."))
    )


def parse(output: str, *, compacted: bool = False) -> list[DumpedFile]:
    """The files of an output, in its order.

    Args:
        compacted: offsets may be missing.

    Raises:
        DamageReportedError: a line that only a damaged file causes (mismatch, invalid checksum, trailing bytes, gaps).
    """
    files: list[DumpedFile] = []
    for line in output.splitlines():
        if head := _HEAD.fullmatch(line):
            files.append(DumpedFile(head["file"]))
        elif batch := _BATCH.fullmatch(line):
            if batch["is_valid"] != "true":
                raise DamageReportedError(line)
            files[-1].batches.append(batch.groupdict())
        elif one := _RECORD.fullmatch(line):
            files[-1].records.append(one.groupdict())
        elif (entry := _OFFSET_ENTRY.fullmatch(line)) or (entry := _TIME_ENTRY.fullmatch(line)):
            files[-1].index_entries.append((int(entry[1]), int(entry[2])))
        elif not _is_harmless(line, compacted=compacted):
            raise DamageReportedError(line)
    return files


def committed_offsets(records: list[dict[str, str]]) -> Iterator[tuple[str, str, int, dict[str, Any] | None]]:
    """Group, topic, partition and value (None for a tombstone) of each offset commit among decoded records."""
    for one in records:
        key = json.loads(one["key"])
        if key["type"] == "1":
            payload = one["payload"]
            value = None if payload in (None, "null") else json.loads(payload)["data"]
            yield key["data"]["group"], key["data"]["topic"], key["data"]["partition"], value
