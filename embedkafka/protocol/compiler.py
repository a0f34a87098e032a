"""Turns a message class into one straight-line Python function per version and direction.

Interpreting a field table costs several calls per field.  Instead the table is written out as source once, with
everything that depends on the version already decided, neighbouring fixed-size fields merged into one ``struct`` call,
and nested structs as functions of their own.  :func:`encoder_source` shows the result.
"""

from __future__ import annotations

import dataclasses
import itertools
import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID as UuidValue

from embedkafka.errors import KafkaProtocolError, UnsupportedVersionError
from embedkafka.protocol import fields
from embedkafka.protocol.fields import Array, Field, Fixed, Sized, Struct, WireType
from embedkafka.protocol.varint import decode_uvarint, encode_uvarint


def compile_encoder(message: type[Any], version: int, flexible: bool) -> Callable[..., None]:
    """A function ``(value, append)`` that hands the message's parts to ``append`` in order."""
    source = _Source(version, flexible)
    _Encoder(source).message(message)
    encoder: Callable[..., None] = source.compile(f"encode_{message.__name__}")
    return encoder


def compile_decoder(message: type[Any], version: int, flexible: bool) -> Callable[..., tuple[Any, int]]:
    """A function ``(buffer, position, end)`` that gives the message and the position after it."""
    source = _Source(version, flexible)
    _Decoder(source).message(message)
    decoder: Callable[..., tuple[Any, int]] = source.compile(f"decode_{message.__name__}")
    return decoder


def encoder_source(message: type[Any], version: int, *, flexible: bool) -> str:
    """The generated encoder's text, to read."""
    source = _Source(version, flexible)
    _Encoder(source).message(message)
    return source.text()


class _Source:
    """Lines of generated code and the names they use."""

    def __init__(self, version: int, flexible: bool) -> None:
        self.version = version
        self.flexible = flexible
        self.functions: dict[str, list[str]] = {}
        self.names: dict[str, Any] = {
            "uvarint": encode_uvarint,
            "read_uvarint": decode_uvarint,
            "UuidValue": UuidValue,
            "pack": struct.pack,
            "unpack_from": struct.unpack_from,
            "calcsize": struct.calcsize,
            "pieces": (tuple, list),
            "past_end": _past_end,
            "unexpected_null": _unexpected_null,
            "not_in_version": _not_in_version,
        }
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
        namespace = dict(self.names)
        exec(compile(self.text(), f"<{entry} v{self.version}>", "exec"), namespace)
        return namespace[entry]


def _present(message: type[Any], version: int) -> tuple[list[tuple[str, Field]], list[tuple[str, Field]]]:
    """The plain and the tagged fields of a version, the tagged ones by tag."""
    plain: list[tuple[str, Field]] = []
    tagged: list[tuple[str, Field]] = []
    for field, declared in fields.wire_fields(message):
        if version in declared.tagged:
            tagged.append((field.name, declared))
        elif version in declared.versions:
            plain.append((field.name, declared))
    return plain, sorted(tagged, key=lambda item: item[1].tag or 0)


def _default_test(field: dataclasses.Field[Any], value: str, source: _Source) -> str:
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


class _Encoder:
    def __init__(self, source: _Source) -> None:
        self.source = source

    def message(self, message: type[Any]) -> str:
        name = f"encode_{message.__name__}"
        source = self.source
        if name in source.functions:
            return name
        lines = source.functions[name] = [f"def {name}(value, append):"]
        plain, tagged = _present(message, source.version)
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
        lines.append("    tagged = []")
        for field_name, declared in tagged:
            lines.append(f"    if {_default_test(by_name[field_name], f'value.{field_name}', self.source)}:")
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
            null = "b'\\0'" if source.flexible else repr(struct.pack(f"!{_length_code(type_)}", -1))
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
            return f"uvarint({length} + 1)"
        return f"{self.source.packer(_length_code(type_))[0]}({length})"


class _Decoder:
    def __init__(self, source: _Source) -> None:
        self.source = source

    def message(self, message: type[Any]) -> str:
        name = f"decode_{message.__name__}"
        source = self.source
        if name in source.functions:
            return name
        lines = source.functions[name] = [f"def {name}(buffer, position, end):"]
        plain, tagged = _present(message, source.version)
        self._plain(lines, message, plain)
        arguments = [f"{field_name}=v_{field_name}" for field_name, _ in plain]
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
                run.append((f"v_{field_name}", declared.type))
                continue
            self._fixed_run(lines, run, "    ")
            run = []
            nullable = self.source.version in declared.nullable
            where = f"{message.__name__}.{field_name}"
            self._value(lines, declared.type, f"v_{field_name}", "    ", nullable, where)
        self._fixed_run(lines, run, "    ")

    def _fixed_run(self, lines: list[str], run: list[tuple[str, Fixed]], indent: str) -> None:
        if not run:
            return
        _, unpack, size = self.source.packer("".join(type_.code for _, type_ in run))
        targets = ", ".join(name for name, _ in run)
        lines.append(f"{indent}{targets}, = {unpack}(buffer, position); position += {size}")
        lines.extend(f"{indent}{name} = UuidValue(bytes={name})" for name, type_ in run if type_ is fields.UUID)

    def _tagged(self, lines: list[str], message: type[Any], tagged: list[tuple[str, Field]]) -> None:
        lines.append("    count, position = read_uvarint(buffer, position)")
        lines.append("    for _ in range(count):")
        lines.append("        tag, position = read_uvarint(buffer, position)")
        lines.append("        size, position = read_uvarint(buffer, position)")
        lines.append("        after = position + size")
        lines.append(
            f"        if after > end: raise past_end('tagged field of {message.__name__}', size, position, end)"
        )
        for field_name, declared in tagged:
            lines.append(f"        if tag == {declared.tag}:")
            nullable = self.source.version in declared.nullable
            where = f"{message.__name__}.{field_name}"
            self._value(lines, declared.type, f"v_{field_name}", "            ", nullable, where)
            lines.append(f"            value.{field_name} = v_{field_name}")
        lines.append("        position = after  # also over tags this version does not know")

    def _value(self, lines: list[str], type_: WireType, target: str, indent: str, nullable: bool, where: str) -> None:
        if isinstance(type_, Fixed):
            self._fixed_run(lines, [(target, type_)], indent)
        elif isinstance(type_, Struct):
            self._struct(lines, type_, target, indent, nullable)
        else:
            self._counted(lines, type_, target, indent, nullable, where)

    def _struct(self, lines: list[str], type_: Struct, target: str, indent: str, nullable: bool) -> None:
        function = self.message(type_.message)
        if nullable:
            _, unpack, _ = self.source.packer("b")
            lines.append(f"{indent}{target}, = {unpack}(buffer, position); position += 1")
            lines.append(f"{indent}if {target} < 0: {target} = None")
            lines.append(f"{indent}else: {target}, position = {function}(buffer, position, end)")
        else:
            lines.append(f"{indent}{target}, position = {function}(buffer, position, end)")

    def _counted(
        self, lines: list[str], type_: Sized | Array, target: str, indent: str, nullable: bool, where: str
    ) -> None:
        size = self.source.temporary("size")
        if self.source.flexible:
            lines.append(f"{indent}{size}, position = read_uvarint(buffer, position); {size} -= 1")
        else:
            _, unpack, width = self.source.packer(_length_code(type_))
            lines.append(f"{indent}{size}, = {unpack}(buffer, position); position += {width}")
        if nullable:
            lines.append(f"{indent}if {size} < 0: {target} = None")
        else:
            lines.append(f"{indent}if {size} < 0: raise unexpected_null({where!r}, position)")
        # An element takes at least one byte, so a count beyond the bytes left is refused before anything is allocated.
        lines.append(f"{indent}elif {size} > end - position: raise past_end({where!r}, {size}, position, end)")
        lines.append(f"{indent}else:")
        inner = indent + "    "
        if isinstance(type_, Array):
            self._array(lines, type_, target, size, inner, where)
            return
        piece = f"buffer[position:position + {size}]"
        value = {"string": f"str({piece}, 'utf-8')", "bytes": f"bytes({piece})"}.get(type_.name, piece)
        lines.append(f"{inner}{target} = {value}; position += {size}")

    def _array(self, lines: list[str], type_: Array, target: str, count: str, indent: str, where: str) -> None:
        element = type_.element
        if isinstance(element, Fixed) and element is not fields.UUID:
            codes = f"f'!{{{count}}}{element.code}'"
            lines.append(f"{indent}{target} = list(unpack_from({codes}, buffer, position))")
            lines.append(f"{indent}position += calcsize({codes})")
            return
        one = self.source.temporary("one")
        lines.append(f"{indent}{target} = []")
        lines.append(f"{indent}for _ in range({count}):")
        self._value(lines, element, one, indent + "    ", False, f"{where}[]")
        lines.append(f"{indent}    {target}.append({one})")


def _to_fixed(type_: Fixed, value: str) -> str:
    return f"{value}.bytes" if type_ is fields.UUID else value


def _length_code(type_: Sized | Array) -> str:
    return type_.length_code if isinstance(type_, Sized) else "i"


def _past_end(where: str, size: int, position: int, end: int) -> KafkaProtocolError:
    return KafkaProtocolError(f"{where}: {size} at byte {position} runs past the end at {end}")


def _unexpected_null(where: str, position: int) -> KafkaProtocolError:
    return KafkaProtocolError(f"{where} may not be null, and is just before byte {position}")


def _not_in_version(message: str, field_name: str, version: int) -> UnsupportedVersionError:
    return UnsupportedVersionError(f"{message} v{version} has no field {field_name}, and it may not be dropped")
