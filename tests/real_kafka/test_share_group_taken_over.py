"""Apache Kafka goes on where a share group of ours stopped: it reads both internal topics that we wrote."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import kafka
import pytest

from embedkafka.broker import api
from embedkafka.broker.engine import Engine
from embedkafka.clock import ManualClock
from embedkafka.model import TopicPartition

TOPIC = "shared"
GROUP = "jobs"
REMOTE = api.RequestContext(client_id="c", in_process=False)
INTERNAL = ("__consumer_offsets", "__share_group_state")


def _share_groups(jars: Any, bootstrap_servers: str, *options: str) -> list[list[str]]:
    """What ``kafka-share-groups`` prints, a row a line."""
    output = jars.run(
        "org.apache.kafka.tools.consumer.group.ShareGroupCommand", "--bootstrap-server", bootstrap_servers, *options
    )
    return [line.split() for line in output.splitlines() if line.strip()]


def _written_by_us(data: Path, theirs: Path) -> None:
    """An engine that knows Kafka's topic, id and all, and a share group that has begun to read it."""
    Engine.open(data, clock=ManualClock()).close()
    (broker_folder,) = data.glob("broker-*")
    for folder in theirs.glob(f"{TOPIC}-*"):
        shutil.copytree(folder, broker_folder / folder.name)
    (data / "catalog.sqlite").unlink(missing_ok=True)  # so that topics are taken as they are found
    engine = Engine.open(data, clock=ManualClock())
    port = engine.ports[0]
    offsets = {TopicPartition(TOPIC, 0): 3, TopicPartition(TOPIC, 1): 0}
    altered = port.alter_share_group_offsets(REMOTE, api.AlterShareGroupOffsetsRequest(GROUP, offsets))
    assert {each.error_code for each in altered.offsets.values()} == {0}
    request = api.ShareGroupHeartbeatRequest(GROUP, "member-of-ours", 0, None, [TOPIC])
    assert port.share_group_heartbeat(REMOTE, request).error_code == 0
    engine.close()


@pytest.mark.timeout(300)
def test_apache_kafka_knows_our_share_group_its_members_and_how_far_it_is(
    stopped_kafka_broker: Any, kafka_jars: Any, tmp_path: Path
) -> None:
    broker = stopped_kafka_broker
    broker.start()
    admin = kafka.KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    admin.create_topics({TOPIC: {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()
    producer = kafka.KafkaProducer(bootstrap_servers=broker.bootstrap_servers)
    for number in range(5):
        producer.send(TOPIC, b"job %d" % number, partition=0)
    producer.close()
    # Both internal topics come into being there with the first share group.
    options = ("--group", "another", "--reset-offsets", "--to-earliest", "--topic", TOPIC, "--execute")
    _share_groups(kafka_jars, broker.bootstrap_servers, *options)
    broker.stop()

    _written_by_us(tmp_path / "data", broker.logs)
    for ours in (folder for name in INTERNAL for folder in (tmp_path / "data").glob(f"broker-*/{name}-*")):
        theirs = broker.logs / ours.name
        for old in [*theirs.glob("*.log"), *theirs.glob("*index"), *theirs.glob("*.snapshot")]:
            old.unlink()
        for file in ours.glob("0*.log"):
            shutil.copy(file, theirs)
    broker.start()
    offsets = _share_groups(kafka_jars, broker.bootstrap_servers, "--group", GROUP, "--describe", "--offsets")
    found = {(row[1], row[2]): row[3] for row in offsets if row[0] == GROUP}
    assert found == {(TOPIC, "0"): "3", (TOPIC, "1"): "0"}
    members = _share_groups(kafka_jars, broker.bootstrap_servers, "--group", GROUP, "--describe", "--members")
    assert "member-of-ours" in [word for row in members for word in row]
    groups = _share_groups(kafka_jars, broker.bootstrap_servers, "--list")
    assert [GROUP] in groups
