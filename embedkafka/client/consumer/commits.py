"""Committing a consumer's offsets: by hand, by callback, at an interval.

The coordinator answers a commit at once in this process, so "asynchronous" only means that the callback is called
later, inside ``poll``, ``commit`` or ``close``, as in Kafka.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from embedkafka.client.consumer.subscription import PartitionState, Subscription
from embedkafka.client.member import GroupOffsets
from embedkafka.errors import (
    BrokerResponseError,
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    KafkaTimeoutError,
    RebalanceInProgressError,
    RetriableError,
    StaleMemberEpochError,
    UnknownMemberIdError,
    for_code,
)
from embedkafka.model import OffsetAndMetadata, TopicPartition

if TYPE_CHECKING:
    from embedkafka.client.consumer.metrics import ConsumerMetrics
    from embedkafka.client.link import EmbeddedLink

_log = logging.getLogger(__name__)

_CANNOT_COMMIT = "no group can commit offsets"

_MOVED_ON = (RebalanceInProgressError, UnknownMemberIdError, IllegalGenerationError, StaleMemberEpochError)

Offsets = Mapping[TopicPartition, OffsetAndMetadata]
CommitCallback = Callable[[Offsets, Any], Any]


class Commits:
    """Commits and fetches offsets for one member.

    Args:
        auto_commit_interval_ms: None is no auto commit.
        default_callback: for commits without a callback of their own.
        refused: told which error a commit met, to draw the consequences for the membership; it may raise.
    """

    def __init__(
        self,
        link: EmbeddedLink,
        membership: GroupOffsets,
        subscription: Subscription,
        metrics: ConsumerMetrics,
        *,
        auto_commit_interval_ms: float | None,
        retry_backoff_ms: float,
        request_timeout_ms: float,
        default_callback: CommitCallback | None,
        refused: Callable[[type[BrokerResponseError]], None],
    ) -> None:
        self._link = link
        self._membership = membership
        self._subscription = subscription
        self._metrics = metrics
        self._auto_commit_interval_ms = None if link.engine.read_only else auto_commit_interval_ms
        self._retry_backoff_ms = retry_backoff_ms
        self._request_timeout_ms = request_timeout_ms
        self._default_callback = default_callback
        self._refused = refused
        self._completed: deque[tuple[CommitCallback, Offsets, BaseException | None]] = deque()
        self.next_auto_commit_ms = float("inf")
        self.restart_interval()

    # By hand ---------------------------------------------------------------------------------------------------------

    def commit(self, offsets: Offsets, timeout_ms: float | None = None) -> None:
        """Commit, trying again what can be retried.

        Raises:
            CommitFailedError: the group has moved on; what these offsets stand for may be read by another member now.
            KafkaTimeoutError: still refused after ``timeout_ms``.
            KafkaStorageError: the engine is open for reading only.
        """
        self.run_callbacks()
        if not offsets:
            return
        self._link.check_writable(_CANNOT_COMMIT)
        limit_ms = self._request_timeout_ms if timeout_ms is None else timeout_ms
        deadline_ms = self._link.clock.monotonic_ms() + limit_ms
        while True:
            try:
                self._commit_once(offsets)
                return
            except RetriableError as error:
                if not self._link.pause(self._retry_backoff_ms, deadline_ms):
                    raise KafkaTimeoutError(f"offsets not committed within {limit_ms} ms: {error}") from error

    def commit_soon(self, offsets: Offsets, callback: CommitCallback | None) -> BaseException | None:
        """Commit now and queue the callback for the next poll, commit or close; gives back the error, if any."""
        self.run_callbacks()
        outcome: BaseException | None = None
        try:
            if offsets:
                self._link.check_writable(_CANNOT_COMMIT)
                self._commit_once(offsets)
        except KafkaError as error:
            outcome = error
        call = callback or self._default_callback
        if call is not None:
            self._completed.append((call, offsets, outcome))
        return outcome

    def run_callbacks(self) -> None:
        """Call what commits before this one have queued."""
        while self._completed:
            callback, offsets, outcome = self._completed.popleft()
            callback(offsets, outcome)

    def _commit_once(self, offsets: Offsets) -> None:
        began_ms = self._link.clock.monotonic_ms()
        error_codes = self._membership.commit(offsets)
        self._metrics.committed(self._link.clock.monotonic_ms() - began_ms)
        for partition, error_code in error_codes.items():
            if error_code:
                self._raise(partition, for_code(error_code))

    def _raise(self, partition: TopicPartition, error: type[BrokerResponseError]) -> None:
        self._refused(error)
        group_id = self._membership.group_id
        if error in _MOVED_ON:
            raise CommitFailedError(error(group_id))
        raise error(f"offset of {partition.topic}-{partition.partition} in group {group_id!r}")

    # What is committed -----------------------------------------------------------------------------------------------

    def committed(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        """The group's offsets, without the partitions that have none.

        Raises:
            BrokerResponseError: the coordinator refused.
        """
        found: dict[TopicPartition, OffsetAndMetadata] = {}
        for partition, committed in self._membership.committed(partitions).items():
            if committed.error_code:
                raise for_code(committed.error_code)(f"{partition.topic}-{partition.partition}")
            if committed.offset >= 0:
                found[partition] = OffsetAndMetadata(committed.offset, committed.metadata, committed.leader_epoch)
        return found

    def restore_positions(self, states: Sequence[PartitionState]) -> None:
        """Give partitions without a position the committed one, where there is one."""
        committed = self.committed([state.topic_partition for state in states])
        for state in states:
            offset = committed.get(state.topic_partition)
            if offset is not None and offset.offset is not None:
                state.seek(offset.offset, -1 if offset.leader_epoch is None else offset.leader_epoch)

    # At an interval --------------------------------------------------------------------------------------------------

    def restart_interval(self) -> None:
        """Commit next one interval from now; ``next_auto_commit_ms`` is when, on the monotonic clock."""
        if self._auto_commit_interval_ms is not None:
            self.next_auto_commit_ms = self._link.clock.monotonic_ms() + self._auto_commit_interval_ms

    def auto_commit_if_due(self) -> None:
        if self._link.clock.monotonic_ms() < self.next_auto_commit_ms:
            return
        self.restart_interval()
        error = self.commit_soon(self._offsets_that_can_be_committed(), None)
        if isinstance(error, RetriableError):
            self.next_auto_commit_ms = self._link.clock.monotonic_ms() + self._retry_backoff_ms
        elif error is not None:
            _log.warning("auto commit of group %s failed: %s", self._membership.group_id, error)

    def auto_commit_now(self, timeout_ms: float | None = None) -> None:
        """Commit before partitions are given up, if auto commit is on; a failure is logged, as in Kafka."""
        if self._auto_commit_interval_ms is None:
            return
        try:
            self.commit(self._offsets_that_can_be_committed(), timeout_ms)
        except KafkaError as error:
            _log.warning("auto commit of group %s failed, records may come twice: %s", self._membership.group_id, error)

    def _offsets_that_can_be_committed(self) -> dict[TopicPartition, OffsetAndMetadata]:
        """The positions, without those in topics that were deleted: nobody could commit them, however long he tries."""
        consumed = self._subscription.consumed_offsets()
        counts = self._link.partitions({partition.topic for partition in consumed})
        return {
            partition: offset
            for partition, offset in consumed.items()
            if partition.partition < counts.get(partition.topic, 0)
        }
