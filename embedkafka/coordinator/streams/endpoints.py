"""Who can be asked about which partitions: members with an endpoint, for interactive queries."""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.coordinator.streams.api import EndpointPartitions
from embedkafka.coordinator.streams.configured import ConfiguredTopology
from embedkafka.coordinator.streams.member import StreamsMember
from embedkafka.coordinator.streams.tasks import TaskId, listed
from embedkafka.coordinator.topics import Topics


def partitions_by_endpoint(
    members: Iterable[StreamsMember], configured: ConfiguredTopology, topics: Topics
) -> list[EndpointPartitions]:
    """For each member with an endpoint, the partitions that its tasks read."""
    return [
        EndpointPartitions(
            member.endpoint,
            _read(member.assigned.active, configured, topics),
            _read(member.assigned.standby, configured, topics),
        )
        for member in members
        if member.endpoint is not None
    ]


def _read(tasks: Iterable[TaskId], configured: ConfiguredTopology, topics: Topics) -> dict[str, list[int]]:
    """Partitions by topic.  Topics of a sub-topology need not have as many as it has tasks."""
    read: dict[str, list[int]] = {}
    for subtopology_id, partitions in listed(tasks).items():
        found = configured.subtopologies.get(subtopology_id)
        for name in sorted(found.subtopology.all_sources()) if found is not None else ():
            topic = topics.named(name)
            if topic is not None:
                read[name] = [partition for partition in partitions if partition < topic.partition_count]
    return read
