"""Values as text that is safe to print: bytes, sizes, rates, durations."""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from typing import Any


def printable(data: bytes | None, *, none: str = "null") -> str:
    """Bytes as one line of text: UTF-8 where it is, ``\\xNN`` where not; control characters escaped.

    A record may hold terminal escape sequences or newlines; printed as they are, they would move the cursor or fake
    further records.  A backslash in the data stays as it is, so this is for people; programs use ``--json``.
    """
    if data is None:
        return none
    text = bytes(data).decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\t" else char.encode("unicode_escape").decode("ascii") for char in text
    )


def json_bytes(name: str, data: bytes | None) -> dict[str, Any]:
    """``{name: text}``, or ``{name: None, name_base64: ...}`` where the bytes are not UTF-8: nothing is lost."""
    if data is None:
        return {name: None}
    raw = bytes(data)
    try:
        return {name: raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {name: None, f"{name}_base64": base64.b64encode(raw).decode("ascii")}


def count(number: int) -> str:
    """12345 as ``12,345``."""
    return f"{number:,}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 batch``, ``2 batches``: a number with its noun."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(size_bytes: float) -> str:
    """Bytes in the largest unit that keeps the number at 1 or above: ``1.5 MiB``."""
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def rate(records: int, seconds: float) -> str:
    """``812,000/s``; three significant digits, because more would be noise."""
    if seconds <= 0:
        return "-"
    per_second = records / seconds
    digits = max(0, len(str(int(per_second))) - 3)
    return f"{round(per_second, -digits):,.0f}/s"


def duration(seconds: float) -> str:
    """``870 us``, ``12.3 ms``, ``4.56 s``."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} us"
    if seconds < 1:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds:.2f} s"


def timestamp(timestamp_ms: int) -> str:
    """Milliseconds since the epoch as UTC, ISO 8601; ``-`` for none."""
    if timestamp_ms < 0:
        return "-"
    try:
        moment = datetime.fromtimestamp(timestamp_ms / 1000, tz=timezone.utc)
    except (OverflowError, OSError, ValueError):
        return f"{timestamp_ms} ms"
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{timestamp_ms % 1000:03d}Z"
