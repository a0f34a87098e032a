"""A data directory: who owns it, which version it has, and one folder of Kafka's own layout per broker.

::

    format                     one line, "embedkafka 1": what this is, so that no foreign directory is touched
    .lock                      pid of the owner; held by a lock of the operating system, which ends with the process
    catalog.sqlite             topics and configs; the broker's, see embedkafka.broker.catalog
    broker-0/                  everything in here is as Apache Kafka has it, see broker_directory.py
"""

from __future__ import annotations

import os

from embedkafka.errors import DirectoryLockedError, ForeignDirectoryError
from embedkafka.files import Files
from embedkafka.files import Lock as FileLock
from embedkafka.storage.broker_directory import BrokerDirectory

FORMAT_FILE = "format"
LOCK_FILE = ".lock"
FORMAT_NAME = "embedkafka"
FORMAT_VERSION = 1


class DataDirectory:
    """An owned (or, read-only, a borrowed) data directory.  Made by :meth:`open`, ended by :meth:`close`."""

    def __init__(self, files: Files, path: str, lock: FileLock | None) -> None:
        self.files = files
        self.path = path
        self.read_only = lock is None
        self._lock = lock

    @classmethod
    def open(cls, files: Files, path: str, *, owner_pid: int | None = None, read_only: bool = False) -> DataDirectory:
        """Own a directory; one that does not exist or is empty becomes a data directory.

        Args:
            path: absolute path.
            owner_pid: named to whoever comes second; None is this process.
            read_only: look without owning, also beside a live owner; nothing is written.

        Raises:
            DirectoryLockedError: somebody else owns it; has ``path`` and ``owner_pid``.
            ForeignDirectoryError: it holds something else, or a newer format; has ``path``.
        """
        _check_format(files, path, must_exist=read_only)
        if read_only:
            return cls(files, path, None)
        files.make_dirs(path)
        lock_path = files.join(path, LOCK_FILE)
        try:
            lock = files.lock(lock_path, str(owner_pid or os.getpid()))
        except BlockingIOError:
            raise DirectoryLockedError(path, read_owner_pid(files, path)) from None
        directory = cls(files, path, lock)
        try:
            _check_format(files, path, must_exist=False)  # again, as the owner
            if not files.exists(files.join(path, FORMAT_FILE)):
                content = f"{FORMAT_NAME} {FORMAT_VERSION}\n".encode()
                # Its name becomes durable with that of the first broker's folder, before which nothing matters.
                files.write_atomically(files.join(path, FORMAT_FILE), content, sync_folder=False)
        except BaseException:
            directory.close()
            raise
        return directory

    def broker(self, broker_id: int, *, cluster_id: str, max_total_bytes: int = -1) -> BrokerDirectory:
        """Open a broker's folder, see :meth:`BrokerDirectory.open`."""
        return BrokerDirectory.open(
            self.files,
            self.files.join(self.path, f"broker-{broker_id}"),
            broker_id=broker_id,
            cluster_id=cluster_id,
            max_total_bytes=max_total_bytes,
            read_only=self.read_only,
        )

    def close(self) -> None:
        """Give the directory up; the brokers' folders have been closed before."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def read_owner_pid(files: Files, path: str) -> int | None:
    """The pid in a directory's lock file, whether or not that process still lives; None when there is none."""
    try:
        return int(files.read_bytes(files.join(path, LOCK_FILE)))
    except (FileNotFoundError, ValueError):
        return None


def _check_format(files: Files, path: str, *, must_exist: bool) -> None:
    if files.exists(path) and not files.is_dir(path):
        raise ForeignDirectoryError(path, "it is a file")
    try:
        words = files.read_bytes(files.join(path, FORMAT_FILE)).decode("utf-8", "replace").split()
    except FileNotFoundError:
        names = [name for name in files.list(path) if name not in (LOCK_FILE, FORMAT_FILE + ".tmp")]
        if must_exist:
            raise ForeignDirectoryError(path, "there is no data directory") from None
        if names:
            raise ForeignDirectoryError(path, f"it holds other files, {names[0]!r} for one") from None
        return
    if len(words) != 2 or words[0] != FORMAT_NAME or not words[1].isdigit():
        raise ForeignDirectoryError(path, f"its format file says {' '.join(words)[:60]!r}")
    if int(words[1]) > FORMAT_VERSION:
        raise ForeignDirectoryError(path, f"format {words[1]}, and this version reads up to {FORMAT_VERSION}")
