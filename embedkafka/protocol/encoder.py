"""Writes out the encoder of a message class."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any

from embedkafka.errors import UnsupportedVersionError
from embedkafka.protocol import fields
from embedkafka.protocol.fields import Array, Field, Fixed, Sized, Struct, WireType
from embedkafka.protocol.source import Source, length_code, present_fields
from embedkafka.protocol.varint import ONE_BYTE, encode_uvarint


class EncoderWriter:
    """Functions ``(value, append)``, one per message class, that hand the parts to ``append`` in order."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def message(self, message: type[Any]) -> str:
        name = f"encode_{message.__name__}"
        source = self.source
        if name in source.functions:
            return name
        lines = source.functions[name] = [f"def {name}(value, append):"]
        plain, tagged = present_fields(message, source.version)
        present = {field_name for field_name, _ in plain + tagged}
        for field, declared in fields.wire_fields(message):
            if field.name not in present and not declared.ignorable:
                lines.append(f"    if {_default_test(field, f'value.{field.name}', source)}:")
                lines.append(f"        raise not_in_version({message.__name__!r}, {field.name!r}, {source.version})")
        self._plain(lines, plain)
        if source.flexible:
            self._tagged(lines, message, tagged)
        if len(lines) == 1:
            lines.append("    pass")
        return name

    def _plain(self, lines: list[str], plain: list[tuple[str, Field]]) -> None:
        codes, values = "", []
        for field_name, declared in plain:
            if isinstance(declared.type, Fixed):
                codes += declared.type.code
                values.append(_to_fixed(declared.type, f"value.{field_name}"))
                continue
            if codes:
                lines.append(f"    append({self.source.packer(codes)[0]}({', '.join(values)}))")
                codes, values = "", []
            self._value(lines, declared.type, f"value.{field_name}", "    ", self.source.version in declared.nullable)
        if codes:
            lines.append(f"    append({self.source.packer(codes)[0]}({', '.join(values)}))")

    def _tagged(self, lines: list[str], message: type[Any], tagged: list[tuple[str, Field]]) -> None:
        if not tagged:
            lines.append("    append(b'\\0')  # no tagged fields")
            return
        by_name = {field.name: field for field, _ in fields.wire_fields(message)}
        tests = {name: _default_test(by_name[name], f"value.{name}", self.source) for name, _ in tagged}
        lines.append(f"    if not ({' or '.join(tests.values())}): append(b'\\0'); return  # none of its tagged fields")
        lines.append("    tagged = []")
        for field_name, declared in tagged:
            lines.append(f"    if {tests[field_name]}:")
            lines.append("        parts = []; outer, append = append, parts.append")
            nullable = self.source.version in declared.nullable
            self._value(lines, declared.type, f"value.{field_name}", "        ", nullable)
            lines.append("        append = outer; data = b''.join(parts)")
            lines.append(f"        tagged.append(uvarint({declared.tag}) + uvarint(len(data)) + data)")
        lines.append("    append(uvarint(len(tagged)))")
        lines.append("    for data in tagged: append(data)")

    def _value(self, lines: list[str], type_: WireType, value: str, indent: str, nullable: bool) -> None:
        source = self.source
        if isinstance(type_, Fixed):
            lines.append(f"{indent}append({source.packer(type_.code)[0]}({_to_fixed(type_, value)}))")
            return
        if isinstance(type_, Struct):
            function = self.message(type_.message)
            if nullable:
                lines.append(f"{indent}if {value} is None: append(b'\\xff')")
                lines.append(f"{indent}else: append(b'\\x01'); {function}({value}, append)")
            else:
                lines.append(f"{indent}{function}({value}, append)")
            return
        item = source.temporary("item")
        lines.append(f"{indent}{item} = {value}")
        if nullable:
            null = "b'\\0'" if source.flexible else repr(struct.pack(f"!{length_code(type_)}", -1))
            lines.append(f"{indent}if {item} is None: append({null})")
            lines.append(f"{indent}else:")
            indent += "    "
        if isinstance(type_, Array):
            self._array(lines, type_, item, indent)
        elif type_ is fields.RECORDS:
            lines.append(f"{indent}if type({item}) in pieces:")
            lines.append(f"{indent}    append({self._length(type_, f'sum(map(len, {item}))')})")
            lines.append(f"{indent}    for piece in {item}: append(piece)")
            lines.append(f"{indent}else:")
            lines.append(f"{indent}    append({self._length(type_, f'len({item})')})")
            lines.append(f"{indent}    append({item})")
        else:
            if type_ is fields.STRING:
                lines.append(f"{indent}{item} = {item}.encode()")
            lines.append(f"{indent}append({self._length(type_, f'len({item})')} + {item})")

    def _array(self, lines: list[str], type_: Array, item: str, indent: str) -> None:
        lines.append(f"{indent}append({self._length(type_, f'len({item})')})")
        if isinstance(type_.element, Fixed) and type_.element is not fields.UUID:
            lines.append(f"{indent}append(pack(f'!{{len({item})}}{type_.element.code}', *{item}))")
            return
        element = self.source.temporary("element")
        lines.append(f"{indent}for {element} in {item}:")
        self._value(lines, type_.element, element, indent + "    ", False)

    def _length(self, type_: Sized | Array, length: str) -> str:
        if self.source.flexible:
            return f"(one_byte[size] if (size := {length} + 1) < 128 else uvarint(size))"
        return f"{self.source.packer(length_code(type_))[0]}({length})"


def _default_test(field: dataclasses.Field[Any], value: str, source: Source) -> str:
    """Source of a condition that is true when ``value`` is not the field's default."""
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
        if default == []:
            return value
        # Field by field instead of by the data class's own comparison, which builds two tuples.
        parts = [_default_test(each, f"{value}.{each.name}", source) for each, _ in fields.wire_fields(type(default))]
        return f"({' or '.join(parts)})"
    if field.default is None:
        return f"{value} is not None"
    return f"{value} != {source.constant('default', field.default)}"


def _to_fixed(type_: Fixed, value: str) -> str:
    return f"{value}.bytes" if type_ is fields.UUID else value


def _not_in_version(message: str, field_name: str, version: int) -> UnsupportedVersionError:
    return UnsupportedVersionError(f"{message} v{version} has no field {field_name}, and it may not be dropped")


NAMES: dict[str, Any] = {
    "uvarint": encode_uvarint,
    "one_byte": ONE_BYTE,
    "pack": struct.pack,
    "pieces": (tuple, list),
    "not_in_version": _not_in_version,
}
"""What the generated functions call."""
