"""``EmbeddedKafka``: the engine as an object."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

import embedkafka
from embedkafka import (
    EmbeddedKafka,
    KafkaAdminClient,
    KafkaProducer,
    ManualClock,
    OffsetAndMetadata,
    TopicPartition,
    errors,
)
from embedkafka.broker.engine import Engine
from embedkafka.errors import KafkaStorageError


def test_without_a_path_it_is_in_memory_and_alone() -> None:
    with EmbeddedKafka() as one, EmbeddedKafka() as other:
        one.create_topic("t")
        assert one.admin().list_topics() == ["t"]
        assert other.admin().list_topics() == []


def test_its_address_leads_to_it() -> None:
    with EmbeddedKafka() as kafka:
        kafka.create_topic("t")
        with KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers) as admin:
            assert admin.list_topics() == ["t"]
        assert kafka.admin().list_topics() == ["t"]


@pytest.mark.parametrize("name", ["what?", "a?num.partitions=3", "100%", "%3F", "?%25?"])
def test_a_directory_of_any_name_can_be_named_in_an_address(tmp_path: Path, name: str) -> None:
    with EmbeddedKafka(tmp_path / name) as kafka:
        kafka.create_topic("t")
        with KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers) as admin:
            assert admin.list_topics() == ["t"]
        with KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers + "?") as admin:
            assert admin.list_topics() == ["t"]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_name_in_memory_may_hold_a_question_mark() -> None:
    with KafkaAdminClient(bootstrap_servers="embed:memory/what%3F?num.partitions=3") as admin:
        admin.create_topics(["t"])
    assert EmbeddedKafka.discard("what?")


def test_its_address_leads_to_its_directory(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path) as kafka, KafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        producer.send("t", value=b"x").get(5)
        assert kafka.admin().list_topics() == ["t"]


def test_conveniences_make_clients_of_this_engine() -> None:
    with EmbeddedKafka(clock=ManualClock()) as kafka:
        kafka.create_topic("t", 3, configs={"retention.ms": 1_000})
        with kafka.producer(client_id="p") as producer, kafka.consumer("t", auto_offset_reset="earliest") as consumer:
            producer.send("t", value=b"x", partition=2)
            assert list(consumer.poll(0)) == [TopicPartition("t", 2)]


def test_create_topic_raises_what_is_wrong() -> None:
    with EmbeddedKafka(clock=ManualClock()) as kafka:
        kafka.create_topic("t")
        for arguments, error in [
            (("t",), errors.TopicAlreadyExistsError),
            (("a b",), errors.InvalidTopicError),
            (("u", 0), errors.InvalidPartitionsError),
        ]:
            with pytest.raises(error):
                kafka.create_topic(*arguments)
        with pytest.raises(errors.InvalidConfigurationError):
            kafka.create_topic("u", configs={"retention.ms": "soon"})
        assert kafka.admin().list_topics() == ["t"]


def test_broker_settings_under_either_name() -> None:
    with (
        EmbeddedKafka(clock=ManualClock(), num_partitions=4) as kafka,
        EmbeddedKafka(clock=ManualClock(), **{"num.partitions": 5}) as other,
    ):
        for engine, count in ((kafka, 4), (other, 5)):
            engine.create_topic("t")
            assert len(engine.admin().describe_topics(["t"])[0]["partitions"]) == count


def test_an_unknown_broker_setting_names_the_nearest() -> None:
    with pytest.raises(errors.KafkaConfigurationError, match=r"num\.partitions"):
        EmbeddedKafka(num_partitons=4)


def test_a_closed_engine_refuses_and_closing_twice_is_fine() -> None:
    kafka = EmbeddedKafka()
    producer = kafka.producer()
    kafka.close()
    kafka.close()
    for call in (lambda: kafka.engine, kafka.producer, lambda: kafka.create_topic("t")):
        with pytest.raises(errors.IllegalStateError, match="closed"):
            call()
    with pytest.raises(errors.IllegalStateError, match="closed"):
        producer.send("t", value=b"x")
    producer.close()
    assert "closed" in repr(kafka)


def test_closing_leaves_no_thread() -> None:
    before = threading.active_count()
    with EmbeddedKafka():
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_an_engine_with_a_manual_clock_has_no_thread() -> None:
    before = threading.active_count()
    with EmbeddedKafka(clock=ManualClock()) as kafka, kafka.producer() as producer:
        producer.send("t", value=b"x").get(0)
        assert threading.active_count() == before


def test_a_second_object_on_a_directory_shares_the_engine_and_leaves_it_open(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path) as first:
        with EmbeddedKafka(tmp_path) as second:
            second.create_topic("t")
        with pytest.raises(errors.IllegalStateError, match="closed"):
            second.create_topic("u")
        assert first.admin().list_topics() == ["t"]


def test_a_second_object_with_other_settings_gets_them_listed(tmp_path: Path) -> None:
    with (
        EmbeddedKafka(tmp_path),
        pytest.raises(errors.KafkaConfigurationError, match=r"num\.partitions=3 \(open with the default\)"),
    ):
        EmbeddedKafka(tmp_path, num_partitions=3)


def test_an_object_that_is_collected_leaves_the_engine_to_its_clients() -> None:
    producer = KafkaProducer(bootstrap_servers=EmbeddedKafka())
    gc.collect()
    producer.send("t", value=b"x").get(5)
    producer.close()
    del producer
    gc.collect()
    with EmbeddedKafka():  # opening does what finalizers left to do
        assert sum(thread.name.startswith("embedkafka") for thread in threading.enumerate()) == 1


def test_read_only_looks_beside_the_owner(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path) as owner:
        owner.producer().send("t", value=b"x").get(5)
        with EmbeddedKafka(tmp_path, read_only=True) as look, look.admin() as admin:
            assert admin.list_topics() == ["t"]
            assert admin.list_partition_offsets({TopicPartition("t", 0): -1})[TopicPartition("t", 0)].offset == 1
        assert owner.producer().send("t", value=b"y").get(5).offset == 1


def test_a_producer_on_a_read_only_engine_is_refused_at_once(tmp_path: Path) -> None:
    EmbeddedKafka(tmp_path).close()
    with (
        EmbeddedKafka(tmp_path, read_only=True) as look,
        pytest.raises(embedkafka.errors.KafkaStorageError, match="reading"),
    ):
        look.producer()


@pytest.mark.parametrize("group_protocol", ["classic", "consumer"])
def test_a_member_of_a_group_on_a_read_only_engine_is_refused_at_once(tmp_path: Path, group_protocol: str) -> None:
    with EmbeddedKafka(tmp_path) as owner:
        owner.create_topic("t")
    with EmbeddedKafka(tmp_path, clock=ManualClock(), read_only=True) as look:
        consumer = look.consumer("t", group_id="g", group_protocol=group_protocol)
        with pytest.raises(KafkaStorageError, match=r"reading only.*assign"):
            consumer.poll(timeout_ms=60_000)
        consumer.close()


def test_a_consumer_on_a_read_only_engine_reads_what_it_was_assigned_and_commits_nothing(tmp_path: Path) -> None:
    one = TopicPartition("t", 0)
    with EmbeddedKafka(tmp_path, clock=ManualClock()) as owner:
        with owner.producer() as producer:
            producer.send("t", b"v").get()
        with owner.consumer(group_id="g") as consumer:
            consumer.assign([one])
            consumer.commit({one: OffsetAndMetadata(0, "", -1)})
        with EmbeddedKafka(tmp_path, clock=ManualClock(), read_only=True) as look:
            consumer = look.consumer(group_id="g", auto_commit_interval_ms=1)
            consumer.assign([one])
            assert [record.value for record in consumer.poll(timeout_ms=60_000)[one]] == [b"v"]
            assert consumer.committed(one) == 0
            with pytest.raises(KafkaStorageError, match="reading only"):
                consumer.commit()
            assert isinstance(consumer.commit_async().exception, KafkaStorageError)
            consumer.close()


PUBLIC_NAMES = """
    AcknowledgeType AsyncConsumerRebalanceListener BytesSerializer ConfigResource ConfigResourceType
    ConsumerGroupMetadata ConsumerRebalanceListener ConsumerRecord DefaultSerializer Deserializer EmbeddedKafka
    IntegerSerializer IsolationLevel JsonSerializer KafkaAdminClient KafkaConsumer KafkaProducer KafkaShareConsumer
    ManualClock MsgpackSerializer NewPartitions NewTopic OffsetAndMetadata OffsetAndTimestamp OffsetSpec
    ProducerRecord RecordMetadata Serializer StringSerializer SubscriptionPattern TopicPartition TopicPartitionReplica
    errors
"""


def test_the_public_names_are_these() -> None:
    assert sorted(embedkafka.__all__) == PUBLIC_NAMES.split()


@pytest.mark.parametrize("name", embedkafka.__all__)
def test_a_public_name_is_there(name: str) -> None:
    assert getattr(embedkafka, name) is not None
    assert name in dir(embedkafka)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="KafkaStreams"):
        _ = embedkafka.KafkaStreams


def test_a_callback_may_close_another_engine_while_its_own_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka, other = EmbeddedKafka(), EmbeddedKafka()
    running, closing = threading.Event(), threading.Event()
    close = Engine.close

    def close_noticed(engine: Engine) -> None:
        closing.set()
        close(engine)

    def callback(_: object) -> None:
        running.set()
        closing.wait()
        other.close()

    producer = kafka.producer()
    producer.send("t", b"x").add_callback(callback)
    running.wait()
    monkeypatch.setattr(Engine, "close", close_noticed)
    kafka.close()
    with pytest.raises(errors.IllegalStateError):
        _ = other.engine


@pytest.mark.parametrize("clock", [None, ManualClock()], ids=["real time", "manual clock"])
def test_opening_a_directory_again_from_a_callback_of_its_closing_is_an_error_at_once(
    tmp_path: Path, clock: ManualClock | None
) -> None:
    kafka = EmbeddedKafka(tmp_path, clock=clock)
    producer = kafka.producer(linger_ms=60_000)
    outcome: list[object] = []

    def open_again(_: object) -> None:
        try:
            outcome.append(EmbeddedKafka(tmp_path))
        except errors.IllegalStateError as error:
            outcome.append(str(error))

    producer.send("t", b"v").add_callback(open_again)
    kafka.close()
    assert len(outcome) == 1
    assert "after close() has returned" in str(outcome[0])
    with EmbeddedKafka(tmp_path) as again:
        assert again.admin().list_topics() == ["t"]


@pytest.mark.parametrize("clock", [None, ManualClock()], ids=["real time", "manual clock"])
def test_a_callback_of_the_closing_may_close_the_engine_too(tmp_path: Path, clock: ManualClock | None) -> None:
    kafka = EmbeddedKafka(tmp_path, clock=clock)
    done: list[object] = []

    def close(_: object) -> None:
        kafka.close()
        done.append(True)

    kafka.producer(linger_ms=60_000).send("t", b"v").add_callback(close)
    kafka.close()
    assert done
    with EmbeddedKafka(tmp_path) as again:
        assert again.admin().list_topics() == ["t"]
