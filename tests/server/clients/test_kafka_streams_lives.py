"""Kafka Streams that is killed, replaced by a standby and reset: a minute, so only with EMBEDKAFKA_FULL=1."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import AdminClient
from real_kafka.jars import KafkaJars
from server.clients.streams_application import StreamsApplication, has_counts

pytestmark = pytest.mark.real_kafka


def test_an_instance_that_is_killed_is_replaced_from_its_changelog_and_by_a_standby(
    application: StreamsApplication,
) -> None:
    lines = [(str(number), "all") for number in range(100)]
    application.send("words", lines)
    first = application.start()
    application.read("counts", has_counts(all="100"))
    first.kill()
    application.send("words", lines)
    second = application.start("num.standby.replicas=1")
    application.read("counts", has_counts(all="200"))
    assert sum(int(line.split()[2]) for line in second.output if line.startswith("restored counts")) > 0
    third = application.start("num.standby.replicas=1")
    application.send("words", lines)
    application.read("counts", has_counts(all="300"))
    second.kill()
    application.send("words", lines)
    application.read("counts", has_counts(all="400"))
    assert application.ask(third, "all") == "400"


def test_an_application_that_is_reset_counts_again(
    application: StreamsApplication, app_jars: KafkaJars, broker: str
) -> None:
    application.send("words", [(str(number), "all") for number in range(100)])
    instance = application.start()
    application.read("counts", has_counts(all="100"))
    instance.say("close")
    instance.ended()
    topics = [f"{application.name}-{each}" for each in ("words", "users", "clicks", "events")]
    arguments = ["--application-id", application.name, "--input-topics", ",".join(topics), "--force"]
    app_jars.run("org.apache.kafka.tools.StreamsResetter", "--bootstrap-server", broker, *arguments)
    left = AdminClient({"bootstrap.servers": broker}).list_topics().topics
    assert not [name for name in left if name.startswith(f"{application.name}-") and name.endswith("-changelog")]
    application.start()
    application.read("counts", lambda found: [value for _, value in found if value == "100"] == ["100", "100"])
