"""Records of ``__consumer_offsets`` in words, shaped as Kafka's ``DumpLogSegments --offsets-decoder`` shapes them."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from embedkafka.coordinator.records import decode
from embedkafka.errors import KafkaProtocolError
from embedkafka.model import id_text
from embedkafka.protocol.consumer.assignment import decode_assignment
from embedkafka.protocol.consumer.subscription import decode_subscription
from embedkafka.protocol.fields import Field, wire_fields
from embedkafka.protocol.internal.group_metadata import MemberMetadata
from embedkafka.protocol.internal.offset_commit import OffsetCommitValue

_LATER_FIELDS = ("owned_partitions", "generation_id", "rack_id")  # of a subscription's versions 1, 2, 3

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
    if isinstance(value, MemberMetadata):
        fields = _fields(value)
        fields["subscription"] = _subscription(value.subscription)
        fields["assignment"] = _assignment(value.assignment)
        return fields
    if isinstance(value, OffsetCommitValue) and value.expire_timestamp == -1:
        return _fields(value, without=("expire_timestamp",))  # a field of version 1 only
    if dataclasses.is_dataclass(value):
        return _fields(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    return id_text(value) if isinstance(value, UUID) else value


def _subscription(data: bytes) -> Any:
    """A consumer's subscription in words; other kinds of group have bytes of their own here."""
    try:
        subscription = decode_subscription(data)
    except KafkaProtocolError:
        return _plain(data)
    return _fields(subscription, without=("version", *_LATER_FIELDS[min(subscription.version, 3) :]))


def _assignment(data: bytes) -> Any:
    try:
        return _fields(decode_assignment(data), without=("version",))
    except KafkaProtocolError:
        return _plain(data)


def _fields(value: Any, without: Sequence[str] = ()) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(value) if field.name not in without]
    left_out = {field.name for field, wire in wire_fields(type(value)) if _is_left_out(value, field, wire)}
    return {_camel(name): _plain(getattr(value, name)) for name in names if name not in left_out}


def _is_left_out(value: Any, field: dataclasses.Field[Any], wire: Field) -> bool:
    """Kafka's JSON has no tagged field at its default."""
    return wire.tag is not None and getattr(value, field.name) == field.default


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)
