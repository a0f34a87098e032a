"""Topics, partitions and records through the admin client."""

from __future__ import annotations

import uuid

import pytest

from embedkafka import EmbeddedKafka, KafkaAdminClient, NewPartitions, NewTopic, OffsetSpec, TopicPartition, errors

TP = TopicPartition("t", 0)


def partition_count(admin: KafkaAdminClient, topic: str) -> int:
    return len(admin.describe_topics([topic])[0]["partitions"])


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (["t"], 1),
        ([NewTopic("t", 3, 1)], 3),
        ([NewTopic("t", replica_assignments={0: [0], 1: [0]})], 2),
        ({"t": {}}, 1),
        ({"t": {"num_partitions": 4, "replication_factor": 1}}, 4),
        ({"t": {"assignments": {0: [0], 1: [0], 2: [0]}}}, 3),
    ],
    ids=["names", "NewTopic", "NewTopic with assignments", "empty options", "options", "options with assignments"],
)
def test_topics_are_created_from_names_options_or_objects(admin: KafkaAdminClient, given: object, count: int) -> None:
    (result,) = admin.create_topics(given)["topics"]
    assert (result["name"], result["error_code"], result["num_partitions"]) == ("t", 0, count)
    assert partition_count(admin, "t") == count


def test_the_result_has_id_and_settings(admin: KafkaAdminClient) -> None:
    (result,) = admin.create_topics({"t": {"configs": {"retention.ms": 1_000, "preallocate": True}}})["topics"]
    assert uuid.UUID(result["topic_id"])
    assert result["configs"]["retention.ms"] == {
        "value": "1000",
        "read_only": False,
        "config_source": "DYNAMIC_TOPIC_CONFIG",
        "is_sensitive": False,
    }
    assert result["configs"]["preallocate"]["value"] == "true"
    assert result["configs"]["cleanup.policy"]["config_source"] == "DEFAULT_CONFIG"


def test_validate_only_creates_nothing(admin: KafkaAdminClient) -> None:
    assert admin.create_topics(["t"], validate_only=True)["topics"][0]["error_code"] == 0
    assert admin.list_topics() == []


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (["a b"], errors.InvalidTopicError),
        ([NewTopic("t", 0)], errors.InvalidPartitionsError),
        ([NewTopic("t", 1, 2)], errors.InvalidReplicationFactorError),
        ({"t": {"configs": {"no.such": "1"}}}, errors.InvalidConfigurationError),
        ({"t": {"configs": {"retention.ms": "x"}}}, errors.InvalidConfigurationError),
        ([], ValueError),
        ({}, ValueError),
        ([7], ValueError),
        ("topic", TypeError),
        ({"t": {"partitions": 3}}, ValueError),
    ],
)
def test_topics_that_cannot_be_created(admin: KafkaAdminClient, given: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        admin.create_topics(given)
    assert admin.list_topics() == []


def test_errors_can_be_left_in_the_result(admin: KafkaAdminClient) -> None:
    results = admin.create_topics(["t", "a b"], raise_errors=False)["topics"]
    assert [result["error_code"] for result in results] == [0, errors.InvalidTopicError.errno]
    assert results[1]["error_message"]
    assert admin.list_topics() == ["t"]


def test_validating_and_waiting_exclude_each_other(admin: KafkaAdminClient) -> None:
    with pytest.raises(ValueError, match="exclude"):
        admin.create_topics(["t"], validate_only=True, wait_for_metadata=True)


def test_waiting_for_a_topic(kafka: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    kafka.clock.call_later(300, lambda: kafka.create_topic("late"))
    admin.wait_for_topics(["late"], timeout_ms=1_000)
    began_ms = kafka.clock.monotonic_ms()
    with pytest.raises(errors.KafkaTimeoutError, match="never"):
        admin.wait_for_topics(["late", "never"], timeout_ms=1_000)
    assert kafka.clock.monotonic_ms() - began_ms == 1_000


def test_topics_are_described_by_name_or_id(kafka: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    kafka.create_topic("t", 2)
    (by_name,) = admin.describe_topics(["t"])
    assert [partition["partition_index"] for partition in by_name["partitions"]] == [0, 1]
    assert by_name["partitions"][0]["leader_id"] == 0
    assert admin.describe_topics([uuid.UUID(by_name["topic_id"])]) == [by_name]
    assert admin.describe_topics() == [by_name]


def test_unknown_topics_are_described_as_such(admin: KafkaAdminClient) -> None:
    by_name, by_id = admin.describe_topics(["nowhere", uuid.UUID(int=7)])
    assert by_name["error_code"] == errors.UnknownTopicOrPartitionError.errno
    assert by_id["error_code"] == errors.UnknownTopicIdError.errno


def test_describing_does_not_create(admin: KafkaAdminClient) -> None:
    admin.describe_topics(["nowhere"])
    assert admin.list_topics() == []


def test_topics_are_deleted_by_name_or_id(kafka: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    for topic in ("a", "b", "c"):
        kafka.create_topic(topic)
    topic_id = uuid.UUID(admin.describe_topics(["b"])[0]["topic_id"])
    results = admin.delete_topics(["a", topic_id])["topics"]
    assert [(result["name"], result["error_code"]) for result in results] == [("a", 0), ("b", 0)]
    assert admin.list_topics() == ["c"]


def test_deleting_what_is_not_there(admin: KafkaAdminClient) -> None:
    with pytest.raises(errors.UnknownTopicOrPartitionError):
        admin.delete_topics(["nowhere"])
    with pytest.raises(errors.UnknownTopicIdError):
        admin.delete_topics([uuid.UUID(int=7)])
    (result,) = admin.delete_topics(["nowhere"], raise_errors=False)["topics"]
    assert result["error_code"] == errors.UnknownTopicOrPartitionError.errno


@pytest.mark.parametrize(
    "given",
    [3, {"count": 3}, NewPartitions(3), {"count": 3, "assignments": [[0], [0]]}],
    ids=["number", "dict", "NewPartitions", "assignments"],
)
def test_partitions_are_added(kafka: EmbeddedKafka, admin: KafkaAdminClient, given: object) -> None:
    kafka.create_topic("t", 1)
    response = admin.create_partitions({"t": given})
    assert response.to_dict()["results"] == [{"name": "t", "error_code": 0, "error_message": None}]
    assert partition_count(admin, "t") == 3


@pytest.mark.parametrize("count", [1, 2, 0, -1])
def test_partitions_cannot_become_fewer(kafka: EmbeddedKafka, admin: KafkaAdminClient, count: int) -> None:
    kafka.create_topic("t", 2)
    with pytest.raises(errors.InvalidPartitionsError):
        admin.create_partitions({"t": count})
    assert partition_count(admin, "t") == 2
    assert admin.create_partitions({"t": count}, raise_errors=False).results[0].error_code == 37


def test_partitions_are_not_added_when_only_validating(kafka: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    kafka.create_topic("t", 1)
    admin.create_partitions({"t": 3}, validate_only=True)
    assert partition_count(admin, "t") == 1
    with pytest.raises(TypeError):
        admin.create_partitions({"t": "3"})


def test_partitions_are_described_a_page_at_a_time(kafka: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    kafka.create_topic("a", 2)
    kafka.create_topic("b", 3)
    pages, cursor = [], None
    while True:
        reply = admin.describe_topic_partitions(["b", "a"], response_partition_limit=2, cursor=cursor)
        pages.append([(t["name"], p["partition_index"]) for t in reply["topics"] for p in t["partitions"]])
        cursor = reply["next_cursor"]
        if cursor is None:
            break
    assert pages == [[("a", 0), ("a", 1)], [("b", 0), ("b", 1)], [("b", 2)]]


def test_offsets_by_spec_and_time(kafka: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    with kafka.producer() as producer:
        for timestamp_ms in (1_000, 3_000, 2_000):
            producer.send("t", value=b"x", timestamp_ms=timestamp_ms)
    for spec, offset in [
        (OffsetSpec.EARLIEST, 0),
        (OffsetSpec.LATEST, 3),
        (OffsetSpec.MAX_TIMESTAMP, 1),
        (2_500, 1),
        (9_999, -1),
    ]:
        assert admin.list_partition_offsets({TP: spec})[TP].offset == offset
    with pytest.raises(TypeError):
        admin.list_partition_offsets({TP: "latest"})
    with pytest.raises(errors.UnknownTopicOrPartitionError):
        admin.list_partition_offsets({TopicPartition("nowhere", 0): OffsetSpec.LATEST})


def test_records_below_an_offset_are_deleted(kafka: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    with kafka.producer() as producer:
        for _ in range(5):
            producer.send("t", value=b"x")
    assert admin.delete_records({TP: 3}) == {TP: {"partition_index": 0, "low_watermark": 3, "error_code": 0}}
    assert admin.list_partition_offsets({TP: OffsetSpec.EARLIEST})[TP].offset == 3
    assert admin.delete_records({TP: -1})[TP]["low_watermark"] == 5


def test_records_that_cannot_be_deleted(kafka: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    kafka.create_topic("t", 2)
    with pytest.raises(errors.OffsetOutOfRangeError):
        admin.delete_records({TP: 9})
    with pytest.raises(errors.BrokerResponseError, match=r"t-0.*t-1"):
        admin.delete_records({TP: 9, TopicPartition("t", 1): 9})
    with pytest.raises(errors.UnknownTopicOrPartitionError):
        admin.delete_records({TopicPartition("nowhere", 0): 0})


def test_one_name_is_no_list_of_names_made_of_its_letters(admin: KafkaAdminClient) -> None:
    admin.create_topics(["a", "b"])
    for call in (admin.delete_topics, admin.describe_topics):
        with pytest.raises(TypeError, match="list"):
            call("ab")
    assert admin.list_topics() == ["a", "b"]
