"""Java's share consumer and admin client of 4.3.1, method by method, in kafka-python's spelling."""

from __future__ import annotations

import inspect
import re

import pytest

from embedkafka import AcknowledgeType, KafkaAdminClient, KafkaShareConsumer
from embedkafka.client.share_consumer.config import DEFAULT_CONFIG

# Of org.apache.kafka.clients.consumer.ShareConsumer, with the parameters as they are called here.
CONSUMER = {
    "subscription": [],
    "subscribe": ["topics"],
    "unsubscribe": [],
    "poll": ["timeout_ms"],
    "acknowledge": ["record", "type"],
    "commitSync": ["timeout_ms"],
    "commitAsync": [],
    "setAcknowledgementCommitCallback": ["callback"],
    "clientInstanceId": ["timeout_ms"],
    "acquisitionLockTimeoutMs": [],
    "metrics": [],
    "close": ["timeout_ms"],
    "wakeup": [],
}
NOT_HERE = {"registerMetricForSubscription", "unregisterMetricFromSubscription"}  # for pushing metrics, see SKIPPED.md
ADMIN = {
    "describeShareGroups": ["group_ids"],
    "deleteShareGroups": ["group_ids"],
    "listShareGroupOffsets": ["group_specs"],
    "alterShareGroupOffsets": ["group_id", "offsets"],
    "deleteShareGroupOffsets": ["group_id", "topics"],
}
DEFAULTS = {
    "share.acknowledgement.mode": "implicit",
    "share.acquire.mode": "batch_optimized",
    "max.poll.records": 500,
    "max.poll.interval.ms": 300_000,
    "fetch.min.bytes": 1,
    "fetch.max.bytes": 52_428_800,
    "fetch.max.wait.ms": 500,
    "default.api.timeout.ms": 60_000,
    "request.timeout.ms": 30_000,
    "retry.backoff.ms": 100,
    "allow.auto.create.topics": True,
    "check.crcs": True,
}


def snake_case(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)


@pytest.mark.parametrize("name", sorted(CONSUMER))
def test_a_method_of_javas_share_consumer_is_there(name: str) -> None:
    parameters = inspect.signature(getattr(KafkaShareConsumer, snake_case(name))).parameters
    assert set(CONSUMER[name]) <= parameters.keys()


@pytest.mark.parametrize("name", sorted(NOT_HERE))
def test_what_is_not_there_is_missing(name: str) -> None:
    assert not hasattr(KafkaShareConsumer, snake_case(name))


@pytest.mark.parametrize("name", sorted(ADMIN))
def test_a_method_of_javas_admin_client_is_there(name: str) -> None:
    parameters = inspect.signature(getattr(KafkaAdminClient, snake_case(name))).parameters
    assert list(parameters)[1:] == ADMIN[name]


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_a_setting_has_javas_default(name: str) -> None:
    assert DEFAULT_CONFIG[name.replace(".", "_")] == DEFAULTS[name]


def test_the_acknowledge_types_have_kafkas_numbers() -> None:
    assert {each.name: each.value for each in AcknowledgeType} == {"ACCEPT": 1, "RELEASE": 2, "REJECT": 3, "RENEW": 4}
