"""Decoders refuse what is not a message, say where, and never allocate what a frame only promises."""

from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol.apis.messages import FEW, KINDS, Kind

from embedkafka.errors import KafkaProtocolError
from embedkafka.protocol.apis import api
from embedkafka.protocol.varint import encode_uvarint

REQUESTS = [kind for kind in KINDS if kind.direction == "request"]


@pytest.mark.parametrize("kind", REQUESTS, ids=str)
@FEW
@given(st.data())
def test_a_request_that_is_cut_short_or_too_long_is_refused(kind: Kind, data: st.DataObject) -> None:
    encoded = kind.encode(data.draw(kind.messages()))
    if encoded:
        with pytest.raises(KafkaProtocolError, match=f"{kind.schema.message.__name__} v{kind.version}: .* at byte "):
            kind.decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])
    with pytest.raises(KafkaProtocolError, match=f"ends at byte {len(encoded)}, 1 before its bytes end"):
        kind.decode(encoded + b"\0")


@pytest.mark.parametrize("kind", REQUESTS, ids=str)
@FEW
@given(st.data())
def test_changed_bytes_are_a_message_or_a_protocol_error(kind: Kind, data: st.DataObject) -> None:
    encoded = bytearray(kind.encode(data.draw(kind.messages())))
    for place, byte in data.draw(
        st.dictionaries(st.integers(0, max(0, len(encoded) - 1)), st.integers(0, 255))
    ).items():
        encoded[place : place + 1] = bytes([byte])
    try:
        message = kind.decode(bytes(encoded))
    except KafkaProtocolError:
        return
    assert kind.decode(kind.encode(message)) == message or message != message  # NaN in a quota


@pytest.mark.parametrize("kind", REQUESTS, ids=str)
@FEW
@given(st.binary(max_size=64))
def test_garbage_is_a_message_or_a_protocol_error(kind: Kind, garbage: bytes) -> None:
    try:
        kind.decode(garbage)
    except KafkaProtocolError:
        return


@pytest.mark.parametrize("version", [3, 13])
def test_a_huge_count_in_a_small_frame_allocates_nothing(version: int) -> None:
    count = encode_uvarint(2**31) if version == 13 else struct.pack("!i", 2**31 - 1)
    transactional_id = b"\0" if version == 13 else b"\xff\xff"
    frame = transactional_id + struct.pack("!hi", -1, 30_000) + count + bytes(12)
    api(0).request.decode_whole(frame[: -12 - len(count)] + (b"\1\0" if version == 13 else bytes(4)), version)
    tracemalloc.start()
    with pytest.raises(KafkaProtocolError, match=r"topic_data: 214748364[78] at byte .* runs past the end"):
        api(0).request.decode_whole(frame, version)
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_a_count_is_compared_with_what_its_elements_take() -> None:
    # 60 topics of at least 6 bytes each (a name's length and a count) do not fit into 100 bytes.
    frame = struct.pack("!hhiI", -1, 1, 0, 60) + bytes(100)
    with pytest.raises(KafkaProtocolError, match=r"ProduceRequest.topic_data: 60 at byte 12 runs past the end at 112"):
        api(0).request.decode_whole(frame, 3)


def test_a_string_that_is_not_utf_8_is_named() -> None:
    frame = struct.pack("!h", 3) + b"a\xffb"
    with pytest.raises(KafkaProtocolError, match=r"FindCoordinatorRequest v0: .*\.key at byte 2 is not UTF-8"):
        api(10).request.decode_whole(frame, 0)


def test_a_null_where_none_may_be_is_named() -> None:
    with pytest.raises(KafkaProtocolError, match=r"FindCoordinatorRequest.key may not be null"):
        api(10).request.decode_whole(b"\xff\xff", 0)


def test_unknown_tagged_fields_are_passed_over() -> None:
    schema = api(12).request
    message = schema.message("group", 1, "member", None)
    encoded = schema.encode_bytes(message, 4)
    tagged = encoded[:-1] + encode_uvarint(2) + encode_uvarint(0) + b"\x03abc" + encode_uvarint(77_000) + b"\0"
    assert schema.decode_whole(tagged, 4) == message


def test_a_tagged_field_that_is_not_as_long_as_it_says_is_refused() -> None:
    schema = api(1).request
    message = schema.message(cluster_id="abc")
    encoded = schema.encode_bytes(message, 12)
    assert encoded.endswith(b"\1\0\4\4abc")
    with pytest.raises(KafkaProtocolError, match=r"FetchRequest.cluster_id: a tagged field of 5 bytes ends at byte"):
        schema.decode_whole(encoded[:-7] + b"\1\0\5\4abcd", 12)
    with pytest.raises(KafkaProtocolError, match=r"FetchRequest.cluster_id: 3 at byte .* runs past the end"):
        schema.decode_whole(encoded[:-7] + b"\1\0\3\4abc", 12)
