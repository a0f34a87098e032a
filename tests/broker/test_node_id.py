"""A broker's number, and where it shows."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from server.peers import WirePeer

from embedkafka import EmbeddedKafka, TopicPartition
from embedkafka.broker import api
from embedkafka.errors import KafkaConfigurationError
from embedkafka.protocol.apis.api_03_metadata import MetadataRequest, MetadataRequestTopic
from embedkafka.protocol.apis.api_10_find_coordinator import FindCoordinatorRequest
from embedkafka.protocol.apis.api_60_describe_cluster import DescribeClusterRequest


def broker_ids(kafka: EmbeddedKafka) -> list[int]:
    return list(kafka.engine.ports)


def test_peers_and_programs_are_told_the_number_everywhere() -> None:
    with EmbeddedKafka(node_id=7) as kafka, kafka.listen() as listener, WirePeer(listener) as peer:
        metadata = peer.ask(3, 12, MetadataRequest([MetadataRequestTopic(name="t")], True))
        (partition,) = metadata.topics[0].partitions
        assert [each.node_id for each in metadata.brokers] == [7] == [metadata.controller_id]
        assert (partition.leader_id, partition.replica_nodes, partition.isr_nodes) == (7, [7], [7])
        assert peer.ask(10, 4, FindCoordinatorRequest(coordinator_keys=["g"])).coordinators[0].node_id == 7
        assert [each.broker_id for each in peer.ask(60, 0, DescribeClusterRequest()).brokers] == [7]
        kafka.producer().send("t", b"x", partition=0).get()
        with kafka.consumer("t", group_id="g", auto_offset_reset="earliest") as consumer:
            assert [each.value for each in consumer.poll(1000)[TopicPartition("t", 0)]] == [b"x"]


def test_settings_are_those_of_the_broker_of_that_number() -> None:
    with EmbeddedKafka(node_id=7) as kafka:
        (port,) = kafka.engine.ports.values()
        asked = [api.ConfigResourceKey(api.ResourceType.BROKER, name) for name in ("7", "0")]
        found, refused = port.describe_configs(api.RequestContext(), asked)
        values = {entry.name: entry.value for entry in found.entries}
        assert (values["node.id"], values["broker.id"]) == ("7", "7")
        assert refused.error_code


def test_a_directory_keeps_its_number(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path / "data", broker_id=3) as kafka:
        kafka.producer().send("t", b"x").get()
    with EmbeddedKafka(tmp_path / "data") as kafka:
        assert broker_ids(kafka) == [3]
        with kafka.consumer("t", group_id=None, auto_offset_reset="earliest") as consumer:
            assert consumer.poll(1000)
    with EmbeddedKafka(tmp_path / "data", node_id=3) as kafka:
        assert broker_ids(kafka) == [3]


def test_a_directory_of_another_number_is_refused_and_left_alone(tmp_path: Path) -> None:
    EmbeddedKafka(tmp_path / "data").close()
    with pytest.raises(KafkaConfigurationError, match="made by broker 0"):
        EmbeddedKafka(tmp_path / "data", node_id=1)
    with EmbeddedKafka(tmp_path / "data") as kafka:
        assert broker_ids(kafka) == [0]


@pytest.mark.parametrize("settings", [{"node_id": 1, "broker_id": 2}, {"node_id": -1}])
def test_a_number_that_cannot_be_is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(KafkaConfigurationError):
        EmbeddedKafka(**settings)


def test_settings_that_change_nothing_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), EmbeddedKafka(num_replica_fetchers=2, node_id=1, num_network_threads=8):
        pass
    (record,) = caplog.records
    assert record.getMessage() == "settings that change nothing here: num.network.threads, num.replica.fetchers"
