"""Offsets about tiered storage, of which there is none (KIP-405, KIP-1005, KIP-1023)."""

from __future__ import annotations

import pytest
from server.peers import WirePeer, produce_request

from embedkafka import EmbeddedKafka
from embedkafka.errors import UnsupportedVersionError
from embedkafka.protocol.apis.api_02_list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic


@pytest.mark.parametrize(("timestamp", "version", "offset"), [(-4, 8, 0), (-5, 9, -1), (-6, 11, -1)])
def test_without_tiers_all_is_local(
    kafka: EmbeddedKafka, peer: WirePeer, timestamp: int, version: int, offset: int
) -> None:
    kafka.create_topic("t")
    peer.ask(0, 9, produce_request("t", [b"a"]))

    def ask(of: int) -> tuple[int, int]:
        topics = [ListOffsetsTopic("t", [ListOffsetsPartition(0, timestamp=timestamp)])]
        found = peer.ask(2, of, ListOffsetsRequest(-1, topics=topics)).topics[0].partitions[0]
        return found.error_code, found.offset

    assert ask(version) == (0, offset)
    assert ask(version - 1) == (UnsupportedVersionError.errno, -1)
