"""Telling the program's rebalance listener what comes and goes."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Collection

from embedkafka.client.consumer.subscription import Subscription
from embedkafka.errors import KafkaError
from embedkafka.model import TopicPartition

_log = logging.getLogger(__name__)


def tell(subscription: Subscription, method: str, partitions: Collection[TopicPartition]) -> None:
    """Call the listener.

    Raises:
        KafkaError: the listener raised; to come out of ``poll`` once the step under way is finished.
    """
    listener = subscription.listener
    if listener is None:
        return
    try:
        result = getattr(listener, method)(set(partitions))
        if inspect.iscoroutine(result):
            import asyncio  # slow to load, and few listeners are coroutines

            asyncio.run(result)
    except Exception as error:
        _log.exception("the rebalance listener's %s failed", method)
        raise KafkaError(f"the rebalance listener's {method} raised {error!r}") from error


def give_up(subscription: Subscription, held: set[TopicPartition], given_up: set[TopicPartition], method: str) -> None:
    """Tell the listener that partitions go, then let go of them, also when it raises."""
    try:
        tell(subscription, method, given_up)
    finally:
        subscription.replace_assignment(sorted(held - given_up))
