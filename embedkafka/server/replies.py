"""A response as the chunks of its frame: size, header, body; record data are passed on as they are."""

from __future__ import annotations

import struct
from typing import Any

from embedkafka.errors import KafkaError
from embedkafka.protocol.api import Api
from embedkafka.protocol.headers import encode_response_header
from embedkafka.protocol.schema import Chunk

_SIZE = struct.Struct("!i")


def encode_reply(api: Api, version: int, correlation_id: int, response: Any) -> list[Chunk]:
    """The response's frame.

    Raises:
        RuntimeError: it cannot be written in this version: a handler's mistake, not the peer's.
    """
    try:
        chunks = api.response.encode(response, version)
    except KafkaError as error:
        raise RuntimeError(f"a response that {api.name} v{version} cannot say: {error}") from error
    header = encode_response_header(correlation_id, api.response_header_version(version))
    head = _SIZE.pack(len(header) + sum(map(len, chunks))) + header
    if chunks and isinstance(chunks[0], bytes):
        chunks[0] = head + chunks[0]
        return chunks
    return [head, *chunks]
