"""Messages of every API, made by Hypothesis from what their fields say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st

from embedkafka.protocol.apis import NAMES, api
from embedkafka.protocol.fields import Array, Field, Struct, WireType, wire_fields
from embedkafka.protocol.schema import Schema


class Kind(NamedTuple):
    """One version of one direction of one API; prints as a test's parameter should."""

    key: int
    direction: str
    version: int

    def __str__(self) -> str:
        return f"{self.key:02d}-{NAMES[self.key]}-{self.direction}-v{self.version}"

    @property
    def schema(self) -> Schema[Any]:
        found = api(self.key)
        return found.request if self.direction == "request" else found.response

    def messages(self, leaves: Leaves | None = None) -> st.SearchStrategy[Any]:
        """Any message of this kind."""
        return messages(self.schema.message, self.version, leaves or ANY)

    def encode(self, message: Any) -> bytes:
        return self.schema.encode_bytes(message, self.version)

    def decode(self, data: bytes) -> Any:
        return self.schema.decode_whole(data, self.version)


KINDS = [
    Kind(key, direction, version)
    for key in NAMES
    for direction in ("request", "response")
    for version in range(api(key).versions.lowest, api(key).versions.highest + 1)
]
FEW = settings(max_examples=settings.default.max_examples // 8)  # of each of some 500 kinds

_FIXED = {
    "bool": st.booleans(),
    "float64": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "uuid": st.uuids(),
    "int8": st.integers(-(2**7), 2**7 - 1),
    "int16": st.integers(-(2**15), 2**15 - 1),
    "uint16": st.integers(0, 2**16 - 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
}
# kio makes objects of these, which cannot hold every number: error codes that are known, times, durations.
_PECULIAR = {
    "error_code": st.integers(-1, 120),
    "_ms": st.integers(0, 10**9),
    "timestamp": st.integers(0, 10**9),
}
_SIZED = {
    "string": st.text(max_size=5),
    "bytes": st.binary(max_size=5),
    "records": st.binary(max_size=200).map(memoryview),
}


class Leaves(NamedTuple):
    """Where simple values come from: by the end of the field's name where that is told, else by the type's name."""

    by_type: Mapping[str, st.SearchStrategy[Any]]
    by_name: Mapping[str, st.SearchStrategy[Any]]

    def __hash__(self) -> int:
        return id(self.by_type)


ANY = Leaves(_FIXED | _SIZED, _PECULIAR)


@cache
def messages(message: type[Any], version: int, leaves: Leaves = ANY) -> st.SearchStrategy[Any]:
    """Any value that this version can carry: fields it lacks keep their defaults."""
    return st.builds(
        message,
        **{
            field.name: _values(field, declared, version, leaves)
            for field, declared in wire_fields(message)
            if version in declared.versions or version in declared.tagged
        },
    )


def _values(field: dataclasses.Field[Any], declared: Field, version: int, leaves: Leaves) -> st.SearchStrategy[Any]:
    values = _of_type(declared.type, version, field.name, leaves)
    return st.none() | values if version in declared.nullable else values


def _of_type(type_: WireType, version: int, name: str, leaves: Leaves) -> st.SearchStrategy[Any]:
    if isinstance(type_, Array):
        return st.lists(_of_type(type_.element, version, name, leaves), max_size=2)
    if isinstance(type_, Struct):
        return messages(type_.message, version, leaves)
    return next((values for end, values in leaves.by_name.items() if name.endswith(end)), leaves.by_type[type_.name])
