"""Short ways to make batches and logs, and to read everything back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from embedkafka.files import Files, HandleCache, MemoryFiles
from embedkafka.files.faulty import FaultyFiles
from embedkafka.model import TopicPartition
from embedkafka.record import Record, decode_batch, encode_batch, iter_headers, verify_checksum
from embedkafka.storage.broker_directory import BrokerDirectory
from embedkafka.storage.config import LogConfig
from embedkafka.storage.data_directory import DataDirectory
from embedkafka.storage.log import AppendInfo, AppendOrigin, Log

TP = TopicPartition("text", 0)
TOPIC_ID = UUID("6c1e0d2a-3f0b-4d57-9a51-0f1d2c3b4a59")
NOW_MS = 1_700_000_000_000

Row = tuple[int, bytes | None, bytes | None]  # timestamp, key, value


def batch(*rows: Row, compression_type: int = 0, base_offset: int = 0) -> bytearray:
    """A batch of records."""
    records = ((timestamp, key, value, ()) for timestamp, key, value in rows)
    return encode_batch(records, compression_type=compression_type, base_offset=base_offset)


def values(*texts: str, timestamp: int = NOW_MS) -> bytearray:
    """A batch with one record per text, a millisecond apart."""
    return batch(*((timestamp + number, b"k", text.encode()) for number, text in enumerate(texts)))


def open_log(
    files: Files | None = None,
    config: LogConfig | None = None,
    *,
    handles: HandleCache | None = None,
    parent: str = "/",
    clean: bool = False,
    recovery_point: int = 0,
    log_start_offset: int = 0,
    now_ms: int = NOW_MS,
    read_only: bool = False,
) -> Log:
    """A log on memory files."""
    handles = handles or HandleCache(files or MemoryFiles())
    return Log.open(
        handles,
        parent,
        TP,
        config or LogConfig(),
        now_ms=now_ms,
        topic_id=TOPIC_ID,
        clean=clean,
        recovery_point=recovery_point,
        log_start_offset=log_start_offset,
        read_only=read_only,
    )


def append(log: Log, records: bytearray, now_ms: int = NOW_MS, *, epoch: int = 0, trusted: bool = True) -> AppendInfo:
    return log.append(records, leader_epoch=epoch, now_ms=now_ms, trusted=trusted, origin=AppendOrigin.CLIENT)


def records_in(chunks: Sequence[memoryview]) -> list[Record]:
    """The records of whole batches whose checksums hold."""
    found: list[Record] = []
    for chunk in chunks:
        end = 0
        for position, header in iter_headers(chunk):
            verify_checksum(chunk, position, header)
            found += decode_batch(chunk, position, header)
            end = position + header.size_bytes
        assert end == len(chunk), "a chunk holds whole batches"
    return found


def read_all(log: Log, start_offset: int | None = None, *, max_bytes: int = 1 << 20) -> list[Record]:
    """Every record from an offset on, by reading as a consumer does."""
    offset = log.log_start_offset if start_offset is None else start_offset
    found: list[Record] = []
    while True:
        chunks = log.read(offset, max_bytes=max_bytes)
        if not chunks:
            return found
        found += [record for record in records_in(chunks) if record.offset >= offset]
        *_, (_, header) = iter_headers(chunks[-1])
        assert header.next_offset > offset, "reading makes progress"
        offset = header.next_offset


def read_values(log: Log, start_offset: int | None = None, *, max_bytes: int = 1 << 20) -> list[bytes | None]:
    return [record.value for record in read_all(log, start_offset, max_bytes=max_bytes)]


class Directory:
    """A data directory with one broker on files that may fail; opened and closed as the engine does it."""

    def __init__(self, files: Files, path: str = "/data", *, max_open_files: int = 128) -> None:
        self.files = files
        self.path = path
        self.handles = HandleCache(files, max_open_files)
        self.data = DataDirectory.open(files, path)
        self.broker: BrokerDirectory = self.data.broker(0, cluster_id="cluster")

    def log(self, config: LogConfig | None = None, topic_partition: TopicPartition = TP) -> Log:
        return self.broker.open_log(
            self.handles, topic_partition, config or LogConfig(), topic_id=TOPIC_ID, now_ms=NOW_MS
        )

    def close(self) -> None:
        try:
            self.broker.close()
        finally:
            self.data.close()
            self.handles.close()


def after_power_cut(files: FaultyFiles) -> Directory:
    """Open what a power cut has left."""
    return Directory(files)
