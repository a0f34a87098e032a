"""The engine: one cluster in this process, composed of its parts, from opening to closing."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from embedkafka.broker.catalog import Catalog
from embedkafka.broker.deferred import DeferredCalls
from embedkafka.broker.groups.configs import GroupConfigs
from embedkafka.broker.housekeeping import Housekeeping
from embedkafka.broker.ids import Ids
from embedkafka.broker.port import BrokerPort
from embedkafka.broker.producer_ids import ProducerIds
from embedkafka.broker.store import Store
from embedkafka.broker.topic import CONSUMER_OFFSETS, SHARE_GROUP_STATE, TRANSACTION_STATE
from embedkafka.broker.topics import Topics
from embedkafka.broker.unsealed import Unsealed
from embedkafka.clock import Clock, ManualClock, SystemClock
from embedkafka.config import BrokerConfig
from embedkafka.config.group import check_bounds
from embedkafka.errors import IllegalStateError

if TYPE_CHECKING:
    from embedkafka.broker.groups.groups import Groups
    from embedkafka.broker.security.quotas import Quotas
    from embedkafka.broker.security.users import Users
    from embedkafka.broker.share.shares import Shares
    from embedkafka.broker.share.states import ShareStates
    from embedkafka.broker.transactions.transactions import Transactions
    from embedkafka.files import Files

_log = logging.getLogger(__name__)


class Door(Protocol):
    """A way into the engine from outside that ends with it."""

    @property
    def address(self) -> str:
        """Where: ``host:port``."""

    @property
    def urls(self) -> tuple[str, str]:
        """As in ``listeners`` and in ``advertised.listeners``."""

    def close(self) -> None:
        """Let nobody in any more, and end what goes on."""


_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


class Engine:
    """One cluster of one broker, in memory or in a directory.  Made by :meth:`open`, ended by :meth:`close`.

    ``is_unusable`` is looked at by every request: the engine is closed, or this process was forked from the one that
    opened it.
    """

    def __init__(
        self,
        path: str | None,
        clock: Clock,
        config: BrokerConfig,
        *,
        read_only: bool,
        seed: int | None,
        files: Files | None,
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
        self.store = Store(path, config, clock, self.ids, read_only=read_only, files=files)
        try:
            self.catalog = Catalog(self.store.catalog_path, files=self.store.files, read_only=read_only)
            self.group_configs = GroupConfigs(self.catalog, config)
            self.housekeeping = Housekeeping(config, self.store, clock)
            self.topics = Topics(self.catalog, config, self.store, clock, self.ids, self.housekeeping)
            self.producer_ids = ProducerIds(self.catalog, self.topics.beyond_producer_ids)
            if not read_only:
                self.topics.repair()
                self.housekeeping.start(self.topics)
            self.ports = {broker_id: open_port(self, broker_id) for broker_id in self.store.broker_ids}
        except BaseException:
            self.store.abandon()
            raise
        self._groups: Groups | None = None
        self._transactions: Transactions | None = None
        self._share_states: ShareStates | None = None
        self._shares: Shares | None = None
        self._groups_lock = threading.Lock()
        self._users: Users | None = None
        self._quotas: Quotas | None = None
        self._security_lock = threading.Lock()
        self.doors: list[Door] = []  # listeners: they end before the engine does
        self._close_lock = threading.RLock()
        self._is_closed = False
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
        files: Files | None = None,
    ) -> Engine:
        """Open an engine.

        Args:
            path: a directory, made where it is not there; None keeps everything in memory.
            clock: a ``ManualClock`` for a test; else real time and a housekeeping thread.  A clock serves one engine.
            configs: broker settings by dotted name or keyword.
            read_only: look at a directory beside its owner: no lock, no housekeeping, nothing is written.
            seed: repeats ids and random choices; with a ``ManualClock`` 0 when not given.
            files: the file system, for a test that breaks it.

        Raises:
            KafkaConfigurationError: an unknown or bad setting.
            DirectoryLockedError: another process, or another engine of this one, owns the directory.
            ForeignDirectoryError: the directory holds something else.
            KafkaStorageError: the directory cannot be used.
        """
        used_clock = clock if clock is not None else SystemClock()
        if seed is None and used_clock.is_manual:
            seed = 0
        where = None if path is None else os.path.realpath(Path(path).expanduser())
        config = BrokerConfig(configs)
        check_bounds(config)
        if inert := config.inert:
            _log.warning("settings that change nothing here: %s", ", ".join(sorted(inert)))
        engine = cls(where, used_clock, config, read_only=read_only, seed=seed, files=files)
        engine._start()
        return engine

    def _start(self) -> None:
        if isinstance(self.clock, SystemClock):
            self._thread = threading.Thread(target=self.clock.run, name="embedkafka-housekeeping", daemon=True)
            self._thread.start()
        _engines.add(self)
        if self.store.has_folder_of(CONSUMER_OFFSETS) and not self.read_only:
            self.groups  # noqa: B018  # made now, so that what was committed long ago expires
        if self.store.has_folder_of(TRANSACTION_STATE) and not self.read_only:
            self.transactions.start()

    # For clients -----------------------------------------------------------------------------------------------------

    @property
    def metadata_version(self) -> int:
        """Changes whenever a topic is created or deleted or gets partitions."""
        return self.topics.version

    def watch_metadata(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` at every such change, with no lock held; returns what ends that."""
        return self.topics.watch(callback)

    def check_usable(self) -> None:
        """Raise where the engine is closed, or was opened by the process this one was forked from.

        Raises:
            IllegalStateError: naming which.
        """
        if self.process_id != os.getpid():
            raise IllegalStateError(
                f"this engine belongs to process {self.process_id}; in process {os.getpid()}, forked from it, it and "
                "its clients are dead: open new ones after the fork"
            )
        if self.is_unusable:
            raise IllegalStateError(f"the engine {self.path or 'in memory'} is closed")

    # Groups ----------------------------------------------------------------------------------------------------------

    @property
    def groups(self) -> Groups:
        """The group coordinator, made at its first use."""
        groups = self._groups
        if groups is None:
            with self._groups_lock:
                groups = self._groups
                if groups is None:
                    from embedkafka.broker.coordinator_host import open_groups

                    groups = self._groups = open_groups(self)
        return groups

    @property
    def users(self) -> Users:
        """Users and what is kept of their passwords, read at the first use."""
        users = self._users
        if users is None:
            with self._security_lock:
                users = self._users
                if users is None:
                    from embedkafka.broker.security.users import Users

                    users = self._users = Users(self.catalog)
        return users

    @property
    def quotas(self) -> Quotas:
        """Limits of clients of a listener, read at the first use."""
        quotas = self._quotas
        if quotas is None:
            with self._security_lock:
                quotas = self._quotas
                if quotas is None:
                    from embedkafka.broker.security.quotas import Quotas

                    quotas = self._quotas = Quotas(self.catalog, self.config, self.clock)
        return quotas

    @property
    def transactions(self) -> Transactions:
        """The transaction coordinator, made at its first use."""
        transactions = self._transactions
        if transactions is None:
            with self._groups_lock:
                transactions = self._transactions
                if transactions is None:
                    from embedkafka.broker.transactions.engine import open_transactions

                    transactions = self._transactions = open_transactions(self)
        return transactions

    @property
    def share_states(self) -> ShareStates:
        """The share coordinator, made at its first use."""
        share_states = self._share_states
        if share_states is None:
            with self._groups_lock:
                share_states = self._share_states
                if share_states is None:
                    from embedkafka.broker.share.states_engine import open_share_states

                    share_states = self._share_states = open_share_states(self)
        return share_states

    @property
    def shares(self) -> Shares:
        """The share partitions, made at their first use."""
        shares = self._shares
        if shares is None:
            share_states = self.share_states
            with self._groups_lock:
                shares = self._shares
                if shares is None:
                    from embedkafka.broker.share.engine import open_shares

                    shares = self._shares = open_shares(self, share_states)
        return shares

    def topics_deleted(self, names: Sequence[str], topic_ids: Collection[UUID]) -> None:
        """Let the coordinators forget what groups have committed for topics, and what became of their records."""
        if self._groups is not None:
            self._groups.topics_deleted(names)
        if self._shares is not None:
            self._shares.topics_deleted(topic_ids)
        if self._share_states is not None or self.store.has_folder_of(SHARE_GROUP_STATE):
            self.share_states.forget_topics(topic_ids)

    # Doors -----------------------------------------------------------------------------------------------------------

    def door_opened(self, door: Door) -> None:
        """Somebody listens: whoever finds the directory owned is told where."""
        self.doors.append(door)
        self._announce()

    def door_closed(self, door: Door) -> None:
        """Nobody listens there any more."""
        if door in self.doors:
            self.doors.remove(door)
        self._announce()

    def _announce(self) -> None:
        """Tell where the engine can be reached: in the broker's settings, and in the lock file."""
        urls = [door.urls for door in self.doors]
        self.config.static = {
            **self.config.static,
            "listeners": [bound for bound, _ in urls] or None,
            "advertised.listeners": [told for _, told in urls] or None,
        }
        try:
            self.store.directory.announce(self.doors[0].address if self.doors else None)
        except OSError:  # the disk is full: they are told the pid only
            _log.warning("cannot write the listener's address to the lock file", exc_info=True)

    # Ending ----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Seal and store what producers hold, run their callbacks, make everything durable, give the directory up.

        Leaves no thread, descriptor or mapping.  Does nothing the second time, or in a process forked from the owner.

        Raises:
            KafkaStorageError: something could not be made durable; the engine is closed all the same.
        """
        if self._is_closed or self.process_id != os.getpid():
            return
        with self._close_lock:
            if self._is_closed:
                return
            for door in list(self.doors):
                door.close()
            if not self.is_unusable:
                self.unsealed.seal_all()
                if self._transactions is not None:
                    self._transactions.close()
                if self._groups is not None:
                    self._groups.close()
                if self._shares is not None:
                    self._shares.close()
                if self._share_states is not None:
                    self._share_states.close()
            for partition in self.topics.partitions():
                for parked in list(partition.parked):
                    parked.answer_now()
            self.housekeeping.close()
            self._stop_clock()
            self.is_unusable = True
            try:
                self.store.close()
            except Exception:
                self._closed()
                raise
            self._closed()  # not after Ctrl-C: closing again goes on where this was interrupted

    def _closed(self) -> None:
        self._is_closed = True
        _engines.discard(self)

    def _stop_clock(self) -> None:
        if isinstance(self.clock, SystemClock):
            self.clock.stop()
            if self._thread is not None and self._thread is not threading.current_thread():
                self._thread.join()
        elif isinstance(self.clock, ManualClock):
            self.clock.run_tasks()


def open_port(engine: Engine, broker_id: int) -> BrokerPort:
    """A broker's port; where ``authorizer.class.name`` is set, one that asks an authorizer.

    Raises:
        KafkaConfigurationError: ``super.users`` names something that is no principal.
    """
    if not engine.config.text("authorizer.class.name"):
        return BrokerPort(engine, broker_id)
    from embedkafka.broker.security.authorized_port import AuthorizedPort
    from embedkafka.broker.security.authorizer import Authorizer

    return AuthorizedPort(engine, broker_id, Authorizer(engine.catalog, engine.config))


def _forked() -> None:
    """In a forked child: the parent's engines are not ours to use, flush or unlock."""
    for engine in list(_engines):
        engine.is_unusable = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
