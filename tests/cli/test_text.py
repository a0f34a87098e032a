"""Values as text that is safe to print."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.cli import text


@given(st.binary())
def test_whatever_the_bytes_the_text_is_one_printable_line(data: bytes) -> None:
    shown = text.printable(data)
    assert shown.replace("\t", "").isprintable()


def test_text_in_other_scripts_is_shown_as_it_is() -> None:
    assert text.printable("naïve 漢字".encode()) == "naïve 漢字"


def test_a_terminal_escape_sequence_is_defused() -> None:
    assert text.printable(b"\x1b[2Jgone") == "\\x1b[2Jgone"


def test_bytes_that_are_not_utf8_are_shown_as_hexadecimal() -> None:
    assert text.printable(b"ab\xff") == "ab\\xff"


def test_a_missing_value_is_null() -> None:
    assert text.printable(None) == "null"


@given(st.binary())
def test_json_loses_no_byte(data: bytes) -> None:
    found = text.json_bytes("value", data)
    if found["value"] is None:
        assert base64.b64decode(found["value_base64"]) == data
    else:
        assert found["value"].encode() == data


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 << 30, "5.0 GiB"), (1 << 50, "1024.0 TiB")],
)
def test_sizes_keep_the_largest_unit_that_fits(size_bytes: int, shown: str) -> None:
    assert text.size(size_bytes) == shown


def test_a_rate_has_three_digits_that_mean_something() -> None:
    assert text.rate(123_456, 1.0) == "123,000/s"


def test_a_timestamp_is_utc_with_milliseconds() -> None:
    assert text.timestamp(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"


def test_a_timestamp_beyond_the_calendar_is_still_shown() -> None:
    assert text.timestamp(2**62) == f"{2**62} ms"
