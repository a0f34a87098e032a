"""``embedkafka serve``: a Kafka that clients in any language connect to, until a signal ends it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embedkafka.cli.engine import open_kafka
from embedkafka.cli.exits import CliError, ExitCode
from embedkafka.cli.session import DataOption, JsonOption, Session, command, parse_pairs, require

if TYPE_CHECKING:
    from types import FrameType

    from embedkafka import EmbeddedKafka
    from embedkafka.server.listener import Listener

DEFAULT_ADDRESS = "127.0.0.1:9092"


@command
def serve(
    listen: Annotated[
        str, typer.Option("--listen", "-l", metavar="HOST:PORT", help="The address; port 0 takes a free one.")
    ] = DEFAULT_ADDRESS,
    port: Annotated[
        int | None,
        typer.Option("--port", "-p", min=0, max=65535, help="Instead of the port in --listen.", show_default=False),
    ] = None,
    advertise: Annotated[
        str | None,
        typer.Option(
            "--advertise",
            metavar="HOST:PORT",
            help="What clients are told to connect to, where that differs (a proxy, a container).",
            show_default=False,
        ),
    ] = None,
    memory: Annotated[bool, typer.Option("--memory", help="Keep everything in memory; no --data then.")] = False,
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--config",
            "-c",
            metavar="NAME=VALUE",
            help="A broker's setting under Kafka's name; may be repeated.",
            show_default=False,
        ),
    ] = None,
    allow_public: Annotated[
        bool,
        typer.Option(
            "--allow-public-without-authentication",
            help="Listen where other machines can connect, though anybody who does may do everything.",
        ),
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve a data directory over Kafka's protocol; makes the directory when there is none.

    Says one line on stdout when clients may connect. Ctrl-C or SIGTERM ends it in order: what is under way is answered,
    and everything is made durable.
    """
    session = Session(data, as_json)
    host, listen_port = parse_address(listen, "--listen")
    advertised = None if advertise is None else parse_address(advertise, "--advertise")
    settings: dict[str, Any] = dict(parse_pairs(config, "--config"))
    with _stop_signals() as stopped, _opened(session, settings, memory=memory) as kafka:
        listener = _listen(
            kafka, host, listen_port if port is None else port, advertised=advertised, allow_public=allow_public
        )
        _say_ready(session, listener, "memory" if memory else str(session.data))
        stopped.wait()
        session.out.note("stopping")
    if session.out.as_json:
        session.out.json({"event": "stopped"})


def parse_address(text: str, option: str) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port``; a host alone has Kafka's port."""
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        host, port = text, DEFAULT_ADDRESS.rpartition(":")[2]
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or int(port) > 65535:
        raise CliError(f"{option} takes HOST:PORT, not {text!r}", "", ExitCode.USAGE)
    return host, int(port)


@contextmanager
def _opened(session: Session, settings: dict[str, Any], *, memory: bool) -> Iterator[EmbeddedKafka]:
    if not memory:
        with open_kafka(session, create=True, settings=settings) as kafka:
            yield kafka
        return
    from embedkafka import EmbeddedKafka

    require(not session.has_data, "--memory keeps nothing, and --data names a directory", "give one of the two")
    with EmbeddedKafka(**settings) as kafka:
        yield kafka


def _listen(
    kafka: EmbeddedKafka, host: str, port: int, *, advertised: tuple[str, int] | None, allow_public: bool
) -> Listener:
    from embedkafka.errors import KafkaConfigurationError

    try:
        return kafka.listen(host, port, advertised=advertised, allow_public=allow_public)
    except KafkaConfigurationError:
        raise CliError(
            f"{host} can be reached from other machines, and whoever reaches it may do everything",
            "listen on 127.0.0.1, or add --allow-public-without-authentication",
            ExitCode.USAGE,
        ) from None
    except OSError as error:
        raise CliError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


def _say_ready(session: Session, listener: Listener, data: str) -> None:
    if session.out.as_json:
        ready = {"event": "ready", "address": listener.address, "host": listener.host, "port": listener.port}
        session.out.json({**ready, "data": data})
    else:
        session.out.line(f"listening on {listener.address}, data in {data}")
    session.out.flush()


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second one ends the process as usual."""
    stopped = threading.Event()
    before: dict[int, Any] = {}

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()
        for each, handler in before.items():
            signal.signal(each, handler)

    for caught in (signal.SIGINT, signal.SIGTERM):
        before[caught] = signal.signal(caught, stop)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
