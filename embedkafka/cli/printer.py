"""How ``consume`` shows a record."""

from __future__ import annotations

import re
import sys
from typing import Any

from embedkafka.cli import text
from embedkafka.cli.exits import CliError, ExitCode
from embedkafka.cli.output import Output

FIELDS = ("topic", "partition", "offset", "timestamp", "time", "key", "value", "headers")
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\0": "\0", "\\\\": "\\"}


class Printer:
    """Prints records by a format.

    Args:
        out: where they go; with ``--json`` the format is not used.
        template: text with the fields of :data:`FIELDS` in braces; ``\\t`` and ``\\n`` mean tab and line end.
        raw: the value's bytes and a line end, nothing else.

    Raises:
        CliError: a field that does not exist.
    """

    def __init__(self, out: Output, template: str, *, raw: bool = False) -> None:
        self._out = out
        self._raw = raw
        template = re.sub(r"\\[nt0\\]", lambda match: _ESCAPES[match[0]], template)
        self._parts = re.split(r"\{(\w+)\}", template)  # text, field, text, field, ... text
        unknown = [field for field in self._parts[1::2] if field not in FIELDS]
        if unknown:
            fields = ", ".join(FIELDS)
            raise CliError(f"--format knows no field {unknown[0]!r}", f"there are: {fields}", ExitCode.USAGE)

    def record(self, record: Any) -> None:
        """Print one record."""
        if self._out.as_json:
            self._out.json(_as_json(record))
        elif self._raw:
            sys.stdout.flush()
            sys.stdout.buffer.write(bytes(record.value or b"") + b"\n")
            sys.stdout.buffer.flush()
        else:
            self._out.line("".join(_field(record, part) if odd % 2 else part for odd, part in enumerate(self._parts)))

    def flush(self) -> None:
        """Hand over what was printed; a pipe that was closed shows here."""
        sys.stdout.flush()


def _field(record: Any, field: str) -> str:
    if field == "headers":
        return ",".join(f"{text.printable(name.encode())}={text.printable(value)}" for name, value in record.headers)
    if field == "time":
        return text.timestamp(record.timestamp)
    value = getattr(record, field)
    if field in ("key", "value"):
        return text.printable(value)
    return str(value)


def _as_json(record: Any) -> dict[str, Any]:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        **text.json_bytes("key", record.key),
        **text.json_bytes("value", record.value),
        "headers": [{"name": name, **text.json_bytes("value", value)} for name, value in record.headers],
    }
