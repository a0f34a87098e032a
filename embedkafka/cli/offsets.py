"""Records of ``__consumer_offsets`` in words, shaped as Kafka's ``DumpLogSegments --offsets-decoder`` shapes them."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from typing import Any
from uuid import UUID

from embedkafka.broker.ids import id_text
from embedkafka.coordinator.records import decode
from embedkafka.errors import KafkaProtocolError

OFFSETS_TOPIC = "__consumer_offsets"


def describe(key: bytes | None, value: bytes | None) -> tuple[str, str] | None:
    """A record's key and value as JSON text; None for what is no offset and no group."""
    if key is None:
        return None
    try:
        record = decode(key, value)
    except KafkaProtocolError:
        return None
    if record is None:
        return None
    shown_key = {"type": str(int.from_bytes(key[:2], "big")), "data": _plain(record.key)}
    shown_value = None
    if record.value is not None and value is not None:
        shown_value = {"version": str(int.from_bytes(value[:2], "big")), "data": _plain(record.value)}
    return _text(shown_key), _text(shown_value)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {_camel(field.name): _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    return id_text(value) if isinstance(value, UUID) else value


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)
