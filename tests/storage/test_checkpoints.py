"""Kafka's small text files."""

from __future__ import annotations

import pytest
from storage.builders import TOPIC_ID

from embedkafka.errors import KafkaStorageError
from embedkafka.files import MemoryFiles
from embedkafka.model import TopicPartition
from embedkafka.storage import metadata, properties
from embedkafka.storage.checkpoints import read_offsets, write_offsets
from embedkafka.storage.names import parse_partition_folder, parse_segment_file, partition_folder, segment_name


def test_an_offset_checkpoint_has_kafkas_format_and_is_read_back() -> None:
    files = MemoryFiles()
    offsets = {TopicPartition("text", 0): 15, TopicPartition("a-b.c_d", 12): 7}
    write_offsets(files, "/recovery-point-offset-checkpoint", offsets)
    assert files.read_bytes("/recovery-point-offset-checkpoint") == b"0\n2\ntext 0 15\na-b.c_d 12 7\n"
    assert read_offsets(files, "/recovery-point-offset-checkpoint") == offsets


def test_a_checkpoint_that_is_not_there_is_empty() -> None:
    assert read_offsets(MemoryFiles(), "/nowhere") == {}


@pytest.mark.parametrize(
    "content", [b"", b"1\n0\n", b"0\n2\ntext 0 1\n", b"0\n1\ntext 0\n", b"0\n1\ntext zero 1\n", b"\xff\xfe"]
)
def test_a_damaged_checkpoint_is_an_error_that_names_the_file(content: bytes) -> None:
    files = MemoryFiles()
    files.open("/c", create=True).write_all(content, 0)
    with pytest.raises(KafkaStorageError, match="/c"):
        read_offsets(files, "/c")


def test_partition_metadata_is_read_back() -> None:
    files = MemoryFiles()
    metadata.write_partition_metadata(files, "/", TOPIC_ID)
    assert files.read_bytes("/partition.metadata") == b"version: 0\ntopic_id: bB4NKj8LTVeaUQ8dLDtKWQ\n"
    assert metadata.read_partition_metadata(files, "/") == TOPIC_ID


@pytest.mark.parametrize("content", [None, b"", bytes(50), b"version: 0\ntopic_id: ?\n", b"version: 0\ntopic_id: AA\n"])
def test_partition_metadata_that_is_missing_or_damaged_says_nothing(content: bytes | None) -> None:
    files = MemoryFiles()
    if content is not None:
        files.open("/partition.metadata", create=True).write_all(content, 0)
    assert metadata.read_partition_metadata(files, "/") is None


def test_properties_are_read_back() -> None:
    files = MemoryFiles()
    properties.write(files, "/p", {"node.id": "0", "cluster.id": "a=b"})
    assert properties.read(files, "/p") == {"node.id": "0", "cluster.id": "a=b"}


def test_names_are_kafkas() -> None:
    assert segment_name(42) == "00000000000000000042"
    assert parse_segment_file("00000000000000000042.timeindex.swap") == (42, ".timeindex", ".swap")
    assert parse_segment_file("00000000000000000042.log") == (42, ".log", "")
    assert parse_segment_file("partition.metadata") is None
    assert partition_folder(TopicPartition("a-b", 3)) == "a-b-3"
    assert parse_partition_folder("a-b-3") == ("a-b", 3)
    assert parse_partition_folder("a-b-3.0123456789abcdef0123456789abcdef-delete") is None
