"""Where a consumer begins: at what the group committed, else where ``auto_offset_reset`` says."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from embedkafka.broker.api import LATEST_TIMESTAMP, PartitionOffset
from embedkafka.client.consumer.offsets import ResetPolicy, list_offsets
from embedkafka.client.consumer.subscription import PartitionState, Subscription
from embedkafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError, RetriableError
from embedkafka.model import TopicPartition

if TYPE_CHECKING:
    from embedkafka.client.consumer.commits import Commits
    from embedkafka.client.link import EmbeddedLink

_log = logging.getLogger(__name__)


class Positions:
    """Finds positions for assigned partitions that have none.

    Args:
        commits: knows what the group committed; None for a consumer without a group.
    """

    def __init__(
        self,
        link: EmbeddedLink,
        subscription: Subscription,
        commits: Commits | None,
        policy: ResetPolicy,
        *,
        isolation_level: int,
        retry_backoff_ms: float,
        allow_auto_create: bool,
    ) -> None:
        self._link = link
        self._subscription = subscription
        self._commits = commits
        self._policy = policy
        self._isolation_level = isolation_level
        self._retry_backoff_ms = retry_backoff_ms
        self._allow_auto_create = allow_auto_create

    def update(self) -> None:
        """Find every position that can be found now; cheap when none is missing.

        Raises:
            NoOffsetForPartitionError: nothing committed, and no policy.
        """
        subscription = self._subscription
        if subscription.is_settled:
            return
        missing = subscription.without_position()
        if missing:
            self._restore(missing)
        resets = subscription.to_reset()
        if resets:
            self._reset(resets)
        subscription.note_settled()

    def find(self, state: PartitionState, timeout_ms: float) -> int | None:
        """One position, trying again for as long as ``timeout_ms``; None where it was not to be had."""
        deadline_ms = self._link.clock.monotonic_ms() + timeout_ms
        self.update()
        while state.position is None and self._link.pause(self._retry_backoff_ms, deadline_ms):
            self.update()
        return state.position

    def _restore(self, missing: list[PartitionState]) -> None:
        if self._commits is not None:
            try:
                self._commits.restore_positions(missing)
            except RetriableError as error:
                _log.debug("committed offsets are not to be had yet: %s", error)
                return
        without = [state for state in missing if state.position is None]
        if without and not self._policy:
            raise NoOffsetForPartitionError({state.topic_partition for state in without})
        for state in without:
            self._reset_by_policy(state)

    def _reset_by_policy(self, state: PartitionState) -> None:
        self._subscription.ask_reset(state, self._policy.timestamp(self._link.clock.now_ms()))

    def _reset(self, resets: Mapping[TopicPartition, int]) -> None:
        known = {partition: timestamp for partition, timestamp in resets.items() if self._exists(partition)}
        try:
            found = list_offsets(self._link, known, self._isolation_level, 0, 0)
            ends = {partition: LATEST_TIMESTAMP for partition, answer in found.items() if answer.offset < 0}
            if ends:  # no record at or after the time: read what comes next
                found.update(list_offsets(self._link, ends, self._isolation_level, 0, 0))
        except RetriableError as error:
            _log.debug("positions are not to be had yet: %s", error)
            return
        for partition, answer in found.items():
            state = self._subscription.assignment.get(partition)
            if state is not None and state.reset is not None:
                state.seek(answer.offset, answer.leader_epoch)

    def _exists(self, partition: TopicPartition) -> bool:
        try:
            self._link.leader_port(partition)
        except RetriableError:
            return False
        return True

    def out_of_range(self, state: PartitionState) -> None:
        """The log does not hold a position: begin anew by policy.

        Raises:
            OffsetOutOfRangeError: there is no policy.
        """
        if not self._policy:
            raise OffsetOutOfRangeError({state.topic_partition: state.position})
        _log.info("position %s of %s is out of range, resetting it", state.position, state.topic_partition)
        self._reset_by_policy(state)

    def look_up(
        self, timestamps: Mapping[TopicPartition, int], timeout_ms: float
    ) -> dict[TopicPartition, PartitionOffset]:
        """Offsets by time or list-offsets sentinel; the partitions need not be assigned.

        Raises:
            UnknownTopicOrPartitionError: no such topic or partition.
            KafkaTimeoutError: not answered in time.
        """
        for topic in {partition.topic for partition in timestamps}:
            self._link.topic(topic, auto_create=self._allow_auto_create)
        return list_offsets(self._link, timestamps, self._isolation_level, timeout_ms, self._retry_backoff_ms)
