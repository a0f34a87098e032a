"""A directory's topics, read beside a live owner: the catalog through SQLite, offsets and sizes from the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from embedkafka.broker.catalog import FILE_NAME, Catalog
from embedkafka.cli.segments import (
    PartitionFolder,
    log_end_offset,
    log_start_offsets,
    partition_folder_path,
    partition_folders,
)
from embedkafka.model import TopicPartition


@dataclass(frozen=True)
class Partition:
    """A partition's extent as its files show it."""

    number: int
    folder: PartitionFolder
    log_start_offset: int
    log_end_offset: int
    segments: int
    size_bytes: int


@dataclass(frozen=True)
class Topic:
    """A topic, its own settings, and its partitions in order."""

    name: str
    topic_id: UUID
    configs: Mapping[str, str]
    partitions: list[Partition]

    @property
    def is_internal(self) -> bool:
        return self.name.startswith("__")

    @property
    def records(self) -> int:
        """Offsets in use; after compaction fewer records than that are left."""
        return sum(partition.log_end_offset - partition.log_start_offset for partition in self.partitions)

    @property
    def size_bytes(self) -> int:
        return sum(partition.size_bytes for partition in self.partitions)


def read_topics(data: Path) -> list[Topic]:
    """Every topic by name.

    Raises:
        KafkaStorageError: the catalog cannot be read.
    """
    entries = Catalog(str(data.resolve() / FILE_NAME), read_only=True).topics()
    starts = log_start_offsets(data)
    used = {folder.topic_partition.topic for folder in partition_folders(data)}
    return [
        Topic(
            entry.name,
            entry.topic_id,
            entry.configs,
            [
                _partition(data, TopicPartition(entry.name, number), brokers[0], starts)
                for number, brokers in enumerate(entry.replicas)
            ],
        )
        for entry in entries
        if not entry.is_reserved or entry.name in used
    ]


def _partition(
    data: Path, topic_partition: TopicPartition, broker_id: int, starts: Mapping[tuple[int, TopicPartition], int]
) -> Partition:
    folder = PartitionFolder(partition_folder_path(data, broker_id, topic_partition), broker_id, topic_partition)
    segments = folder.segments()
    first = segments[0].base_offset if segments else 0
    start = max(starts.get((broker_id, topic_partition), 0), first)
    size_bytes = 0
    for segment in segments:
        try:
            size_bytes += segment.path.stat().st_size
        except FileNotFoundError:
            continue  # retention was faster
    end = max(log_end_offset(segments), start)
    return Partition(topic_partition.partition, folder, start, end, len(segments), size_bytes)
