"""Settings as clients of every version see them on the wire."""

from __future__ import annotations

from typing import Any

import pytest
from server.peers import WirePeer

from embedkafka import EmbeddedKafka
from embedkafka.errors import (
    InvalidConfigurationError,
    InvalidRequestError,
    UnknownTopicOrPartitionError,
    UnsupportedVersionError,
)
from embedkafka.protocol.apis import api_33_alter_configs as replacing
from embedkafka.protocol.apis import api_44_incremental_alter_configs as changing
from embedkafka.protocol.apis.api_32_describe_configs import DescribeConfigsRequest, DescribeConfigsResource
from embedkafka.protocol.apis.api_60_describe_cluster import DescribeClusterRequest
from embedkafka.protocol.apis.api_74_list_config_resources import ListConfigResourcesRequest

TOPIC, BROKER, METRICS = 2, 4, 16
SET, DELETE = 0, 1
DYNAMIC_TOPIC, DEFAULT = 1, 5
CLUSTER = DescribeClusterRequest()


def described(peer: WirePeer, version: int, *names: str, resource: tuple[int, str] = (TOPIC, "t"), **flags: Any) -> Any:
    asked = DescribeConfigsResource(*resource, list(names) or None)
    (result,) = peer.ask(32, version, DescribeConfigsRequest([asked], **flags)).results
    assert (result.resource_type, result.resource_name) == resource
    return result


def change(peer: WirePeer, version: int, name: str, operation: int, value: str | None, **flags: Any) -> Any:
    resource = changing.AlterConfigsResource(TOPIC, "t", [changing.AlterableConfig(name, operation, value)])
    (response,) = peer.ask(44, version, changing.IncrementalAlterConfigsRequest([resource], **flags)).responses
    return response


@pytest.mark.parametrize("version", [1, 3, 4])
def test_every_setting_is_described_with_where_it_is_from(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    kafka.create_topic("t", configs={"retention.ms": "1000"})
    result = described(peer, version, include_synonyms=True, include_documentation=version >= 3)
    entries = {entry.name: entry for entry in result.configs}
    assert (result.error_code, len(entries) > 30) == (0, True)
    changed, untouched = entries["retention.ms"], entries["max.message.bytes"]
    assert (changed.value, changed.config_source, changed.read_only, changed.is_sensitive) == (
        "1000",
        DYNAMIC_TOPIC,
        False,
        False,
    )
    assert [(each.name, each.value, each.source) for each in changed.synonyms] == [
        ("retention.ms", "1000", DYNAMIC_TOPIC)
    ]
    assert (untouched.value, untouched.config_source) == ("1048588", DEFAULT)
    assert [each.name for each in untouched.synonyms] == ["message.max.bytes"]
    assert untouched.config_type == (3 if version >= 3 else 0)  # INT
    assert bool(untouched.documentation) is (version >= 3)


@pytest.mark.parametrize("version", [1, 4])
def test_chosen_settings_are_described(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    kafka.create_topic("t")
    (entry,) = described(peer, version, "cleanup.policy").configs
    assert (entry.name, entry.value, entry.synonyms) == ("cleanup.policy", "delete", [])


def test_an_empty_list_of_names_asks_for_all(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    (result,) = peer.ask(32, 1, DescribeConfigsRequest([DescribeConfigsResource(TOPIC, "t", [])])).results
    assert len(result.configs) > 30


def test_a_broker_is_described(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    result = described(peer, 4, "num.partitions", resource=(BROKER, str(peer.ask(60, 0, CLUSTER).controller_id)))
    assert [(each.name, each.value) for each in result.configs] == [("num.partitions", "1")]


def test_what_is_not_there_cannot_be_described(peer: WirePeer) -> None:
    result = described(peer, 4)
    assert (result.error_code, result.configs) == (UnknownTopicOrPartitionError.errno, [])


@pytest.mark.parametrize("version", [0, 1])
def test_single_settings_are_changed(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    kafka.create_topic("t")
    assert change(peer, version, "retention.ms", SET, "77", validate_only=True).error_code == 0
    assert described(peer, 1, "retention.ms").configs[0].value == "604800000"
    response = change(peer, version, "retention.ms", SET, "77")
    assert (response.error_code, response.resource_type, response.resource_name) == (0, TOPIC, "t")
    assert described(peer, 1, "retention.ms").configs[0].value == "77"
    change(peer, version, "retention.ms", DELETE, None)
    assert described(peer, 1, "retention.ms").configs[0].config_source == DEFAULT


@pytest.mark.parametrize("version", [0, 1])
def test_a_wrong_value_is_refused_with_a_reason(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    kafka.create_topic("t")
    response = change(peer, version, "retention.ms", SET, "soon")
    assert response.error_code == InvalidConfigurationError.errno
    assert "soon" in response.error_message


@pytest.mark.parametrize("version", [0, 2])
def test_all_settings_are_replaced(kafka: EmbeddedKafka, peer: WirePeer, version: int) -> None:
    kafka.create_topic("t", configs={"retention.ms": "1000"})
    configs = [replacing.AlterableConfig("max.message.bytes", "5000")]
    resource = replacing.AlterConfigsResource(TOPIC, "t", configs)
    (response,) = peer.ask(33, version, replacing.AlterConfigsRequest([resource])).responses
    assert (response.error_code, response.resource_name) == (0, "t")
    assert [each.value for each in described(peer, 1, "max.message.bytes").configs] == ["5000"]
    assert described(peer, 1, "retention.ms").configs[0].config_source == DEFAULT


def test_a_resource_may_be_named_once_only(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    changed = changing.AlterConfigsResource(TOPIC, "t", [changing.AlterableConfig("retention.ms", SET, "1")])
    responses = peer.ask(44, 1, changing.IncrementalAlterConfigsRequest([changed, changed])).responses
    assert [each.error_code for each in responses] == [InvalidRequestError.errno] * 2
    replaced = replacing.AlterConfigsResource(TOPIC, "t", [replacing.AlterableConfig("retention.ms", "1")])
    responses = peer.ask(33, 2, replacing.AlterConfigsRequest([replaced, replaced])).responses
    assert [each.error_code for each in responses] == [InvalidRequestError.errno] * 2
    assert described(peer, 1, "retention.ms").configs[0].config_source == DEFAULT


def test_a_setting_cannot_be_replaced_by_null(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    resource = replacing.AlterConfigsResource(TOPIC, "t", [replacing.AlterableConfig("retention.ms", None)])
    (response,) = peer.ask(33, 2, replacing.AlterConfigsRequest([resource])).responses
    assert response.error_code == InvalidRequestError.errno


def test_what_has_settings_is_listed(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    everything = peer.ask(74, 1, ListConfigResourcesRequest()).config_resources
    assert (TOPIC, "t") in [(each.resource_type, each.resource_name) for each in everything]
    topics = peer.ask(74, 1, ListConfigResourcesRequest([TOPIC])).config_resources
    assert [(each.resource_type, each.resource_name) for each in topics] == [(TOPIC, "t")]


def test_listing_knew_only_metrics_at_first(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    listed = peer.ask(74, 0, ListConfigResourcesRequest())
    assert (listed.error_code, listed.config_resources) == (0, [])


def test_a_type_that_cannot_be_listed_is_refused(peer: WirePeer) -> None:
    refused = peer.ask(74, 1, ListConfigResourcesRequest([77]))
    assert (refused.error_code, refused.config_resources) == (UnsupportedVersionError.errno, [])
