"""A share consumer's settings: each has an effect, or is in the table of those without meaning, or is refused."""

from __future__ import annotations

import pytest
from client.share_consumer.jobs import GROUP, ShareConsumers, records, send

from embedkafka import EmbeddedKafka, KafkaShareConsumer, errors
from embedkafka.client.share_consumer.config import WITHOUT_MEANING


@pytest.mark.parametrize("group_id", [None, "", 5])
def test_a_group_is_needed(kafka: EmbeddedKafka, group_id: object) -> None:
    with pytest.raises(errors.InvalidGroupIdError):
        kafka.share_consumer("jobs", group_id=group_id)


@pytest.mark.parametrize(
    "name", ["auto_offset_reset", "enable_auto_commit", "isolation_level", "group_instance_id", "session.timeout.ms"]
)
def test_a_consumers_setting_that_share_groups_do_not_have_is_refused(kafka: EmbeddedKafka, name: str) -> None:
    with pytest.raises(errors.KafkaConfigurationError, match="share group"):
        kafka.share_consumer("jobs", group_id=GROUP, **{name: "x"})


def test_an_unknown_setting_names_the_nearest(kafka: EmbeddedKafka) -> None:
    with pytest.raises(errors.KafkaConfigurationError, match="share_acknowledgement_mode"):
        kafka.share_consumer("jobs", group_id=GROUP, share_acknowledge_mode="explicit")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("share_acknowledgement_mode", "sometimes"),
        ("share_acquire_mode", "all"),
        ("max_poll_records", 0),
        ("retry_backoff_ms", -1),
        ("fetch_max_bytes", 0),
    ],
)
def test_a_value_that_cannot_be_is_refused(kafka: EmbeddedKafka, name: str, value: object) -> None:
    with pytest.raises(errors.KafkaConfigurationError, match=name):
        kafka.share_consumer("jobs", group_id=GROUP, **{name: value})


def test_javas_names_are_understood(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 3)
    settings = {"share.acknowledgement.mode": "EXPLICIT", "max.poll.records": "2", "group.id": GROUP}
    with kafka.share_consumer("jobs", **settings) as worker:
        first, _ = records(worker.poll())
        worker.acknowledge(first)


def test_settings_without_meaning_are_accepted(kafka: EmbeddedKafka) -> None:
    defaults = KafkaShareConsumer.DEFAULT_CONFIG
    assert defaults.keys() >= WITHOUT_MEANING.keys()
    given = {name: defaults[name] for name in WITHOUT_MEANING}
    kafka.share_consumer("jobs", group_id=GROUP, **given).close()


def test_keys_and_values_are_deserialized(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    with kafka.producer() as producer:
        producer.send("jobs", b"5", key=b"k")
    worker = consumer("jobs", key_deserializer=bytes.decode, value_deserializer=int)
    (record,) = records(worker.poll())
    assert (record.key, record.value) == ("k", 5)


def test_topics_are_created_where_that_is_allowed(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    consumer("made").poll()
    consumer("not-made", allow_auto_create_topics=False).poll()
    with kafka.admin() as admin:
        topics = admin.list_topics()
    assert "made" in topics
    assert "not-made" not in topics


def test_metrics_count_what_happened(kafka: EmbeddedKafka, consumer: ShareConsumers) -> None:
    send(kafka, "jobs", 3)
    worker = consumer("jobs", share_acknowledgement_mode="implicit")
    worker.poll()
    worker.commit_sync()
    metrics = worker.metrics(raw=True)
    assert metrics is not None
    fetching = "consumer-share-fetch-manager-metrics"
    assert metrics[fetching, "records-consumed-total"] == 3
    assert metrics[fetching, "acknowledgements-send-total"] == 3
    assert metrics[fetching, "acknowledgements-error-total"] == 0
    assert metrics["consumer-share-coordinator-metrics", "assigned-partitions"] == 1
    assert consumer("jobs", metrics_enabled=False).metrics() is None


def test_there_is_no_client_instance_id(consumer: ShareConsumers) -> None:
    with pytest.raises(errors.IllegalStateError, match="metrics"):
        consumer("jobs").client_instance_id(1_000)
