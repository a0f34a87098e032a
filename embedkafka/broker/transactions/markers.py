"""WriteTxnMarkers (27): the end of a transaction, written into every partition that it has written to.

A partition of ``__consumer_offsets`` is written by the groups' coordinator, which lets the offsets of the transaction
count with the same step.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from embedkafka.broker.topic import CONSUMER_OFFSETS
from embedkafka.coordinator.transaction.api import TxnMarker
from embedkafka.errors import BrokerResponseError, UnknownTopicOrPartitionError
from embedkafka.model import TopicPartition

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine

_log = logging.getLogger(__name__)


def write_markers(engine: Engine, marker: TxnMarker) -> dict[TopicPartition, int]:
    """Write a marker into each of its partitions; every one succeeds or fails for itself.  Without a lock held.

    Returns:
        Kafka's error codes.
    """
    return {each: _write(engine, marker, each) for each in marker.partitions}


def _write(engine: Engine, marker: TxnMarker, topic_partition: TopicPartition) -> int:
    partition = engine.topics.partition(topic_partition)
    if partition is None:
        return UnknownTopicOrPartitionError.errno
    if topic_partition.topic == CONSUMER_OFFSETS:
        return engine.groups.complete_transaction(topic_partition.partition, marker)
    try:
        partition.append_marker(
            marker.producer_id,
            marker.producer_epoch,
            commit=marker.committed,
            coordinator_epoch=marker.coordinator_epoch,
            transaction_version=marker.transaction_version,
        )
    except BrokerResponseError as error:
        _log.info("%s takes no marker of producer %d: %s", topic_partition, marker.producer_id, error)
        return error.errno
    return 0
