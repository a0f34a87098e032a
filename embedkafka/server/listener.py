"""A listener: a socket that accepts, a thread with its loop, and their beginning and end."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import math
import os
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from embedkafka.errors import IllegalStateError, KafkaConfigurationError
from embedkafka.server.connection import Connection
from embedkafka.server.handlers import Handlers, Served
from embedkafka.server.limits import STALLED_S, Limits
from embedkafka.server.peer import Peer
from embedkafka.server.site import Endpoint, Site

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine

_log = logging.getLogger(__name__)

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_EXHAUSTION_TOLD_S = 60.0

_GRACE_S = 5.0  # for replies that are under way when the listener closes

_EVERYWHERE = {
    "0.0.0.0": "127.0.0.1",
    "::": "::1",
}  # every address of this machine, and the one that is this machine's own

_listeners: weakref.WeakSet[Listener] = weakref.WeakSet()


class Listener:
    """Kafka's wire protocol on one address.  Made by :meth:`open`; ends by :meth:`close`, or with its engine.

    Attributes:
        host: where it listens.
        port: the port, also where 0 was asked for.
        advertised: host and port that clients are told to connect to; one that listens on every address tells each
            client the address that it has reached, and this is the machine's own.
        security_protocol: Kafka's name of how it is spoken to.
    """

    def __init__(
        self,
        engine: Engine,
        sock: socket.socket,
        *,
        advertised: Endpoint | None,
        security_protocol: str,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self.engine = engine
        self.host: str
        self.port: int
        self.host, self.port = sock.getsockname()[:2]
        self.security_protocol = security_protocol
        self._is_everywhere = self.host in _EVERYWHERE
        self._told = advertised
        self.advertised = advertised or (_EVERYWHERE.get(self.host, self.host), self.port)
        self.owner: object = None  # kept alive as long as somebody may connect
        self._socket = sock
        self._ssl_context = ssl_context
        self._process_id = os.getpid()
        self._lock = threading.RLock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=f"embedkafka-listener-{self.port}", daemon=True)
        self._site: Site | None = None
        self._server: asyncio.Server | None = None
        self._has_begun = threading.Event()  # to accept, or failed to
        self._failure: BaseException | None = None
        self._told_of_exhaustion_s = -math.inf
        self._loop = _new_loop()  # last, so that Ctrl-C does not leave one unclosed

    @classmethod
    def open(
        cls,
        engine: Engine,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        advertised: Endpoint | None = None,
        security_protocol: str = "PLAINTEXT",
        ssl_context: ssl.SSLContext | None = None,
        new_peer: Callable[[str], Peer] = Peer,
    ) -> Listener:
        """Listen; connections are accepted when this returns.

        Args:
            host: an address or name of this machine; ``0.0.0.0`` or ``::`` is all of them.
            port: 0 takes a free one.
            advertised: what clients are told, where that differs from what they have reached (a proxy, a container).
            security_protocol: Kafka's name of what the next two come to.
            ssl_context: speak TLS.
            new_peer: what a connection's peer starts as, given its address.

        Raises:
            OSError: the address is not ours, or taken.
            KafkaConfigurationError: no such port.
        """
        _check_port(port, at_least=0)
        if advertised is not None:
            _check_endpoint(advertised)
        engine.check_usable()
        limits = Limits.of(engine.config)
        sock = _bind(host, port, limits)
        listener = cls(
            engine, sock, advertised=advertised, security_protocol=security_protocol, ssl_context=ssl_context
        )
        try:
            listener._prepare(limits, new_peer)
        except BaseException:
            sock.close()
            listener._loop.close()
            raise
        try:
            _listeners.add(listener)
            engine.door_opened(listener)
            listener._thread.start()
            listener._has_begun.wait()
        except BaseException:  # Ctrl-C
            listener.close()
            raise
        if listener._failure is not None:
            listener.close()
            raise listener._failure
        return listener

    @property
    def address(self) -> str:
        """``host:port`` as clients are told it: their ``bootstrap_servers``."""
        return _text(self.advertised)

    @property
    def urls(self) -> tuple[str, str]:
        """Where it listens and what it tells, as in Kafka's ``listeners`` and ``advertised.listeners``."""
        name = self.security_protocol
        return f"{name}://{_text((self.host, self.port))}", f"{name}://{_text(self.advertised)}"

    @property
    def connection_count(self) -> int:
        """How many peers are connected."""
        return 0 if self._site is None else len(self._site.connections)

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def close(self) -> None:
        """Answer what is under way, close every connection, end the threads.  Does nothing the second time.

        Calls that only wait (a fetch, a rebalance) are not answered any more; their connections are closed.

        Raises:
            IllegalStateError: called from a thread of the listener itself.
        """
        if self._is_closed or self._process_id != os.getpid():
            return
        thread = self._thread
        if thread is threading.current_thread():
            raise IllegalStateError("a listener cannot be closed from its own thread")
        with self._lock:
            if self._is_closed:
                return
            if thread.ident is None:  # an interrupt came before it was started
                thread.start()
            with suppress(RuntimeError):  # the loop is closed: a close before this one was interrupted
                self._loop.call_soon_threadsafe(self._begin_to_close)
            thread.join()
            self.engine.door_closed(self)
            self._is_closed = True  # last: a close that Ctrl-C cuts short is begun anew by the next

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Listener {self.address} {'closed' if self._is_closed else 'open'}>"

    # The thread ------------------------------------------------------------------------------------------------------

    def _prepare(self, limits: Limits, new_peer: Callable[[str], Peer]) -> None:
        self._site = Site(
            self.engine,
            next(iter(self.engine.ports.values())),
            self._loop,
            Handlers(),
            Served(),
            limits,
            advertised=self._told if self._is_everywhere else self.advertised,
            new_peer=new_peer,
        )
        self._loop.set_exception_handler(self._unexpected)

    async def _begin(self, site: Site) -> asyncio.Server:
        return await self._loop.create_server(
            partial(Connection, site),
            sock=self._socket,
            ssl=self._ssl_context,
            ssl_handshake_timeout=None if self._ssl_context is None else STALLED_S,
            backlog=site.limits.socket_listen_backlog_size,
        )

    def _run(self) -> None:
        site = self._site
        assert site is not None
        site.mailbox.belongs_here()
        try:
            # Here and not in the thread that opens: that may have a loop of its own, which is running.
            self._server = self._loop.run_until_complete(self._begin(site))
            self._has_begun.set()
            site.warm_up()
            self._close_idle()
            self._loop.run_forever()
        except BaseException as error:
            self._failure = error
            self._socket.close()
            raise
        finally:
            self._has_begun.set()
            site.workers.close()
            self._loop.close()

    def _close_idle(self) -> None:
        """Close who has been silent for too long."""
        site = self._site
        assert site is not None
        idle_ms = site.limits.connections_max_idle_ms
        idle_s = idle_ms / 1000 if idle_ms >= 0 else math.inf
        now = self._loop.time()
        for connection in list(site.connections):
            if now - connection.last_active > idle_s or connection.is_stalled(now):
                connection.abort()
        self._loop.call_later(min(max(idle_s / 4, 0.01), STALLED_S), self._close_idle)

    def _unexpected(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What went wrong in the loop itself; of too many open files a word now and then will do."""
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _EXHAUSTED):
            loop.default_exception_handler(context)
        elif loop.time() - self._told_of_exhaustion_s > _EXHAUSTION_TOLD_S:
            self._told_of_exhaustion_s = loop.time()
            _log.error("%s accepts no connections: %s (see `ulimit -n`, and max.connections)", self.address, error)

    def _begin_to_close(self) -> None:
        site = self._site
        assert site is not None
        if self._server is None:
            self._loop.call_soon(self._begin_to_close)  # it is just about to begin
            return
        site.is_closing = True
        self._server.close()
        deadline = self._loop.time() + _GRACE_S
        self._go_on_closing(deadline)

    def _go_on_closing(self, deadline: float) -> None:
        """Connections end as soon as what they work on is answered and written."""
        site = self._site
        assert site is not None
        is_over = self._loop.time() >= deadline
        for connection in list(site.connections):
            if is_over:
                connection.abort()
            elif not connection.is_in_worker:
                connection.close()
        if site.connections or site.workers.pending:
            self._loop.call_later(0.002, self._go_on_closing, deadline)
        else:
            self._loop.call_soon(self._loop.stop)  # transports finish closing in the loop's turn before


def is_loopback(host: str) -> bool:
    """Whether an address or name means this machine only."""
    if not host:
        return False
    infos = _addresses(host, None)
    return all(ipaddress.ip_address(str(info[4][0]).partition("%")[0]).is_loopback for info in infos)


def _new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed (the extra ``server``)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _check_endpoint(endpoint: Endpoint) -> None:
    if isinstance(endpoint, str) or len(endpoint) != 2:
        raise KafkaConfigurationError(f"advertised is a host and a port, not {endpoint!r}")
    _check_port(endpoint[1], at_least=1)


def _check_port(port: int, *, at_least: int) -> None:
    if not (isinstance(port, int) and at_least <= port <= 65535):
        raise KafkaConfigurationError(f"a port is a number from {at_least} to 65535, not {port!r}")


def _addresses(host: str, port: int | None) -> list[Any]:
    """What a name stands for, as ``getaddrinfo`` says it.

    Raises:
        KafkaConfigurationError: it is no name, but what belongs elsewhere.
        OSError: nothing; it names the name.
    """
    if not isinstance(host, str) or (host.count(":") == 1 and host.rpartition(":")[2].isdigit()):
        raise KafkaConfigurationError(f"host and port are two arguments, and the host is not {host!r}")
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except UnicodeError:
        raise OSError(errno.EINVAL, "Not a host name", host) from None
    except OSError as error:
        raise type(error)(error.errno, error.strerror, host) from None


def _bind(host: str, port: int, limits: Limits) -> socket.socket:
    infos = _addresses(host, port)
    family, _, _, _, address = min(infos, key=lambda info: info[0] != socket.AF_INET)  # IPv4 where a name has both
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY where it knows TCP
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, size_bytes in (
            (socket.SO_RCVBUF, limits.socket_receive_buffer_bytes),
            (socket.SO_SNDBUF, limits.socket_send_buffer_bytes),
        ):
            if size_bytes >= 0:
                sock.setsockopt(socket.SOL_SOCKET, option, size_bytes)  # accepted ones take after it
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(limits.socket_listen_backlog_size)
    except OSError as error:
        sock.close()
        raise type(error)(error.errno, error.strerror, _text((host, port))) from None
    except BaseException:
        sock.close()
        raise
    return sock


def _text(endpoint: Endpoint) -> str:
    host, port = endpoint
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _forked() -> None:
    """In a forked child: the parent's port and connections are not ours to keep open."""
    for listener in list(_listeners):
        if listener._is_closed:
            continue
        listener._is_closed = True
        connections = [] if listener._site is None else list(listener._site.connections)
        for descriptor in [listener._socket.fileno(), *(connection.fileno() for connection in connections)]:
            with suppress(OSError):
                os.close(descriptor)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
