"""One share fetch: acquire from each partition of the session, or wait until there is something.

Unlike a plain fetch, looking changes something: what was acquired has to be answered.  So one thread at a time looks on
behalf of a fetch, under the fetch's own lock, and the answer is decided there.  Who finds the lock taken and has news
waits for it, and then looks again.  The answer is told after the lock is released.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from embedkafka.broker.partition import Partition
from embedkafka.broker.share.api import ShareFetchPartitionReply, ShareFetchReply, ShareFetchRequest
from embedkafka.broker.share.partition import LedSharePartition, Wanted
from embedkafka.broker.share.sessions import ShareSession
from embedkafka.clock import Timer
from embedkafka.errors import BrokerResponseError, UnknownError
from embedkafka.model import TopicIdPartition, TopicPartition

if TYPE_CHECKING:
    from embedkafka.broker.share.shares import Shares

_log = logging.getLogger(__name__)

Complete = Callable[[ShareFetchReply], None]


class ShareFetch:
    """What a request asks for, and what has come of it so far."""

    def __init__(
        self,
        shares: Shares,
        request: ShareFetchRequest,
        session: ShareSession,
        outcomes: dict[TopicIdPartition, ShareFetchPartitionReply],
        *,
        loads_one: bool = False,
    ) -> None:
        """
        Args:
            session: its partitions are read.
            outcomes: of the acknowledgements that came along.
            loads_one: a partition whose state is still to be loaded is left to the next fetch when there is something
                already, as Kafka's are, which loads them meanwhile: members that begin together each get some.
        """
        self.shares = shares
        self.request = request
        self._outcomes = outcomes
        self._loads_one = loads_one
        self._settings = shares.host.settings(request.group_id)
        self._failures: dict[TopicIdPartition, ShareFetchPartitionReply] = {}
        self._led: list[tuple[TopicIdPartition, LedSharePartition]] = []
        for each in session.turned():
            try:
                self._led.append((each, shares.led(request.group_id, each)))
            except BrokerResponseError as error:
                self._fail(each, error)

    def reply_without_records(self) -> ShareFetchReply:
        """The answer to a request that reads nothing."""
        return self._reply({})

    def start(self, complete: Complete) -> ParkedShareFetch | None:
        """Answer now, or park; None when it was answered."""
        self.shares.host.seal(self.topic_partitions)
        reply = self.look(is_last=self.request.max_wait_ms == 0)
        if reply is not None:
            complete(reply)
            return None
        return ParkedShareFetch(self, complete).park()

    def look(self, *, is_last: bool, only: Partition | None = None) -> ShareFetchReply | None:
        """Acquire what is there; None where that is not enough to answer, and nothing was acquired then.

        Args:
            is_last: answer in any case.
            only: the partition that has more; a reader of a hundred does not pay for the other ninety-nine.
        """
        is_last = is_last or bool(self._failures)
        self._settings = self.shares.host.settings(self.request.group_id)  # as they are now
        if not is_last and self.request.min_bytes > 1 and not self._has_enough():
            return None
        found: dict[TopicIdPartition, ShareFetchPartitionReply] = {}
        left_records = self.request.max_records
        left_bytes = min(self.request.max_bytes, self.shares.host.fetch_max_bytes)
        for index, (each, led) in enumerate(self._led):
            if left_records <= 0 or left_bytes <= 0:
                break
            if only is not None and led.partition is not only:
                continue
            if found and self._loads_one and led.needs_loading:
                continue
            request = self.request
            share_bytes = left_bytes if only is not None else max(1, left_bytes // (len(self._led) - index))
            wanted = Wanted(request.member_id, left_records, share_bytes, request.batch_size, request.acquire_mode)
            try:
                taken = led.acquire(wanted, self._settings)
            except BrokerResponseError as error:
                self._fail(each, error)
                continue
            if taken.acquired:
                outcome = self._outcomes.get(each) or ShareFetchPartitionReply(each)
                found[each] = outcome._replace(records=taken.records, acquired=taken.acquired)
                left_records -= sum(last - first + 1 for first, last, _ in taken.acquired)
                left_bytes -= sum(len(chunk) for chunk in taken.records)
        if found or self._failures or is_last or not self._led:
            return self._reply(found)
        return None

    def partitions(self) -> Iterable[LedSharePartition]:
        return (led for _, led in self._led)

    @property
    def topic_partitions(self) -> list[TopicPartition]:
        return [led.partition.topic_partition for _, led in self._led]

    def _has_enough(self) -> bool:
        wanted = self.request.min_bytes
        for each, led in self._led:
            try:
                wanted -= led.available_bytes(wanted, self._settings)
            except BrokerResponseError as error:
                self._fail(each, error)
                return True
            if wanted <= 0:
                return True
        return False

    def _fail(self, partition: TopicIdPartition, error: BrokerResponseError) -> None:
        outcome = self._outcomes.get(partition) or ShareFetchPartitionReply(partition)
        message = str(error.args[0]) if error.args else error.message
        self._failures[partition] = outcome._replace(error_code=error.errno, error_message=message)

    def _reply(self, found: dict[TopicIdPartition, ShareFetchPartitionReply]) -> ShareFetchReply:
        replies = {**self._outcomes, **self._failures, **found}
        return ShareFetchReply(0, None, self._settings.share_record_lock_duration_ms, list(replies.values()))


class ParkedShareFetch:
    """A share fetch that waits: for records, for records that others give back, or for its time to be up."""

    __slots__ = ("_complete", "_fetch", "_is_cancelled", "_is_done", "_is_last", "_is_parked", "_lock", "_timer")

    def __init__(self, fetch: ShareFetch, complete: Complete) -> None:
        self._fetch = fetch
        self._complete = complete
        self._lock = threading.Lock()
        self._is_done = False
        self._is_cancelled = False
        self._is_last = False
        self._is_parked = False
        self._timer: Timer | None = None

    def park(self) -> ParkedShareFetch | None:
        """Wait; None when it was answered meanwhile.  Stand in line first, then look: nothing slips by unseen."""
        host = self._fetch.shares.host
        try:
            self._is_parked = True
            host.park(self._fetch.topic_partitions)
            for led in self._fetch.partitions():
                led.parked[self] = None
                led.partition.parked[self] = None
            if self._fetch.request.max_wait_ms > 0:
                self._timer = host.clock.call_later(self._fetch.request.max_wait_ms, self.answer_now)
            host.seal(self._fetch.topic_partitions)
            self.woken()
        except BaseException:
            self.cancel()
            raise
        return None if self._is_done else self

    def woken(self, only: Partition | None = None) -> None:
        """There may be something now."""
        if self._is_done:
            return
        reply: ShareFetchReply | None = None
        try:
            with self._lock:
                if self._is_done:
                    return
                reply = self._look(only)
                if reply is None:
                    return
                self._is_done = True
            self._tell(reply)
        except BaseException:
            # Ctrl-C in the middle: the reader may not know yet.  Twice is harmless to it, never is not.
            if reply is not None:
                self._fetch.shares.host.clock.call_soon(partial(self._tell, reply))
            raise

    def _look(self, only: Partition | None) -> ShareFetchReply | None:
        try:
            return self._fetch.look(is_last=self._is_last, only=None if self._is_last else only)
        except Exception:  # not the fault of whoever woke us
            _log.exception("a share fetch failed: %r", self._fetch.request)
            return ShareFetchReply(UnknownError.errno, "the broker failed over this request")

    def woken_by(self, partition: Partition) -> None:
        """Somebody has appended to a partition."""
        self.woken(partition)

    def answer_now(self) -> None:
        """Answer with what is there: the time is up, or the engine closes."""
        self._is_last = True
        self.woken()

    def cancel(self) -> bool:
        """Make sure it is not answered; False when it was already, or is about to be told."""
        with self._lock:
            if not self._is_done:
                self._is_cancelled = True
                self._is_done = True
        self._leave()
        return self._is_cancelled

    def _tell(self, reply: ShareFetchReply) -> None:
        try:
            self._complete(reply)
        except Exception:
            _log.exception("a reader failed over its answer: %r", self._complete)  # not the sender's fault
        self._leave()

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for led in self._fetch.partitions():
            led.parked.pop(self, None)
            led.partition.parked.pop(self, None)
        if self._is_parked:
            self._is_parked = False
            self._fetch.shares.host.unpark(self._fetch.topic_partitions)
