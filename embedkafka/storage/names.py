"""Names of files and folders, which are Kafka's (``org.apache.kafka.storage.internals.log.LogFileUtils``)."""

from __future__ import annotations

import re

from embedkafka.model import TopicPartition

LOG_SUFFIX = ".log"
OFFSET_INDEX_SUFFIX = ".index"
TIME_INDEX_SUFFIX = ".timeindex"
TXN_INDEX_SUFFIX = ".txnindex"
SNAPSHOT_SUFFIX = ".snapshot"
DELETED_SUFFIX = ".deleted"
CLEANED_SUFFIX = ".cleaned"
SWAP_SUFFIX = ".swap"

SEGMENT_SUFFIXES = (LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX)

_SEGMENT_FILE = re.compile(r"(\d{20})(\.log|\.index|\.timeindex|\.txnindex)(\.deleted|\.cleaned|\.swap)?")
_PARTITION_FOLDER = re.compile(r"([a-zA-Z0-9._-]+)-(\d{1,10})")


def segment_name(base_offset: int) -> str:
    """A segment's file name without suffix: 20 digits, so that names sort as numbers."""
    return f"{base_offset:020d}"


def parse_segment_file(name: str) -> tuple[int, str, str] | None:
    """Base offset, kind of file and state suffix ('' in use) of a segment's file; None for any other file."""
    match = _SEGMENT_FILE.fullmatch(name)
    return (int(match[1]), match[2], match[3] or "") if match else None


def partition_folder(topic_partition: TopicPartition) -> str:
    """``<topic>-<partition>``."""
    return f"{topic_partition.topic}-{topic_partition.partition}"


def parse_partition_folder(name: str) -> TopicPartition | None:
    """The partition whose folder this is; None for any other name."""
    match = _PARTITION_FOLDER.fullmatch(name)
    return TopicPartition(match[1], int(match[2])) if match else None
