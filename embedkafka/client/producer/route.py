"""Asking a program's own partitioner."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from embedkafka.errors import UnknownTopicOrPartitionError

if TYPE_CHECKING:
    from embedkafka.client.link import EmbeddedLink


class ProducerCluster:
    """What a partitioner may ask about topics; see :class:`embedkafka.client.partitioners.Cluster`."""

    def __init__(self, link: EmbeddedLink) -> None:
        self._link = link

    def topics(self) -> set[str]:
        """Every topic."""
        return {topic.topic for topic in self._link.topics()}

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Every partition of a topic; None for an unknown one."""
        try:
            return {partition.partition for partition in self._link.topic(topic).partitions}
        except UnknownTopicOrPartitionError:
            return None

    def available_partitions_for_topic(self, topic: str) -> set[int] | None:
        """The partitions that have a leader now; None for an unknown topic."""
        try:
            return {part.partition for part in self._link.topic(topic).partitions if part.leader_id >= 0}
        except UnknownTopicOrPartitionError:
            return None


def custom_partition(
    partitioner: Any, topic: str, key: Any, key_bytes: Any, value: Any, value_bytes: Any, cluster: ProducerCluster
) -> int:
    """The partition that a program's partitioner chooses.

    It is an object with kafka-python 3's ``partition(topic, key, serialized_key, value, serialized_value, cluster)``,
    or a callable with kafka-python 2's ``(serialized_key, all_partitions, available_partitions)``.

    Raises:
        ValueError: it chose none.
        TypeError: what it chose is no whole number.
    """
    if hasattr(partitioner, "partition"):
        chosen = partitioner.partition(topic, key, key_bytes, value, value_bytes, cluster)
    else:
        partitions = sorted(cluster.partitions_for_topic(topic) or ())
        chosen = partitioner(key_bytes, partitions, sorted(cluster.available_partitions_for_topic(topic) or ()))
    if chosen is None:
        raise ValueError(f"the partitioner {partitioner!r} chose no partition of topic {topic!r}")
    try:
        return operator.index(chosen)
    except TypeError:
        raise TypeError(f"the partitioner {partitioner!r} chose {chosen!r}, not a partition, which is an int") from None
