"""The plain model of a broker: a list of records for each partition, and a dict of committed offsets for each group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from embedkafka import TopicPartition


@dataclass(frozen=True)
class ModelRecord:
    """What a reader must see at an offset."""

    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Pending:
    """A send whose offset is not known yet: two producers' batches are sealed in any order."""

    producer: int
    record: ModelRecord
    future: Any


@dataclass
class ModelPartition:
    """Records by offset.  Offsets below ``log_start`` are gone; a compacted partition may lack more."""

    records: list[ModelRecord] = field(default_factory=list)
    log_start: int = 0
    pending: list[Pending] = field(default_factory=list)

    @property
    def end(self) -> int:
        return len(self.records)

    def settle(self) -> None:
        """Take in what was sent, after something read the partition: all of it must have its offset now.

        Offsets must be the next ones without a gap, in the order of each producer's sends.
        """
        placed: dict[int, Pending] = {}
        last_of_producer: dict[int, int] = {}
        for one in self.pending:
            assert one.future.is_done, "a read of the partition came before a record that was sent before it"
            metadata = one.future.get(timeout=0)
            assert metadata.offset not in placed, f"offset {metadata.offset} was given twice"
            assert metadata.offset > last_of_producer.get(one.producer, -1), "a producer's records changed their order"
            assert metadata.timestamp == one.record.timestamp_ms
            last_of_producer[one.producer] = metadata.offset
            placed[metadata.offset] = one
        assert sorted(placed) == list(range(self.end, self.end + len(placed))), f"gaps: {sorted(placed)} at {self.end}"
        self.records += [placed[offset].record for offset in sorted(placed)]
        self.pending.clear()

    def first_at_or_after(self, timestamp_ms: int) -> tuple[int, int] | None:
        """Offset and timestamp of the first record there is at or after a time."""
        for offset in range(self.log_start, self.end):
            if self.records[offset].timestamp_ms >= timestamp_ms:
                return offset, self.records[offset].timestamp_ms
        return None


@dataclass
class Model:
    """All partitions and all committed offsets."""

    partitions: dict[TopicPartition, ModelPartition] = field(default_factory=dict)
    committed: dict[str, dict[TopicPartition, int]] = field(default_factory=dict)

    def settle(self) -> None:
        for partition in self.partitions.values():
            partition.settle()
