"""Settings: known, unknown, dotted, checked; each has an effect that a test sees, or a reason why it has none."""

from __future__ import annotations

import pytest
from client.consumer.records import Consumers, send, values

from embedkafka import EmbeddedKafka, KafkaConsumer, TopicPartition, errors
from embedkafka.client.consumer.config import DEFAULT_CONFIG, WITHOUT_MEANING
from embedkafka.client.serializers import IntegerSerializer, StringSerializer

# Settings whose effect a test sees, and which.  What stands here or in WITHOUT_MEANING is all there is.
SEEN_BY = {
    "allow_auto_create_topics": "test_polling: a_topic_is_not_created_where_the_consumer_does_not_allow_it",
    "auto_commit_interval_ms": "test_committing: auto_commit_commits_at_the_interval",
    "auto_offset_reset": "test_positions: without_a_committed_offset_auto_offset_reset_says_where_to_begin",
    "bootstrap_servers": "tests/client/test_links.py",
    "check_crcs": "here: check_crcs_refuses_a_damaged_batch",
    "client_id": "here: client_id_is_what_the_group_sees",
    "consumer_timeout_ms": "test_iteration: iteration_ends_when_nothing_came_for_consumer_timeout_ms",
    "default_offset_commit_callback": "test_committing: default_offset_commit_callback_hears_of_auto_commits",
    "enable_auto_commit": "test_committing: commit_commits_the_positions",
    "exclude_internal_topics": "test_positions: topics_and_partitions",
    "fetch_max_bytes": "here: fetch_max_bytes_bounds_a_fetch",
    "fetch_max_wait_ms": "test_polling: fetch_min_bytes_is_waited_for_at_most_fetch_max_wait_ms",
    "fetch_min_bytes": "test_polling: enough_bytes_end_the_wait_for_fetch_min_bytes",
    "group_id": "test_groups",
    "group_instance_id": "test_groups: a_static_member_comes_back_to_its_partitions_without_a_rebalance",
    "group_protocol": "test_consumer_protocol",
    "group_remote_assignor": "test_consumer_protocol: the_program_may_choose_among_the_brokers_assignors",
    "interceptor_classes": "test_polling: interceptors_see_and_change_what_is_returned",
    "isolation_level": "here: isolation_level_is_read",
    "key_deserializer": "here: deserializers_are_callables_objects_or_classes",
    "max_partition_fetch_bytes": "test_polling: max_partition_fetch_bytes_bounds_what_is_held",
    "max_poll_interval_ms": "test_groups: a_consumer_that_does_not_poll_for_max_poll_interval_ms_loses_its_partitions",
    "max_poll_records": "test_polling: max_poll_records_bounds_a_poll_by_default",
    "metric_group_prefix": "here: metric_group_prefix_names_the_groups",
    "metrics_enabled": "test_polling: metrics_count_what_happened",
    "partition_assignment_strategy": "test_groups: a_custom_assignor_by_class_object_or_name",
    "request_timeout_ms": "here: request_timeout_ms_bounds_a_commit",
    "retry_backoff_ms": "here: retry_backoff_ms_lies_between_two_attempts",
    "session_timeout_ms": "test_groups: a_killed_consumer_is_missed_when_its_session_is_over",
    "value_deserializer": "here: deserializers_are_callables_objects_or_classes",
}


def test_every_setting_has_an_effect_or_a_reason_for_none() -> None:
    assert SEEN_BY.keys() | WITHOUT_MEANING.keys() == DEFAULT_CONFIG.keys()
    assert not SEEN_BY.keys() & WITHOUT_MEANING.keys()
    assert all(reason for reason in WITHOUT_MEANING.values())


@pytest.mark.parametrize("name", sorted(WITHOUT_MEANING))
def test_a_setting_without_meaning_is_accepted(kafka: EmbeddedKafka, consumer: Consumers, name: str) -> None:
    client = consumer(**{name: DEFAULT_CONFIG[name]})
    assert client.config[name] == DEFAULT_CONFIG[name]


def test_an_unknown_setting_names_the_nearest(kafka: EmbeddedKafka) -> None:
    with pytest.raises(errors.KafkaConfigurationError, match="'max_pol_records'; did you mean 'max_poll_records'"):
        KafkaConsumer(bootstrap_servers=kafka, max_pol_records=1)
    with pytest.raises(errors.KafkaConfigurationError, match=r"'max\.pol\.records'; did you mean 'max\.poll\.records'"):
        KafkaConsumer(bootstrap_servers=kafka, **{"max.pol.records": 1})
    with pytest.raises(errors.KafkaConfigurationError, match=r"'qwxyz'$"):
        KafkaConsumer(bootstrap_servers=kafka, qwxyz=1)


def test_javas_names_and_texts_are_understood(kafka: EmbeddedKafka) -> None:
    given = {"max.poll.records": "7", "enable.auto.commit": "false", "group.id": "g", "auto.offset.reset": "earliest"}
    with KafkaConsumer(bootstrap_servers=kafka, **given) as client:
        settings = client.config
    assert (settings["max_poll_records"], settings["enable_auto_commit"]) == (7, False)
    assert (settings["group_id"], settings["auto_offset_reset"]) == ("g", "earliest")


@pytest.mark.parametrize(("name", "text"), [("max.poll.records", "many"), ("enable.auto.commit", "perhaps")])
def test_a_text_that_cannot_be_read(kafka: EmbeddedKafka, name: str, text: str) -> None:
    with pytest.raises(errors.KafkaConfigurationError, match=name):
        KafkaConsumer(bootstrap_servers=kafka, **{name: text})


def test_one_setting_under_both_names(kafka: EmbeddedKafka) -> None:
    with pytest.raises(errors.KafkaConfigurationError, match="the same setting"):
        KafkaConsumer(bootstrap_servers=kafka, group_id="a", **{"group.id": "b"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"auto_offset_reset": "newest"},
        {"auto_offset_reset": "by_duration:"},
        {"auto_offset_reset": "by_duration:1h"},
        {"isolation_level": "read_everything"},
        {"max_poll_records": 0},
        {"fetch_max_bytes": -1},
        {"session_timeout_ms": -1},
        {"retry_backoff_ms": "soon"},
        {"group_id": ""},
        {"group_id": 7},
        {"group_instance_id": "i"},
        {"group_id": "g", "group_instance_id": ""},
        {"group_id": "g", "group_instance_id": "a b"},
        {"partition_assignment_strategy": []},
        {"partition_assignment_strategy": ["fair"]},
        {"partition_assignment_strategy": [object]},
        {"value_deserializer": 7},
        {"group_protocol": "quantum"},
        {"group_remote_assignor": "range"},
        {"group_protocol": "consumer", "session_timeout_ms": 10_000},
        {"group_protocol": "consumer", "heartbeat.interval.ms": 3_000},
        {"group_protocol": "consumer", "partition_assignment_strategy": ["range"]},
        {"fetch_max_wait_ms": 30_000},
    ],
    ids=str,
)
def test_a_value_that_cannot_be(kafka: EmbeddedKafka, wrong: dict[str, object]) -> None:
    with pytest.raises(errors.KafkaConfigurationError):
        KafkaConsumer("t", bootstrap_servers=kafka, **wrong)


def test_a_session_timeout_outside_the_brokers_limits_is_refused(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    with pytest.raises(errors.InvalidSessionTimeoutError):
        consumer("t", group_id="g", session_timeout_ms=1).poll(0)


def test_client_id_is_what_the_group_sees(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    consumer("t", group_id="g", client_id="me").poll(0)
    (member,) = kafka.admin().describe_groups(["g"])["g"]["members"]
    assert member["client_id"] == "me"
    assert member["member_id"].startswith("me-")


def test_deserializers_are_callables_objects_or_classes(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    with kafka.producer(key_serializer=StringSerializer(), value_serializer=IntegerSerializer()) as producer:
        producer.send("t", key="k", value=7)
    for key in (bytes.decode, StringSerializer(), StringSerializer):
        ((record,),) = consumer("t", key_deserializer=key, value_deserializer=IntegerSerializer()).poll(0).values()
        assert (record.key, record.value) == ("k", 7)


def test_a_deserializer_sees_topic_and_headers(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    seen = []

    class Nosy:
        def deserialize(self, topic: str, headers: object, data: bytes) -> bytes:
            seen.append((topic, headers, data))
            return data

    with kafka.producer() as producer:
        producer.send("t", value=b"x", headers=[("h", b"1")])
    consumer("t", value_deserializer=Nosy()).poll(0)
    assert seen == [("t", [("h", b"1")], b"x")]


def test_a_deserializer_is_closed_with_its_consumer(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    class Closing(StringSerializer):
        closed = False

        def close(self) -> None:
            self.closed = True

    mine = Closing()
    consumer("t", value_deserializer=mine).close()
    assert mine.closed


def test_check_crcs_refuses_a_damaged_batch(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    send(kafka, "t", [b"damage me"])
    port, broken = kafka.engine.ports[0], []
    fetch = port.fetch

    def damaged(context, request, complete):
        def damage(reply):
            for partition in reply.partitions:
                broken.extend(bytearray(chunk).replace(b"damage", b"DAMAGE") for chunk in partition.records)
            complete(
                reply._replace(
                    partitions=[p._replace(records=[memoryview(c) for c in broken]) for p in reply.partitions]
                )
            )

        return fetch(context, request, damage)

    port.fetch = damaged
    with pytest.raises(errors.CorruptRecordError):
        consumer("t").poll(0)
    broken.clear()
    assert values(consumer("t", check_crcs=False).poll(0)) == [b"DAMAGE me"]


def test_fetch_max_bytes_bounds_a_fetch(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    kafka.create_topic("t", 4)
    for partition in range(4):
        send(kafka, "t", [b"x" * 10_000], partition=partition)
    assert len(consumer("t").poll(0)) == 4
    assert len(consumer("t", fetch_max_bytes=15_000).poll(0)) < 4


def test_isolation_level_is_read(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    from embedkafka import IsolationLevel

    send(kafka, "t", [b"x"])
    for level in ("read_committed", "read_uncommitted", IsolationLevel.READ_COMMITTED):
        assert values(consumer("t", isolation_level=level).poll(0)) == [b"x"]


def test_metric_group_prefix_names_the_groups(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    assert "mine-fetch-manager-metrics" in consumer(metric_group_prefix="mine").metrics()


def test_request_timeout_ms_bounds_a_commit(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    from embedkafka import OffsetAndMetadata

    client = consumer("t", group_id="g", request_timeout_ms=3_000)
    client.poll(0)
    began_ms = kafka.clock.monotonic_ms()
    with pytest.raises(errors.KafkaTimeoutError):
        client.commit({TopicPartition("nowhere", 0): OffsetAndMetadata(1, "", -1)})
    assert kafka.clock.monotonic_ms() - began_ms == 3_000


def test_retry_backoff_ms_lies_between_two_attempts(kafka: EmbeddedKafka, consumer: Consumers) -> None:
    from embedkafka import OffsetAndMetadata

    client = consumer("t", group_id="g", retry_backoff_ms=250)
    client.poll(0)
    with pytest.raises(errors.KafkaTimeoutError):
        client.commit({TopicPartition("nowhere", 0): OffsetAndMetadata(1, "", -1)}, timeout_ms=1_000)
    assert client.metrics()["consumer-coordinator-metrics"]["commit-total"] == 5
