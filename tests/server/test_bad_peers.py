"""Peers that send garbage: their connection gets Kafka's error or is closed, and nobody else notices.

The corpus is every API that is served, in every version, with a request's default values; Hypothesis and the seeded
mutator change it: bytes flipped, cut off, put in, lengths made huge, frames in the wrong order.
"""

from __future__ import annotations

import logging
import random
import resource
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from conftest import IS_FULL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from server.peers import WirePeer, fetch_request, frame, produce_request, request_bytes
from server.waiting import wait_until

from embedkafka import EmbeddedKafka
from embedkafka.protocol.apis import api
from embedkafka.protocol.apis.api_18_api_versions import ApiVersionsRequest
from embedkafka.record import encode_batch
from embedkafka.record.format import write_checksum
from embedkafka.server.handlers import handlers
from embedkafka.server.listener import Listener

ROUNDS = 20_000 if IS_FULL else 1_500
TIMEOUT_S = 5.0


@pytest.fixture(scope="module")
def kafka() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(num_partitions=2, socket_request_max_bytes=1_000_000) as engine:
        engine.create_topic("t")
        engine.create_topic("small")
        yield engine


@pytest.fixture(scope="module")
def listener(kafka: EmbeddedKafka) -> Listener:
    return kafka.listen()


@pytest.fixture(autouse=True)
def _test_leaves_nothing_behind() -> None:
    """Workers start as they are needed, and the tests share a listener: the module's own check looks for leaks."""


def corpus() -> list[bytes]:
    """Real requests' frames."""
    frames = []
    for key in handlers():
        chosen = api(key)
        versions = range(chosen.versions.lowest, chosen.versions.highest + 1)
        frames += [request_bytes(key, version, chosen.request.message(), 1) for version in versions]
    for version in (3, 8, 9, 12):
        frames.append(request_bytes(0, version, produce_request("t", [b"x" * 50] * 5), 1))
        frames.append(request_bytes(0, version, produce_request("t", [b"x" * 50] * 5, compression_type=4), 1))
    frames += [request_bytes(1, version, fetch_request("t", 0), 1) for version in (4, 7, 11, 12)]
    return frames


CORPUS = corpus()
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)


def mutated(choices: random.Random, request: bytes) -> bytes:
    """A frame's bytes with a few changes; the size before it is made right again most of the time."""
    body = bytearray(request[4:])
    for _ in range(choices.randrange(1, 4)):
        position = choices.randrange(len(body)) if body else 0
        kind = choices.randrange(6)
        if kind == 0 and body:
            body[position] ^= 1 << choices.randrange(8)
        elif kind == 1 and body:
            body[position] = choices.choice(INTERESTING)
        elif kind == 2:
            del body[position:]
        elif kind == 3:
            body[position:position] = choices.randbytes(choices.randrange(1, 9))
        elif kind == 4:
            body[position : position + 4] = struct.pack("!i", choices.choice((-1, 2**31 - 1, -(2**31), 65536)))
        else:
            del body[position : position + choices.randrange(1, 9)]
    if choices.randrange(20) == 0:
        return struct.pack("!i", choices.choice((-1, 0, 2**31 - 1, len(body) + 7))) + bytes(body)
    return frame(bytes(body))


def is_served(listener: Listener) -> None:
    with WirePeer(listener, timeout_s=TIMEOUT_S) as peer:
        assert peer.ask(18, 3, ApiVersionsRequest("test", "1")).error_code == 0
        assert peer.ask(0, 9, produce_request("small", [b"x"])).responses[0].partition_responses[0].error_code == 0


def drain(peer: WirePeer) -> None:
    """Take whatever comes until the listener ends the connection; we have ended our half."""
    try:
        peer.socket.shutdown(socket.SHUT_WR)
        while peer.socket.recv(65536):
            pass
    except OSError:
        pass


def test_mutated_requests_hurt_nobody_else(
    listener: Listener, kafka: EmbeddedKafka, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    choices = random.Random(seed)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with caplog.at_level(logging.ERROR, logger="embedkafka"), WirePeer(listener, timeout_s=TIMEOUT_S) as good:
        for number in range(ROUNDS):
            with WirePeer(listener, timeout_s=TIMEOUT_S) as bad:
                stream = b"".join(mutated(choices, choices.choice(CORPUS)) for _ in range(choices.randrange(1, 4)))
                try:
                    bad.socket.sendall(stream)
                except OSError:
                    continue
                if number % 10 == 0:
                    drain(bad)
            if number % 100 == 0:
                assert good.ask(18, 3, ApiVersionsRequest("test", "1")).error_code == 0
        is_served(listener)
    wait_until(lambda: listener.connection_count <= 1)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert grown_kib < 100_000
    assert [record.getMessage() for record in caplog.records] == []  # each was told as the peer's mistake, not ours


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stream=st.lists(st.binary(max_size=60) | st.binary(max_size=60).map(frame), max_size=4).map(b"".join))
def test_any_bytes_are_answered_or_refused(listener: Listener, stream: bytes) -> None:
    with WirePeer(listener, timeout_s=TIMEOUT_S) as peer:
        peer.socket.sendall(stream)
        drain(peer)
    is_served(listener)


@pytest.mark.parametrize("request_index", range(0, len(CORPUS), 7))
def test_a_request_cut_off_anywhere_is_forgotten_with_its_connection(listener: Listener, request_index: int) -> None:
    whole = CORPUS[request_index]
    for end in {1, 4, 5, len(whole) // 2, len(whole) - 1}:
        with WirePeer(listener, timeout_s=TIMEOUT_S) as peer:
            peer.socket.sendall(whole[:end])
    wait_until(lambda: listener.connection_count == 0)
    assert listener._site is not None
    assert listener._site.held_bytes == 0


def test_a_body_that_claims_millions_of_elements_takes_no_memory_for_them(listener: Listener) -> None:
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    head = struct.pack("!hhih", 3, 1, 1, -1)
    for count in (2**31 - 1, 2**24, 100_000):
        with WirePeer(listener, timeout_s=TIMEOUT_S) as peer:
            peer.socket.sendall(frame(head + struct.pack("!i", count)))
            assert peer.is_closed_by_listener()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 20_000


def test_half_open_connections_hinder_nobody(listener: Listener) -> None:
    halves = [WirePeer(listener, timeout_s=TIMEOUT_S) for _ in range(50)]
    for number, half in enumerate(halves):
        half.socket.sendall(struct.pack("!i", 500_000)[: number % 5] + bytes(number if number % 5 == 4 else 0))
    is_served(listener)
    for half in halves:
        half.close()


def test_batches_that_are_not_what_they_claim_are_refused_by_code(listener: Listener) -> None:
    whole = produce_request("t", [b"value"] * 3)
    records = whole.topic_data[0].partition_data[0].records
    assert records is not None
    codes = set()
    with WirePeer(listener, timeout_s=TIMEOUT_S) as peer:
        for position in range(len(records)):
            changed = bytearray(records)
            changed[position] ^= 0x55
            whole.topic_data[0].partition_data[0].records = memoryview(changed)
            codes.add(peer.ask(0, 9, whole).responses[0].partition_responses[0].error_code)
    # 0: base offset and leader epoch lie outside the checksum, and are given by the broker; 53: a transaction of none.
    assert codes <= {0, 2, 48, 53, 87}
    assert 2 in codes


def test_many_bad_peers_at_once_do_not_slow_a_good_one_down(listener: Listener, seed: int) -> None:
    stop = threading.Event()

    def misbehave(number: int) -> None:
        choices = random.Random(seed + number)
        while not stop.is_set():
            with WirePeer(listener, timeout_s=TIMEOUT_S) as bad:
                try:
                    bad.socket.sendall(mutated(choices, choices.choice(CORPUS)))
                except OSError:
                    continue

    threads = [threading.Thread(target=misbehave, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            is_served(listener)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def bomb() -> memoryview:
    """A batch of 4 KB whose zstd frame says that it is 131 MB: a thousand blocks of one repeated byte."""
    rle_block = ((128 * 1024) << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    last_block = (1).to_bytes(3, "little")
    payload = bytes.fromhex("28b52ffd 00 88") + rle_block * 1000 + last_block
    batch = encode_batch([(1_700_000_000_000, None, b"x", ())], compression_type=4)[:61] + payload
    struct.pack_into("!i", batch, 8, len(batch) - 12)
    write_checksum(batch)
    return memoryview(batch)


def test_a_small_batch_that_would_become_huge_is_refused_without_becoming_it(listener: Listener) -> None:
    request = produce_request("t", [b"x"])
    request.topic_data[0].partition_data[0].records = bomb()
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with WirePeer(listener, timeout_s=TIMEOUT_S) as peer:
        answer = peer.ask(0, 9, request).responses[0].partition_responses[0]
    assert (answer.error_code, "becomes more than" in answer.error_message) == (2, True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 50_000
