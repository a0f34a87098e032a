"""Every message of every version has the same bytes, names and values in kio, another implementation."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import io
from typing import Any
from uuid import UUID

import kio.index
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kio.serial import entity_reader, entity_writer
from protocol.apis.messages import FEW, KINDS, Kind

from embedkafka.protocol.fields import wire_fields

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def plain(value: Any) -> Any:
    """kio's objects for codes, durations and times as the numbers they stand for."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime.datetime):
        return plain(value - _EPOCH)
    if isinstance(value, datetime.timedelta):
        return value // datetime.timedelta(milliseconds=1)
    return value


def assert_same(ours: Any, theirs: Any, version: int) -> None:
    if dataclasses.is_dataclass(theirs):
        names = [field.name for field, declared in wire_fields(type(ours)) if version in declared.versions]
        their_names = [field.name for field in dataclasses.fields(theirs)]
        assert [name.removesuffix("_ms") for name in names] == [name.removesuffix("_ms") for name in their_names]
        for name, their_name in zip(names, their_names, strict=True):
            assert_same(getattr(ours, name), getattr(theirs, their_name), version)
    elif isinstance(theirs, tuple):
        assert len(ours) == len(theirs)
        for each, other in zip(ours, theirs, strict=True):
            assert_same(each, other, version)
    elif isinstance(ours, UUID):
        assert ours == (theirs or UUID(int=0))
    else:
        assert plain(theirs) == ours


@pytest.mark.parametrize("kind", KINDS, ids=str)
@FEW
@given(st.data())
def test_bytes_names_and_values_are_the_same(kind: Kind, data: st.DataObject) -> None:
    load = kio.index.load_request_schema if kind.direction == "request" else kio.index.load_response_schema
    entity = load(kind.key, kind.version)
    message = data.draw(kind.messages())
    encoded = kind.encode(message)
    theirs, size = entity_reader(entity)(encoded, 0)
    assert size == len(encoded)
    assert_same(message, theirs, kind.version)
    written = io.BytesIO()
    entity_writer(entity)(written, theirs)
    assert written.getvalue() == encoded
