"""Reading several partitions at once, and waiting until there is enough: Kafka's fetch purgatory for one process.

A fetch is answered at once when it does not want to wait, when enough bytes are there, or when any partition errs.
Otherwise it is *parked*: it stands in the ``parked`` set of each of its partitions, whoever appends lets it look again,
and a timer answers it with whatever is there when its time is up.  The order of things keeps a record from slipping by
unseen: stand in the sets first, tell the producers' lanes that a reader waits, seal what they hold, then look.

A fetch is answered exactly once: whoever takes the single token out of its ``_token`` list answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from embedkafka.broker.api import (
    READ_COMMITTED,
    AbortedTransaction,
    FetchReply,
    FetchRequest,
    PartitionFetch,
    PartitionFetchReply,
)
from embedkafka.clock import Clock, Timer
from embedkafka.errors import (
    BrokerResponseError,
    FencedLeaderEpochError,
    KafkaStorageError,
    OffsetOutOfRangeError,
    UnknownLeaderEpochError,
    UnknownTopicOrPartitionError,
)
from embedkafka.model import TopicPartition
from embedkafka.record import next_offset_after

if TYPE_CHECKING:
    from embedkafka.broker.partition import Partition
    from embedkafka.broker.unsealed import Unsealed
    from embedkafka.storage.log import Log

_log = logging.getLogger(__name__)

Complete = Callable[[FetchReply], None]


class ParkedFetch:
    """A fetch that waits."""

    __slots__ = ("_complete", "_fetcher", "_has_left", "_token", "partitions", "request", "timer")

    def __init__(
        self, fetcher: Fetcher, request: FetchRequest, partitions: tuple[Partition, ...], complete: Complete
    ) -> None:
        self.request = request
        self.partitions = partitions
        self.timer: Timer | None = None
        self._fetcher = fetcher
        self._complete = complete
        self._token = [None]
        self._has_left = False

    def woken_by(self, partition: Partition) -> None:
        """Answer if there is enough now that ``partition`` has more.

        Where one byte is enough, the answer may hold this partition only, as in an incremental fetch (KIP-227): a
        reader of a hundred partitions does not pay for the other ninety-nine.
        """
        if not self._token:
            return
        request = self.request
        if request.min_bytes <= 1 and not request.wants_all:
            replies, enough = self._fetcher.read(request, only=partition.topic_partition)
        else:
            replies, enough = self._fetcher.read(request)
        if enough:
            self._answer(replies)

    def look_again(self) -> None:
        """Answer if there is enough now."""
        if self._token:
            replies, enough = self._fetcher.read(self.request)
            if enough:
                self._answer(replies)

    def answer_now(self) -> None:
        """Answer with what is there: the time is up, or the engine closes."""
        if self._token:
            self._answer(self._fetcher.read(self.request)[0])

    def cancel(self) -> bool:
        """Make sure it is not answered any more; False when it was already."""
        if not self._take():
            return False
        self._leave()
        return True

    def _take(self) -> bool:
        try:
            self._token.pop()
        except IndexError:
            return False  # somebody else was faster
        return True

    def _answer(self, replies: list[PartitionFetchReply]) -> None:
        reply = FetchReply(replies)
        try:
            if not self._take():
                return
            self._tell(reply)
        except BaseException:
            # Ctrl-C in the middle: the reader may not know yet.  Twice is harmless to it, never is not.
            if not self._token:
                self._fetcher.clock.call_soon(partial(self._tell, reply))
            raise

    def _tell(self, reply: FetchReply) -> None:
        try:
            self._complete(reply)
        except Exception:
            _log.exception("a reader failed over its answer: %r", self._complete)  # not the sender's fault
        self._leave()

    def _leave(self) -> None:
        for partition in self.partitions:
            partition.parked.pop(self, None)
        if self.timer is not None:
            self.timer.cancel()
        if not self._has_left:
            self._has_left = True
            self._fetcher.unsealed.unpark(self.topic_partitions)

    @property
    def topic_partitions(self) -> list[TopicPartition]:
        return [partition.topic_partition for partition in self.partitions]


class Fetcher:
    """Answers fetches for one broker."""

    def __init__(
        self,
        find: Callable[[TopicPartition], Partition | None],
        unsealed: Unsealed,
        clock: Clock,
        max_bytes: int,
    ) -> None:
        """
        Args:
            find: the partition this broker leads, or None.
            max_bytes: ``fetch.max.bytes``, the most any reply holds.
        """
        self.clock = clock
        self.unsealed = unsealed
        self._find = find
        self._max_bytes = max_bytes

    def fetch(self, request: FetchRequest, complete: Complete) -> ParkedFetch | None:
        """Answer now, or park; None when it was answered."""
        self.unsealed.seal([asked.topic_partition for asked in request.partitions])
        replies, enough = self.read(request)
        if enough or request.max_wait_ms == 0:
            complete(FetchReply(replies))
            return None
        return self._park(request, complete, replies)

    def is_prompt(self, request: FetchRequest) -> bool:
        """Whether :meth:`fetch` would wait for nothing: no producer to be sealed, no file to be read."""
        for asked in request.partitions:
            partition = self._find(asked.topic_partition)
            if partition is None:
                continue
            log = partition.open_log
            if log is None or not log.has_in_memory(asked.fetch_offset):
                return False
        return not self.unsealed.has_any(asked.topic_partition for asked in request.partitions)

    def _park(
        self, request: FetchRequest, complete: Complete, seen: Sequence[PartitionFetchReply]
    ) -> ParkedFetch | None:
        """Wait for more than was ``seen``."""
        partitions = tuple(
            partition for asked in request.partitions if (partition := self._find(asked.topic_partition)) is not None
        )
        parked = ParkedFetch(self, request, partitions, complete)
        topic_partitions = parked.topic_partitions
        self.unsealed.park(topic_partitions)
        for partition in partitions:
            partition.parked[parked] = None
        if request.max_wait_ms > 0:
            parked.timer = self.clock.call_later(request.max_wait_ms, parked.answer_now)
        try:
            self.unsealed.seal(topic_partitions)
            if _has_news(partitions, seen):
                parked.look_again()
        except BaseException:
            parked.cancel()
            raise
        return parked

    def read(
        self, request: FetchRequest, *, only: TopicPartition | None = None
    ) -> tuple[list[PartitionFetchReply], bool]:
        """What every partition (or one of them) has now, and whether that is enough to answer."""
        left_bytes = min(request.max_bytes, self._max_bytes)
        found_bytes = 0
        failed = False
        replies = []
        for asked in request.partitions:
            if only is not None and asked.topic_partition != only:
                continue
            try:
                reply = self._read_partition(
                    asked, left_bytes, first=found_bytes == 0, committed=request.isolation_level == READ_COMMITTED
                )
            except (BrokerResponseError, OSError) as error:
                replies.append(self._failure(asked, error))
                failed = True
                continue
            replies.append(reply)
            for chunk in reply.records:
                found_bytes += len(chunk)
                left_bytes -= len(chunk)
        return replies, failed or found_bytes >= request.min_bytes or not request.partitions

    def _read_partition(
        self, asked: PartitionFetch, left_bytes: int, *, first: bool, committed: bool
    ) -> PartitionFetchReply:
        partition = self._find(asked.topic_partition)
        if partition is None:
            raise UnknownTopicOrPartitionError(f"no partition {asked.topic_partition} here")
        check_leader_epoch(partition, asked.current_leader_epoch)
        if asked.last_fetched_epoch > partition.leader_epoch:
            raise OffsetOutOfRangeError(f"{asked.topic_partition} has no records of epoch {asked.last_fetched_epoch}")
        log = partition.log
        offset = asked.fetch_offset
        high_watermark = log.end_offset
        last_stable_offset = min(log.last_stable_offset, high_watermark)
        log_start_offset = log.log_start_offset
        if not log_start_offset <= offset <= high_watermark:
            raise OffsetOutOfRangeError(
                f"{asked.topic_partition} holds offsets {log_start_offset} to {high_watermark}, asked for {offset}"
            )
        end_offset = last_stable_offset if committed else high_watermark
        records: list[memoryview] = []
        if offset < end_offset and (first or left_bytes > 0):
            records = log.read(
                offset,
                max_bytes=min(asked.max_bytes, max(0, left_bytes)),
                max_offset=end_offset,
                min_one_batch=first,
            )
        aborted: Sequence[AbortedTransaction] = ()
        if committed and records:
            aborted = _aborted_transactions(log, offset, end_offset, records)
        return PartitionFetchReply(
            asked.topic_partition,
            0,
            high_watermark,
            last_stable_offset,
            log_start_offset,
            aborted,
            tuple(records),
        )

    def _failure(self, asked: PartitionFetch, error: BrokerResponseError | OSError) -> PartitionFetchReply:
        if isinstance(error, OSError):
            error = read_error(self._find(asked.topic_partition), error)
        message = error.args[0] if error.args else None
        return PartitionFetchReply(asked.topic_partition, error.errno, error_message=message)


def _has_news(partitions: Sequence[Partition], seen: Sequence[PartitionFetchReply]) -> bool:
    """Whether a partition is other than it was when it was read."""
    if len(partitions) != len(seen):
        return True
    for partition, reply in zip(partitions, seen, strict=True):
        log = partition.open_log
        if log is None or log.end_offset != reply.high_watermark or log.last_stable_offset > reply.last_stable_offset:
            return True
    return False


def _aborted_transactions(
    log: Log, offset: int, end_offset: int, records: list[memoryview]
) -> Sequence[AbortedTransaction]:
    """The aborted transactions that have batches among ``records``, or at least might."""
    found = log.aborted_transactions(offset, end_offset)
    if not found:
        return ()
    end_offset = next_offset_after(records[-1])
    return sorted(
        (
            AbortedTransaction(aborted.producer_id, aborted.first_offset)
            for aborted in found
            if aborted.first_offset < end_offset
        ),
        key=lambda aborted: aborted.first_offset,
    )


def check_leader_epoch(partition: Partition, asked_epoch: int) -> None:
    """Refuse a client whose idea of the leader is older or newer than ours (KIP-320); -1 has none.

    Raises:
        FencedLeaderEpochError: the client's is older.
        UnknownLeaderEpochError: the client's is newer.
    """
    if asked_epoch == -1 or asked_epoch == partition.leader_epoch:
        return
    if asked_epoch < partition.leader_epoch:
        raise FencedLeaderEpochError(f"epoch {asked_epoch} is older than the leader's, {partition.leader_epoch}")
    raise UnknownLeaderEpochError(f"epoch {asked_epoch} is newer than the leader's, {partition.leader_epoch}")


def read_error(partition: Partition | None, error: OSError) -> BrokerResponseError:
    """What a failed read means: the topic was deleted meanwhile, or the files cannot be read."""
    if partition is None or partition.is_deleted:
        return UnknownTopicOrPartitionError("the topic was deleted")
    return KafkaStorageError(f"reading {partition.topic_partition} failed: {error}")
