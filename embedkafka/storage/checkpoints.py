"""Kafka's checkpoint files: small text files that are replaced as a whole.

All have a version line, a line with the number of entries, and one entry a line
(``org.apache.kafka.server.common.CheckpointFile``)::

    0
    2
    text 0 15
    text 1 7

Offset checkpoints (``recovery-point-offset-checkpoint`` and the like) hold topic, partition and offset;
``leader-epoch-checkpoint`` in a partition's folder holds epoch and start offset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from embedkafka.errors import KafkaStorageError
from embedkafka.files import Files
from embedkafka.model import TopicPartition

RECOVERY_POINT_FILE = "recovery-point-offset-checkpoint"
LOG_START_FILE = "log-start-offset-checkpoint"
HIGH_WATERMARK_FILE = "replication-offset-checkpoint"
CLEANER_FILE = "cleaner-offset-checkpoint"
LEADER_EPOCH_FILE = "leader-epoch-checkpoint"

_VERSION = 0


def write_checkpoint(files: Files, path: str, rows: Sequence[Iterable[object]], *, sync_folder: bool = True) -> None:
    """Replace a checkpoint; after a power cut the file is the old one or this one.

    Args:
        sync_folder: make it this one for sure; False leaves that to a later sync of the folder.
    """
    lines = [str(_VERSION), str(len(rows)), *(" ".join(map(str, row)) for row in rows)]
    files.write_atomically(path, ("\n".join(lines) + "\n").encode(), sync_folder=sync_folder)


def read_checkpoint(files: Files, path: str, width: int) -> list[list[str]]:
    """The entries of a checkpoint, ``width`` words each; none where there is no file.

    Raises:
        KafkaStorageError: the file is there and is not a checkpoint.
    """
    try:
        lines = files.read_bytes(path).decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
    rows = [line.split() for line in lines[2:]]
    if lines[:1] != [str(_VERSION)] or lines[1:2] != [str(len(rows))] or any(len(row) != width for row in rows):
        raise KafkaStorageError(f"{path}: expected a checkpoint of {width} words a line, found {lines[:3]!r}")
    return rows


def write_offsets(files: Files, path: str, offsets: Mapping[TopicPartition, int], *, sync_folder: bool = True) -> None:
    """Replace an offset checkpoint; see :func:`write_checkpoint`."""
    rows = [(topic, partition, offset) for (topic, partition), offset in offsets.items()]
    write_checkpoint(files, path, rows, sync_folder=sync_folder)


def read_offsets(files: Files, path: str) -> dict[TopicPartition, int]:
    """An offset checkpoint's entries.

    Raises:
        KafkaStorageError: the file is there and is not an offset checkpoint.
    """
    rows = read_checkpoint(files, path, 3)
    try:
        return {TopicPartition(topic, int(partition)): int(offset) for topic, partition, offset in rows}
    except ValueError as error:
        raise KafkaStorageError(f"{path}: {error}") from None
