"""bootstrap_servers: what leads to which engine, how long it lives, what happens after a fork or without a close."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from embedkafka import (
    EmbeddedKafka,
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    ManualClock,
    TopicPartition,
    errors,
)
from embedkafka.client import engines
from embedkafka.client.link import connect


@pytest.fixture(autouse=True)
def no_named_engine_is_left():
    yield
    for key in [key for key in engines._registry.by_key if key.startswith("memory")]:
        engines.discard(key)


def test_clients_of_one_address_share_an_engine() -> None:
    with (
        KafkaProducer(bootstrap_servers="embed:memory") as producer,
        KafkaConsumer("t", bootstrap_servers=["embed:memory"], auto_offset_reset="earliest") as consumer,
    ):
        producer.send("t", value=b"x")
        assert len(consumer.poll(0)) == 1


def test_names_in_memory_are_engines_of_their_own() -> None:
    with (
        KafkaProducer(bootstrap_servers="embed:memory/a") as producer,
        KafkaAdminClient(bootstrap_servers="embed:memory/b") as admin,
    ):
        producer.send("t", value=b"x").get(5)
        assert admin.list_topics() == []


def test_an_engine_in_memory_outlives_its_clients_until_it_is_discarded() -> None:
    with KafkaProducer(bootstrap_servers="embed:memory/kept") as producer:
        producer.send("t", value=b"x").get(5)
    with KafkaAdminClient(bootstrap_servers="embed:memory/kept") as admin:
        assert admin.list_topics() == ["t"]
    assert EmbeddedKafka.discard("kept")
    assert not EmbeddedKafka.discard("kept")
    with KafkaAdminClient(bootstrap_servers="embed:memory/kept") as admin:
        assert admin.list_topics() == []


def test_a_directory_is_one_engine_however_it_is_spelled_and_closes_with_its_last_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = KafkaProducer(bootstrap_servers="embed:./data")
    second = KafkaAdminClient(bootstrap_servers=f"embed:{tmp_path}/x/../data")
    first.send("t", value=b"x").get(5)
    assert second.list_topics() == ["t"]
    first.close()
    assert second.list_topics() == ["t"]
    second.close()
    with EmbeddedKafka(tmp_path / "data") as again:  # nobody holds the lock
        assert again.admin().list_topics() == ["t"]


def test_settings_in_the_query_are_the_brokers() -> None:
    with KafkaAdminClient(bootstrap_servers="embed:memory/q?num.partitions=3") as admin:
        admin.create_topics(["t"])
        assert len(admin.describe_topics(["t"])[0]["partitions"]) == 3


def test_a_setting_in_the_query_is_the_same_with_dots_and_with_underscores() -> None:
    with (
        KafkaProducer(bootstrap_servers="embed:memory?num.partitions=3") as first,
        KafkaProducer(bootstrap_servers="embed:memory?num_partitions=3") as second,
    ):
        assert len(first.partitions_for("t")) == len(second.partitions_for("t")) == 3


def test_an_address_like_a_url_is_no_directory_of_the_root() -> None:
    with pytest.raises(errors.KafkaConfigurationError, match="slashes"):
        KafkaProducer(bootstrap_servers="embed://memory")


def test_a_second_opener_with_other_settings_gets_them_listed() -> None:
    with (
        KafkaAdminClient(bootstrap_servers="embed:memory/q?num.partitions=3"),
        KafkaAdminClient(bootstrap_servers="embed:memory/q?num.partitions=3"),
        KafkaAdminClient(bootstrap_servers="embed:memory/q"),
    ):
        with pytest.raises(errors.KafkaConfigurationError, match=r"num\.partitions=5 \(open with 3\)"):
            KafkaAdminClient(bootstrap_servers="embed:memory/q?num.partitions=5")
        with pytest.raises(errors.KafkaConfigurationError, match=r"log\.retention\.ms=1 \(open with the default\)"):
            KafkaAdminClient(bootstrap_servers="embed:memory/q?log.retention.ms=1")


def test_an_unknown_broker_setting_is_an_error_and_opens_nothing() -> None:
    with pytest.raises(errors.KafkaConfigurationError, match=r"num\.partitons"):
        KafkaAdminClient(bootstrap_servers="embed:memory/typo?num.partitons=3")
    assert not EmbeddedKafka.discard("typo")


@pytest.mark.parametrize("servers", ["localhost:9092", ["a:1", "b:2"], "kafka.example.com", None, 7, [], "embed:", [7]])
def test_what_is_no_engine_says_what_to_write(servers: object) -> None:
    with pytest.raises(errors.KafkaConfigurationError, match=r"embed:\./data"):
        KafkaProducer(bootstrap_servers=servers)


def test_a_real_clusters_address_names_the_extra() -> None:
    with pytest.raises(errors.KafkaConfigurationError, match=r"embedkafka\[network\]"):
        KafkaConsumer("t", bootstrap_servers="localhost:9092")


def test_two_engines_at_once_are_refused() -> None:
    with pytest.raises(errors.KafkaConfigurationError, match="2 engines"):
        KafkaConsumer("t", bootstrap_servers=["embed:memory/a", "embed:memory/b"])


def test_a_client_that_cannot_be_built_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="topic"):
        KafkaConsumer("an illegal name", bootstrap_servers=f"embed:{tmp_path}/data")
    with EmbeddedKafka(tmp_path / "data"):
        pass


def test_a_collected_client_lets_go_of_its_engine(tmp_path: Path) -> None:
    producer = KafkaProducer(bootstrap_servers=f"embed:{tmp_path}/data")
    producer.send("t", value=b"x").get(5)
    del producer
    gc.collect()
    with EmbeddedKafka(tmp_path / "data", **{"num.partitions": 7}) as again:  # other settings: the first is closed
        assert again.admin().list_topics() == ["t"]


def test_metadata_is_cached_until_it_changes() -> None:
    with EmbeddedKafka(clock=ManualClock()) as kafka:
        kafka.create_topic("t", 1)
        link = connect(kafka)
        first = link.topic("t")
        assert link.topic("t") is first
        kafka.admin().create_partitions({"t": 2})
        assert len(link.topic("t").partitions) == 2
        kafka.admin().delete_topics(["t"])
        with pytest.raises(errors.UnknownTopicOrPartitionError):
            link.topic("t")
        link.close()


def test_a_topic_can_be_waited_for() -> None:
    clock = ManualClock()
    with EmbeddedKafka(clock=clock) as kafka:
        link = connect(kafka)
        clock.call_later(300, lambda: kafka.create_topic("t"))
        assert link.topic("t", timeout_ms=1_000).topic == "t"
        assert clock.monotonic_ms() == 300
        with pytest.raises(errors.UnknownTopicOrPartitionError):
            link.topic("u", timeout_ms=1_000)
        assert clock.monotonic_ms() == 1_300
        link.close()


def test_a_partition_that_is_not_there_has_no_leader() -> None:
    with EmbeddedKafka(clock=ManualClock()) as kafka:
        kafka.create_topic("t", 2)
        link = connect(kafka)
        assert link.leader_port(TopicPartition("t", 1)) is kafka.engine.ports[0]
        with pytest.raises(errors.UnknownTopicOrPartitionError, match="2 partitions"):
            link.leader_port(TopicPartition("t", 2))
        link.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_after_a_fork_the_child_is_told_whose_the_engine_is_and_can_open_its_own(tmp_path: Path) -> None:
    program = """
        import os, sys
        from embedkafka import EmbeddedKafka, KafkaConsumer, KafkaProducer, errors
        kafka = EmbeddedKafka(sys.argv[1])
        producer, consumer, admin = kafka.producer(), kafka.consumer("t", group_id="g"), kafka.admin()
        producer.send("t", value=b"x").get(5)
        consumer.poll(0)
        owner = os.getpid()
        if os.fork() == 0:
            for call in (lambda: producer.send("t", value=b"y"), lambda: consumer.poll(0), admin.list_topics,
                         lambda: kafka.engine, lambda: kafka.producer()):
                try:
                    call()
                except errors.IllegalStateError as error:
                    assert str(owner) in str(error), error
                else:
                    os._exit(1)
            consumer.close(), producer.close(), admin.close(), kafka.close()
            with EmbeddedKafka() as mine, mine.producer() as own:
                own.send("t", value=b"z").get(5)
            sys.exit(0)
        _, status = os.wait()
        assert status == 0, status
        producer.send("t", value=b"y").get(5)
        assert admin.list_topics() == ["__consumer_offsets", "t"], admin.list_topics()
        kafka.close()
        print("fine")
    """
    assert run(program, tmp_path / "data") == "fine\n"


def test_an_interpreter_that_ends_without_a_close_has_lost_nothing_and_was_closed_cleanly(tmp_path: Path) -> None:
    program = """
        import sys
        from embedkafka import KafkaProducer
        producer = KafkaProducer(bootstrap_servers="embed:" + sys.argv[1], linger_ms=60_000)
        for number in range(100):
            producer.send("t", value=b"%d" % number)
    """
    run(program, tmp_path / "data")
    assert list(tmp_path.glob("data/broker-*/.kafka_cleanshutdown"))
    with (
        EmbeddedKafka(tmp_path / "data") as kafka,
        kafka.consumer("t", auto_offset_reset="earliest", consumer_timeout_ms=0) as consumer,
    ):
        assert len(list(consumer)) == 100


def run(program: str, *arguments: object) -> str:
    """Run a program in an interpreter of its own; its output."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
