"""Which engine a ``bootstrap_servers`` means, and how long it lives.

==============================  ===================================================================================
``bootstrap_servers``           engine
==============================  ===================================================================================
an ``EmbeddedKafka``            the object's own; lives as long as the object is open
``embed:./data``                the directory's, one per real path; closes with its last client
``embed:memory``                in memory, one per name and process; lives until the process ends or
``embed:memory/name``           ``EmbeddedKafka.discard(name)``
``host:port,...``               a real cluster: an error that names what is missing
==============================  ===================================================================================

Broker settings go in the query (``embed:./data?num.partitions=3``); a question mark in a name is written ``%3F``, a
percent sign before ``3F`` or ``25`` as ``%25``.  Whoever opens an engine decides its settings; a
second opener that asks for different ones gets an error that lists them.

After ``fork`` the child's registry is empty: the engines in it belong to the parent and are never closed, flushed or
unlocked from the child (DESIGN section 7).
"""

from __future__ import annotations

import atexit
import itertools
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedkafka.errors import IllegalStateError, KafkaConfigurationError

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine
    from embedkafka.clock import Clock

SCHEME = "embed:"
_MEMORY = "memory"


class EngineEntry:
    """An open engine, who holds it, and the work that finalizers left for it.

    ``abandoned`` is all a finalizer may touch: it can run inside any lock, so it only appends (DESIGN section 7).
    """

    def __init__(self, engine: Engine, key: str, settings: Mapping[str, str], *, keep: bool) -> None:
        self.engine = engine
        self.key = key
        self.settings = dict(settings)
        self.keep = keep  # survives its last client: in memory under a name, or an EmbeddedKafka's own
        self.holders = 0
        self.closed = False
        self.is_closing = False
        # Not the registry's: closing waits for callbacks, and those may open and close clients of other engines.
        self.closing = threading.RLock()
        self.process_id = os.getpid()
        self.abandoned: deque[Callable[[], None]] = deque()

    def is_closed_from_here(self) -> bool:
        """Whether closing it goes on only when the caller is done: a callback of it, or of whoever closes it."""
        return self.engine.deferred.is_running_here() or self.closing._is_owned()  # type: ignore[attr-defined]

    def drain(self) -> None:
        """Do what finalizers left."""
        while True:
            try:
                task = self.abandoned.popleft()
            except IndexError:
                return
            task()


class _Registry:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.by_key: dict[str, EngineEntry] = {}
        self.open: set[EngineEntry] = set()


_registry = _Registry()


def _forget_parent() -> None:
    global _registry
    for entry in _registry.open:
        entry.closed = True
    _registry = _Registry()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)


def acquire(bootstrap_servers: object) -> EngineEntry:
    """Find or open the engine that ``bootstrap_servers`` means and hold it; :func:`release` lets go of it.

    Raises:
        KafkaConfigurationError: not something that can be connected to, or settings that differ from the open engine's.
    """
    entry = getattr(bootstrap_servers, "_engine_entry", None)
    if isinstance(entry, EngineEntry):
        check_open(entry)
        with _registry.lock:
            entry.holders += 1
        return entry
    target, settings = parse(single_address(bootstrap_servers))
    return open_target(target, settings, keep=_is_memory(target))


def single_address(bootstrap_servers: object) -> str:
    """The one address in a string or list of strings."""
    servers = [bootstrap_servers] if isinstance(bootstrap_servers, (str, os.PathLike)) else bootstrap_servers
    if not isinstance(servers, Iterable):
        raise KafkaConfigurationError(f"bootstrap_servers is {bootstrap_servers!r}: {_HELP}")
    addresses = [os.fspath(server) if isinstance(server, os.PathLike) else server for server in servers]
    if not addresses or not all(isinstance(address, str) for address in addresses):
        raise KafkaConfigurationError(f"bootstrap_servers is {bootstrap_servers!r}: {_HELP}")
    for address in addresses:
        if not address.startswith(SCHEME):
            raise KafkaConfigurationError(
                f"bootstrap_servers is {bootstrap_servers!r}, which names a real Kafka cluster. This version reaches "
                "engines in this process only; the connection to real clusters will come with the extra "
                f"embedkafka[network]. {_HELP}"
            )
    if len(addresses) > 1:
        raise KafkaConfigurationError(f"bootstrap_servers names {len(addresses)} engines, one is meant: {addresses}")
    return str(addresses[0])


_HELP = (
    'Say bootstrap_servers="embed:./data" for a directory, "embed:memory" or "embed:memory/name" for memory, or pass '
    "an EmbeddedKafka."
)


def parse(address: str) -> tuple[str, dict[str, str]]:
    """Split ``embed:<target>?<settings>`` into a registry key and broker settings."""
    target, _, query = address[len(SCHEME) :].partition("?")
    if not target:
        raise KafkaConfigurationError(f"{address!r} names no engine. {_HELP}")
    if target.startswith("//"):  # meant as a URL; taken as a path it would be a directory of the root
        raise KafkaConfigurationError(f"{address!r} has slashes that do not belong there. {_HELP}")
    settings: dict[str, str] = {}
    for written, value in _pairs(query):
        name = written.replace("_", ".")
        if name in settings:
            raise KafkaConfigurationError(f"{address!r} sets {name} twice")
        settings[name] = value
    if target == _MEMORY or target.startswith(_MEMORY + "/"):
        return _unquoted(target.rstrip("/")), settings
    return directory_key(_unquoted(target)), settings


def address_of(key: str) -> str:
    """The address that :func:`parse` reads this key from."""
    return SCHEME + re.sub("%(?=25|3[Ff])", "%25", key).replace("?", "%3F")


def _unquoted(target: str) -> str:
    return re.sub("%(25|3[Ff])", lambda found: "%" if found[1] == "25" else "?", target)


def _pairs(query: str) -> list[tuple[str, str]]:
    if not query:
        return []
    from urllib.parse import parse_qsl

    return parse_qsl(query, keep_blank_values=True)


def directory_key(path: str | os.PathLike[str]) -> str:
    """One key per directory, however it is spelled."""
    return os.path.realpath(Path(path).expanduser())


_anonymous = itertools.count(1)


def anonymous_key() -> str:
    """A name in memory that nobody else has."""
    return f"{_MEMORY}/anonymous-{next(_anonymous)}"


def memory_key(name: str | None) -> str:
    return _MEMORY if not name else f"{_MEMORY}/{name}"


def _is_memory(key: str) -> bool:
    return key == _MEMORY or key.startswith(_MEMORY + "/")


def open_target(
    key: str, settings: Mapping[str, Any], *, keep: bool, clock: Clock | None = None, read_only: bool = False
) -> EngineEntry:
    """Hold the engine of ``key``, opening it first where it is not open.

    A read-only one is never shared: it is a look from outside, also in the process of the owner.
    """
    from embedkafka.broker.engine import Engine

    texts = {name: _text(value) for name, value in settings.items()}
    for idle in list(_registry.open):
        idle.drain()
    while True:
        with _registry.lock:
            entry = None if read_only else _registry.by_key.get(key)
            if entry is None or not entry.is_closing:
                if entry is not None:
                    _check_same_settings(entry, texts, clock)
                else:
                    path = None if _is_memory(key) else key
                    engine = Engine.open(path, clock=clock, configs=dict(texts), read_only=read_only)
                    entry = EngineEntry(engine, key, texts, keep=keep)
                    _registry.open.add(entry)
                    if not read_only:
                        _registry.by_key[key] = entry
                entry.holders += 1
                return entry
        if entry.is_closed_from_here():
            raise IllegalStateError(
                f"the engine {key} is being closed, and that waits for the callback which opens it again: open it "
                "after close() has returned"
            )
        close(entry)  # waits for whoever closes it, or finishes what an interrupt left


def abandon(entry: EngineEntry) -> None:
    """A finalizer's part of letting go: whoever held the engine was collected without being closed."""
    entry.abandoned.append(lambda: release(entry))


def abandon_owner(entry: EngineEntry) -> None:
    """The same for the object that the engine belonged to: from now on it lives as long as its clients."""
    entry.abandoned.append(lambda: _disown(entry))


def _disown(entry: EngineEntry) -> None:
    entry.keep = False
    release(entry)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_same_settings(entry: EngineEntry, settings: Mapping[str, str], clock: Clock | None) -> None:
    different = [
        f"{name}={settings[name]} (open with {entry.settings.get(name, 'the default')})"
        for name in sorted(settings)
        if settings[name] != entry.settings.get(name)
    ]
    if clock is not None and clock is not entry.engine.clock:
        different.append("a clock of its own")
    if different:
        raise KafkaConfigurationError(
            f"the engine {entry.key} is already open with other settings: " + ", ".join(different)
        )


def release(entry: EngineEntry) -> None:
    """Let go of an engine; the last one to do so closes it, unless it is kept."""
    with _registry.lock:
        entry.holders -= 1
        if entry.holders > 0 or entry.keep or entry.is_closing:
            return
        entry.is_closing = True  # from here on nobody finds it any more
    close(entry)


def close(entry: EngineEntry) -> None:
    """Close an engine whoever holds it.  Does nothing in a process that only inherited it."""
    if entry.closed or entry.process_id != os.getpid():
        return
    if entry.is_closing and entry.is_closed_from_here():
        return  # whoever closes it waits for the caller
    with entry.closing:
        if entry.closed:
            return
        entry.is_closing = True
        try:
            entry.drain()
            entry.engine.close()
        except Exception:
            _forget(entry)
            raise
        _forget(entry)  # not after Ctrl-C: the engine can be closed again, and must be


def _forget(entry: EngineEntry) -> None:
    with _registry.lock:
        entry.closed = True
        _registry.open.discard(entry)
        if _registry.by_key.get(entry.key) is entry:
            del _registry.by_key[entry.key]


def discard(key: str) -> bool:
    """Close and forget the engine of ``key``; False when there is none."""
    with _registry.lock:
        entry = _registry.by_key.get(key)
    if entry is None:
        return False
    close(entry)
    return True


def check_open(entry: EngineEntry) -> None:
    """Raise where the engine is closed or belongs to the process this one was forked from."""
    if entry.closed:
        if entry.process_id != os.getpid():
            raise IllegalStateError(
                f"this engine belongs to process {entry.process_id}; in process {os.getpid()}, forked from it, it and "
                "its clients are dead: open new ones after the fork"
            )
        raise IllegalStateError(f"the engine {entry.key} is closed")


@atexit.register
def _close_all() -> None:
    """A normal interpreter exit is not a crash: seal, sync and unlock."""
    for entry in list(_registry.open):
        close(entry)
