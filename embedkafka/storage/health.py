"""What the logs of one data directory share: whether it can still be trusted, and how much it holds."""

from __future__ import annotations

import errno
import logging
import threading

from embedkafka.errors import KafkaStorageError

_log = logging.getLogger(__name__)

NO_SPACE_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DirectoryHealth:
    """Goes offline at the first error after which the files' state is unknown, and stays so until it is reopened.

    A failed fsync is the typical one: the kernel may have dropped the pages it could not write and will report success
    the next time, so asking again proves nothing.
    """

    __slots__ = ("_full_count", "path", "reason")

    def __init__(self, path: str) -> None:
        self.path = path
        self.reason: str | None = None
        self._full_count = 0

    def check(self) -> None:
        """Raise KafkaStorageError when the directory is offline."""
        if self.reason is not None:
            raise KafkaStorageError(f"{self.path} is offline until it is reopened: {self.reason}")

    def fail(self, what: str, error: OSError) -> KafkaStorageError:
        """Take the directory offline; returns the error to raise."""
        if self.reason is None:
            self.reason = f"{what}: {error}"
            _log.error("%s goes offline: %s", self.path, self.reason)
        return KafkaStorageError(f"{self.path} is offline until it is reopened: {self.reason}")

    def storage_error(self, what: str, error: OSError) -> KafkaStorageError:
        """The error to raise: a full device is one that passes, any other takes the directory offline."""
        if error.errno in NO_SPACE_ERRNOS:
            # Peers only see that it does not work yet and try again, so the log has to say it, though not each time.
            self._full_count += 1
            if self._full_count & (self._full_count - 1) == 0:
                text = str(error)  # the error itself would keep the file open as long as somebody keeps the log record
                _log.warning("no space left on the device, time %d: %s: %s", self._full_count, what, text)
            return KafkaStorageError(f"no space left on the device: {what}: {error}")
        return self.fail(what, error)


class DirectoryUsage:
    """Counts the bytes of all logs against ``log.max.total.bytes``.

    Args:
        limit_bytes: bytes of records that all logs together may hold; -1 is without limit.
    """

    __slots__ = ("_lock", "limit_bytes", "used_bytes")

    def __init__(self, limit_bytes: int = -1) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._lock = threading.Lock()

    def check_room(self, size_bytes: int) -> None:
        """Raise KafkaStorageError when so many more bytes would exceed the limit."""
        if self.limit_bytes >= 0 and self.used_bytes + size_bytes > self.limit_bytes:
            raise KafkaStorageError(
                f"no space left: log.max.total.bytes is {self.limit_bytes}, {self.used_bytes} bytes are held and "
                f"{size_bytes} more were to be appended; delete records or topics, or raise the limit"
            )

    def add(self, size_bytes: int) -> None:
        """Count bytes that were appended, or (negative) removed."""
        if self.limit_bytes >= 0:
            with self._lock:
                self.used_bytes += size_bytes
