"""A listener's life: where it listens, what it tells of itself, how it ends."""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from broker.interrupts import every_line, interrupted_at
from server.peers import WirePeer, fetch_request, produce_request
from server.waiting import wait_until

from embedkafka import EmbeddedKafka
from embedkafka.errors import DirectoryLockedError, IllegalStateError, KafkaConfigurationError
from embedkafka.protocol.apis.api_03_metadata import MetadataRequest
from embedkafka.protocol.apis.api_10_find_coordinator import FindCoordinatorRequest
from embedkafka.protocol.apis.api_18_api_versions import ApiVersionsRequest
from embedkafka.protocol.apis.api_60_describe_cluster import DescribeClusterRequest
from embedkafka.server.listener import Listener

VERSIONS = ApiVersionsRequest("test", "1")

open_in_child = """
import sys
from embedkafka import EmbeddedKafka
from embedkafka.errors import DirectoryLockedError
try:
    EmbeddedKafka(sys.argv[1], share=True)
except DirectoryLockedError as error:
    print(error.address, error, sep="|")
"""


def seen_from_another_process(path: Path) -> list[str]:
    said = subprocess.run([sys.executable, "-c", open_in_child, str(path)], capture_output=True, text=True, timeout=30)
    return said.stdout.strip().split("|")


# Addresses -----------------------------------------------------------------------------------------------------------


def test_peers_are_told_the_listeners_own_address(listener: Listener, peer: WirePeer) -> None:
    at = ("127.0.0.1", listener.port)
    (broker,) = peer.ask(3, 12, MetadataRequest(None)).brokers
    (coordinator,) = peer.ask(10, 4, FindCoordinatorRequest(coordinator_keys=["g"])).coordinators
    old = peer.ask(10, 0, FindCoordinatorRequest("g"))
    (node,) = peer.ask(60, 1, DescribeClusterRequest()).brokers
    assert [(each.host, each.port) for each in (broker, coordinator, old, node)] == [at] * 4


def test_peers_are_told_the_advertised_address_where_there_is_one(kafka: EmbeddedKafka) -> None:
    listener = kafka.listen(advertised=("kafka.example", 19092))
    with WirePeer(listener) as peer:
        (broker,) = peer.ask(3, 12, MetadataRequest(None)).brokers
    assert (broker.host, broker.port) == ("kafka.example", 19092)
    assert listener.address == "kafka.example:19092"


def test_a_listener_on_every_address_tells_each_peer_the_one_that_it_has_reached(kafka: EmbeddedKafka) -> None:
    listener = kafka.listen("0.0.0.0", allow_public=True)
    for host in ("127.0.0.1", "127.0.0.2"):
        listener.host = host
        with WirePeer(listener) as peer:
            (broker,) = peer.ask(3, 12, MetadataRequest(None)).brokers
        assert (broker.host, broker.port) == (host, listener.port)


def test_each_listener_of_an_engine_tells_its_own(kafka: EmbeddedKafka) -> None:
    for listener in (kafka.listen(), kafka.listen()):
        with WirePeer(listener) as peer:
            (broker,) = peer.ask(3, 12, MetadataRequest(None)).brokers
        assert broker.port == listener.port


def test_clients_in_the_process_are_told_no_address(kafka: EmbeddedKafka) -> None:
    kafka.listen()
    admin = kafka.admin()
    assert [(each["host"], each["port"]) for each in admin.describe_cluster()["brokers"]] == [("", -1)]
    admin.close()


def test_a_public_address_needs_a_plain_word(kafka: EmbeddedKafka) -> None:
    with pytest.raises(KafkaConfigurationError, match="allow_public=True"):
        kafka.listen("0.0.0.0")
    assert kafka.listen("0.0.0.0", allow_public=True).advertised[0] == "127.0.0.1"


@pytest.mark.parametrize("host", [9092, "127.0.0.1:9092"])
def test_a_port_in_the_hosts_place_is_told(kafka: EmbeddedKafka, host: Any) -> None:
    with pytest.raises(KafkaConfigurationError, match="host and port are two arguments"):
        kafka.listen(host)


def test_an_advertised_address_in_one_piece_is_told(kafka: EmbeddedKafka) -> None:
    with pytest.raises(KafkaConfigurationError, match="advertised is a host and a port, not 'a:1'"):
        kafka.listen(advertised="a:1")  # type: ignore[arg-type]


def test_an_ipv6_address_is_written_in_brackets(kafka: EmbeddedKafka) -> None:
    listener = kafka.listen("::1")
    assert listener.address == f"[::1]:{listener.port}"
    with socket.create_connection(("::1", listener.port)):
        pass


def test_a_taken_port_is_an_error_and_leaves_nothing_behind(kafka: EmbeddedKafka) -> None:
    taken = kafka.listen()
    with pytest.raises(OSError, match=f"in use: '{taken.address}'"):
        kafka.listen(port=taken.port)
    assert kafka.engine.doors == [taken]


@pytest.mark.parametrize("port", [65536, -1, "9092"])
def test_a_port_that_is_none_is_an_error(kafka: EmbeddedKafka, port: int) -> None:
    with pytest.raises(KafkaConfigurationError, match="from 0 to 65535"):
        kafka.listen(port=port)


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 300])
def test_a_host_that_nobody_knows_is_named(kafka: EmbeddedKafka, host: str) -> None:
    with pytest.raises(OSError, match=host):
        kafka.listen(host)


def test_a_listener_may_be_opened_and_closed_where_a_loop_is_running(kafka: EmbeddedKafka) -> None:
    async def listen() -> int:
        with kafka.listen() as listener, WirePeer(listener) as peer:
            return int(peer.ask(18, 3, VERSIONS).error_code)

    assert asyncio.run(listen()) == 0


# The lock file -------------------------------------------------------------------------------------------------------


def test_whoever_finds_the_directory_owned_is_told_where_its_owner_listens(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with EmbeddedKafka(path) as kafka:
        listener = kafka.listen()
        address, message = seen_from_another_process(path)
        assert address == listener.address
        assert f"it listens on {listener.address}" in message
        listener.close()
        address, message = seen_from_another_process(path)
        assert address == "None"
        assert "sharing needs it to listen" in message


def test_the_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(DirectoryLockedError("/d", 7, "h:1")))
    assert (error.path, error.owner_pid, error.address) == ("/d", 7, "h:1")


# Ending --------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("each_loop")
def test_closing_ends_connections_with_parked_and_idle_calls_at_once() -> None:
    with EmbeddedKafka() as kafka:
        kafka.create_topic("t")
        listener = kafka.listen()
        with WirePeer(listener) as idle, WirePeer(listener) as parked:
            idle.ask(18, 3, VERSIONS)
            parked.send(1, 12, fetch_request("t", 0, max_wait_ms=60_000))
            (partition,) = kafka.engine.topics.partitions()
            wait_until(lambda: bool(partition.parked))
            began = time.monotonic()
            listener.close()
            assert time.monotonic() - began < 2
            assert idle.is_closed_by_listener()
            assert parked.is_closed_by_listener()
            assert not partition.parked
        with pytest.raises(ConnectionRefusedError):
            WirePeer(listener)


def test_the_engine_closes_its_listeners_and_no_thread_is_left() -> None:
    with EmbeddedKafka() as kafka:
        listeners = [kafka.listen(), kafka.listen()]
        for listener in listeners:
            with WirePeer(listener) as peer:
                peer.ask(3, 9, MetadataRequest(None))
        assert [each.name for each in threading.enumerate() if "listener" in each.name]
    assert [listener.is_closed for listener in listeners] == [True, True]
    assert [each.name for each in threading.enumerate() if "embedkafka" in each.name] == []


def test_closing_twice_does_nothing_and_the_engine_goes_on(kafka: EmbeddedKafka) -> None:
    listener = kafka.listen()
    listener.close()
    listener.close()
    kafka.create_topic("t")
    assert "closed" in repr(listener)


def test_what_was_answered_before_the_end_is_in_the_log(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path / "data") as kafka:
        kafka.create_topic("t")
        with WirePeer(kafka.listen()) as peer:
            for _ in range(20):
                peer.ask(0, 9, produce_request("t", [b"x"] * 10))
    with EmbeddedKafka(tmp_path / "data") as kafka:
        consumer = kafka.consumer("t", auto_offset_reset="earliest", consumer_timeout_ms=200)
        assert len(list(consumer)) == 200
        consumer.close()


def test_an_engine_with_a_listener_is_not_collected() -> None:
    import gc

    listener = EmbeddedKafka().listen()
    gc.collect()
    with EmbeddedKafka():  # opening one does what finalizers have left
        pass
    with WirePeer(listener) as peer:
        assert peer.ask(18, 3, VERSIONS).error_code == 0
    listener.engine.close()


def test_a_closed_engine_does_not_listen() -> None:
    kafka = EmbeddedKafka()
    engine = kafka.engine
    kafka.close()
    with pytest.raises(IllegalStateError):
        Listener.open(engine)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # that is the point
def test_a_forked_child_holds_neither_port_nor_connections(
    kafka: EmbeddedKafka, connect: Callable[[], WirePeer]
) -> None:
    listener = kafka.listen()
    with WirePeer(listener) as peer:
        peer.ask(18, 3, VERSIONS)
        go_on, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(go_on, 1)
            os._exit(0)
        try:
            listener.close()
            assert peer.is_closed_by_listener()  # the child's copy does not keep it open
            with socket.create_server(("127.0.0.1", listener.port)):
                pass
        finally:
            os.write(told, b"x")
            os.waitpid(child, 0)
            os.close(go_on)
            os.close(told)


def test_importing_the_package_does_not_import_asyncio() -> None:
    code = "import sys, embedkafka; embedkafka.EmbeddedKafka().close(); print('asyncio' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert said.stdout == "False\n"


def test_ctrl_c_at_any_line_of_opening_and_closing_leaves_nothing_behind() -> None:
    with EmbeddedKafka() as kafka:
        kafka.listen().close()  # everything is imported
        for line in every_line(usual_step=29):
            goes_on = interrupted_at(line, lambda: kafka.listen().close())
            for door in list(kafka.engine.doors):
                door.close()
            assert [each.name for each in threading.enumerate() if "listener" in each.name] == []
            if not goes_on:
                return
