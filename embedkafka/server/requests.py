"""A frame's header: which API, which version, whose it is; drawn in :mod:`embedkafka.protocol.headers`.

The header's own version follows from key and version, so it can be read only by somebody who knows the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from embedkafka.errors import KafkaProtocolError, UnsupportedVersionError
from embedkafka.protocol.api import Api
from embedkafka.protocol.headers import decode_client_id, peek_request

API_VERSIONS = 18


class Request(NamedTuple):
    """A request whose header was read.

    ``body`` is where the rest of the frame begins.  ``is_readable`` says whether that can be decoded: not that of an
    ApiVersions from the future, which has its own answer.
    """

    api: Api
    version: int
    correlation_id: int
    client_id: str
    frame: memoryview
    body: int
    is_readable: bool


def read_request(frame: memoryview, served: Mapping[int, Api]) -> Request:
    """Read a frame's header.

    Args:
        served: the APIs that are served, by key.

    Raises:
        KafkaProtocolError: no such header, or no such API.
        UnsupportedVersionError: a version that is not served, of another API than ApiVersions (KIP-511).
    """
    key, version, correlation_id = peek_request(frame)
    try:
        api = served[key]
    except KeyError:
        raise KafkaProtocolError(f"there is no API {key} here") from None
    is_readable = version in api.versions
    if not is_readable and key != API_VERSIONS:
        raise UnsupportedVersionError(
            f"{api.name} has versions {api.versions.lowest} to {api.versions.highest} here, not {version}"
        )
    client_id, body = decode_client_id(frame, api.request_header_version(version))
    return Request(api, version, correlation_id, client_id or "", frame, body, is_readable)
