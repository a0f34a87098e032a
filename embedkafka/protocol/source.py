"""The text of generated code, and the names it uses."""

from __future__ import annotations

import itertools
import struct
from typing import Any

from embedkafka.protocol.fields import Array, Field, Sized, wire_fields


class Source:
    """Functions of one version of a message, as lines of Python."""

    def __init__(self, version: int, flexible: bool, names: dict[str, Any]) -> None:
        self.version = version
        self.flexible = flexible
        self.functions: dict[str, list[str]] = {}
        self.names = names
        self._temporaries = itertools.count()

    def temporary(self, prefix: str) -> str:
        return f"{prefix}{next(self._temporaries)}"

    def constant(self, prefix: str, value: Any) -> str:
        """A name for ``value``, shared by equal values of the same prefix."""
        for name, known in self.names.items():
            if name.startswith(f"{prefix}_") and known is value:
                return name
        name = f"{prefix}_{len(self.names)}"
        self.names[name] = value
        return name

    def packer(self, codes: str) -> tuple[str, str, int]:
        """Names of ``pack`` and ``unpack_from`` for the codes, and their size in bytes."""
        compiled = struct.Struct(f"!{codes}")
        label = codes.replace("?", "B_")
        self.names[f"pack_{label}"] = compiled.pack
        self.names[f"unpack_{label}"] = compiled.unpack_from
        return f"pack_{label}", f"unpack_{label}", compiled.size

    def text(self) -> str:
        return "\n\n".join("\n".join(lines) for lines in self.functions.values())

    def compile(self, entry: str) -> Any:
        """The function named ``entry``; it carries its text as ``source``."""
        namespace = dict(self.names)
        text = self.text()
        exec(compile(text, f"<{entry} v{self.version}>", "exec"), namespace)
        function = namespace[entry]
        function.source = text
        return function


def present_fields(message: type[Any], version: int) -> tuple[list[tuple[str, Field]], list[tuple[str, Field]]]:
    """The plain and the tagged fields of a version, the tagged ones by tag."""
    plain: list[tuple[str, Field]] = []
    tagged: list[tuple[str, Field]] = []
    for field, declared in wire_fields(message):
        if version in declared.tagged:
            tagged.append((field.name, declared))
        elif version in declared.versions:
            plain.append((field.name, declared))
    return plain, sorted(tagged, key=lambda item: item[1].tag or 0)


def length_code(type_: Sized | Array) -> str:
    """The ``struct`` letter of a length in a version that is not flexible."""
    return type_.length_code if isinstance(type_, Sized) else "i"
