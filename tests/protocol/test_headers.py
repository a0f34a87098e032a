"""Request and response headers, as other implementations write and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.errors import KafkaProtocolError
from embedkafka.protocol.headers import (
    RequestHeader,
    decode_request_header,
    decode_response_header,
    encode_request_header,
    encode_response_header,
    peek_request,
)

headers = st.builds(
    RequestHeader,
    st.integers(-(2**15), 2**15 - 1),
    st.integers(-(2**15), 2**15 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.none() | st.text(max_size=20),
)


@given(headers, st.sampled_from([1, 2]), st.binary(max_size=4))
def test_a_request_header_comes_back_from_its_bytes(header: RequestHeader, version: int, body: bytes) -> None:
    encoded = encode_request_header(header, version)
    assert decode_request_header(memoryview(encoded + body), version) == (header, len(encoded))
    assert peek_request(memoryview(encoded)) == header[:3]


def test_the_first_version_has_no_client_id() -> None:
    encoded = encode_request_header(RequestHeader(7, 0, 5, "dropped"), 0)
    assert encoded.hex() == "0007000000000005"
    assert decode_request_header(memoryview(encoded), 0) == (RequestHeader(7, 0, 5), 8)


def test_the_client_id_keeps_its_long_length_in_the_flexible_header() -> None:
    assert encode_request_header(RequestHeader(18, 3, 1, "me"), 2).hex() == "00120003000000010002" + b"me".hex() + "00"
    assert encode_request_header(RequestHeader(18, 3, 1), 2).hex() == "0012000300000001ffff00"


def test_tagged_fields_of_a_header_are_passed_over() -> None:
    frame = bytes.fromhex("0012000300000001ffff") + b"\1\7\3abcBODY"
    assert decode_request_header(memoryview(frame), 2) == (RequestHeader(18, 3, 1), len(frame) - 4)


@given(st.integers(-(2**31), 2**31 - 1), st.sampled_from([0, 1]))
def test_a_response_header_comes_back_from_its_bytes(correlation_id: int, version: int) -> None:
    encoded = encode_response_header(correlation_id, version)
    assert decode_response_header(memoryview(encoded + b"body"), version) == (correlation_id, 4 + version)


@given(headers, st.sampled_from([1, 2]), st.data())
def test_a_header_that_is_cut_short_is_refused(header: RequestHeader, version: int, data: st.DataObject) -> None:
    encoded = encode_request_header(header, version)
    with pytest.raises(KafkaProtocolError):
        decode_request_header(memoryview(encoded[: data.draw(st.integers(0, len(encoded) - 1))]), version)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ("", "too short"),
        ("0012000300000001" + "0004" + "616263", "client_id: 4 at byte 10 runs past the end at 13"),
        ("0012000300000001" + "0002" + "61ff" + "00", "not UTF-8"),
        ("0012000300000001" + "ffff" + "0107ff01", "tagged field: 255 at byte 14 runs past the end at 14"),
    ],
)
def test_what_is_wrong_with_a_header_is_said(frame: str, said: str) -> None:
    with pytest.raises(KafkaProtocolError, match=said):
        decode_request_header(memoryview(bytes.fromhex(frame)), 2)


@pytest.mark.parametrize("frame", [b"", b"\0\0\0", b"\0\0\0\1\1"])
def test_a_response_header_that_is_cut_short_is_refused(frame: bytes) -> None:
    with pytest.raises(KafkaProtocolError, match="ResponseHeader v1"):
        decode_response_header(memoryview(frame), 1)


def test_kafka_python_writes_the_same_header() -> None:
    from kafka.protocol.api_header import RequestHeader as Theirs

    for version in (1, 2):
        theirs = Theirs(request_api_key=3, request_api_version=9, correlation_id=77, client_id="me")
        assert bytes(theirs.encode(flexible=version == 2)) == encode_request_header(
            RequestHeader(3, 9, 77, "me"), version
        )
