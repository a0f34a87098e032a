"""``log dump``: the words of Kafka's DumpLogSegments."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cli.calls import call
from cli.directories import FIRST_TIMESTAMP_MS, Built, batch, build, write_segment

from embedkafka.coordinator.records import GroupRecord, OffsetRecord, encode
from embedkafka.protocol.consumer.subscription import ConsumerProtocolSubscription, encode_subscription
from embedkafka.protocol.internal.group_metadata import GroupMetadataKey, GroupMetadataValue, MemberMetadata
from embedkafka.protocol.internal.offset_commit import OffsetCommitKey, OffsetCommitValue
from embedkafka.record import encode_batch


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return build(tmp_path / "data")


def test_a_batch_is_one_line_in_kafkas_words(built: Built) -> None:
    first = call("log", "dump", built.log()).stdout.splitlines()[0]
    assert first.startswith(
        "baseOffset: 0 lastOffset: 1 count: 2 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 "
        "partitionLeaderEpoch: 0 isTransactional: false isControl: false "
        "deleteHorizonMs: OptionalLong.empty position: 0 "
        f"CreateTime: {FIRST_TIMESTAMP_MS + 1} "
    )
    assert first.endswith("isvalid: true")


def test_deep_shows_every_record(built: Built) -> None:
    lines = call("log", "dump", "lines-0", "--deep", "--data", built.path).stdout.splitlines()
    assert lines[1] == (
        f"| offset: 0 CreateTime: {FIRST_TIMESTAMP_MS} keySize: 2 valueSize: 7 sequence: -1 headerKeys: [source] "
        "key: k0 payload: value 0"
    )
    assert len(lines) == 3 + 6


def test_json_gives_one_object_a_line_and_keeps_bytes(built: Built) -> None:
    write_segment(built.log(), [batch(0, [b"\xff", None])])
    _, first, second = call("log", "dump", built.log(), "--deep", "--json").objects()
    assert (first["key"], first["payload"], first["payload_base64"]) == ("k0", None, "/w==")
    assert (second["payload"], second["valueSize"]) == (None, -1)


def test_indexes_are_dumped_on_request(built: Built) -> None:
    lines = call("log", "dump", "lines", "--indexes", "--data", built.path).stdout.splitlines()
    assert lines[3] == "offset: 1 position: 0"
    assert lines[6] == f"timestamp: {FIRST_TIMESTAMP_MS + 1} offset: 1"


def test_a_damaged_batch_is_shown_as_such_and_ends_with_exit_code_1(built: Built) -> None:
    data = bytearray(built.log().read_bytes())
    data[70] ^= 1
    built.log().write_bytes(data)
    said = call("log", "dump", built.log())
    assert said.exit_code == 1
    assert [line.split()[-1] for line in said.stdout.splitlines()] == ["false", "true", "true"]


def test_what_follows_the_last_whole_batch_is_a_warning(built: Built) -> None:
    built.log().write_bytes(built.log().read_bytes() + b"torn")
    said = call("log", "dump", built.log())
    assert said.exit_code == 0
    assert "4 bytes are left, too few for a batch" in said.stderr


def test_a_file_of_another_kind_is_wrong_usage(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    assert call("log", "dump", path).exit_code == 2


def test_a_file_that_is_not_there_is_exit_code_4(built: Built) -> None:
    assert call("log", "dump", built.path / "00000000000000000009.log").exit_code == 4


def test_committed_offsets_are_shown_in_words(tmp_path: Path) -> None:
    built = build(tmp_path / "data")
    key, value = encode(OffsetRecord(OffsetCommitKey("readers", "lines", 3), OffsetCommitValue(offset=42)))
    log = built.path / "broker-0" / "__consumer_offsets-7" / built.log().name
    write_segment(log, [bytes(encode_batch([(0, key, value, []), (0, b"??", b"odd", [])]))])
    _, first, second = call("log", "dump", "__consumer_offsets-7", "--deep", "--data", built.path).stdout.splitlines()
    assert 'key: {"type":"1","data":{"group":"readers","topic":"lines","partition":3}} payload: ' in first
    assert '"data":{"offset":42,' in first
    assert second.endswith("key: ?? payload: odd")


def test_a_groups_members_are_shown_in_words(tmp_path: Path) -> None:
    built = build(tmp_path / "data")
    member = MemberMetadata(
        "m", None, "c", "h", 1, 2, encode_subscription(ConsumerProtocolSubscription(1, ["lines"])), b"own format"
    )
    key, value = encode(
        GroupRecord(GroupMetadataKey("readers"), GroupMetadataValue("consumer", 1, "range", "m", 5, [member]))
    )
    log = built.path / "broker-0" / "__consumer_offsets-7" / built.log().name
    write_segment(log, [bytes(encode_batch([(0, key, value, [])]))])
    _, shown = call("log", "dump", "__consumer_offsets-7", "--deep", "--data", built.path, "--json").objects()
    (found,) = shown["decoded_payload"]["data"]["members"]
    assert found["subscription"] == {"topics": ["lines"], "userData": None, "ownedPartitions": []}
    assert found["assignment"] == base64.b64encode(b"own format").decode()
