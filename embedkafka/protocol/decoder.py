"""Writes out the decoder of a message class.

A decoder trusts nothing: a length is compared with the bytes left before anything of that length is made, and a count
with what so many of the smallest elements would take.  Structs do not contain themselves, so nesting is bounded by the
schema.  A comment on each line says which field it reads; :func:`describe_failure` finds it there.
"""

from __future__ import annotations

import dataclasses
import struct
from functools import lru_cache
from types import TracebackType
from typing import Any
from uuid import UUID as UuidValue

from embedkafka.errors import KafkaProtocolError
from embedkafka.protocol import fields
from embedkafka.protocol.fields import Array, Field, Fixed, Sized, Struct, WireType
from embedkafka.protocol.source import Source, length_code, present_fields
from embedkafka.protocol.varint import decode_uvarint


class DecoderWriter:
    """Functions ``(buffer, position, end)``, one per message class, that give the message and the position after it."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def message(self, message: type[Any]) -> str:
        name = f"decode_{message.__name__}"
        source = self.source
        if name in source.functions:
            return name
        lines = source.functions[name] = [f"def {name}(buffer, position, end):"]
        plain, tagged = present_fields(message, source.version)
        self._plain(lines, message, plain)
        # In order from the first on they go by position, which takes the interpreter less than by name.
        names = [field.name for field in dataclasses.fields(message)]
        arguments = [
            f"v_{field_name}" if names[index] == field_name else f"{field_name}=v_{field_name}"
            for index, (field_name, _) in enumerate(plain)
        ]
        class_name = source.constant("message", message)
        lines.append(f"    value = {class_name}({', '.join(arguments)})")
        if source.flexible:
            self._tagged(lines, message, tagged)
        lines.append("    return value, position")
        return name

    def _plain(self, lines: list[str], message: type[Any], plain: list[tuple[str, Field]]) -> None:
        run: list[tuple[str, Fixed]] = []
        for field_name, declared in plain:
            if isinstance(declared.type, Fixed):
                run.append((field_name, declared.type))
                continue
            self._fixed_run(lines, message, run)
            run = []
            nullable = self.source.version in declared.nullable
            where = f"{message.__name__}.{field_name}"
            self._value(lines, declared.type, f"v_{field_name}", "    ", nullable, where)
        self._fixed_run(lines, message, run)

    def _fixed_run(self, lines: list[str], message: type[Any], run: list[tuple[str, Fixed]]) -> None:
        if not run:
            return
        where = f"{message.__name__}.{run[0][0]}" + (f" to {run[-1][0]}" if len(run) > 1 else "")
        self._fixed(lines, [(f"v_{name}", type_) for name, type_ in run], "    ", where)

    def _fixed(self, lines: list[str], run: list[tuple[str, Fixed]], indent: str, where: str) -> None:
        _, unpack, size = self.source.packer("".join(type_.code for _, type_ in run))
        targets = ", ".join(name for name, _ in run)
        lines.append(f"{indent}{targets}, = {unpack}(buffer, position); position += {size}  # {where}")
        lines.extend(f"{indent}{name} = uuid_of({name})" for name, type_ in run if type_ is fields.UUID)

    def _tagged(self, lines: list[str], message: type[Any], tagged: list[tuple[str, Field]]) -> None:
        label = f"{message.__name__}'s tagged fields"
        lines.append(f"    if not buffer[position]: return value, position + 1  # {label}")
        lines.append(f"    count, position = read_uvarint(buffer, position)  # {label}")
        lines.append("    for _ in range(count):")
        lines.append(f"        tag, position = read_uvarint(buffer, position)  # {label}")
        lines.append(f"        size, position = read_uvarint(buffer, position)  # {label}")
        lines.append("        after = position + size")
        lines.append(f"        if after > end: raise past_end({label!r}, size, position, end)")
        for field_name, declared in tagged:
            lines.append(f"        if tag == {declared.tag}:")
            lines.append("            outer, end = end, after")
            nullable = self.source.version in declared.nullable
            where = f"{message.__name__}.{field_name}"
            self._value(lines, declared.type, f"v_{field_name}", "            ", nullable, where)
            lines.append(f"            if position != after: raise wrong_size({where!r}, size, position, after)")
            lines.append(f"            end = outer; value.{field_name} = v_{field_name}")
        lines.append("        position = after  # also over tags this version does not know")

    def _value(self, lines: list[str], type_: WireType, target: str, indent: str, nullable: bool, where: str) -> None:
        if isinstance(type_, Fixed):
            self._fixed(lines, [(target, type_)], indent, where)
        elif isinstance(type_, Struct):
            self._struct(lines, type_, target, indent, nullable, where)
        else:
            self._counted(lines, type_, target, indent, nullable, where)

    def _struct(self, lines: list[str], type_: Struct, target: str, indent: str, nullable: bool, where: str) -> None:
        function = self.message(type_.message)
        if nullable:
            _, unpack, _ = self.source.packer("b")
            lines.append(f"{indent}{target}, = {unpack}(buffer, position); position += 1  # {where}")
            lines.append(f"{indent}if {target} < 0: {target} = None")
            lines.append(f"{indent}else: {target}, position = {function}(buffer, position, end)")
        else:
            lines.append(f"{indent}{target}, position = {function}(buffer, position, end)")

    def _counted(
        self, lines: list[str], type_: Sized | Array, target: str, indent: str, nullable: bool, where: str
    ) -> None:
        size = self.source.temporary("size")
        if self.source.flexible:
            # Nearly always one byte, which is worth no call.
            lines.append(f"{indent}{size} = buffer[position] - 1  # {where}")
            lines.append(f"{indent}if {size} < 127: position += 1")
            lines.append(f"{indent}else: {size}, position = read_uvarint(buffer, position); {size} -= 1  # {where}")
        else:
            _, unpack, width = self.source.packer(length_code(type_))
            lines.append(f"{indent}{size}, = {unpack}(buffer, position); position += {width}  # {where}")
        if nullable:
            lines.append(f"{indent}if {size} < 0: {target} = None")
        else:
            lines.append(f"{indent}if {size} < 0: raise unexpected_null({where!r}, position)")
        each = self._least_size(type_.element) if isinstance(type_, Array) else 1
        taken = size if each == 1 else f"{size} * {each}"
        lines.append(f"{indent}elif {taken} > end - position: raise past_end({where!r}, {size}, position, end)")
        lines.append(f"{indent}else:")
        inner = indent + "    "
        if isinstance(type_, Array):
            self._array(lines, type_, target, size, inner, where)
            return
        piece = f"buffer[position:position + {size}]"
        value = {"string": f"str({piece}, 'utf-8')", "bytes": f"bytes({piece})"}.get(type_.name, piece)
        lines.append(f"{inner}{target} = {value}; position += {size}  # {where}")

    def _array(self, lines: list[str], type_: Array, target: str, count: str, indent: str, where: str) -> None:
        element = type_.element
        if isinstance(element, Fixed) and element is not fields.UUID:
            width = struct.calcsize(f"!{element.code}")
            lines.append(f"{indent}{target} = list(unpack_from(f'!{{{count}}}{element.code}', buffer, position))")
            lines.append(f"{indent}position += {count} * {width}")
            return
        one = self.source.temporary("one")
        lines.append(f"{indent}{target} = []")
        lines.append(f"{indent}for _ in range({count}):")
        self._value(lines, element, one, indent + "    ", False, f"{where}[]")
        lines.append(f"{indent}    {target}.append({one})")

    def _least_size(self, type_: WireType) -> int:
        """The fewest bytes an element can take; 1 for one without fields, so that counts stay bounded."""
        if isinstance(type_, Fixed):
            return struct.calcsize(f"!{type_.code}")
        if isinstance(type_, Struct):
            plain, _ = present_fields(type_.message, self.source.version)
            sizes = (1 if self._may_be_null_struct(each) else self._least_size(each.type) for _, each in plain)
            return max(1, sum(sizes) + self.source.flexible)
        return 1 if self.source.flexible else struct.calcsize(f"!{length_code(type_)}")

    def _may_be_null_struct(self, field: Field) -> bool:
        return isinstance(field.type, Struct) and self.source.version in field.nullable


def describe_failure(decoder: Any, error: Exception, size: int) -> str:
    """Why a generated decoder failed, in which field and where; of a message of ``size`` bytes."""
    filename = decoder.__code__.co_filename
    innermost: TracebackType | None = None
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == filename:
            innermost = step
        step = step.tb_next
    assert innermost is not None
    line = decoder.source.splitlines()[innermost.tb_lineno - 1]
    if "raise " in line:  # these name the field themselves
        return str(error.args[0])
    where = f"{line.rpartition('  # ')[2]} at byte {innermost.tb_frame.f_locals['position']}"
    if isinstance(error, UnicodeDecodeError):
        return f"{where} is not UTF-8: {error}"
    if isinstance(error, KafkaProtocolError):
        return f"{where}: {error.args[0]}"
    return f"{where} runs past the end at {size}"


def _past_end(where: str, size: int, position: int, end: int) -> KafkaProtocolError:
    return KafkaProtocolError(f"{where}: {size} at byte {position} runs past the end at {end}")


def _wrong_size(where: str, size: int, position: int, after: int) -> KafkaProtocolError:
    return KafkaProtocolError(f"{where}: a tagged field of {size} bytes ends at byte {position} instead of {after}")


def _unexpected_null(where: str, position: int) -> KafkaProtocolError:
    return KafkaProtocolError(f"{where} may not be null, and is just before byte {position}")


NAMES: dict[str, Any] = {
    "read_uvarint": decode_uvarint,
    # A topic's id comes with every request for it, and making the object costs ten times the look-up.
    "uuid_of": lru_cache(maxsize=1024)(lambda data: UuidValue(bytes=data)),
    "unpack_from": struct.unpack_from,
    "past_end": _past_end,
    "wrong_size": _wrong_size,
    "unexpected_null": _unexpected_null,
}
"""What the generated functions call."""
