"""A response as the chunks of its frame: size, header, body; record data are passed on as they are."""

from __future__ import annotations

import struct
from typing import Any

from embedkafka.protocol.api import Api
from embedkafka.protocol.headers import encode_response_header
from embedkafka.protocol.schema import Chunk

_SIZE = struct.Struct("!i")


def encode_reply(api: Api, version: int, correlation_id: int, response: Any) -> list[Chunk]:
    """The response's frame.

    Raises:
        KafkaProtocolError, UnsupportedVersionError: it cannot be written in this version: a handler's mistake.
    """
    chunks = api.response.encode(response, version)
    header = encode_response_header(correlation_id, api.response_header_version(version))
    head = _SIZE.pack(len(header) + sum(map(len, chunks))) + header
    if chunks and isinstance(chunks[0], bytes):
        chunks[0] = head + chunks[0]
        return chunks
    return [head, *chunks]
