"""What a peer may take, and what becomes of those who want more."""

from __future__ import annotations

import re
import resource
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from server.peers import WirePeer, fetch_request, frame, produce_request, request_bytes
from server.waiting import wait_until

from embedkafka import EmbeddedKafka
from embedkafka.errors import KafkaConfigurationError
from embedkafka.protocol.apis.api_18_api_versions import ApiVersionsRequest
from embedkafka.server import connection as connection_module
from embedkafka.server import limits as limits_module
from embedkafka.server import listener as listener_module
from embedkafka.server.listener import Listener

VERSIONS = ApiVersionsRequest("test", "1")


@contextmanager
def listening(**configs: object) -> Iterator[tuple[EmbeddedKafka, Listener]]:
    with EmbeddedKafka(**configs) as kafka:
        yield kafka, kafka.listen()


def held_bytes(listener: Listener) -> int:
    assert listener._site is not None
    return listener._site.held_bytes


def held_up(listener: Listener) -> int:
    """How many connections wait for room."""
    assert listener._site is not None
    return len(listener._site._held_up)


def written_out(listener: Listener) -> int:
    """How many connections wait for their peers to take what is there."""
    assert listener._site is not None
    return sum(not each._outbox.is_writable for each in listener._site.connections)


def is_refused(listener: Listener) -> bool:
    with WirePeer(listener) as peer:
        return peer.is_closed_by_listener()


def test_a_frame_beyond_the_limit_closes_the_connection() -> None:
    with listening(socket_request_max_bytes=1000) as (_, listener), WirePeer(listener) as peer:
        assert peer.ask(18, 3, VERSIONS).error_code == 0
        peer.socket.sendall((1001).to_bytes(4, "big"))
        assert peer.is_closed_by_listener()


def test_connections_beyond_the_limit_are_refused_and_there_is_room_when_one_ends() -> None:
    with listening(max_connections=2) as (_, listener), WirePeer(listener) as one, WirePeer(listener) as two:
        assert [each.ask(18, 3, VERSIONS).error_code for each in (one, two)] == [0, 0]
        assert is_refused(listener)
        two.close()
        wait_until(lambda: listener.connection_count == 1)
        with WirePeer(listener) as three:
            assert three.ask(18, 3, VERSIONS).error_code == 0
        assert one.ask(18, 3, VERSIONS).error_code == 0


def test_connections_of_one_address_have_a_limit_of_their_own() -> None:
    with listening(max_connections_per_ip=1) as (_, listener), WirePeer(listener) as one:
        assert one.ask(18, 3, VERSIONS).error_code == 0
        assert is_refused(listener)


def test_an_address_may_have_a_number_of_connections_of_its_own() -> None:
    settings = {"max.connections.per.ip": 0, "max.connections.per.ip.overrides": "10.0.0.1:5, 127.0.0.1:1"}
    with listening(**settings) as (_, listener), WirePeer(listener) as one:
        assert one.ask(18, 3, VERSIONS).error_code == 0
        assert is_refused(listener)


@pytest.mark.parametrize("overrides", ["127.0.0.1", "127.0.0.1:many", "127.0.0.1:-1", "nowhere.invalid:1"])
def test_an_address_that_is_none_is_named_when_the_listener_opens(overrides: str) -> None:
    settings = {"max.connections.per.ip.overrides": overrides}
    with EmbeddedKafka(**settings) as kafka, pytest.raises(KafkaConfigurationError, match=re.escape(repr(overrides))):
        kafka.listen()


@pytest.mark.usefixtures("each_loop")
def test_an_idle_connection_is_closed_and_a_busy_one_is_not() -> None:
    with (
        listening(connections_max_idle_ms=200) as (_, listener),
        WirePeer(listener) as idle,
        WirePeer(listener) as busy,
    ):
        idle.socket.setblocking(False)
        while True:
            assert busy.ask(18, 3, VERSIONS).error_code == 0
            try:
                assert idle.socket.recv(1) == b""
            except BlockingIOError:
                continue
            except ConnectionResetError:
                pass
            break
        assert busy.ask(18, 3, VERSIONS).error_code == 0


@pytest.fixture
def stalls_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence within a frame is too long after 0.1 s."""
    for module in (listener_module, connection_module):
        monkeypatch.setattr(module, "STALLED_S", 0.1)


@pytest.mark.usefixtures("stalls_early")
def test_a_peer_that_stalls_within_a_frame_is_closed_early() -> None:
    with listening() as (_, listener), WirePeer(listener) as stalled, WirePeer(listener) as idle:
        stalled.socket.sendall(struct.pack("!i", 100_000) + bytes(10))
        assert stalled.is_closed_by_listener()
        assert idle.ask(18, 3, VERSIONS).error_code == 0


@pytest.mark.usefixtures("each_loop", "stalls_early")
def test_a_peer_that_the_listener_holds_up_within_a_frame_is_not_taken_for_stalled() -> None:
    with listening(queued_max_request_bytes=50_000) as (kafka, listener):
        kafka.create_topic("t")
        with WirePeer(listener) as greedy, WirePeer(listener) as other:
            assert other.ask(18, 3, VERSIONS).error_code == 0
            greedy.send(1, 12, fetch_request("t", 0, max_wait_ms=60_000))
            greedy.send(0, 9, produce_request("t", [bytes(60_000)]))
            wait_until(lambda: held_bytes(listener) > 50_000)
            request = request_bytes(0, 9, produce_request("t", [bytes(60_000)]))
            other.socket.sendall(request[:30_000])
            wait_until(lambda: held_up(listener) == 1)
            assert listener._site is not None
            (waiting,) = listener._site._held_up
            wait_until(lambda: listener._loop.time() - waiting.last_active > 0.5)
            kafka.producer().send("t", b"x").get()  # the fetch ends
            other.socket.sendall(request[30_000:])
            assert other.receive_frame()


@pytest.mark.usefixtures("each_loop")
def test_requests_in_memory_have_a_limit_and_others_go_on_when_there_is_room() -> None:
    with listening(queued_max_request_bytes=50_000) as (kafka, listener):
        kafka.create_topic("t")
        with WirePeer(listener) as greedy, WirePeer(listener) as other:
            assert other.ask(18, 3, VERSIONS).error_code == 0
            # A parked fetch, and behind it what waits: this connection holds it all.
            greedy.send(1, 12, fetch_request("t", 0, max_wait_ms=1500))
            greedy.send(0, 9, produce_request("t", [bytes(60_000)]))
            wait_until(lambda: held_bytes(listener) > 50_000)
            assert other.ask(18, 3, VERSIONS).error_code == 0  # one read more, then it waits
            other.send(0, 9, produce_request("t", [b"x"]))
            # It would be the first of the partition, had it not waited.
            assert other.receive()[1].responses[0].partition_responses[0].base_offset == 1
            wait_until(lambda: held_bytes(listener) == 0)


@pytest.mark.usefixtures("each_loop")
def test_a_frame_that_takes_all_the_room_by_itself_is_read_to_its_end() -> None:
    with listening(queued_max_request_bytes=50_000) as (kafka, listener):
        kafka.create_topic("t")
        with WirePeer(listener) as peer:
            assert peer.ask(18, 3, VERSIONS).error_code == 0
            request = request_bytes(0, 9, produce_request("t", [bytes(60_000)]))
            peer.socket.sendall(request[:30_000])
            wait_until(lambda: held_bytes(listener) > 50_000)  # it has its memory and half of its bytes
            peer.socket.sendall(request[30_000:])
            assert peer.receive_frame()
            wait_until(lambda: held_bytes(listener) == 0)


@pytest.mark.usefixtures("each_loop")
def test_frames_that_were_begun_without_room_do_not_wait_for_each_other() -> None:
    with listening(queued_max_request_bytes=50_000) as (kafka, listener):
        kafka.create_topic("t")
        with WirePeer(listener) as greedy, WirePeer(listener) as one, WirePeer(listener) as two:
            assert [each.ask(18, 3, VERSIONS).error_code for each in (one, two)] == [0, 0]
            large = produce_request("t", [bytes(60_000)])
            greedy.send(1, 12, fetch_request("t", 0, max_wait_ms=60_000))
            greedy.send(0, 9, large)
            wait_until(lambda: held_bytes(listener) > 50_000)
            request = request_bytes(0, 9, large)
            for each in (one, two):
                each.socket.sendall(request[:30_000])
            wait_until(lambda: held_up(listener) == 2)
            kafka.producer().send("t", b"x").get()  # the fetch ends
            for each in (one, two):
                each.socket.sendall(request[30_000:])
            for each in (one, two):
                assert each.receive_frame()
            wait_until(lambda: held_bytes(listener) == 0)


def test_what_a_peer_sends_behind_a_parked_fetch_stays_in_its_socket() -> None:
    with listening() as (kafka, listener):
        kafka.create_topic("t")
        with WirePeer(listener) as peer:
            peer.send(1, 12, fetch_request("t", 0, max_wait_ms=60_000))
            peer.socket.setblocking(False)
            load = request_bytes(18, 0, ApiVersionsRequest()) * 10_000
            sent = 0
            try:
                while sent < 200_000_000:
                    sent += peer.socket.send(load)
            except BlockingIOError:
                pass
            assert sent < 50_000_000
            assert held_bytes(listener) < 1_000_000


@pytest.mark.usefixtures("each_loop")
def test_a_slow_reader_costs_one_portion_and_no_more() -> None:
    with listening() as (kafka, listener):
        kafka.create_topic("t", configs={"max.message.bytes": 20_000_000})
        with WirePeer(listener) as writer:
            writer.ask(0, 9, produce_request("t", [bytes(1000)] * 15_000))
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        slow = [WirePeer(listener, receive_buffer_bytes=4096) for _ in range(20)]
        whole = fetch_request("t", 0)
        whole.topics[0].partitions[0].partition_max_bytes = whole.max_bytes = 30_000_000
        for peer in slow:
            peer.send(1, 12, whole)
            peer.send(1, 12, whole)
        with WirePeer(listener) as quick:
            wait_until(lambda: written_out(listener) == 20)
            assert quick.ask(18, 3, VERSIONS).error_code == 0
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
        assert grown_kib < 20 * 4 * limits_module.WRITE_BUFFER_BYTES / 1024  # of 20 x 15 MB
        first = slow[0].receive()[1]
        assert len(first.responses[0].partitions[0].records) > 15_000_000
        for peer in slow:
            peer.close()


def test_a_thousand_idle_connections_cost_little_and_hinder_nobody() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2_300  # both ends are ours
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    try:
        with listening(socket_listen_backlog_size=1000) as (_, listener):
            before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            peers = [WirePeer(listener) for _ in range(1000)]
            wait_until(lambda: listener.connection_count == 1000)
            grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
            assert grown_kib < 1000 * 20
            assert all(peer.ask(18, 3, VERSIONS).error_code == 0 for peer in peers[::100])
            for peer in peers:
                peer.close()
            wait_until(lambda: listener.connection_count == 0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_peer_that_vanishes_while_its_fetch_is_parked_leaves_nothing(kafka: EmbeddedKafka) -> None:
    listener = kafka.listen()
    kafka.create_topic("t")
    with WirePeer(listener) as peer:
        peer.send(1, 12, fetch_request("t", 0, max_wait_ms=-1 & 0x7FFFFFFF))
        (partition,) = kafka.engine.topics.partitions()
        wait_until(lambda: bool(partition.parked))
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset, not closed
    wait_until(lambda: not partition.parked)
    assert held_bytes(listener) == 0


def test_tiny_frames_by_the_thousand_are_all_answered() -> None:
    with listening() as (_, listener), WirePeer(listener) as peer:
        count = 5_000
        peer.socket.sendall(request_bytes(18, 0, ApiVersionsRequest(), 3) * count)
        for _ in range(count):
            assert peer.receive_frame()[:4] == (3).to_bytes(4, "big")


def test_an_empty_frame_closes_the_connection() -> None:
    with listening() as (_, listener), WirePeer(listener) as peer:
        peer.socket.sendall(frame(b""))
        assert peer.is_closed_by_listener()
