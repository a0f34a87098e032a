"""Gets records for a share consumer: asks leaders, keeps what was not handed out yet.

A share fetch takes records for this consumer alone, with a lock that runs, so nothing is asked for ahead: only when
nothing is left to hand out.  A request that waits is taken back when the ``poll`` that sent it ends, and what it has
brought by then is kept.

Replies come on any thread; they only reach the inbox there, the consumer's thread does the rest.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from embedkafka.broker.api import ShareFetchPartitionReply, ShareFetchReply
from embedkafka.client.share_consumer.buffer import Buffered
from embedkafka.client.share_consumer.in_flight import InFlight
from embedkafka.client.share_consumer.session import ShareSession
from embedkafka.errors import (
    InvalidMetadataError,
    InvalidShareSessionEpochError,
    RetriableError,
    ShareSessionNotFoundError,
    for_code,
)
from embedkafka.model import TopicIdPartition, TopicPartition
from embedkafka.record import ConsumerRecord

if TYPE_CHECKING:
    from embedkafka.broker.port import BrokerPort
    from embedkafka.client.link import EmbeddedLink
    from embedkafka.client.share_consumer.group import ShareGroup
    from embedkafka.client.share_consumer.metrics import ShareMetrics

_log = logging.getLogger(__name__)

_SESSION_LOST = (ShareSessionNotFoundError, InvalidShareSessionEpochError)

Handed = dict[TopicPartition, list[ConsumerRecord]]


class ShareFetchSettings(NamedTuple):
    """The consumer's settings that shape a fetch."""

    min_bytes: int
    max_bytes: int
    max_wait_ms: int
    acquire_mode: int
    check_crcs: bool
    key_deserializer: Any
    value_deserializer: Any


class _NotAsked:
    """In place of a request that waits, until the broker has taken it."""

    def cancel(self) -> bool:
        return True


class _Sent:
    """A request to one broker, and its reply once that is there; ``parked`` is None where it did not have to wait."""

    __slots__ = ("answered_ms", "parked", "reply")

    def __init__(self) -> None:
        self.parked: Any = _NotAsked()
        self.reply: ShareFetchReply | None = None
        self.answered_ms = 0.0


class ShareFetcher:
    """Args:
    in_flight: what the consumer holds, by partition; the fetcher adds to it.
    arrived: called, on any thread, when a reply has come.
    """

    def __init__(
        self,
        link: EmbeddedLink,
        group: ShareGroup,
        in_flight: dict[TopicIdPartition, InFlight],
        settings: ShareFetchSettings,
        metrics: ShareMetrics,
        *,
        retry_backoff_ms: float,
        arrived: Callable[[], None],
    ) -> None:
        self._link = link
        self._group = group
        self._in_flight = in_flight
        self._settings = settings
        self._metrics = metrics
        self._retry_backoff_ms = retry_backoff_ms
        self._arrived = arrived
        self._sessions: dict[BrokerPort, ShareSession] = {}
        self._sent: dict[BrokerPort, _Sent] = {}
        self._buffered: deque[Buffered] = deque()
        self.retry_at_ms = 0.0
        self.lock_timeout_ms: int | None = None

    # Handing out -----------------------------------------------------------------------------------------------------

    def collect(self, limit: int, handed: Handed) -> None:
        """Hand out up to ``limit`` records of what is here: first those that come again.

        They are in ``handed`` before they count as handed out, so that :meth:`give_back` finds them after an interrupt.

        Raises:
            RecordDeserializationError, CorruptRecordError: the next record cannot be read.
        """
        now_ms = self._link.clock.monotonic_ms()
        self._drop_overdue(now_ms)
        left = limit
        for in_flight in self._in_flight.values():
            if in_flight.again and left > 0:
                into = handed[in_flight.topic_partition] = []
                in_flight.take_again(left, now_ms, into)
                left -= len(into)
        if left == limit:
            self._collect_buffered(left, handed)
        for topic_partition in [each for each, records in handed.items() if not records]:
            del handed[topic_partition]

    def _collect_buffered(self, left: int, handed: Handed) -> None:
        for _ in range(len(self._buffered)):
            buffered = self._buffered[0]
            before_bytes = buffered.consumed_bytes
            into = handed.setdefault(buffered.in_flight.topic_partition, [])
            before = len(into)
            buffered.take(left, into)
            count = len(into) - before
            self._metrics.bytes.add(buffered.consumed_bytes - before_bytes)
            self._metrics.records.add(count)
            left -= count
            if buffered.error is not None and not any(handed.values()):
                buffered.raise_error()
            if buffered.is_empty:
                self._buffered.popleft()
            elif left > 0:
                self._buffered.rotate(-1)
            if left <= 0:
                break

    def _drop_overdue(self, now_ms: float) -> None:
        """What was kept longer than its lock lasts is no longer this consumer's."""
        for _ in range(len(self._buffered)):
            if self._buffered[0].deadline_ms <= now_ms:
                self._buffered.popleft().drop()
            else:
                self._buffered.rotate(-1)

    def give_back(self, handed: Mapping[TopicPartition, list[ConsumerRecord]]) -> None:
        """An error kept these records from the program, so they come again."""
        for in_flight in self._in_flight.values():
            in_flight.give_back(handed.get(in_flight.topic_partition, ()))
        for buffered in self._buffered:
            buffered.realign()

    # Asking ----------------------------------------------------------------------------------------------------------

    def send(self, max_records: int, *, wait: bool) -> None:
        """Ask leaders for records; answers that are there at once are in the inbox.

        Args:
            wait: leave the request with the broker until there is something, or :meth:`stop_waiting`.
        """
        settings = self._settings
        for port, wanted in self._wanted().items():
            if port in self._sent:
                continue
            session = self._sessions.get(port)
            if session is None:
                context, group = self._link.context, self._group
                session = self._sessions[port] = ShareSession(port, context, group.group_id, group.member_id)
            self._sent[port] = sent = _Sent()
            self._metrics.fetches.add()
            try:
                sent.parked = session.fetch(
                    wanted,
                    self._completion(sent),
                    max_wait_ms=0 if not wait else -1 if settings.min_bytes <= 1 else settings.max_wait_ms,
                    min_bytes=settings.min_bytes,
                    max_bytes=settings.max_bytes,
                    max_records=max_records,
                    acquire_mode=settings.acquire_mode,
                )
            except BaseException:
                if sent.reply is None:  # an interrupt: nobody knows how much of it the broker has heard
                    session.reset()
                    del self._sent[port]
                raise

    def _completion(self, sent: _Sent) -> Callable[[ShareFetchReply], None]:
        arrived, now_ms = self._arrived, self._link.clock.monotonic_ms

        def complete(reply: ShareFetchReply) -> None:
            sent.answered_ms = now_ms()
            sent.reply = reply
            arrived()

        return complete

    def _wanted(self) -> dict[BrokerPort, list[TopicIdPartition]]:
        by_leader: dict[BrokerPort, list[TopicIdPartition]] = {}
        if self._link.clock.monotonic_ms() < self.retry_at_ms:
            return by_leader
        for key, topic_partition in self._group.assignment.items():
            try:
                port = self._link.leader_port(topic_partition)
            except RetriableError as error:
                _log.debug("no fetch from %s: %s", topic_partition, error)
                continue
            by_leader.setdefault(port, []).append(key)
        return by_leader

    def stop_waiting(self) -> None:
        """Take back requests that wait; one that was answered meanwhile stays for the next poll.

        Whoever answers decides first and tells then, so a request that cannot be taken back any more, or did not stay
        with the broker, has an answer even where it is not here yet.  It may bring records, which nobody else gets.
        """
        for port, sent in list(self._sent.items()):
            if sent.reply is None and sent.parked is not None and sent.parked.cancel():
                del self._sent[port]

    # Replies ---------------------------------------------------------------------------------------------------------

    def has_reply(self) -> bool:
        return any(sent.reply is not None for sent in self._sent.values())

    def receive(self) -> None:
        """Take replies out of the inbox.

        Raises:
            BrokerResponseError: one that trying again does not help.
        """
        for port, sent in list(self._sent.items()):
            reply = sent.reply
            if reply is None:
                continue
            del self._sent[port]
            session = self._sessions[port]
            if reply.error_code:
                self._receive_error(session, reply.error_code, reply.error_message)
                continue
            self.lock_timeout_ms = reply.acquisition_lock_timeout_ms
            for partition in reply.partitions:
                if partition.acquired:
                    deadline_ms = sent.answered_ms + reply.acquisition_lock_timeout_ms
                    self._receive_records(session, partition, deadline_ms)
            for partition in reply.partitions:
                if partition.error_code:
                    self._receive_error(session, partition.error_code, partition.error_message)

    def _receive_records(self, session: ShareSession, reply: ShareFetchPartitionReply, deadline_ms: float) -> None:
        key = reply.partition
        in_flight = self._in_flight.get(key)
        if in_flight is None:
            topic_partition = self._group.assignment.get(key)
            if topic_partition is None:
                session.release(key, reply.acquired)  # no longer ours: others get them at once
                return
            in_flight = self._in_flight[key] = InFlight(topic_partition, key, session)
        in_flight.session = session
        in_flight.acquire(reply.acquired, deadline_ms)
        settings = self._settings
        self._buffered.append(
            Buffered(
                in_flight,
                reply.records,
                reply.acquired,
                deadline_ms,
                key_deserializer=settings.key_deserializer,
                value_deserializer=settings.value_deserializer,
                check_crcs=settings.check_crcs,
            )
        )

    def _receive_error(self, session: ShareSession, error_code: int, message: str | None) -> None:
        error = for_code(error_code)
        if issubclass(error, _SESSION_LOST):
            session.reset()
            return
        if issubclass(error, InvalidMetadataError):
            self._link.refresh()
        if not issubclass(error, RetriableError):
            raise error(message or f"group {self._group.group_id!r}")
        self.retry_at_ms = self._link.clock.monotonic_ms() + self._retry_backoff_ms

    # Ending ----------------------------------------------------------------------------------------------------------

    def close_sessions(self) -> None:
        """Give back what was not acknowledged: others get it at once."""
        self.forget()
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def forget(self) -> None:
        """Take back what is under way, drop what was not handed out."""
        for sent in self._sent.values():
            if sent.parked is not None:
                sent.parked.cancel()
        self._sent.clear()
        self._buffered.clear()
