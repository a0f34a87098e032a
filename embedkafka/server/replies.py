"""A response as the chunks of its frame: size, header, body; record data are passed on as they are.

::

    int32   size of what follows
    int32   correlation id of the request
    tags    flexible versions only, and never ApiVersions: a count of 0
"""

from __future__ import annotations

import struct
from typing import Any

from embedkafka.protocol.api import Api
from embedkafka.protocol.schema import Chunk

_HEAD = struct.Struct("!ii")
_HEAD_WITH_TAGS = struct.Struct("!iiB")
_SIZE_BYTES = 4


def encode_reply(api: Api, version: int, correlation_id: int, response: Any) -> list[Chunk]:
    """The response's frame.

    Raises:
        KafkaProtocolError, UnsupportedVersionError: it cannot be written in this version: a handler's mistake.
    """
    chunks = api.response.encode(response, version)
    size_bytes = sum(map(len, chunks))
    if api.response_header_version(version):
        head = _HEAD_WITH_TAGS.pack(size_bytes + _HEAD_WITH_TAGS.size - _SIZE_BYTES, correlation_id, 0)
    else:
        head = _HEAD.pack(size_bytes + _HEAD.size - _SIZE_BYTES, correlation_id)
    if chunks and isinstance(chunks[0], bytes):
        chunks[0] = head + chunks[0]
        return chunks
    return [head, *chunks]
