"""Groups of Kafka Streams (KIP-1071): describe, delete, and where they are in what they read.

kafka-python knows no streams groups: the names are those of Java's admin client, the values are dicts as its others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from embedkafka.broker.api import (
    DescribedStreamsGroup,
    DescribedStreamsMember,
    DescribedTopology,
    MemberTasks,
    TaskLists,
    TopicInfo,
)
from embedkafka.client.admin.described_groups import group_with_epochs
from embedkafka.client.admin.groups import GroupAdmin
from embedkafka.errors import KafkaError
from embedkafka.model import OffsetAndMetadata, TopicPartition


class StreamsGroupAdmin(GroupAdmin):
    def describe_streams_groups(self, group_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Streams groups with topology, members and tasks, by id; one that is not there has an ``error``."""
        described: dict[str, dict[str, Any]] = {}
        for group_id in group_ids:
            (group,) = self._coordinator(group_id).streams_group_describe(self._link.context, [group_id])
            described[group_id] = streams_group(group)
        return described

    def delete_streams_groups(self, group_ids: Iterable[str]) -> dict[str, str]:
        """Delete streams groups without members, with what they committed; ``"OK"`` or the name of the error, by id."""
        return self.delete_groups(group_ids)

    def list_streams_group_offsets(
        self, group_specs: str | Sequence[str] | Mapping[str, Sequence[TopicPartition] | None]
    ) -> dict[str, dict[TopicPartition, OffsetAndMetadata]]:
        """What streams groups have committed, by group and partition, as :meth:`list_group_offsets`."""
        return self.list_group_offsets(group_specs)

    def alter_streams_group_offsets(
        self, group_id: str, offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> dict[TopicPartition, type[KafkaError]]:
        """Commit for a streams group that has no members now, as :meth:`alter_group_offsets`."""
        return self.alter_group_offsets(group_id, offsets)

    def delete_streams_group_offsets(
        self, group_id: str, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, type[KafkaError]]:
        """Forget what a streams group has committed for topics it does not read, as :meth:`delete_group_offsets`."""
        return self.delete_group_offsets(group_id, partitions)


def streams_group(group: DescribedStreamsGroup) -> dict[str, Any]:
    """A described streams group in the shape of the others, with its topology."""
    sources = _sources(group.topology)
    members = [_member(member, sources) for member in group.members]
    topology = None if group.topology is None else _topology(group.topology)
    return group_with_epochs(group, "streams", members, topology=topology)


def _topology(topology: DescribedTopology) -> dict[str, Any]:
    return {
        "epoch": topology.epoch,
        "subtopologies": [
            {
                "subtopology_id": each.subtopology_id,
                "source_topics": list(each.source_topics),
                "repartition_sink_topics": list(each.repartition_sink_topics),
                "state_changelog_topics": [_internal(topic) for topic in each.state_changelog_topics],
                "repartition_source_topics": [_internal(topic) for topic in each.repartition_source_topics],
            }
            for each in topology.subtopologies
        ],
    }


def _internal(topic: TopicInfo) -> dict[str, Any]:
    return {
        "name": topic.name,
        "partitions": topic.partitions,
        "replication_factor": topic.replication_factor,
        "configs": dict(topic.configs),
    }


def _sources(topology: DescribedTopology | None) -> dict[str, list[str]]:
    """The topics that a sub-topology's tasks read."""
    return {
        each.subtopology_id: [*each.source_topics, *(topic.name for topic in each.repartition_source_topics)]
        for each in ([] if topology is None else topology.subtopologies)
    }


def _member(member: DescribedStreamsMember, sources: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """``member_assignment`` is what its active tasks read; a topic may have fewer partitions than there are tasks."""
    topics = sorted({name for names in sources.values() for name in names})
    return {
        "member_id": member.member_id,
        "group_instance_id": member.instance_id,
        "client_id": member.client_id,
        "client_host": member.client_host,
        "rack_id": member.rack_id,
        "member_epoch": member.member_epoch,
        "topology_epoch": member.topology_epoch,
        "process_id": member.process_id,
        "user_endpoint": None if member.endpoint is None else tuple(member.endpoint),
        "client_tags": dict(member.client_tags),
        "tasks": _tasks(member.assignment),
        "target_tasks": _tasks(member.target_assignment),
        "member_metadata": {"topics": topics, "user_data": None},
        "member_assignment": {"assigned_partitions": _read(member.assignment.active, sources), "user_data": None},
    }


def _tasks(tasks: MemberTasks) -> dict[str, dict[str, list[int]]]:
    return {
        role: {each: list(partitions) for each, partitions in lists.items()}
        for role, lists in zip(MemberTasks._fields, tasks, strict=True)
    }


def _read(tasks: TaskLists, sources: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [
        {"topic": name, "partitions": list(partitions)}
        for subtopology_id, partitions in tasks.items()
        for name in sources.get(subtopology_id, ())
    ]
