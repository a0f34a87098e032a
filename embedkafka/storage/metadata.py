"""``partition.metadata``: which topic a partition's folder belongs to (``PartitionMetadataFile``).

Two lines, ``version: 0`` and ``topic_id: `` with the id as 22 characters of URL-safe base64.
"""

from __future__ import annotations

import logging
from uuid import UUID

from embedkafka.files import Files
from embedkafka.model import id_text, parse_id

_log = logging.getLogger(__name__)

FILE_NAME = "partition.metadata"


def write_partition_metadata(files: Files, folder: str, topic_id: UUID) -> None:
    """Write the file; it becomes durable with the folder's first flush."""
    file = files.open(files.join(folder, FILE_NAME), create=True)
    file.truncate(0)
    file.write_all(f"version: 0\ntopic_id: {id_text(topic_id)}\n".encode(), 0)


def sync_partition_metadata(files: Files, folder: str) -> None:
    """Make the file durable where there is one."""
    try:
        files.open(files.join(folder, FILE_NAME)).sync()
    except FileNotFoundError:
        return


def read_partition_metadata(files: Files, folder: str) -> UUID | None:
    """The id of the topic that the folder belongs to; None where no file says it.

    A power cut before the folder's first flush may leave the file without its content.
    """
    path = files.join(folder, FILE_NAME)
    try:
        lines = files.read_bytes(path).decode("ascii", "replace").split()
    except FileNotFoundError:
        return None
    if len(lines) == 4 and lines[0] == "version:" and lines[1] == "0" and lines[2] == "topic_id:":
        try:
            return parse_id(lines[3])
        except ValueError:
            pass
    _log.warning("%s: expected version and topic id, found %r", path, " ".join(lines)[:100])
    return None
