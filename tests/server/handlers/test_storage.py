"""Log directories and deleted records as clients of every version see them on the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from server.peers import WirePeer, fetch_request, produce_request

from embedkafka import EmbeddedKafka
from embedkafka.errors import OffsetOutOfRangeError, UnknownTopicOrPartitionError
from embedkafka.protocol.apis.api_21_delete_records import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from embedkafka.protocol.apis.api_35_describe_log_dirs import DescribableLogDirTopic, DescribeLogDirsRequest


def delete(peer: WirePeer, version: int, *offsets: tuple[int, int]) -> list[tuple[int, int, int]]:
    """Partition, low watermark and code of each."""
    partitions = [DeleteRecordsPartition(*each) for each in offsets]
    (topic,) = peer.ask(21, version, DeleteRecordsRequest([DeleteRecordsTopic("t", partitions)], 1000)).topics
    return [(each.partition_index, each.low_watermark, each.error_code) for each in topic.partitions]


@pytest.mark.parametrize("version", [0, 1, 2])
def test_records_before_an_offset_are_deleted(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    kafka.create_topic("t", 2)
    peer.ask(0, 9, produce_request("t", [b"a", b"b", b"c"]))
    assert delete(peer, version, (0, 2), (1, 5), (9, 1)) == [
        (0, 2, 0),
        (1, -1, OffsetOutOfRangeError.errno),
        (9, -1, UnknownTopicOrPartitionError.errno),
    ]
    assert delete(peer, version, (0, -1)) == [(0, 3, 0)]
    (partition,) = peer.ask(1, 11, fetch_request("t", 0)).responses[0].partitions
    assert (partition.error_code, partition.log_start_offset) == (OffsetOutOfRangeError.errno, -1)


def sizes(result: Any) -> dict[tuple[str, int], int]:
    return {
        (topic.name, partition.partition_index): partition.partition_size
        for topic in result.topics
        for partition in topic.partitions
    }


@pytest.mark.parametrize("version", [1, 3, 4, 5])
def test_log_directories_are_described(tmp_path: Path, version: int) -> None:
    with EmbeddedKafka(tmp_path / "data") as kafka, WirePeer(kafka.listen()) as peer:
        kafka.create_topic("t", 2)
        kafka.create_topic("u")
        peer.ask(0, 9, produce_request("t", [b"x" * 1000]))
        response = peer.ask(35, version, DescribeLogDirsRequest(None))
        (result,) = response.results
        assert (response.error_code, result.error_code, result.is_cordoned) == (0, 0, False)
        assert Path(result.log_dir).is_dir()
        found = sizes(result)
        assert found.keys() >= {("t", 0), ("t", 1), ("u", 0)}
        assert found["t", 0] > 1000
        assert (result.usable_bytes > 0) is (version >= 4)
        chosen = peer.ask(35, version, DescribeLogDirsRequest([DescribableLogDirTopic("t", [1])]))
        assert sizes(chosen.results[0]) == {("t", 1): 0}
