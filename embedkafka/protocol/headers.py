"""What stands before every message: the request header (versions 0 to 2) and the response header (0 and 1).

======================  ============  ==========================================================================
request header          versions
======================  ============  ==========================================================================
request_api_key         int16         which API
request_api_version     int16         which version of it, and thereby which version of this header
correlation_id          int32         comes back in the response
client_id               string, 1+    nullable; with an int16 length in version 2, too, so that a broker which does
                                      not know the request's version can still read this far (KIP-482, KIP-511)
tagged fields           2+
======================  ============  ==========================================================================

A response header is the correlation id and, from version 1 on, tagged fields.  Which version goes with a message is
:meth:`Api.request_header_version <embedkafka.protocol.api.Api.request_header_version>` and its sibling's to say.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from embedkafka.errors import KafkaProtocolError
from embedkafka.protocol.varint import decode_uvarint

_FIXED = struct.Struct("!hhi")
_LENGTH = struct.Struct("!h")
_CORRELATION_ID = struct.Struct("!i")


class RequestHeader(NamedTuple):
    api_key: int
    api_version: int
    correlation_id: int
    client_id: str | None = None


def peek_request(frame: memoryview) -> tuple[int, int, int]:
    """The API key, version and correlation id at a frame's start; they come first in every header version.

    Raises:
        KafkaProtocolError: the frame is shorter than that.
    """
    if len(frame) < _FIXED.size:
        raise KafkaProtocolError(f"a request of {len(frame)} bytes is too short for its header's {_FIXED.size}")
    api_key, api_version, correlation_id = _FIXED.unpack_from(frame)
    return api_key, api_version, correlation_id


def decode_request_header(frame: memoryview, header_version: int) -> tuple[RequestHeader, int]:
    """The header of a request and where its body starts.

    Raises:
        KafkaProtocolError: the frame ends inside the header, or the client id is not UTF-8.
    """
    api_key, api_version, correlation_id = peek_request(frame)
    client_id, position = decode_client_id(frame, header_version)
    return RequestHeader(api_key, api_version, correlation_id, client_id), position


def decode_client_id(frame: memoryview, header_version: int) -> tuple[str | None, int]:
    """What follows in a header behind what :func:`peek_request` gives, and where its body starts.

    Raises:
        KafkaProtocolError: the frame ends inside the header, or the client id is not UTF-8.
    """
    position = _FIXED.size
    if header_version == 0:
        return None, position
    try:
        (size,) = _LENGTH.unpack_from(frame, position)
        position += _LENGTH.size
        client_id = None
        if size >= 0:
            if position + size > len(frame):
                raise _past_end("client_id", size, position, len(frame))
            client_id = str(frame[position : position + size], "utf-8")
            position += size
        if header_version >= 2:
            position = _skip_tagged_fields(frame, position) if frame[position] else position + 1
    except (struct.error, IndexError) as error:
        raise KafkaProtocolError(f"RequestHeader v{header_version}: {len(frame)} bytes are too few") from error
    except UnicodeDecodeError as error:
        raise KafkaProtocolError(f"RequestHeader.client_id at byte {position} is not UTF-8: {error}") from error
    return client_id, position


def encode_request_header(header: RequestHeader, header_version: int) -> bytes:
    """The header as a client writes it."""
    encoded = _FIXED.pack(header.api_key, header.api_version, header.correlation_id)
    if header_version >= 1:
        if header.client_id is None:
            encoded += _LENGTH.pack(-1)
        else:
            client_id = header.client_id.encode()
            encoded += _LENGTH.pack(len(client_id)) + client_id
    return encoded + b"\0" if header_version >= 2 else encoded


def encode_response_header(correlation_id: int, header_version: int) -> bytes:
    """The 4 or 5 bytes before a response's body."""
    encoded = _CORRELATION_ID.pack(correlation_id)
    return encoded + b"\0" if header_version >= 1 else encoded


def decode_response_header(frame: memoryview, header_version: int) -> tuple[int, int]:
    """The correlation id of a response and where its body starts.

    Raises:
        KafkaProtocolError: the frame ends inside the header.
    """
    try:
        (correlation_id,) = _CORRELATION_ID.unpack_from(frame)
        position = _CORRELATION_ID.size
        return correlation_id, _skip_tagged_fields(frame, position) if header_version >= 1 else position
    except (struct.error, IndexError) as error:
        raise KafkaProtocolError(f"ResponseHeader v{header_version}: {len(frame)} bytes are too few") from error


def _skip_tagged_fields(frame: memoryview, position: int) -> int:
    """No tag is defined for headers, and unknown ones are to be passed over."""
    count, position = decode_uvarint(frame, position)
    for _ in range(count):
        _tag, position = decode_uvarint(frame, position)
        size, position = decode_uvarint(frame, position)
        if position + size > len(frame):
            raise _past_end("tagged field", size, position, len(frame))
        position += size
    return position


def _past_end(field: str, size: int, position: int, end: int) -> KafkaProtocolError:
    return KafkaProtocolError(f"the header's {field}: {size} at byte {position} runs past the end at {end}")
