"""Order, pipelining, errors of the protocol: what a connection does whatever is asked."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import pytest
from server.peers import WirePeer, fetch_request, frame, produce_request, request_bytes

from embedkafka import EmbeddedKafka, ManualClock
from embedkafka.protocol.apis import api
from embedkafka.protocol.apis.api_03_metadata import MetadataRequest, MetadataRequestTopic
from embedkafka.protocol.apis.api_18_api_versions import ApiVersionsRequest
from embedkafka.server.listener import Listener

VERSIONS = ApiVersionsRequest("test", "1")

pytestmark = pytest.mark.usefixtures("each_loop")


def test_replies_keep_the_order_of_requests_although_some_take_a_worker(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    sent = []
    for number in range(40):
        sent.append(peer.send(18, 3, VERSIONS))
        sent.append(peer.send(3, 9, MetadataRequest([MetadataRequestTopic(name="t")])))
        sent.append(peer.send(0, 9, produce_request("t", [b"%d" % number])))
    assert [peer.receive()[0] for _ in sent] == sent


def test_pipelined_batches_are_appended_in_order(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    for number in range(50):
        peer.send(0, 9, produce_request("t", [b"%d" % number] * 1000 if number % 7 == 0 else [b"%d" % number]))
    offsets = [peer.receive()[1].responses[0].partition_responses[0].base_offset for _ in range(50)]
    assert offsets == sorted(offsets)
    consumer = kafka.consumer("t", auto_offset_reset="earliest", consumer_timeout_ms=100)
    values = [record.value for record in consumer]
    assert list(dict.fromkeys(values)) == [b"%d" % number for number in range(50)]
    consumer.close()


def test_a_parked_fetch_holds_back_what_is_behind_it_and_nobody_else(
    kafka: EmbeddedKafka, connect: Callable[[], WirePeer]
) -> None:
    kafka.create_topic("t")
    reader, writer = connect(), connect()
    parked = reader.send(1, 12, fetch_request("t", 0, max_wait_ms=60_000))
    behind = reader.send(18, 3, VERSIONS)
    assert writer.ask(0, 9, produce_request("t", [b"x"])).responses[0].partition_responses[0].error_code == 0
    number, response = reader.receive()
    assert number == parked
    assert response.responses[0].partitions[0].high_watermark == 1
    assert reader.receive()[0] == behind


def test_a_parked_fetch_is_answered_when_its_time_is_up(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    (topic,) = peer.ask(1, 12, fetch_request("t", 0, max_wait_ms=30)).responses
    assert bytes(topic.partitions[0].records) == b""


def test_a_peers_time_goes_on_where_a_test_holds_the_engines() -> None:
    with EmbeddedKafka(clock=ManualClock()) as kafka:
        kafka.create_topic("t")
        with WirePeer(kafka.listen()) as peer:
            assert peer.ask(1, 12, fetch_request("t", 0, max_wait_ms=50)).error_code == 0


def test_a_fetch_waits_for_its_min_bytes(kafka: EmbeddedKafka, connect: Callable[[], WirePeer]) -> None:
    kafka.create_topic("t")
    reader, writer = connect(), connect()
    reader.send(1, 12, fetch_request("t", 0, max_wait_ms=60_000, min_bytes=300))
    for _ in range(4):
        writer.ask(0, 9, produce_request("t", [b"x" * 10]))
    _, response = reader.receive()
    assert len(response.responses[0].partitions[0].records) >= 300


def test_a_reply_to_no_session_names_every_partition(kafka: EmbeddedKafka, connect: Callable[[], WirePeer]) -> None:
    kafka.create_topic("t", 3)
    reader, writer = connect(), connect()
    request = fetch_request("t", 0, max_wait_ms=60_000)
    request.topics[0].partitions += [fetch_request("t", 0, partition=n).topics[0].partitions[0] for n in (1, 2)]
    reader.send(1, 12, request)
    writer.ask(0, 9, produce_request("t", [b"x"], partition=1))
    _, response = reader.receive()
    assert [each.partition_index for each in response.responses[0].partitions] == [0, 1, 2]


def test_acks_0_gets_no_response(kafka: EmbeddedKafka, peer: WirePeer) -> None:
    kafka.create_topic("t")
    for size in (1, 200_000):  # on the loop, and in a worker
        peer.send(0, 9, produce_request("t", [b"x" * size], acks=0))
    asked = peer.send(18, 3, VERSIONS)
    assert peer.receive()[0] == asked
    (topic,) = peer.ask(1, 12, fetch_request("t", 0)).responses
    assert topic.partitions[0].high_watermark == 2


def test_acks_0_learns_of_an_error_by_a_closed_connection(peer: WirePeer) -> None:
    peer.send(0, 9, produce_request("missing", [b"x"], acks=0))
    assert peer.is_closed_by_listener()


def test_a_request_for_api_versions_from_the_future_is_answered_in_version_0(peer: WirePeer) -> None:
    peer.socket.sendall(frame(struct.pack("!hhih", 18, 99, 7, -1) + b"\0whatever comes"))
    body = peer.receive_frame()
    response = api(18).response.decode_whole(body, 0, 4)
    assert body[:4] == (7).to_bytes(4, "big")
    assert (response.error_code, [each.api_key for each in response.api_keys]) == (35, [18])
    assert peer.ask(18, 4, VERSIONS).error_code == 0


@pytest.mark.parametrize("name", ["", "-", "a b", "a-", "ü"])
def test_a_client_without_a_proper_name_is_told(peer: WirePeer, name: str) -> None:
    assert peer.ask(18, 3, ApiVersionsRequest(name, "1")).error_code == 42


@pytest.mark.parametrize(("key", "version"), [(4, 0), (1000, 0), (-1, 0), (3, 99), (3, -1), (0, 2)])
def test_an_api_or_version_that_is_not_there_closes_the_connection(peer: WirePeer, key: int, version: int) -> None:
    peer.socket.sendall(frame(struct.pack("!hhih", key, version, 7, -1)))
    assert peer.is_closed_by_listener()


@pytest.mark.parametrize("mistake", [frame(b"\xff" * 20), frame(b""), b"\xff" * 20], ids=["header", "empty", "size"])
def test_what_was_asked_before_a_mistake_is_still_answered(peer: WirePeer, mistake: bytes) -> None:
    in_worker = request_bytes(3, 9, MetadataRequest(None), 6)
    good = request_bytes(18, 0, ApiVersionsRequest(), 5) + in_worker
    peer.socket.sendall(good + mistake)
    assert [peer.receive_frame()[:4] for _ in range(2)] == [(5).to_bytes(4, "big"), (6).to_bytes(4, "big")]
    assert peer.is_closed_by_listener()


def test_others_do_not_notice_a_peer_that_breaks_the_protocol(connect: Callable[[], WirePeer]) -> None:
    good, bad = connect(), connect()
    bad.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert bad.is_closed_by_listener()
    assert good.ask(18, 3, VERSIONS).error_code == 0


def test_a_request_may_come_byte_by_byte(peer: WirePeer) -> None:
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in request_bytes(18, 0, ApiVersionsRequest(), 9):
        peer.socket.sendall(bytes([byte]))
    assert peer.receive_frame()[:4] == (9).to_bytes(4, "big")


def test_replies_are_not_held_back_for_an_acknowledgement(listener: Listener, peer: WirePeer) -> None:
    peer.ask(18, 3, VERSIONS)
    assert listener._site is not None
    (connection,) = listener._site.connections
    ours = connection._transport.get_extra_info("socket")
    assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_every_version_of_api_versions_is_answered(peer: WirePeer) -> None:
    tables = [peer.ask(18, version, VERSIONS) for version in range(5)]
    assert len({tuple((each.api_key, each.max_version) for each in table.api_keys) for table in tables}) == 1
    assert (0, 0) in {(each.api_key, each.min_version) for each in tables[0].api_keys}


def test_clients_of_version_3_see_no_feature_that_begins_at_0(peer: WirePeer) -> None:
    assert {each.name for each in peer.ask(18, 3, VERSIONS).supported_features} == {"metadata.version"}
    assert "transaction.version" in {each.name for each in peer.ask(18, 4, VERSIONS).supported_features}


@pytest.mark.parametrize("configs", [{"flush.messages": 1}, {"segment.bytes": 1 << 20}])
def test_a_batch_that_cannot_go_the_straight_way_goes_the_long_one_as_it_came(
    kafka: EmbeddedKafka, peer: WirePeer, configs: dict[str, int]
) -> None:
    kafka.create_topic("t", configs=configs)
    offsets = []
    for _ in range(30):
        reply = peer.ask(0, 9, produce_request("t", [bytes(60_000)])).responses[0].partition_responses[0]
        offsets.append((reply.error_code, reply.base_offset))
    assert offsets == [(0, number) for number in range(30)]
