"""Fetch sessions (KIP-227): a reader of many partitions names only those whose positions changed, and hears only of
those that have something to tell.

==========  =====  ================================================================================================
session id  epoch  the request
==========  =====  ================================================================================================
any         -1     names all it wants and ends the session, if there was one
any          0     names all it wants, ends the session that there was and asks for a new one
an id        n     changes what the session holds, and is the n-th of it since it began; else the reader starts anew
==========  =====  ================================================================================================

A session is an offer: where none can be had, the reply says id 0 and the reader goes on naming everything.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

FINAL_EPOCH = -1
INITIAL_EPOCH = 0

_MAX_EPOCH = 2**31 - 1
_EVICTION_MS = 120_000  # Kafka's min.incremental.fetch.session.eviction.ms, which is no setting since 3.0


class SessionKey(NamedTuple):
    """A partition as the reader names it: by its topic's id or, before version 13, by its name."""

    topic: str | UUID
    partition: int


class Asked(NamedTuple):
    """What a reader wants of a partition."""

    fetch_offset: int
    max_bytes: int
    current_leader_epoch: int = -1
    last_fetched_epoch: int = -1


@dataclass(slots=True)
class SessionPartition:
    """What a session remembers of a partition: what is asked, and what the reader was told last."""

    asked: Asked
    high_watermark: int = -1
    log_start_offset: int = -1


@dataclass(slots=True, eq=False)
class Session:
    """One reader's partitions, in the order in which they are read."""

    session_id: int
    uses_topic_ids: bool
    created_ms: float
    used_ms: float
    epoch: int = 1
    partitions: dict[SessionKey, SessionPartition] = field(default_factory=dict)

    def change(self, asked: Mapping[SessionKey, Asked], forgotten: Iterable[SessionKey]) -> None:
        """Take what an incremental request says."""
        partitions = self.partitions
        for key, wanted in asked.items():
            known = partitions.get(key)
            if known is None:
                partitions[key] = SessionPartition(wanted)
            else:
                known.asked = wanted
        for key in forgotten:
            partitions.pop(key, None)

    def has_news(
        self, key: SessionKey, *, error_code: int, high_watermark: int, log_start_offset: int, has_records: bool
    ) -> bool:
        """Whether the reader has to hear of a partition, which it is then taken to have."""
        known = self.partitions.get(key)
        if known is None:
            return True
        news = (
            has_records
            or bool(error_code)
            or high_watermark != known.high_watermark
            or log_start_offset != known.log_start_offset
        )
        # After an error the next reply tells everything again.
        known.high_watermark = -1 if error_code else high_watermark
        known.log_start_offset = log_start_offset
        if has_records:
            # To the end of the row: where a reply has no room for all, every partition gets its turn.
            self.partitions[key] = self.partitions.pop(key)
        return news


class FetchSessions:
    """A listener's sessions.  From any thread; a session itself is its reader's, who has one request at a time.

    Args:
        slots: how many are kept (``max.incremental.fetch.session.cache.slots``).
        now_ms: milliseconds that never go back.
        choices: where ids come from.
    """

    def __init__(self, slots: int, now_ms: Callable[[], float], choices: random.Random) -> None:
        self._slots = slots
        self._now_ms = now_ms
        self._choices = choices
        self._lock = threading.Lock()  # never held for long: the loop takes it, too
        self._sessions: dict[int, Session] = {}  # least recently used first

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def partition_count(self, session_id: int) -> int:
        """How many partitions a session has; 0 where there is none."""
        session = self._sessions.get(session_id)
        return 0 if session is None else len(session.partitions)

    def find(self, session_id: int) -> Session | None:
        """A session, which is in use from now on."""
        with self._lock:
            session = self._sessions.pop(session_id, None)
            if session is not None:
                session.used_ms = self._now_ms()
                self._sessions[session_id] = session
            return session

    def remove(self, session_id: int) -> None:
        """End a session, if there is one."""
        with self._lock:
            self._sessions.pop(session_id, None)

    def create(self, asked: Mapping[SessionKey, Asked], *, uses_topic_ids: bool) -> Session | None:
        """A new session, or None where there is no room for it."""
        partitions = {key: SessionPartition(wanted) for key, wanted in asked.items()}
        now_ms = self._now_ms()
        with self._lock:
            if len(self._sessions) >= self._slots and not self._evict(len(asked), now_ms):
                return None
            session_id = 0
            while session_id == 0 or session_id in self._sessions:
                session_id = self._choices.randrange(1, 2**31)
            session = Session(session_id, uses_topic_ids, now_ms, now_ms, partitions=partitions)
            self._sessions[session_id] = session
            return session

    def _evict(self, partition_count: int, now_ms: float) -> bool:
        """Make room: the longest unused goes if it has been for two minutes, else the smallest of that age."""
        if not self._slots:
            return False
        unused = next(iter(self._sessions.values()))
        if now_ms - unused.used_ms > _EVICTION_MS:
            del self._sessions[unused.session_id]
            return True
        smallest = min(self._sessions.values(), key=lambda session: len(session.partitions))
        if now_ms - smallest.created_ms > _EVICTION_MS and len(smallest.partitions) < partition_count:
            del self._sessions[smallest.session_id]
            return True
        return False


def next_epoch(epoch: int) -> int:
    """The epoch after this one; it never becomes one of those with a meaning of their own."""
    return 1 if epoch == _MAX_EPOCH else epoch + 1
