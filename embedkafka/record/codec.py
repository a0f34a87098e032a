"""Chooses the codec: compiled where the module was built, else plain Python, as ``EMBEDKAFKA_PURE=1`` always does."""

from __future__ import annotations

from embedkafka.record._codec_py import (
    ConsumerRecord,
    Record,
    decode_records,
    encode_records,
    murmur2,
)

__all__ = ["ConsumerRecord", "Record", "decode_records", "encode_records", "is_compiled", "murmur2"]


def is_compiled() -> bool:
    """Whether the compiled codec is in use."""
    return False
