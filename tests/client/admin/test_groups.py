"""Groups and their offsets through the admin client."""

from __future__ import annotations

import pytest

from embedkafka import EmbeddedKafka, KafkaAdminClient, OffsetAndMetadata, OffsetSpec, TopicPartition, errors
from embedkafka.admin import GroupState, MemberToRemove, OffsetTimestamp

TP = TopicPartition("t", 0)


@pytest.fixture
def ten(kafka: EmbeddedKafka) -> EmbeddedKafka:
    """Ten records, a second apart from 1,000 s on, and a group that has read three of them and left."""
    with kafka.producer() as producer:
        for number in range(10):
            producer.send("t", value=b"%d" % number, timestamp_ms=1_000_000 + 1_000 * number)
    with kafka.consumer("t", group_id="g", auto_offset_reset="earliest") as consumer:
        consumer.poll(0, max_records=3)
    return kafka


def offset(admin: KafkaAdminClient) -> int | None:
    return admin.list_group_offsets("g")["g"][TP].offset


def test_groups_are_listed_and_filtered(ten: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    assert admin.list_groups() == [
        {"group_id": "g", "protocol_type": "consumer", "group_state": "Empty", "group_type": "classic"}
    ]
    with ten.consumer("t", group_id="live") as consumer:
        consumer.poll(0)
        assert [group["group_id"] for group in admin.list_groups(states_filter=["stable"])] == ["live"]
        assert [group["group_id"] for group in admin.list_groups(states_filter=[GroupState.EMPTY])] == ["g"]
        assert len(admin.list_groups(types_filter=["classic"])) == 2
        assert admin.list_groups(types_filter=["consumer"]) == []
        assert len(admin.list_groups(broker_ids=[0])) == 2


def test_a_groups_members_are_described(ten: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    with ten.consumer("t", group_id="g", client_id="me", group_instance_id="i") as consumer:
        consumer.poll(0)
        described = admin.describe_groups(["g"])["g"]
    assert (described["group_state"], described["protocol_data"], described["error"]) == ("Stable", "range", None)
    (member,) = described["members"]
    assert (member["client_id"], member["group_instance_id"]) == ("me", "i")
    assert member["member_metadata"]["topics"] == ["t"]
    assert member["member_assignment"]["assigned_partitions"] == [{"topic": "t", "partitions": [0]}]


def test_a_group_that_is_not_there_is_dead(admin: KafkaAdminClient) -> None:
    described = admin.describe_groups(["nobody"])["nobody"]
    assert (described["group_state"], described["members"]) == ("Dead", [])
    assert "GroupIdNotFoundError" in described["error"]
    assert admin.list_group_offsets("nobody") == {"nobody": {}}


def test_offsets_are_listed_by_group_and_partition(ten: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    expected = {"g": {TP: OffsetAndMetadata(3, "", 0)}}
    for specs in ("g", ["g"], {"g": None}, {"g": [TP]}):
        assert admin.list_group_offsets(specs) == expected
    with pytest.raises(ValueError, match="no groups"):
        admin.list_group_offsets([])


def test_offsets_are_altered(ten: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    assert admin.alter_group_offsets("g", {TP: OffsetAndMetadata(7, "by hand", -1)}) == {TP: errors.NoError}
    assert admin.list_group_offsets("g")["g"][TP] == OffsetAndMetadata(7, "by hand", -1)
    assert admin.alter_group_offsets("g", {}) == {}
    with pytest.raises(TypeError):
        admin.alter_group_offsets("g", {TP: OffsetAndMetadata(None, "", -1)})
    with pytest.raises(ValueError, match="from 0 on"):
        admin.alter_group_offsets("g", {TP: OffsetAndMetadata(-3, "", -1)})
    assert admin.list_group_offsets("g")["g"][TP].offset == 7


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (OffsetSpec.EARLIEST, 2),
        (OffsetSpec.LATEST, 10),
        (OffsetTimestamp(1_004_500), 5),
        (OffsetTimestamp(9_999_999), 10),
        (6, 6),
        (0, 2),
        (99, 10),
        (-1, 10),
    ],
    ids=repr,
)
def test_offsets_are_reset_within_what_the_partition_holds(
    ten: EmbeddedKafka, admin: KafkaAdminClient, spec: int, expected: int
) -> None:
    admin.delete_records({TP: 2})
    assert admin.reset_group_offsets("g", {TP: spec}) == {TP: {"error": errors.NoError, "offset": expected}}
    assert offset(admin) == expected


def test_a_reset_needs_a_spec(ten: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    with pytest.raises(TypeError):
        admin.reset_group_offsets("g", {TP: "earliest"})
    assert admin.reset_group_offsets("g", {}) == {}
    assert offset(admin) == 3


def test_offsets_are_deleted(ten: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    assert admin.delete_group_offsets("g", [TP]) == {TP: errors.NoError}
    assert admin.list_group_offsets("g") == {"g": {}}
    with pytest.raises(errors.GroupIdNotFoundError):
        admin.delete_group_offsets("nobody", [TP])


def test_a_group_with_members_is_left_alone(ten: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    with ten.consumer("t", group_id="g", enable_auto_commit=False) as consumer:
        consumer.poll(0)
        assert admin.alter_group_offsets("g", {TP: OffsetAndMetadata(7, "", -1)}) == {TP: errors.UnknownMemberIdError}
        assert admin.reset_group_offsets("g", {TP: 5})[TP]["error"] is errors.UnknownMemberIdError
        assert admin.delete_group_offsets("g", [TP]) == {TP: errors.GroupSubscribedToTopicError}
        assert admin.delete_groups(["g"]) == {"g": "NonEmptyGroupError"}
        assert offset(admin) == 3


def test_groups_are_deleted(ten: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    assert admin.delete_groups(["g", "nobody"]) == {"g": "OK", "nobody": "GroupIdNotFoundError"}
    assert admin.list_groups() == []
    assert admin.list_group_offsets("g") == {"g": {}}


def test_members_are_removed(ten: EmbeddedKafka, admin: KafkaAdminClient) -> None:
    dynamic = ten.consumer("t", group_id="g")
    static = ten.consumer("t", group_id="g", group_instance_id="i")
    for _ in range(3):
        dynamic.poll(0)
        static.poll(0)
    dynamic_id = dynamic.group_metadata().member_id
    removed = admin.remove_group_members("g", [MemberToRemove(dynamic_id), MemberToRemove(group_instance_id="i")])
    assert set(removed.values()) == {errors.NoError}
    assert admin.describe_groups(["g"])["g"]["members"] == []
    assert admin.remove_group_members("g", [MemberToRemove("nobody")]) == {"nobody": errors.UnknownMemberIdError}
    assert admin.remove_group_members("g", []) == {}
    dynamic.close()
    static.close()


def test_a_group_of_the_consumer_protocol_is_described_in_the_same_shape(kafka: EmbeddedKafka) -> None:
    kafka.create_topic("t", 2)
    with kafka.admin() as admin, kafka.consumer("t", group_id="g", group_protocol="consumer") as consumer:
        consumer.poll(0)
        assert [(group["group_type"], group["group_state"]) for group in admin.list_groups()] == [
            ("consumer", "Stable")
        ]
        described = admin.describe_groups(["g"])["g"]
        (member,) = described["members"]
    assert (described["group_type"], described["group_state"], described["protocol_data"]) == (
        "consumer",
        "Stable",
        "uniform",
    )
    assert member["member_metadata"]["topics"] == ["t"]
    assert member["member_assignment"]["assigned_partitions"] == [{"topic": "t", "partitions": [0, 1]}]
    assert member["target_assignment"] == member["member_assignment"]
    assert (member["member_type"], member["member_epoch"]) == ("consumer", 2)
