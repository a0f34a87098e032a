from __future__ import annotations

from uuid import UUID

import pytest
from broker.support import TOPIC, Broker, running

from embedkafka.broker import api
from embedkafka.errors import for_code
from embedkafka.model import TopicPartition


def refused(result: api.TopicResult) -> tuple[str, str | None]:
    return for_code(result.error_code).__name__, result.error_message


def create(broker: Broker, spec: api.NewTopicSpec, *, validate_only: bool = False) -> api.TopicResult:
    (result,) = broker.port.create_topics(broker.context, [spec], validate_only=validate_only)
    return result


def test_a_created_topic_is_described_with_its_id_and_partitions(broker: Broker) -> None:
    result = broker.create("three", 3)
    (topic,) = broker.port.metadata(broker.context, ["three"]).topics
    assert topic.topic_id == result.topic_id
    assert [partition.partition for partition in topic.partitions] == [0, 1, 2]
    assert {(partition.leader_id, partition.isr) for partition in topic.partitions} == {(0, (0,))}


def test_a_topic_without_counts_gets_the_brokers_defaults() -> None:
    with running(num_partitions=4) as broker:
        assert broker.create("t", -1).num_partitions == 4


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (api.NewTopicSpec("t"), "TopicAlreadyExistsError", "Topic 't' already exists."),
        (api.NewTopicSpec("a b"), "InvalidTopicError", None),
        (api.NewTopicSpec(""), "InvalidTopicError", None),
        (api.NewTopicSpec(".."), "InvalidTopicError", None),
        (api.NewTopicSpec("x" * 250), "InvalidTopicError", None),
        (
            api.NewTopicSpec("n", 0),
            "InvalidPartitionsError",
            "Number of partitions was set to an invalid non-positive value.",
        ),
        (api.NewTopicSpec("n", -2), "InvalidPartitionsError", None),
        (api.NewTopicSpec("n", 10_001), "InvalidPartitionsError", None),
        (api.NewTopicSpec("n", 1, 0), "InvalidReplicationFactorError", None),
        (api.NewTopicSpec("n", 1, 2), "InvalidReplicationFactorError", None),
        (api.NewTopicSpec("n", 1, assignments={0: [0]}), "InvalidRequestError", None),
        (api.NewTopicSpec("n", -1, 1, assignments={0: [0]}), "InvalidRequestError", None),
        (api.NewTopicSpec("n", assignments={1: [0]}), "InvalidReplicationAssignmentError", None),
        (api.NewTopicSpec("n", assignments={0: [7]}), "InvalidReplicationAssignmentError", None),
        (api.NewTopicSpec("n", assignments={0: []}), "InvalidReplicationAssignmentError", None),
        (api.NewTopicSpec("n", assignments={0: [0, 0]}), "InvalidReplicationAssignmentError", None),
        (api.NewTopicSpec("n", configs={"nope": "1"}), "InvalidConfigurationError", None),
        (
            api.NewTopicSpec("n", configs={"retention.ms": None}),
            "InvalidConfigurationError",
            "Null value not supported for topic configs: retention.ms",
        ),
        (api.NewTopicSpec("__consumer_offsets"), "InvalidTopicError", None),
    ],
)
def test_a_bad_topic_is_refused_and_nothing_changes(
    broker: Broker, spec: api.NewTopicSpec, error: str, message: str | None
) -> None:
    version = broker.engine.metadata_version
    result = create(broker, spec)
    assert refused(result)[0] == error
    assert result.error_message
    assert message is None or result.error_message == message
    assert broker.topic_names() == ["t"]
    assert broker.engine.metadata_version == version


def test_names_that_differ_in_dot_and_underscore_only_collide(broker: Broker) -> None:
    broker.create("a.b")
    assert refused(broker.create("a_b")) == (
        "InvalidTopicError",
        "Topic 'a_b' collides with existing topic: a.b",
    )


def test_one_bad_topic_does_not_keep_the_others_back(broker: Broker) -> None:
    results = broker.port.create_topics(broker.context, [api.NewTopicSpec("bad", 0), api.NewTopicSpec("good", 1)])
    assert [result.error_code for result in results] == [37, 0]
    assert broker.topic_names() == ["good", "t"]


def test_a_topic_named_twice_in_one_request_is_not_created(broker: Broker) -> None:
    results = broker.port.create_topics(broker.context, [api.NewTopicSpec("n"), api.NewTopicSpec("n")])
    assert [result.error_message for result in results] == ["Duplicate topic name."] * 2
    assert broker.topic_names() == ["t"]


def test_validate_only_checks_and_creates_nothing(broker: Broker) -> None:
    assert create(broker, api.NewTopicSpec("n", 2), validate_only=True).num_partitions == 2
    assert create(broker, api.NewTopicSpec("n", 0), validate_only=True).error_code == 37
    assert broker.topic_names() == ["t"]


def test_an_assignment_sets_the_number_of_partitions(broker: Broker) -> None:
    assert create(broker, api.NewTopicSpec("n", assignments={1: [0], 0: [0]})).num_partitions == 2


def test_asking_for_a_topic_creates_it_where_that_is_wanted(broker: Broker) -> None:
    (asked,) = broker.port.metadata(broker.context, ["n"]).topics
    assert asked.error_code == 3
    (created,) = broker.port.metadata(broker.context, ["n"], auto_create=True).topics
    assert (created.error_code, len(created.partitions)) == (0, 1)


def test_asking_for_a_topic_creates_none_where_the_broker_does_not_allow_it() -> None:
    with running(auto_create_topics_enable=False) as broker:
        (asked,) = broker.port.metadata(broker.context, ["n"], auto_create=True).topics
        assert asked.error_code == 3
        assert broker.topic_names() == []


def test_a_bad_name_is_not_created_automatically(broker: Broker) -> None:
    (asked,) = broker.port.metadata(broker.context, ["a b"], auto_create=True).topics
    assert asked.error_code == 17
    assert asked.topic_id == UUID(int=0)


def test_a_topic_that_is_deleted_while_it_is_created_automatically_is_unknown(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = broker.engine.topics
    announce = topics._announce

    def delete_at_once() -> None:
        monkeypatch.setattr(topics, "_announce", announce)
        announce()
        topics.delete(["n"])

    monkeypatch.setattr(topics, "_announce", delete_at_once)
    (asked,) = broker.port.metadata(broker.context, ["n"], auto_create=True).topics
    assert for_code(asked.error_code).__name__ == "UnknownTopicOrPartitionError"


def test_a_deleted_topic_is_gone_with_its_records(broker: Broker) -> None:
    broker.send(b"v")
    (result,) = broker.port.delete_topics(broker.context, ["t"])
    assert result.error_code == 0
    assert broker.fetch().error_code == 3
    assert broker.produce(bytearray(b"")).error_code == 3
    broker.create("t")
    assert broker.values() == []


def test_a_topic_created_again_has_another_id(broker: Broker) -> None:
    first = broker.engine.topics.topic("t")
    broker.port.delete_topics(broker.context, ["t"])
    broker.create("t")
    second = broker.engine.topics.topic("t")
    assert first is not None
    assert second is not None
    assert first.topic_id != second.topic_id


def test_deleting_what_is_not_there_is_an_error(broker: Broker) -> None:
    (result,) = broker.port.delete_topics(broker.context, ["nowhere"])
    assert refused(result)[0] == "UnknownTopicOrPartitionError"


def test_deletion_can_be_switched_off() -> None:
    with running(delete_topic_enable=False) as broker:
        broker.create()
        (result,) = broker.port.delete_topics(broker.context, ["t"])
        assert refused(result)[0] == "TopicDeletionDisabledError"
        assert broker.topic_names() == ["t"]


def test_an_internal_topic_cannot_be_deleted(broker: Broker) -> None:
    broker.engine.topics.ensure_internal("__consumer_offsets")
    (result,) = broker.port.delete_topics(broker.context, ["__consumer_offsets"])
    assert refused(result)[0] == "InvalidTopicError"


def test_added_partitions_are_there_at_once_and_old_records_stay(broker: Broker) -> None:
    broker.send(b"v")
    version = broker.engine.metadata_version
    (result,) = broker.port.create_partitions(broker.context, [api.NewPartitionsSpec("t", 3)])
    assert (result.error_code, result.num_partitions) == (0, 3)
    assert broker.engine.metadata_version > version
    broker.send(b"w", to=TopicPartition("t", 2))
    assert broker.values() == [b"v"]


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (api.NewPartitionsSpec("t", 2), "InvalidPartitionsError", "Topic already has 2 partition(s)."),
        (
            api.NewPartitionsSpec("t", 1),
            "InvalidPartitionsError",
            "The topic t currently has 2 partition(s); 1 would not be an increase.",
        ),
        (api.NewPartitionsSpec("t", -1), "InvalidPartitionsError", None),
        (api.NewPartitionsSpec("t", 20_000), "InvalidPartitionsError", None),
        (api.NewPartitionsSpec("nowhere", 2), "UnknownTopicOrPartitionError", None),
        (
            api.NewPartitionsSpec("t", 4, [[0]]),
            "InvalidReplicationAssignmentError",
            "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.",
        ),
        (api.NewPartitionsSpec("t", 3, [[9]]), "InvalidReplicationAssignmentError", None),
    ],
)
def test_a_topic_only_grows_and_by_a_fitting_assignment(
    spec: api.NewPartitionsSpec, error: str, message: str | None
) -> None:
    with running() as broker:
        broker.create("t", 2)
        (result,) = broker.port.create_partitions(broker.context, [spec])
        assert refused(result)[0] == error
        assert message is None or result.error_message == message
        (topic,) = broker.port.metadata(broker.context, ["t"]).topics
        assert len(topic.partitions) == 2


def test_the_offsets_topic_comes_into_being_when_it_is_needed(broker: Broker) -> None:
    assert broker.topic_names() == ["t"]
    topic = broker.engine.topics.ensure_internal("__consumer_offsets")
    assert len(topic.partitions) == 50
    assert topic.log_config.is_compacted
    (described,) = broker.port.metadata(broker.context, ["__consumer_offsets"]).topics
    assert described.is_internal


def test_watchers_hear_of_every_change_and_of_nothing_after_they_stopped(broker: Broker) -> None:
    heard: list[int] = []
    unwatch = broker.engine.watch_metadata(lambda: heard.append(broker.engine.metadata_version))
    broker.create("n")
    broker.port.create_partitions(broker.context, [api.NewPartitionsSpec("n", 2)])
    broker.port.delete_topics(broker.context, ["n"])
    assert len(heard) == 3
    assert heard == sorted(set(heard))
    unwatch()
    broker.create("m")
    assert len(heard) == 3


def test_a_watcher_may_change_topics(broker: Broker) -> None:
    unwatch = broker.engine.watch_metadata(lambda: broker.engine.topics.topic("u") or broker.create("u"))
    broker.create("n")
    unwatch()
    assert broker.topic_names() == ["n", "t", "u"]


def test_topic_ids_repeat_with_the_seed_of_a_manual_clock() -> None:
    ids = []
    for _ in range(2):
        with running() as broker:
            ids.append(broker.create("t").topic_id)
    assert ids[0] == ids[1]


def test_log_dirs_tell_the_size_of_each_log(broker: Broker) -> None:
    broker.create("u", 2)
    broker.send(b"x" * 1000)
    (reply,) = broker.port.describe_log_dirs(broker.context, None)
    sizes = {size.topic_partition: size.size_bytes for size in reply.replicas}
    assert sizes[TOPIC] > 1000
    assert sizes[TopicPartition("u", 1)] == 0
    (narrowed,) = broker.port.describe_log_dirs(broker.context, [TOPIC])
    assert [size.topic_partition for size in narrowed.replicas] == [TOPIC]
