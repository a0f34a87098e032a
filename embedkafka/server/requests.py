"""What stands before every request: which API, which version, whose it is.

::

    int16   api key
    int16   api version
    int32   correlation id       comes back with the response
    string  client id            int16 length, also in flexible versions (KIP-482); -1 is null
    tags    flexible versions only: a count, then number, size and bytes of each

The header's own version follows from key and version, so it can be read only by somebody who knows the API.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from embedkafka.errors import KafkaProtocolError, UnsupportedVersionError
from embedkafka.protocol.api import Api
from embedkafka.protocol.varint import decode_uvarint

API_VERSIONS = 18

_FIXED = struct.Struct("!hhih")
_FLEXIBLE = 2


class Request(NamedTuple):
    """A request whose header was read; ``body`` is where the rest of the frame begins."""

    api: Api
    version: int
    correlation_id: int
    client_id: str
    frame: memoryview
    body: int

    @property
    def is_readable(self) -> bool:
        """Whether the body can be decoded; False for an ApiVersions from the future, which has its own answer."""
        return self.version in self.api.versions


def read_request(frame: memoryview, served: Mapping[int, Api]) -> Request:
    """Read a frame's header.

    Args:
        served: the APIs that are served, by key.

    Raises:
        KafkaProtocolError: no such header, or no such API.
        UnsupportedVersionError: a version that is not served, of another API than ApiVersions (KIP-511).
    """
    try:
        key, version, correlation_id, length = _FIXED.unpack_from(frame)
        api = served.get(key)
        if api is None:
            raise KafkaProtocolError(f"there is no API {key} here")
        if version not in api.versions and key != API_VERSIONS:
            raise UnsupportedVersionError(
                f"{api.name} has versions {api.versions.lowest} to {api.versions.highest} here, not {version}"
            )
        position = _FIXED.size
        client_id = ""
        if length > 0:
            if position + length > len(frame):
                raise KafkaProtocolError(f"client id: {length} bytes at byte {position} run past the frame's end")
            client_id = str(frame[position : position + length], "utf-8")
            position += length
        if api.request_header_version(version) >= _FLEXIBLE:
            position = _skip_tags(frame, position)
    except (struct.error, IndexError) as error:
        raise KafkaProtocolError(f"a frame of {len(frame)} bytes is too short for a request's header") from error
    except UnicodeDecodeError as error:
        raise KafkaProtocolError(f"the client id is not UTF-8: {error}") from error
    return Request(api, version, correlation_id, client_id, frame, position)


def _skip_tags(frame: memoryview, position: int) -> int:
    count, position = decode_uvarint(frame, position)
    for _ in range(count):
        _, position = decode_uvarint(frame, position)
        size, position = decode_uvarint(frame, position)
        position += size
        if position > len(frame):
            raise KafkaProtocolError(f"a tagged field of {size} bytes runs past the frame's end")
    return position
