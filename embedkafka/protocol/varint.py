"""Unsigned variable-length integers (KIP-482): seven bits a byte, the lowest first, the high bit says more follow."""

from __future__ import annotations

from embedkafka.errors import KafkaProtocolError

ONE_BYTE = [bytes([value]) for value in range(0x80)]
"""The values that take one byte."""


def encode_uvarint(value: int) -> bytes:
    """The 1 to 5 bytes of ``value``, 0 to 2**32 - 1."""
    if value < 0x80:
        return ONE_BYTE[value]
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_uvarint(buffer: memoryview, position: int) -> tuple[int, int]:
    """The value at ``position`` and the position after it.

    Raises:
        KafkaProtocolError: more than 32 bits.
        IndexError: the buffer ends inside it.
    """
    first = buffer[position]
    if first < 0x80:
        return first, position + 1
    value = first & 0x7F
    for shift in (7, 14, 21, 28):
        position += 1
        byte = buffer[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value > 0xFFFFFFFF:
                break
            return value, position + 1
    raise KafkaProtocolError(f"an unsigned varint of more than 32 bits ends at byte {position}")
