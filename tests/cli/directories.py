"""Data directories made by hand, so that the file tools are tested without an engine."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from embedkafka.broker.catalog import FILE_NAME, Catalog, TopicEntry
from embedkafka.record import encode_batch, read_header

FIRST_TIMESTAMP_MS = 1_700_000_000_000


@dataclass
class Built:
    """A directory with one topic ``lines``; batches of two records; each batch is in both indexes."""

    path: Path

    def log(self, base_offset: int = 0, partition: int = 0, suffix: str = ".log") -> Path:
        return self.path / "broker-0" / f"lines-{partition}" / f"{base_offset:020d}{suffix}"


def batch(base_offset: int, values: Sequence[bytes | None]) -> bytes:
    """One batch whose record n has the key ``k<n>`` and a timestamp n milliseconds after the first."""
    records = [
        (FIRST_TIMESTAMP_MS + base_offset + n, f"k{base_offset + n}".encode(), value, [("source", b"test")])
        for n, value in enumerate(values)
    ]
    return bytes(encode_batch(records, base_offset=base_offset, leader_epoch=0))


def write_segment(log: Path, batches: Sequence[bytes]) -> None:
    """A segment with its indexes."""
    base_offset = int(log.stem)
    offset_index = time_index = b""
    position = 0
    for data in batches:
        header = read_header(data)
        offset_index += struct.pack(">ii", header.last_offset - base_offset, position)
        time_index += struct.pack(">qi", header.max_timestamp, header.last_offset - base_offset)
        position += len(data)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"".join(batches))
    log.with_suffix(".index").write_bytes(offset_index)
    log.with_suffix(".timeindex").write_bytes(time_index)


def build(path: Path, *, partitions: int = 1, segments: int = 1, batches: int = 3, closed: bool = True) -> Built:
    """A directory whose every partition has so many segments of so many batches of two records."""
    path.mkdir()
    (path / "format").write_text("embedkafka 1\n")
    Catalog(str(path / FILE_NAME)).put_topics(TopicEntry("lines", UUID(int=7, version=4), ((0,),) * partitions))
    built = Built(path)
    for partition in range(partitions):
        offset = 0
        for _ in range(segments):
            log = built.log(offset, partition)
            made = []
            for _ in range(batches):
                made.append(batch(offset, [b"value %d" % offset, b"value %d" % (offset + 1)]))
                offset += 2
            write_segment(log, made)
    if closed:
        (path / "broker-0" / ".kafka_cleanshutdown").write_text('{"version":0}')
    return built
