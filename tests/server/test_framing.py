"""From a stream to frames, however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server.peers import frame

from embedkafka.server.framing import Framing


def feed(framing: Framing, stream: bytes) -> list[bytes]:
    """As the loop does: what the buffer has room for at a time."""
    frames: list[bytes] = []
    position = 0
    while position < len(stream):
        buffer = framing.buffer()
        part = stream[position : position + len(buffer)]
        buffer[: len(part)] = part
        frames += map(bytes, framing.received(len(part)))
        position += len(part)
    return frames


@given(
    bodies=st.lists(st.binary(max_size=50), max_size=8),
    inbox_bytes=st.integers(4, 40),
    cuts=st.lists(st.integers(1, 60), min_size=1, max_size=5),
)
def test_frames_are_the_same_however_the_stream_is_cut(bodies: list[bytes], inbox_bytes: int, cuts: list[int]) -> None:
    framing = Framing(memoryview(bytearray(inbox_bytes)), 100)
    stream = b"".join(map(frame, bodies))
    frames: list[bytes] = []
    turn = 0
    while stream:
        part, stream = stream[: cuts[turn % len(cuts)]], stream[cuts[turn % len(cuts)] :]
        frames += feed(framing, part)
        turn += 1
    assert frames == bodies
    assert framing.is_between_frames
    assert framing.held_bytes == 0


@pytest.mark.parametrize("size", [-1, -(2**31), 101, 2**31 - 1])
def test_a_size_beyond_the_limit_is_refused(size: int) -> None:
    framing = Framing(memoryview(bytearray(64)), 100)
    assert feed(framing, frame(b"before") + size.to_bytes(4, "big", signed=True) + frame(b"behind")) == [b"before"]
    assert f"a frame of {size} bytes, at most 100" in str(framing.error)


@pytest.mark.parametrize(
    ("beginning", "what"), [(b"\x16\x03\x01\x02\x00\x01", "it speaks TLS"), (b"GET / HTTP/1.1", "it speaks HTTP")]
)
def test_another_protocol_is_recognized(beginning: bytes, what: str) -> None:
    framing = Framing(memoryview(bytearray(64)), 100)
    feed(framing, beginning)
    assert what in str(framing.error)


def test_memory_follows_what_has_come_and_not_what_was_announced() -> None:
    framing = Framing(memoryview(bytearray(1 << 18)), 1 << 30)
    feed(framing, (1 << 29).to_bytes(4, "big") + bytes(1000))
    assert framing.held_bytes == 64 * 1024
    feed(framing, bytes(200_000))
    assert framing.held_bytes <= 4 * 201_000


def test_each_frame_is_writable_memory_of_its_own() -> None:
    inbox = bytearray(64)
    framing = Framing(memoryview(inbox), 100)
    inbox[:14] = frame(b"abc") + frame(b"def")
    one, two = framing.received(14)
    one[0] = ord("x")
    inbox[:] = bytes(64)
    assert (bytes(one), bytes(two)) == (b"xbc", b"def")


def test_a_large_frame_is_received_where_it_stays() -> None:
    framing = Framing(memoryview(bytearray(64)), 1 << 20)
    stream = frame(bytes(100_000))
    buffer = framing.buffer()
    buffer[:] = stream[:64]
    assert framing.received(64) == []
    rest = framing.buffer()
    assert len(rest) == (64 * 1024) - 60
