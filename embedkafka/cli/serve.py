"""``embedkafka serve``: a Kafka that clients in any language connect to, until a signal ends it."""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embedkafka.cli.engine import open_kafka
from embedkafka.cli.exits import CliError, ExitCode
from embedkafka.cli.session import DataOption, JsonOption, Session, command, parse_pairs, require
from embedkafka.cli.stopping import stop_signals
from embedkafka.cli.users import store_password

if TYPE_CHECKING:
    from embedkafka import EmbeddedKafka
    from embedkafka.server.listener import Listener

DEFAULT_ADDRESS = "127.0.0.1:9092"
PUBLIC_OPTION = "--public-without-users"

_BIND_HINTS = {
    errno.EADDRINUSE: "another program listens there; end it, or take another port (0 takes a free one)",
    errno.EADDRNOTAVAIL: "listen on an address of this machine; --advertise is what clients are told",
    errno.EACCES: "ports below 1024 are root's; take a higher one",
}
_SECURITY = "Who may connect"


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
    sasl: Annotated[
        bool,
        typer.Option(
            "--sasl",
            help="Ask clients who they are: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512.",
            rich_help_panel=_SECURITY,
        ),
    ] = False,
    user: Annotated[
        list[str] | None,
        typer.Option(
            "--user",
            metavar="NAME:PASSWORD",
            help="Add a user, and ask (--sasl). Others on this machine may see it; `embedkafka users add` hides it.",
            rich_help_panel=_SECURITY,
            show_default=False,
        ),
    ] = None,
    ssl: Annotated[
        str | None,
        typer.Option(
            "--ssl",
            metavar="FILE",
            help="Encrypt, with this certificate chain (PEM), which may hold the key, too.",
            rich_help_panel=_SECURITY,
            show_default=False,
        ),
    ] = None,
    ssl_key: Annotated[
        str | None,
        typer.Option(
            "--ssl-key",
            metavar="FILE",
            help="The private key (PEM).",
            rich_help_panel=_SECURITY,
            show_default=False,
        ),
    ] = None,
    ssl_client_ca: Annotated[
        str | None,
        typer.Option(
            "--ssl-client-ca",
            metavar="FILE",
            help="Take clients only that show a certificate signed by one of these (PEM).",
            rich_help_panel=_SECURITY,
            show_default=False,
        ),
    ] = None,
    allow_public: Annotated[
        bool,
        typer.Option(
            PUBLIC_OPTION,
            help="Listen where other machines can connect, though anybody who does may do everything.",
            rich_help_panel=_SECURITY,
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log on stderr also who is refused or turned away, and why.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve a data directory over Kafka's protocol; makes the directory when there is none.

    Says one line on stdout when clients may connect, and logs on stderr what somebody should look at. Ctrl-C or SIGTERM
    ends it in order, with exit code 0: what is under way is answered, and everything is made durable.
    """
    session = Session(data, as_json)
    host, listen_port = parse_address(listen, "--listen")
    advertised = None if advertise is None else parse_address(advertise, "--advertise")
    settings: dict[str, Any] = dict(parse_pairs(config, "--config"))
    protection = _protection(sasl=sasl or bool(user), ssl=ssl, ssl_key=ssl_key, ssl_client_ca=ssl_client_ca)
    is_authenticated = sasl or bool(user) or bool(ssl_client_ca)
    _refuse_public(host, is_allowed=is_authenticated or allow_public)
    with _logging(verbose=verbose), stop_signals() as stopped, _opened(session, settings, memory=memory) as kafka:
        _add_users(kafka, user or [])
        listener = _listen(
            kafka,
            host,
            listen_port if port is None else port,
            advertised=advertised,
            allow_public=allow_public,
            **protection,
        )
        _say_ready(session, listener, "memory" if memory else str(session.data))
        stopped.wait()
        session.out.note("stopping")
    if session.out.as_json:
        session.out.json({"event": "stopped"})


def parse_address(text: str, option: str) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port``; a host alone has Kafka's port."""
    default_host, _, default_port = DEFAULT_ADDRESS.rpartition(":")
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        host, port = text, default_port
    host = host.removeprefix("[").removesuffix("]")
    if not host or host.isdigit() or not port.isdigit() or int(port) > 65535:
        meant = next((part for part in (port, host) if text.lstrip(":") == part and part.isdigit()), None)
        hint = "" if meant is None else f"{option} {default_host}:{meant} is that port, on this machine only"
        raise CliError(f"{option} takes HOST:PORT, not {text!r}", hint, ExitCode.USAGE)
    return host, int(port)


def _refuse_public(host: str, *, is_allowed: bool) -> None:
    """Before anything is opened or made, end here where everybody could do everything."""
    from embedkafka.server.listener import is_loopback

    try:
        is_refused = not is_allowed and not is_loopback(host)
    except OSError as error:
        raise CliError(f"cannot listen on {host}: {error.strerror or error}") from None
    if is_refused:
        raise CliError(
            f"{host} can be reached from other machines, and whoever reaches it may do everything",
            f"listen on 127.0.0.1, ask for users with --sasl, or add {PUBLIC_OPTION}",
            ExitCode.USAGE,
        )


@contextmanager
def _logging(*, verbose: bool) -> Iterator[None]:
    """A server's log has the time in front, and says whom it refused where that is asked for."""
    log = logging.getLogger("embedkafka")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG if verbose else logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)
        log.removeHandler(handler)


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


def _add_users(kafka: EmbeddedKafka, users: list[str]) -> None:
    for given in users:
        name, _, password = given.partition(":")
        require(name and password, f"--user takes NAME:PASSWORD, not {name!r} alone")
        with kafka.admin() as admin:
            store_password(admin, name, password)


def _protection(*, sasl: bool, ssl: str | None, ssl_key: str | None, ssl_client_ca: str | None) -> dict[str, Any]:
    """What ``EmbeddedKafka.listen`` takes for it."""
    require(ssl or not (ssl_key or ssl_client_ca), "--ssl-key and --ssl-client-ca go with --ssl")
    protocol = {(False, False): "PLAINTEXT", (False, True): "SSL", (True, False): "SASL_PLAINTEXT"}
    return {
        "security_protocol": protocol.get((sasl, bool(ssl)), "SASL_SSL"),
        "ssl_certfile": ssl,
        "ssl_keyfile": ssl_key,
        "ssl_cafile": ssl_client_ca,
        "ssl_client_auth": "required" if ssl_client_ca else None,
    }


def _listen(kafka: EmbeddedKafka, host: str, port: int, **options: Any) -> Listener:
    try:
        return kafka.listen(host, port, **options)
    except OSError as error:
        hint = _BIND_HINTS.get(error.errno or 0, "")
        raise CliError(f"cannot listen on {host}:{port}: {error.strerror or error}", hint) from None


def _say_ready(session: Session, listener: Listener, data: str) -> None:
    if session.out.as_json:
        ready = {"event": "ready", "address": listener.address, "host": listener.host, "port": listener.port}
        session.out.json({**ready, "data": data})
    else:
        session.out.line(f"listening on {listener.address}, data in {data}")
    session.out.flush()
