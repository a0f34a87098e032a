"""The engine: one cluster in this process, composed of its parts, from opening to closing."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embedkafka.broker.catalog import FILE_NAME, Catalog
from embedkafka.broker.deferred import DeferredCalls
from embedkafka.broker.ids import Ids
from embedkafka.broker.port import BrokerPort
from embedkafka.broker.store import BROKER_ID, Store
from embedkafka.broker.topics import Topics
from embedkafka.broker.unsealed import Unsealed
from embedkafka.clock import Clock, SystemClock
from embedkafka.config import BrokerConfig
from embedkafka.errors import IllegalStateError

if TYPE_CHECKING:
    from embedkafka.broker.groups import Groups


class Engine:
    """One cluster of one broker, in memory or in a directory.  Made by :meth:`open`."""

    def __init__(
        self, path: str | None, clock: Clock, config: BrokerConfig, *, read_only: bool, seed: int | None
    ) -> None:
        self.path = path
        self.clock = clock
        self.config = config
        self.read_only = read_only
        self.process_id = os.getpid()
        self.is_unusable = False
        self.ids = Ids(seed)
        self.unsealed = Unsealed()
        self.deferred = DeferredCalls(clock)
        self.store = Store(path, config, clock, read_only=read_only)
        self.catalog = Catalog(None if path is None else os.path.join(path, FILE_NAME), read_only=read_only)
        self.topics = Topics(self.catalog, config, self.store, clock, self.ids)
        self.ports = {BROKER_ID: BrokerPort(self, BROKER_ID)}
        self._clients: weakref.WeakSet[object] = weakref.WeakSet()
        self._groups: Groups | None = None
        self._thread: threading.Thread | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
        configs: Mapping[str, object] | None = None,
        read_only: bool = False,
        seed: int | None = None,
    ) -> Engine:
        """Open an engine.

        Args:
            path: a directory, made where it is not there; None keeps everything in memory.
            clock: a ``ManualClock`` for a test; else real time and a housekeeping thread.
            configs: broker settings by dotted name or keyword.
            read_only: look at a directory beside its owner: no lock, no thread, nothing is written.
            seed: repeats ids and random choices; with a ``ManualClock`` 0 when not given.

        Raises:
            KafkaConfigurationError: an unknown or bad setting.
            KafkaStorageError: the directory cannot be used.
        """
        used_clock = clock if clock is not None else SystemClock()
        if seed is None and used_clock.is_manual:
            seed = 0
        where = None if path is None else os.path.realpath(Path(path).expanduser())
        engine = cls(where, used_clock, BrokerConfig(configs), read_only=read_only, seed=seed)
        engine._start()
        return engine

    def _start(self) -> None:
        if isinstance(self.clock, SystemClock) and not self.read_only:
            self._thread = threading.Thread(target=self.clock.run, name="embedkafka-housekeeping", daemon=True)
            self._thread.start()

    # For clients -----------------------------------------------------------------------------------------------------

    @property
    def metadata_version(self) -> int:
        """Changes whenever a topic is created or deleted or gets partitions."""
        return self.topics.version

    def watch_metadata(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` at every such change, with no lock held; returns what ends that."""
        return self.topics.watch(callback)

    def register(self, client: object) -> None:
        """Know a client, without keeping it alive."""
        self._clients.add(client)

    def check_usable(self) -> None:
        """Raise where the engine is closed, or was opened by the process this one was forked from.

        Raises:
            IllegalStateError: naming which.
        """
        if self.process_id != os.getpid():
            raise IllegalStateError(f"this engine belongs to process {self.process_id}")
        if self.is_unusable:
            raise IllegalStateError("the engine is closed")

    # For the coordinator ---------------------------------------------------------------------------------------------

    @property
    def groups(self) -> Groups:
        """The group coordinator, made at its first use."""
        if self._groups is None:
            self._groups = self._make_groups()
        return self._groups

    def _make_groups(self) -> Groups:
        raise NotImplementedError

    def topics_deleted(self, names: Sequence[str]) -> None:
        """Let the coordinator forget what was committed for topics."""
        if self._groups is not None:
            self._groups.topics_deleted(names)

    def close(self) -> None:
        if self.is_unusable:
            return
        self.unsealed.seal_all()
        self.is_unusable = True
        if isinstance(self.clock, SystemClock):
            self.clock.stop()
            if self._thread is not None and self._thread is not threading.current_thread():
                self._thread.join()
        for partition in self.topics.partitions():
            partition.close()
        self.store.close()
