"""The producer's settings against kafka-python's, and what each of them refuses."""

from __future__ import annotations

import inspect
from typing import Any

import kafka
import pytest

from embedkafka import KafkaProducer
from embedkafka.client.producer.config import DEFAULT_CONFIG, WITHOUT_MEANING, producer_settings
from embedkafka.errors import IllegalStateError, KafkaConfigurationError

OURS_ONLY = {"buffer_memory", "interceptors"}
OTHER_DEFAULTS = {"partitioner", "kafka_client", "selector", "socket_options"}  # objects, of our own or of no use here


def test_names_and_defaults_are_kafka_pythons() -> None:
    theirs = kafka.KafkaProducer.DEFAULT_CONFIG
    assert set(DEFAULT_CONFIG) - OURS_ONLY == set(theirs)
    assert {name: DEFAULT_CONFIG[name] for name in theirs if name not in OTHER_DEFAULTS} == {
        name: value for name, value in theirs.items() if name not in OTHER_DEFAULTS
    }


def test_methods_have_kafka_pythons_parameters() -> None:
    for name, theirs in inspect.getmembers(kafka.KafkaProducer, inspect.isfunction):
        if name.startswith("_") or name == "max_usable_produce_magic":
            continue
        ours = inspect.signature(getattr(KafkaProducer, name))
        assert list(ours.parameters) == list(inspect.signature(theirs).parameters), name
        assert [p.default for p in ours.parameters.values()] == [
            p.default for p in inspect.signature(theirs).parameters.values()
        ], name


def test_every_setting_is_used_or_explained() -> None:
    used = {
        "bootstrap_servers client_id key_serializer value_serializer transactional_id delivery_timeout_ms acks "
        "compression_type retries batch_size linger_ms partitioner interceptors buffer_memory max_block_ms "
        "max_request_size allow_auto_create_topics retry_backoff_ms request_timeout_ms metrics_enabled "
        "max_in_flight_requests_per_connection enable_idempotence transaction_timeout_ms"
    }
    assert set(DEFAULT_CONFIG) == set(" ".join(used).split()) | set(WITHOUT_MEANING)
    assert all(len(reason) > 10 for reason in WITHOUT_MEANING.values())


def test_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(KafkaConfigurationError, match="linger_ms"):
        producer_settings({"linger": 5, "lingerms": 3})
    with pytest.raises(KafkaConfigurationError, match=r"batch\.size"):
        producer_settings({"batch.sizes": 5})


def test_javas_dotted_names_are_taken(world: Any) -> None:
    producer = world.producer(**{"batch.size": "1000", "linger.ms": 5, "compression.type": "gzip", "acks": "1"})
    assert (producer.config["batch_size"], producer.config["linger_ms"]) == (1000, 5)
    assert (producer.config["compression_type"], producer.config["acks"]) == ("gzip", 1)


@pytest.mark.parametrize(
    "bad",
    [
        {"acks": 2},
        {"acks": "some"},
        {"acks": True},
        {"compression_type": "brotli"},
        {"compression_type": 3},
        {"retries": -1},
        {"retries": "many"},
        {"linger_ms": -1},
        {"linger_ms": "soon"},
        {"batch_size": -1},
        {"batch_size": 1.5},
        {"buffer_memory": 0},
        {"max_request_size": 0},
        {"max_block_ms": -1},
        {"delivery_timeout_ms": None},
        {"key_serializer": 7},
        {"partitioner": 7},
        {"enable_idempotence": True, "acks": 1},
        {"enable_idempotence": True, "retries": 0},
        {"enable_idempotence": True, "max_in_flight_requests_per_connection": 6},
        {"batch_size": 1, "batch.size": 2},
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(bad: dict[str, Any]) -> None:
    with pytest.raises(KafkaConfigurationError, match=next(iter(bad))):
        producer_settings(bad)


@pytest.mark.parametrize(
    ("given", "left"), [({"acks": 1}, False), ({"retries": 0}, False), ({}, True), ({"enable_idempotence": True}, True)]
)
def test_a_conflict_switches_idempotence_off_unless_it_was_asked_for(given: dict[str, Any], left: bool) -> None:
    assert producer_settings(given)["enable_idempotence"] is left


def test_a_transactional_id_asks_for_idempotence() -> None:
    assert producer_settings({"transactional_id": "mine"})["enable_idempotence"] is True
    with pytest.raises(KafkaConfigurationError, match="enable_idempotence"):
        producer_settings({"transactional_id": "mine", "enable_idempotence": False})
    with pytest.raises(KafkaConfigurationError, match="acks=1"):
        producer_settings({"transactional_id": "mine", "acks": 1})


@pytest.mark.parametrize("bad", ["", 7, b"mine"])
def test_a_transactional_id_is_a_text(bad: Any) -> None:
    with pytest.raises(KafkaConfigurationError, match="transactional_id"):
        producer_settings({"transactional_id": bad})


def test_transactions_need_a_transactional_id(world: Any) -> None:
    producer = world.producer()
    for call in (
        producer.init_transactions,
        producer.begin_transaction,
        producer.commit_transaction,
        producer.abort_transaction,
        lambda: producer.send_offsets_to_transaction({}, "g"),
    ):
        with pytest.raises(IllegalStateError, match="transactional_id"):
            call()


def test_a_producer_tells_its_client_id(world: Any) -> None:
    assert "client_id=mine" in repr(world.producer(client_id="mine"))
    one, two = world.producer(), world.producer()
    assert one.config["client_id"] != two.config["client_id"]
    assert one.bootstrap_connected()
