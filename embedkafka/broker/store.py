"""Where the engine's files live: opens logs in the data directory, retires those of deleted topics, repairs.

The catalog says which topics there are, the folders hold their records.  A crash can leave one without the other:

* a topic without folders is as it should be: a folder appears at the first append;
* a folder that the catalog does not know, or knows under another topic id, belongs to a topic whose deletion was
  committed: it is removed;
* folders without any catalog file (somebody deleted it) are adopted: ``partition.metadata`` names their topics' ids.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from embedkafka.broker.catalog import FILE_NAME, TopicEntry
from embedkafka.broker.ids import Ids
from embedkafka.clock import Clock, Timer
from embedkafka.config import BrokerConfig
from embedkafka.errors import KafkaConfigurationError, KafkaStorageError
from embedkafka.files import Files, HandleCache, MemoryFiles, default_max_open_files, system_files
from embedkafka.model import TopicPartition, id_text
from embedkafka.storage import metadata, properties
from embedkafka.storage.broker_directory import META_PROPERTIES_FILE
from embedkafka.storage.data_directory import DataDirectory
from embedkafka.storage.log import Log
from embedkafka.storage.names import partition_folder

if TYPE_CHECKING:
    from embedkafka.broker.partition import Partition

_log = logging.getLogger(__name__)

_USUAL_BROKER_ID = 0
_BROKER_FOLDER = re.compile(r"broker-(\d+)")
_MEMORY_PATH = "/embedkafka"
DELETED_FOLDER_SUFFIX = "-delete"


class Store:
    """The data directory of an engine with its one broker's folder, on the disk or in memory."""

    def __init__(
        self,
        path: str | None,
        config: BrokerConfig,
        clock: Clock,
        ids: Ids,
        *,
        read_only: bool = False,
        files: Files | None = None,
    ) -> None:
        """
        Args:
            path: the directory; None for memory.
            files: the file system, for a test that breaks it; None takes the one that fits ``path``.

        Raises:
            DirectoryLockedError: another process (or engine) owns it.
            ForeignDirectoryError: it holds something else.
            KafkaConfigurationError: it is another broker's.
            KafkaStorageError: it cannot be read or written.
        """
        self.read_only = read_only
        self.files = files or (MemoryFiles() if path is None else system_files())
        maximum = config["max.open.files"]
        self.handles = HandleCache(
            self.files,
            maximum if isinstance(maximum, int) else default_max_open_files(),
            read_mode=config.text("log.read.mode"),
        )
        self._clock = clock
        self._doomed: dict[str, Timer] = {}
        root = path or _MEMORY_PATH
        self.directory = DataDirectory.open(self.files, root, read_only=read_only)
        try:
            self.broker_id = self._known_broker_id(root, _wanted_id(config))
            config.static |= {"node.id": self.broker_id, "broker.id": self.broker_id}
            self.cluster_id = self._known_cluster_id(root) or id_text(ids.uuid())
            self.broker = self.directory.broker(
                self.broker_id, cluster_id=self.cluster_id, max_total_bytes=config.integer("log.max.total.bytes")
            )
        except BaseException:
            self.directory.close()
            raise
        self.catalog_path = None if path is None else self.files.join(path, FILE_NAME)
        self._folders = set(self.broker.partitions())

    @property
    def broker_ids(self) -> tuple[int, ...]:
        """The cluster's brokers."""
        return (self.broker_id,)

    def _known_broker_id(self, root: str, wanted: int | None) -> int:
        """Whose folder there is; where there is none, whoever is wanted."""
        names = self.files.list(root) if self.files.exists(root) else []
        known = [int(found[1]) for found in map(_BROKER_FOLDER.fullmatch, names) if found]
        if not known:
            return _USUAL_BROKER_ID if wanted is None else wanted
        if wanted not in (None, known[0]):
            raise KafkaConfigurationError(f"{root} was made by broker {known[0]}, and node.id says {wanted}")
        return known[0]

    def _known_cluster_id(self, root: str) -> str | None:
        try:
            found = properties.read(self.files, self.files.join(root, f"broker-{self.broker_id}", META_PROPERTIES_FILE))
        except FileNotFoundError:
            return None
        return found.get("cluster.id")

    @property
    def folder(self) -> str:
        """The broker's folder."""
        return self.broker.path

    @property
    def error_code(self) -> int:
        """Kafka's code for what is wrong with the folder; 0 when it works."""
        return KafkaStorageError.errno if self.broker.health.reason is not None else 0

    def space_bytes(self) -> tuple[int, int]:
        """Size of the device and what is free on it, as far as known; -1 where not."""
        try:
            return -1, self.files.free_bytes(self.folder)
        except OSError:
            return -1, -1

    # Logs ------------------------------------------------------------------------------------------------------------

    def open_log(self, partition: Partition) -> Log:
        """Open a partition's log, recovering it where the last close was not clean."""
        topic = partition.topic
        return self.broker.open_log(
            self.handles,
            partition.topic_partition,
            topic.log_config,
            topic_id=topic.topic_id,
            now_ms=self._clock.now_ms(),
        )

    @property
    def unrecovered(self) -> list[TopicPartition]:
        """Partitions whose logs were not opened since a crash."""
        return self.broker.unrecovered

    @property
    def is_empty(self) -> bool:
        """Whether no partition had records when the engine was opened."""
        return not self._folders

    def has_folder(self, topic_partition: TopicPartition) -> bool:
        """Whether the partition had records when the engine was opened."""
        return topic_partition in self._folders

    def has_folder_of(self, topic: str) -> bool:
        """Whether any partition of a topic had records when the engine was opened."""
        return any(found.topic == topic for found in self._folders)

    def retire(self, partition: Partition) -> None:
        """Take a deleted partition's log out of use; its files go after ``file.delete.delay.ms``.  May be repeated."""
        with partition.lock:
            partition.forget_log()
            doomed = self.broker.retire_log(partition.topic_partition)
        self._folders.discard(partition.topic_partition)
        if doomed is not None:
            delay_ms = partition.topic.log_config.file_delete_delay_ms
            self._doomed[doomed] = self._clock.call_later(delay_ms, partial(self._remove, doomed), background=True)

    def sweep(self) -> None:
        """Take care of folders whose renaming was interrupted before it was noted down."""
        for name in self.files.list(self.folder):
            doomed = self.files.join(self.folder, name)
            if name.endswith(DELETED_FOLDER_SUFFIX) and doomed not in self._doomed:
                self._doomed[doomed] = self._clock.call_later(0, partial(self._remove, doomed), background=True)

    def _remove(self, doomed: str) -> None:
        if self._doomed.pop(doomed, None) is not None:
            self.broker.remove_retired(doomed)

    # Repair ----------------------------------------------------------------------------------------------------------

    def strays(self, known: Iterable[TopicEntry]) -> list[TopicPartition]:
        """Folders of partitions that the catalog does not know (any more)."""
        entries = {entry.name: entry for entry in known}
        return sorted(found for found in self._folders if not self._belongs(found, entries.get(found.topic)))

    def _belongs(self, found: TopicPartition, entry: TopicEntry | None) -> bool:
        if entry is None or found.partition >= len(entry.replicas):
            return False
        topic_id = self._topic_id_of(found)
        return topic_id is None or topic_id == entry.topic_id

    def _topic_id_of(self, found: TopicPartition) -> UUID | None:
        return metadata.read_partition_metadata(self.files, self.files.join(self.folder, partition_folder(found)))

    def remove_stray(self, found: TopicPartition) -> None:
        """Remove a folder that belongs to no topic."""
        _log.warning("removing %s: its topic is deleted", self.files.join(self.folder, partition_folder(found)))
        self.broker.delete_log(found)
        self._folders.discard(found)

    def adoptable(self, ids: Ids) -> list[TopicEntry]:
        """Catalog entries for the folders that are there."""
        counts: dict[str, int] = {}
        topic_ids: dict[str, UUID] = {}
        for found in sorted(self._folders):
            counts[found.topic] = max(counts.get(found.topic, 0), found.partition + 1)
            topic_id = self._topic_id_of(found)
            if topic_id is not None:
                topic_ids.setdefault(found.topic, topic_id)
        return [
            TopicEntry(name, topic_ids.get(name) or ids.uuid(), (self.broker_ids,) * count)
            for name, count in counts.items()
        ]

    # Ending ----------------------------------------------------------------------------------------------------------

    def abandon(self) -> None:
        """Give the directory up without writing: opening has failed."""
        for log in self.broker.logs.values():
            log.discard()
        self.directory.close()
        self.handles.close()

    def close(self) -> None:
        """Make everything durable, write the checkpoints and the clean marker, give the directory up.

        An interrupt (Ctrl-C) in the middle leaves the directory owned; closing again goes on.

        Raises:
            KafkaStorageError: something could not be made durable; the directory is given up all the same.
        """
        try:
            self._close_logs()
        except Exception:
            self._let_go()
            raise
        self._let_go()

    def _close_logs(self) -> None:
        if not self.read_only:
            self.sweep()
            for doomed, timer in list(self._doomed.items()):
                timer.cancel()
                self._remove(doomed)
        self.broker.close()

    def _let_go(self) -> None:
        self.directory.close()
        self.handles.close()


def _wanted_id(config: BrokerConfig) -> int | None:
    """The broker's number as it was given, by either of its names; None where it was not.

    Raises:
        KafkaConfigurationError: the names contradict each other.
    """
    given = {config.static.get("node.id"), config.static.get("broker.id")} - {None, -1}
    if len(given) > 1:
        raise KafkaConfigurationError("You must set `node.id` to the same value as `broker.id`.")
    return next((number for number in given if isinstance(number, int)), None)
