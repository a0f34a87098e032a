"""A data directory: who owns it, which version it has, and one folder of Kafka's own layout per broker.

::

    format                     one line, "embedkafka 1": what this is, so that no foreign directory is touched
    .lock                      pid of the owner and, on a second line, the address it listens on, if it does; held by a
                               lock of the operating system, which ends with the process
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

    def __init__(self, files: Files, path: str, lock: FileLock | None, owner_pid: int = 0) -> None:
        self.files = files
        self.path = path
        self.read_only = lock is None
        self._lock = lock
        self._owner_pid = owner_pid

    @classmethod
    def open(cls, files: Files, path: str, *, owner_pid: int | None = None, read_only: bool = False) -> DataDirectory:
        """Own a directory; one that does not exist or is empty becomes a data directory.

        Args:
            path: absolute path.
            owner_pid: named to whoever comes second; None is this process.
            read_only: look without owning, also beside a live owner; nothing is written.

        Raises:
            DirectoryLockedError: somebody else owns it; has ``path``, ``owner_pid`` and ``address``.
            ForeignDirectoryError: it holds something else, or a newer format; has ``path``.
        """
        _check_format(files, path, must_exist=read_only)
        if read_only:
            return cls(files, path, None)
        files.make_dirs(path)
        lock_path = files.join(path, LOCK_FILE)
        pid = owner_pid or os.getpid()
        try:
            lock = files.lock(lock_path, str(pid))
        except BlockingIOError:
            raise DirectoryLockedError(path, *read_owner(files, path)) from None
        directory = cls(files, path, lock, pid)
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

    def announce(self, address: str | None) -> None:
        """Tell whoever finds the directory owned where its owner listens; None: nowhere."""
        if self._lock is not None:
            self._lock.tell(str(self._owner_pid) if address is None else f"{self._owner_pid}\n{address}")

    def close(self) -> None:
        """Give the directory up; the brokers' folders have been closed before."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def read_owner(files: Files, path: str) -> tuple[int | None, str | None]:
    """Pid and address in a directory's lock file, also of a process that lives no more; None for what is not there."""
    try:
        pid, _, address = files.read_bytes(files.join(path, LOCK_FILE)).decode("utf-8", "replace").partition("\n")
        return int(pid), address or None
    except (FileNotFoundError, ValueError):
        return None, None


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
