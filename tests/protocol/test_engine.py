"""The schema engine: every type in every kind of version, what it refuses, and another implementation's bytes."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from uuid import UUID as UuidValue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.errors import KafkaProtocolError, UnsupportedVersionError
from embedkafka.protocol import compiler
from embedkafka.protocol.fields import (
    BOOL,
    BYTES,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    RECORDS,
    STRING,
    UINT16,
    UINT32,
    UUID,
    ZERO_UUID,
    VersionRange,
    array,
    wire,
)
from embedkafka.protocol.schema import Schema
from embedkafka.protocol.varint import decode_uvarint, encode_uvarint


@dataclass(slots=True)
class Inner:
    name: str = wire(STRING)
    numbers: list[int] = wire(array(INT64), "1+", ignorable=True)
    extra: str = wire(STRING, "2+", default="", tag=3, tagged="2+", ignorable=True)


@dataclass(slots=True)
class Everything:
    small: int = wire(INT8)
    short: int = wire(INT16)
    port: int = wire(UINT16)
    plain: int = wire(INT32)
    wide: int = wire(UINT32)
    long: int = wire(INT64)
    ratio: float = wire(FLOAT64)
    flag: bool = wire(BOOL)
    identity: UuidValue = wire(UUID)
    text: str = wire(STRING)
    maybe_text: str | None = wire(STRING, default=None, nullable="0+")
    data: bytes = wire(BYTES)
    maybe_data: bytes | None = wire(BYTES, default=None, nullable="0+")
    texts: list[str] = wire(array(STRING))
    maybe_numbers: list[int] | None = wire(array(INT32), default=None, nullable="0+")
    identities: list[UuidValue] = wire(array(UUID))
    inner: Inner = wire(Inner)
    inners: list[Inner] = wire(array(Inner))
    maybe_inner: Inner | None = wire(Inner, "2+", default=None, nullable="2+", ignorable=True)
    since: int = wire(INT32, "1+", default=-1)
    tagged_number: int = wire(INT32, "2+", default=7, tag=0, tagged="2+", ignorable=True)
    tagged_inners: list[Inner] = wire(array(Inner), "2+", tag=2, tagged="2+", ignorable=True)


SCHEMA = Schema(Everything, versions="0-2", flexible="2+")

inners = st.builds(Inner, name=st.text(max_size=5), numbers=st.lists(st.integers(-(2**63), 2**63 - 1)), extra=st.text())
messages = st.builds(
    Everything,
    small=st.integers(-128, 127),
    short=st.integers(-(2**15), 2**15 - 1),
    port=st.integers(0, 2**16 - 1),
    plain=st.integers(-(2**31), 2**31 - 1),
    wide=st.integers(0, 2**32 - 1),
    long=st.integers(-(2**63), 2**63 - 1),
    ratio=st.floats(allow_nan=False),
    flag=st.booleans(),
    identity=st.uuids(),
    text=st.text(),
    maybe_text=st.none() | st.text(),
    data=st.binary(),
    maybe_data=st.none() | st.binary(),
    texts=st.lists(st.text(max_size=4)),
    maybe_numbers=st.none() | st.lists(st.integers(-(2**31), 2**31 - 1)),
    identities=st.lists(st.uuids(), max_size=3),
    inner=inners,
    inners=st.lists(inners, max_size=3),
    maybe_inner=st.none() | inners,
    since=st.integers(-1, 100),
    tagged_number=st.integers(0, 100),
    tagged_inners=st.lists(inners, max_size=2),
)


def as_of(message: Inner | Everything, version: int) -> Inner | Everything:
    """What is left of a message after a version that lacks some of its fields."""
    from dataclasses import fields, replace

    changes: dict[str, object] = {}
    for field in fields(message):
        value = getattr(message, field.name)
        if isinstance(value, Inner):
            changes[field.name] = as_of(value, version)
        elif isinstance(value, list) and value and isinstance(value[0], Inner):
            changes[field.name] = [as_of(each, version) for each in value]
        if version not in field.metadata["wire"].versions:
            changes[field.name] = getattr(type(message)(), field.name)
    return replace(message, **changes)  # type: ignore[arg-type]


@given(messages, st.integers(0, 2))
def test_what_is_encoded_is_decoded(message: Everything, version: int) -> None:
    if version == 0:
        message.since = -1
    encoded = SCHEMA.encode_bytes(message, version)
    assert SCHEMA.decode_whole(encoded, version) == as_of(message, version)


@given(messages, st.integers(0, 2), st.data())
def test_a_message_cut_short_is_refused(message: Everything, version: int, data: st.DataObject) -> None:
    message.since = -1
    encoded = SCHEMA.encode_bytes(message, version)
    with pytest.raises(KafkaProtocolError):
        SCHEMA.decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))], version)


@given(st.binary(), st.integers(0, 2))
def test_arbitrary_bytes_are_decoded_or_refused_and_nothing_else(data: bytes, version: int) -> None:
    with contextlib.suppress(KafkaProtocolError):
        SCHEMA.decode(data, version)


@given(messages, st.integers(0, 2), st.data())
def test_a_flipped_bit_is_decoded_or_refused_and_nothing_else(
    message: Everything, version: int, data: st.DataObject
) -> None:
    message.since = -1
    encoded = bytearray(SCHEMA.encode_bytes(message, version))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(KafkaProtocolError):
        SCHEMA.decode(encoded, version)


def test_bytes_left_over_are_refused_where_the_message_must_end() -> None:
    with pytest.raises(KafkaProtocolError, match="1 before its bytes end"):
        SCHEMA.decode_whole(SCHEMA.encode_bytes(Everything(), 0) + b"\0", 0)


def test_a_count_beyond_the_bytes_is_refused_before_anything_is_allocated() -> None:
    schema = Schema(Inner, versions="0-2", flexible="2+")
    with pytest.raises(KafkaProtocolError, match=r"Inner\.numbers: 2147483647 at byte 7 runs past the end at 7"):
        schema.decode(b"\0\1n\x7f\xff\xff\xff", 1)


def test_a_null_where_none_may_be_is_refused() -> None:
    with pytest.raises(KafkaProtocolError, match=r"Inner\.name may not be null"):
        Schema(Inner, versions="0-2", flexible="2+").decode(b"\xff\xff", 0)


def test_a_version_that_does_not_exist_is_refused() -> None:
    for call in (lambda: SCHEMA.encode_bytes(Everything(), 3), lambda: SCHEMA.decode(b"", -1)):
        with pytest.raises(UnsupportedVersionError, match="versions 0 to 2"):
            call()


def test_a_value_that_the_version_would_lose_is_refused_unless_it_may_be_dropped() -> None:
    with pytest.raises(UnsupportedVersionError, match="Everything v0 has no field since"):
        SCHEMA.encode_bytes(Everything(since=1), 0)
    assert SCHEMA.decode_whole(SCHEMA.encode_bytes(Everything(tagged_number=1), 0), 0).tagged_number == 7


UNFIT = [Everything(small=128), Everything(text=None), Everything(text="x" * 32_768)]  # type: ignore[arg-type] # unfit


@pytest.mark.parametrize("message", UNFIT)
def test_a_value_that_does_not_fit_its_type_is_refused(message: Everything) -> None:
    with pytest.raises(KafkaProtocolError, match="Everything v0"):
        SCHEMA.encode_bytes(message, 0)


def test_tagged_fields_at_their_default_take_no_room() -> None:
    empty = SCHEMA.encode_bytes(Everything(), 2)
    assert empty.endswith(b"\0")
    assert SCHEMA.encode_bytes(Everything(tagged_number=8), 2) == empty[:-1] + b"\1\0\4\0\0\0\x08"


def test_tagged_fields_that_nobody_knows_are_skipped() -> None:
    empty = SCHEMA.encode_bytes(Everything(), 2)
    unknown = empty[:-1] + b"\2" + b"\0\4\0\0\0\x08" + b"\x63\3abc"
    assert SCHEMA.decode_whole(unknown, 2) == Everything(tagged_number=8)


@dataclass(slots=True)
class WithRecords:
    name: str = wire(STRING)
    records: bytes | memoryview | None = wire(RECORDS, default=None, nullable="0+")
    after: int = wire(INT32)


@pytest.mark.parametrize("version", [0, 1])
def test_record_data_is_passed_through_without_a_copy(version: int) -> None:
    schema = Schema(WithRecords, versions="0-1", flexible="1+")
    data = bytes(10_000)
    chunks = schema.encode(WithRecords("n", data, 5), version)
    assert [chunk is data for chunk in chunks] == [False, True, False]
    joined = b"".join(chunks)
    decoded = schema.decode_whole(joined, version)
    assert isinstance(decoded.records, memoryview)
    assert decoded.records.obj is joined
    assert (bytes(decoded.records), decoded.after) == (data, 5)


def test_the_generated_code_can_be_read() -> None:
    assert "def encode_WithRecords(value, append):" in compiler.encoder_source(WithRecords, 0, flexible=False)


@given(st.integers(0, 2**32 - 1))
def test_unsigned_varints_round_trip_in_at_most_five_bytes(value: int) -> None:
    encoded = encode_uvarint(value)
    assert len(encoded) == max(1, -(-value.bit_length() // 7))
    assert decode_uvarint(memoryview(b"x" + encoded + b"y"), 1) == (value, 1 + len(encoded))


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x80\x01"])
def test_an_unsigned_varint_of_more_than_32_bits_is_refused(data: bytes) -> None:
    with pytest.raises(KafkaProtocolError, match="more than 32 bits"):
        decode_uvarint(memoryview(data), 0)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [("0+", (0, 99), ()), ("1-3", (1, 3), (0, 4)), ("2", (2,), (1, 3)), ("none", (), (0,))],
)
def test_version_ranges_are_read_as_kafka_writes_them(text: str, inside: tuple[int], outside: tuple[int]) -> None:
    parsed = VersionRange.parse(text)
    assert all(version in parsed for version in inside)
    assert not any(version in parsed for version in outside)


# An API of another implementation -----------------------------------------------------------------------------------


@dataclass(slots=True)
class CommitPartition:
    partition_index: int = wire(INT32)
    committed_offset: int = wire(INT64)
    committed_leader_epoch: int = wire(INT32, "6+", default=-1, ignorable=True)
    committed_metadata: str | None = wire(STRING, nullable="0+")


@dataclass(slots=True)
class CommitTopic:
    name: str = wire(STRING)
    partitions: list[CommitPartition] = wire(array(CommitPartition))


@dataclass(slots=True)
class OffsetCommitRequest:
    group_id: str = wire(STRING)
    generation_id_or_member_epoch: int = wire(INT32, "1+", default=-1, ignorable=True)
    member_id: str = wire(STRING, "1+", ignorable=True)
    group_instance_id: str | None = wire(STRING, "7+", default=None, nullable="7+")
    retention_time_ms: int = wire(INT64, "2-4", default=-1, ignorable=True)
    topics: list[CommitTopic] = wire(array(CommitTopic))


COMMIT = Schema(OffsetCommitRequest, versions="2-9", flexible="8+")
names = st.text(min_size=1, max_size=8)


commits = st.lists(st.tuples(names, st.lists(st.integers(0, 99))), max_size=3)


@given(st.integers(2, 9), names, st.none() | names, commits)
def test_an_api_has_the_same_bytes_as_in_kafka_python(
    version: int, group_id: str, metadata: str | None, topics: list[tuple[str, list[int]]]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from kafka.protocol.consumer import OffsetCommitRequest as Theirs
    topic_class = Theirs.OffsetCommitRequestTopic
    partition_class = topic_class.OffsetCommitRequestPartition
    theirs = Theirs(
        group_id=group_id,
        generation_id_or_member_epoch=3,
        member_id="m",
        group_instance_id=None,
        retention_time_ms=-1,
        topics=[
            topic_class(
                name=name,
                partitions=[
                    partition_class(
                        partition_index=number,
                        committed_offset=number << 33,
                        committed_leader_epoch=2,
                        committed_metadata=metadata,
                    )
                    for number in numbers
                ],
            )
            for name, numbers in topics
        ],
    )
    ours = OffsetCommitRequest(
        group_id,
        3,
        "m",
        None,
        -1,
        [CommitTopic(name, [CommitPartition(n, n << 33, 2, metadata) for n in numbers]) for name, numbers in topics],
    )
    assert COMMIT.encode_bytes(ours, version) == bytes(theirs.encode(version=version))


def test_the_zero_uuid_is_the_default() -> None:
    assert Everything().identity == ZERO_UUID
