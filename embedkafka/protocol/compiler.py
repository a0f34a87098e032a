"""Turns a message class into one straight-line Python function per version and direction.

Interpreting a field table costs several calls per field.  Instead the table is written out as source once, with
everything that depends on the version already decided, neighbouring fixed-size fields merged into one ``struct`` call,
and nested structs as functions of their own.  :func:`encoder_source` shows the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedkafka.protocol import decoder, encoder
from embedkafka.protocol.source import Source


def compile_encoder(message: type[Any], version: int, flexible: bool) -> Callable[..., None]:
    """A function ``(value, append)`` that hands the message's parts to ``append`` in order."""
    source = Source(version, flexible, dict(encoder.NAMES))
    encode: Callable[..., None] = source.compile(encoder.EncoderWriter(source).message(message))
    return encode


def compile_decoder(message: type[Any], version: int, flexible: bool) -> Callable[..., tuple[Any, int]]:
    """A function ``(buffer, position, end)`` that gives the message and the position after it."""
    source = Source(version, flexible, dict(decoder.NAMES))
    decode: Callable[..., tuple[Any, int]] = source.compile(decoder.DecoderWriter(source).message(message))
    return decode


def encoder_source(message: type[Any], version: int, *, flexible: bool) -> str:
    """The generated encoder's text, to read."""
    return str(compile_encoder(message, version, flexible).source)  # type: ignore[attr-defined] # set by Source
