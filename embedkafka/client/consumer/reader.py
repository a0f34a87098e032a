"""The loop under ``poll`` and iteration: be ready, hand out, ask, wait."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from embedkafka.client.consumer.fetcher import Fetcher
from embedkafka.client.consumer.group import Group
from embedkafka.client.consumer.positions import Positions
from embedkafka.client.consumer.subscription import Subscription
from embedkafka.client.consumer.topics import SubscribedTopics
from embedkafka.client.consumer.waker import Waker
from embedkafka.client.member import MemberLiveness
from embedkafka.errors import WakeupError

if TYPE_CHECKING:
    from embedkafka.clock import Clock

_T = TypeVar("_T")


class Reader:
    """Everything of a consumer that a read goes through, in the order it goes.

    1. Topics: take notice of those that came, went or grew.
    2. Group: stay a member, finish what a rebalance left to do.
    3. Positions: find those that are missing.
    4. Hand out what is here; else ask leaders; else wait.
    """

    def __init__(
        self,
        clock: Clock,
        subscription: Subscription,
        topics: SubscribedTopics,
        group: Group | None,
        positions: Positions,
        fetcher: Fetcher,
        waker: Waker,
        liveness: MemberLiveness,
        *,
        retry_backoff_ms: float,
    ) -> None:
        self._clock = clock
        self._subscription = subscription
        self._topics = topics
        self._group = group
        self._positions = positions
        self._fetcher = fetcher
        self._waker = waker
        self._liveness = liveness
        self._retry_backoff_ms = retry_backoff_ms

    def read(self, collect: Callable[[], _T], timeout_ms: float) -> _T | None:
        """What ``collect`` gives as soon as that is not empty, or None when the time is up.

        Whatever an error, Ctrl-C among them, keeps from the program is given back to the fetcher.

        Args:
            timeout_ms: milliseconds, 0 or more, by the engine's clock.
        """
        now_ms = self._clock.monotonic_ms()
        self._liveness.last_poll_ms = now_ms
        deadline_ms = now_ms + timeout_ms
        try:
            while True:
                collected = self._read_once(collect, deadline_ms)
                if collected or not self._wait(deadline_ms):
                    return collected or None
        except BaseException:
            self._fetcher.give_back()
            raise

    def _read_once(self, collect: Callable[[], _T], deadline_ms: float) -> _T | None:
        if not self._be_ready(deadline_ms):
            return None
        fetcher = self._fetcher
        collected = collect()
        if not collected:
            fetcher.send(wait=deadline_ms > self._clock.monotonic_ms())
            self._receive()
            return collect()
        if fetcher.is_fetch_due():
            fetcher.send(wait=False)
            self._receive()
        return collected

    def _be_ready(self, deadline_ms: float) -> bool:
        """Everything before records can be handed out; False while this is no member of its group yet."""
        waker = self._waker
        if waker.woken:
            waker.woken = False
            raise WakeupError("wakeup() was called")
        self._topics.update()
        group = self._group
        if group is not None:
            if group.keeps_reading:
                group.poll(self._clock.monotonic_ms())
            elif not group.poll(deadline_ms) and not group.keeps_reading:
                return False
        self._positions.update()
        self._receive()
        return True

    def _receive(self) -> None:
        fetcher = self._fetcher
        if fetcher.has_reply():
            for state in fetcher.receive():
                self._positions.out_of_range(state)

    def _wait(self, deadline_ms: float) -> bool:
        """Wait until there may be records; False when the time is up."""
        fetcher, group, waker = self._fetcher, self._group, self._waker
        now_ms = self._clock.monotonic_ms()
        if now_ms >= deadline_ms:
            fetcher.stop_waiting()
            return False
        until_ms = min(deadline_ms, fetcher.next_attempt_ms)
        happened = fetcher.has_reply
        if group is not None:
            until_ms = min(until_ms, group.commits.next_auto_commit_ms)
            if group.keeps_reading:
                happened = partial(_any, fetcher.has_reply, group.has_reply)
        if not self._subscription.is_settled:
            until_ms = min(until_ms, now_ms + self._retry_backoff_ms)
        try:
            waker.wait(happened, None if until_ms == float("inf") else max(0.0, until_ms - now_ms))
        except BaseException:
            fetcher.stop_waiting()
            raise
        if waker.woken:
            fetcher.stop_waiting()
        return True


def _any(*conditions: Callable[[], bool]) -> bool:
    return any(condition() for condition in conditions)
