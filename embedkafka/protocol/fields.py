"""The words of a schema: wire types, version ranges, and the field that carries them.

Sizes in Kafka's message format (KIP-482 names the flexible ones "compact"):

=========  ==================================  ==================================
type       classic version                     flexible version
=========  ==================================  ==================================
int8..64   big-endian, fixed                   the same
float64    IEEE 754, big-endian                the same
bool       one byte, 0 or 1                    the same
uuid       16 bytes                            the same
string     int16 length, -1 is null            uvarint length + 1, 0 is null
bytes      int32 length, -1 is null            uvarint length + 1, 0 is null
records    like bytes                          like bytes
array      int32 count, -1 is null             uvarint count + 1, 0 is null
struct     its fields                          its fields, then its tagged fields;
                                               where nullable, an int8 before it: -1 is null
=========  ==================================  ==================================
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID as UuidValue

ZERO_UUID = UuidValue(int=0)
_OPEN_END = 32767


class VersionRange(NamedTuple):
    """Versions ``lowest`` to ``highest``, both included; empty where the lowest is above the highest."""

    lowest: int
    highest: int

    @classmethod
    def parse(cls, text: str) -> VersionRange:
        """Read Kafka's notation: ``"0+"``, ``"1-3"``, ``"2"`` or ``"none"``."""
        if text == "none":
            return cls(0, -1)
        if text.endswith("+"):
            return cls(int(text[:-1]), _OPEN_END)
        lowest, _, highest = text.partition("-")
        return cls(int(lowest), int(highest or lowest))

    def __contains__(self, version: object) -> bool:
        return isinstance(version, int) and self[0] <= version <= self[1]  # by position: asked several times a request


@dataclasses.dataclass(frozen=True)
class Fixed:
    """A value of constant size; ``code`` is its ``struct`` letter."""

    name: str
    code: str
    default: Any = 0


@dataclasses.dataclass(frozen=True)
class Sized:
    """A length and that many bytes: ``string``, ``bytes`` or ``records``."""

    name: str
    length_code: str
    default: Any = b""


@dataclasses.dataclass(frozen=True)
class Array:
    """A count and that many elements of one type."""

    element: WireType


@dataclasses.dataclass(frozen=True)
class Struct:
    """The fields of a nested dataclass."""

    message: type[Any]


WireType = Fixed | Sized | Array | Struct

INT8 = Fixed("int8", "b")
INT16 = Fixed("int16", "h")
UINT16 = Fixed("uint16", "H")
INT32 = Fixed("int32", "i")
UINT32 = Fixed("uint32", "I")
INT64 = Fixed("int64", "q")
FLOAT64 = Fixed("float64", "d", 0.0)
BOOL = Fixed("bool", "?", False)
UUID = Fixed("uuid", "16s", ZERO_UUID)
STRING = Sized("string", "h", "")
BYTES = Sized("bytes", "i")
RECORDS = Sized("records", "i", None)  # decoded to a memoryview of the input; encoded without a copy

# What a records field holds: whole batches, decoded in one piece, encoded also from the pieces in which a log has them.
Records = memoryview | Sequence[memoryview]


def array(element: WireType | type[Any]) -> Array:
    """An array of a wire type or of a message class."""
    return Array(element if isinstance(element, WireType) else Struct(element))


@dataclasses.dataclass(frozen=True)
class Field:
    """What a message's dataclass field says about its bytes; see :func:`wire`."""

    type: WireType
    versions: VersionRange
    nullable: VersionRange
    ignorable: bool
    tag: int | None
    tagged: VersionRange


_MISSING = object()


def wire(
    type_: WireType | type[Any],
    versions: str = "0+",
    *,
    default: Any = _MISSING,
    nullable: str = "none",
    ignorable: bool = False,
    tag: int | None = None,
    tagged: str = "none",
) -> Any:
    """Declare a message field; the words are those of Kafka's schema files.

    Args:
        type_: its wire type, or a message class for a nested struct.
        versions: the versions in which it exists.
        default: its value where the version lacks it; by default the zero of its type.
        nullable: the versions in which None may be written.
        ignorable: a value other than the default is dropped, instead of refused, by versions that lack the field.
        tag: its number among the tagged fields (KIP-482).
        tagged: the versions in which it is a tagged field.
    """
    resolved = type_ if isinstance(type_, WireType) else Struct(type_)
    declared = Field(
        type=resolved,
        versions=VersionRange.parse(versions),
        nullable=VersionRange.parse(nullable),
        ignorable=ignorable,
        tag=tag,
        tagged=VersionRange.parse(tagged),
    )
    metadata = {"wire": declared}
    if default is not _MISSING:
        return dataclasses.field(default=default, metadata=metadata)
    if isinstance(resolved, Array):
        return dataclasses.field(default_factory=list, metadata=metadata)
    if isinstance(resolved, Struct):
        return dataclasses.field(default_factory=resolved.message, metadata=metadata)
    return dataclasses.field(default=resolved.default, metadata=metadata)


def wire_fields(message: type[Any]) -> list[tuple[dataclasses.Field[Any], Field]]:
    """The fields of a message class that are on the wire, in order; others live in memory only."""
    return [(field, field.metadata["wire"]) for field in dataclasses.fields(message) if "wire" in field.metadata]
