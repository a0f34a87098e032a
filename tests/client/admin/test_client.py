"""The admin client itself: cluster, log directories, settings, life, and what is not there yet."""

from __future__ import annotations

import inspect

import pytest

from embedkafka import EmbeddedKafka, KafkaAdminClient, TopicPartition, errors
from embedkafka.client.admin import later
from embedkafka.client.admin.client import DEFAULT_CONFIG, WITHOUT_MEANING

_WITH_EFFECT = {"bootstrap_servers", "client_id", "request_timeout_ms", "retry_backoff_ms"}


def test_the_cluster(admin: KafkaAdminClient) -> None:
    cluster = admin.describe_cluster()
    assert cluster["cluster_id"]
    assert cluster["controller_id"] == 0
    assert [broker["broker_id"] for broker in cluster["brokers"]] == [0]
    assert admin.list_partition_reassignments() == {}


def test_log_directories(kafka: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    kafka.create_topic("u", 2)
    with kafka.producer(linger_ms=60_000) as producer:
        producer.send("t", value=b"x" * 1_000)
        ((described,),) = [broker["log_dirs"] for broker in admin.describe_log_dirs(["t"])]
        (topic,) = described["topics"]
    assert topic["name"] == "t"
    assert topic["partitions"][0]["partition_size"] > 1_000  # what the producer still held is counted
    (described,) = admin.describe_log_dirs({"u": [1]}, brokers=[0])[0]["log_dirs"]
    (topic,) = described["topics"]
    assert [(p["partition_index"], p["partition_size"]) for p in topic["partitions"]] == [(1, 0)]
    assert len(admin.describe_log_dirs()) == 1
    with pytest.raises(errors.UnknownTopicOrPartitionError):
        admin.describe_log_dirs(["nowhere"])


LATER = sorted(name for name in vars(later.LaterAdmin) if not name.startswith("_"))


@pytest.mark.parametrize("name", LATER)
def test_what_is_not_there_yet_says_so(admin: KafkaAdminClient, name: str) -> None:
    method = getattr(admin, name)
    required = [p for p in inspect.signature(method).parameters.values() if p.default is p.empty]
    with pytest.raises(errors.UnsupportedVersionError, match="not in this version"):
        method(*[None] * len(required))


def test_every_setting_has_an_effect_or_a_reason_for_none() -> None:
    assert _WITH_EFFECT | WITHOUT_MEANING.keys() == DEFAULT_CONFIG.keys()


def test_an_unknown_setting_names_the_nearest(kafka: EmbeddedKafka) -> None:
    with pytest.raises(errors.KafkaConfigurationError, match="'request_timeout_ms'"):
        KafkaAdminClient(bootstrap_servers=kafka, request_timeout=1)


def test_values_that_cannot_be(kafka: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    with pytest.raises(errors.KafkaConfigurationError, match="request_timeout_ms"):
        KafkaAdminClient(bootstrap_servers=kafka, request_timeout_ms=-1)
    with pytest.raises(ValueError, match="timeout_ms"):
        admin.create_topics(["t"], timeout_ms=-1)
    assert admin.list_topics() == []


def test_every_method_of_a_closed_client(kafka: EmbeddedKafka) -> None:
    admin = kafka.admin()
    admin.close()
    admin.close()
    tp = TopicPartition("t", 0)
    for call in (
        admin.list_topics,
        lambda: admin.create_topics(["t"]),
        lambda: admin.delete_topics(["t"]),
        lambda: admin.describe_configs([]),
        lambda: admin.list_groups(),
        lambda: admin.describe_groups(["g"]),
        lambda: admin.list_partition_offsets({tp: 0}),
        lambda: admin.delete_records({tp: 0}),
        admin.describe_cluster,
        admin.describe_log_dirs,
    ):
        with pytest.raises(errors.IllegalStateError, match="closed"):
            call()


def test_kafka_pythons_module_path_is_there() -> None:
    import kafka.admin as theirs

    import embedkafka.admin as ours

    assert set(theirs.__all__) <= set(ours.__all__)
