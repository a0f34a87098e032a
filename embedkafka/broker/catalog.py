"""What an engine knows beside its logs: topics and settings, durable as one small SQLite file.

``catalog.sqlite`` holds one table of ``msgpack`` values by key (never pickle: opening a directory must not run code):

=========================  ==========================================================================================
key                        value
=========================  ==========================================================================================
``topic/<name>``           ``{"id": 16 bytes, "replicas": [[broker, ...], ...], "configs": {name: text},
                           "reserved": bool}``
``broker-config/<id>``     ``{name: text}``; the empty id is the default of the whole cluster
``producer-ids``           the first id not reserved (see :mod:`embedkafka.broker.producer_ids`); -1: once lost
``group-config/<id>``      ``{name: text}``: what a group has of its own
``user/<name>``            passwords, salted and hashed (see :mod:`embedkafka.broker.security.users`)
``acl/<rule>``             a rule about who may do what (see :mod:`embedkafka.broker.security.authorizer`)
``quota/<entity>``         limits of a user, client id or address (see :mod:`embedkafka.broker.security.quotas`)
=========================  ==========================================================================================

It is read once into memory and open only while it is written, because ``sqlitedict`` keeps a thread while it is open.
One change is one value under one key and is committed before anything acts on it.  A write that was interrupted
(Ctrl-C, a full disk) leaves :attr:`Catalog.is_stale`, and the next use reads the file again: what SQLite holds is true.

An engine in memory has the same class without a file.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from embedkafka.errors import KafkaStorageError
from embedkafka.files import Files, system_files

FILE_NAME = "catalog.sqlite"
_TABLE = "catalog"
_JOURNAL_MODE = "DELETE"  # no second file while closed, and a reader beside the owner needs no shared memory
_TOPIC = "topic/"
_BROKER_CONFIG = "broker-config/"
_PRODUCER_IDS = "producer-ids"
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class TopicEntry:
    """A topic as the catalog knows it.

    Attributes:
        replicas: for each partition the brokers that hold it, the preferred leader first.
        configs: the topic's own settings as text.
        is_reserved: an internal topic whose id and partition count are fixed but that nobody has used yet.
    """

    name: str
    topic_id: UUID
    replicas: tuple[tuple[int, ...], ...]
    configs: Mapping[str, str] = field(default_factory=dict)
    is_reserved: bool = False

    def to_value(self) -> dict[str, Any]:
        return {
            "id": self.topic_id.bytes,
            "replicas": [list(brokers) for brokers in self.replicas],
            "configs": dict(self.configs),
            "reserved": self.is_reserved,
        }

    @staticmethod
    def from_value(name: str, value: Mapping[str, Any]) -> TopicEntry:
        return TopicEntry(
            name,
            UUID(bytes=value["id"]),
            tuple(tuple(brokers) for brokers in value["replicas"]),
            dict(value["configs"]),
            bool(value["reserved"]),
        )


class Catalog:
    """The values of ``catalog.sqlite``, or of a dict in memory.  Topics and settings are guarded by ``Topics.lock``."""

    def __init__(self, path: str | None, *, files: Files | None = None, read_only: bool = False) -> None:
        """Read what is there.

        Args:
            path: the file, or None for memory.  A file that is not there is an empty catalog.
            files: the file system that the file is in; None is the machine's.
            read_only: never write; a live owner may write meanwhile.

        Raises:
            KafkaStorageError: the file is no catalog.
        """
        self.path = path
        self.read_only = read_only
        self._files = files or system_files()
        self.is_stale = False
        self._lock = threading.RLock()
        self._values: dict[str, Any] = {} if path is None else _read(path, read_only=read_only)

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""
        return bool(self._values)

    def topics(self) -> list[TopicEntry]:
        """Every topic, by name."""
        self._refresh()
        return [
            TopicEntry.from_value(key[len(_TOPIC) :], value)
            for key, value in sorted(self._values.items())
            if key.startswith(_TOPIC)
        ]

    def topic(self, name: str) -> TopicEntry | None:
        self._refresh()
        value = self._values.get(_TOPIC + name)
        return None if value is None else TopicEntry.from_value(name, value)

    def put_topics(self, *entries: TopicEntry) -> None:
        """Write topics in one commit."""
        self._write({_TOPIC + entry.name: entry.to_value() for entry in entries})

    def adopt_topics(self, *entries: TopicEntry) -> None:
        """Write topics that were found without a catalog, and in the same commit that producer ids are not known."""
        topics = {_TOPIC + entry.name: entry.to_value() for entry in entries}
        self._write({**topics, _PRODUCER_IDS: _UNKNOWN})

    def remove_topic(self, name: str) -> None:
        self._write({_TOPIC + name: None})

    def broker_configs(self, broker_id: int | None) -> dict[str, str]:
        """Settings changed while running, of one broker or (None) the cluster's default."""
        self._refresh()
        return dict(self._values.get(_broker_key(broker_id), {}))

    def put_broker_configs(self, broker_id: int | None, configs: Mapping[str, str]) -> None:
        self._write({_broker_key(broker_id): dict(configs)})

    @property
    def first_producer_id(self) -> int | None:
        """The first producer id that is not reserved; None where the catalog was lost, and what it said of them."""
        with self._lock:
            self._refresh()
            first = int(self._values.get(_PRODUCER_IDS, 0))
        return None if first == _UNKNOWN else first

    def put_first_producer_id(self, producer_id: int) -> None:
        self._write({_PRODUCER_IDS: producer_id})

    def section(self, prefix: str) -> dict[str, Any]:
        """The values whose keys begin with ``prefix``, by the rest of the key, in order."""
        with self._lock:
            self._refresh()
            values = self._values
        return {key[len(prefix) :]: value for key, value in sorted(values.items()) if key.startswith(prefix)}

    def change_section(self, prefix: str, changes: Mapping[str, Any]) -> None:
        """Write values under a prefix in one commit; None removes."""
        self._write({prefix + key: value for key, value in changes.items()})

    def _refresh(self) -> None:
        if self.is_stale and self.path is not None:
            self._values = _read(self.path, read_only=self.read_only)
            self.is_stale = False

    def _write(self, changes: Mapping[str, Any]) -> None:
        if self.read_only:
            raise KafkaStorageError("this engine is open for reading only")
        with self._lock:
            self._write_locked(changes)

    def _write_locked(self, changes: Mapping[str, Any]) -> None:
        self._refresh()
        changes = {key: value for key, value in changes.items() if value is not None or key in self._values}
        if not changes:
            return
        self.is_stale = self.path is not None
        if self.path is not None:
            if self._files.exists(self.path):
                _commit(self.path, changes)
            else:
                self._create(self.path, changes)
        merged = {**self._values, **changes}
        self._values = {key: value for key, value in merged.items() if value is not None}
        self.is_stale = False

    def _create(self, path: str, changes: Mapping[str, Any]) -> None:
        """Make the file under another name first, so that a crash leaves either none or a whole one."""
        files = self._files
        unfinished = path + ".new"
        files.unlink_all([unfinished, unfinished + "-journal"])
        _commit(unfinished, changes, journal_mode="OFF")  # nothing to go back to
        files.rename(unfinished, path)
        files.sync_dir(files.parent(path))


def _broker_key(broker_id: int | None) -> str:
    return _BROKER_CONFIG + ("" if broker_id is None else str(broker_id))


def _open(path: str, journal_mode: str) -> Any:
    import msgpack
    from sqlitedict import SqliteDict

    # It logs what it raises as well, twice, at level ERROR; the caller hears of it once.
    logging.getLogger("sqlitedict").setLevel(logging.CRITICAL)
    return SqliteDict(
        path,
        tablename=_TABLE,
        encode=msgpack.packb,
        decode=msgpack.unpackb,
        journal_mode=journal_mode,
        outer_stack=False,
    )


def _read(path: str, *, read_only: bool) -> dict[str, Any]:
    """Every value by its key.  By sqlite3 itself: it needs no thread for that, and can promise not to write."""
    if not os.path.exists(path) or not os.path.getsize(path):
        return {}
    import sqlite3

    import msgpack

    # The owner may have to undo what a crash has left in a journal; a reader beside it must not.
    address = Path(path).as_uri() + ("?mode=ro" if read_only else "?mode=rw")
    with closing(sqlite3.connect(address, uri=True)) as connection:
        try:
            rows = connection.execute(f"SELECT key, value FROM {_TABLE}").fetchall()
            return {key: msgpack.unpackb(value) for key, value in rows}
        except (sqlite3.Error, ValueError) as error:
            raise KafkaStorageError(f"{path} is not a catalog: {error}") from error


def _commit(path: str, changes: Mapping[str, Any], *, journal_mode: str = _JOURNAL_MODE) -> None:
    def commit() -> None:
        database = _open(path, journal_mode)
        try:
            # sqlitedict switches syncing off; a commit that a power cut can undo or tear is none.
            database.conn.execute("PRAGMA synchronous=FULL")
            for key, value in changes.items():
                if value is None:
                    del database[key]
                else:
                    database[key] = value
            # Its thread works in order: what refused a change (a full disk) has been noted once this is answered, and
            # the next statement raises it, instead of "no transaction is active".
            database.conn.select_one("SELECT 1")
            # As a statement: an error of SqliteDict.commit() ends its thread and leaves the caller waiting for ever.
            database.conn.select_one("COMMIT")
        finally:
            database.close()

    _on_own_thread(path, commit)


def _on_own_thread(path: str, work: Callable[[], None]) -> None:
    """Do ``work`` where no Ctrl-C reaches it, so that no database stays open half-way; wait for it in any case."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="embedkafka-catalog", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        thread.join()
        raise
    if errors:
        raise KafkaStorageError(f"{path}: {errors[0]}") from errors[0]
