"""Share sessions: which partitions a member reads, and in which order its requests come (KIP-932).

A session belongs to a group's member.  Its epoch grows by one with each request, so that a request that was sent twice,
or that an old connection still carries, is refused.  A broker keeps a limited number of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from embedkafka.errors import (
    BrokerResponseError,
    InvalidShareSessionEpochError,
    ShareSessionLimitReachedError,
    ShareSessionNotFoundError,
)
from embedkafka.model import TopicIdPartition

INITIAL_EPOCH = 0
FINAL_EPOCH = -1
_HIGHEST_EPOCH = (1 << 31) - 1  # 1 follows


class ShareSession:
    """One member's session: the epoch that its next request has to carry, and its partitions in the order they came."""

    __slots__ = ("epoch", "is_in_process", "partitions")

    def __init__(self, *, is_in_process: bool) -> None:
        self.epoch = 1
        self.is_in_process = is_in_process
        self.partitions: dict[TopicIdPartition, None] = {}

    def change(
        self, named: Iterable[TopicIdPartition], forgotten: Iterable[TopicIdPartition]
    ) -> list[TopicIdPartition]:
        """Read from other partitions from now on; returns those that are new."""
        added = [partition for partition in named if partition not in self.partitions]
        self.partitions.update(dict.fromkeys(added))
        for partition in forgotten:
            self.partitions.pop(partition, None)
        return added

    def turned(self) -> list[TopicIdPartition]:
        """The partitions, beginning with another one at each request, so that none starves."""
        partitions = list(self.partitions)
        turn = self.epoch % len(partitions) if partitions else 0
        return partitions[turn:] + partitions[:turn]


class ShareSessions:
    """The sessions of a broker, by group and member.  Safe to call from any thread."""

    def __init__(self, max_count: int) -> None:
        self._max_count = max_count
        self._lock = threading.Lock()
        self._sessions: dict[tuple[str, str], ShareSession] = {}

    def open(self, group_id: str, member_id: str, *, is_in_process: bool) -> ShareSession:
        """Begin; a session that the member had before is gone.

        Raises:
            ShareSessionLimitReachedError: there are as many as may be.
        """
        with self._lock:
            key = (group_id, member_id)
            if key not in self._sessions and len(self._sessions) >= self._max_count:
                raise ShareSessionLimitReachedError(f"this broker keeps {self._max_count} share sessions")
            session = self._sessions[key] = ShareSession(is_in_process=is_in_process)
            return session

    def next(self, group_id: str, member_id: str, epoch: int) -> ShareSession:
        """Go on with the request of this epoch.

        Raises:
            ShareSessionNotFoundError: the member has none.
            InvalidShareSessionEpochError: it is at another step.
        """
        session = self._sessions.get((group_id, member_id))
        if session is None:
            raise _unknown(group_id, member_id)
        with self._lock:
            if session.epoch != epoch:
                raise InvalidShareSessionEpochError(f"the share session is at epoch {session.epoch}, not {epoch}")
            session.epoch = 1 if epoch == _HIGHEST_EPOCH else epoch + 1
        return session

    def find(self, group_id: str, member_id: str) -> ShareSession:
        """A session that its next request will close.

        Raises:
            ShareSessionNotFoundError: the member has none.
        """
        session = self._sessions.get((group_id, member_id))
        if session is None:
            raise _unknown(group_id, member_id)
        return session

    def close(self, group_id: str, member_id: str) -> bool:
        """End; False where there was none."""
        with self._lock:
            return self._sessions.pop((group_id, member_id), None) is not None


def _unknown(group_id: str, member_id: str) -> BrokerResponseError:
    return ShareSessionNotFoundError(f"member {member_id!r} of group {group_id!r} has no share session")
