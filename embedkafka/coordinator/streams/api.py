"""What the group coordinator is asked and answers about streams groups (KIP-1071): Kafka's APIs 88 and 89 as plain
values, a part of :mod:`embedkafka.broker.api`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from embedkafka.coordinator.streams.configured import Status
from embedkafka.coordinator.streams.member import Endpoint
from embedkafka.coordinator.streams.tasks import TaskLists
from embedkafka.coordinator.streams.topology import CopartitionGroup, Subtopology, TopicInfo, Topology

__all__ = [
    "CopartitionGroup",
    "DescribeStreamsGroupsRequest",
    "DescribedStreamsGroup",
    "DescribedStreamsMember",
    "DescribedSubtopology",
    "DescribedTopology",
    "Endpoint",
    "EndpointPartitions",
    "MemberTasks",
    "StreamsGroupHeartbeatReply",
    "StreamsGroupHeartbeatRequest",
    "StreamsStatus",
    "Subtopology",
    "TaskLists",
    "TopicInfo",
    "Topology",
]

StreamsStatus = Status
_NONE: TaskLists = MappingProxyType({})


class MemberTasks(NamedTuple):
    """Tasks by role, as partitions by sub-topology."""

    active: TaskLists = _NONE
    standby: TaskLists = _NONE
    warmup: TaskLists = _NONE


# StreamsGroupHeartbeat (88) ------------------------------------------------------------------------------------------


class StreamsGroupHeartbeatRequest(NamedTuple):
    """``member_epoch`` 0 joins, -1 leaves; None and -1 elsewhere: unchanged.  The member chooses its id, a random one.

    ``tasks`` are those that the member has.  ``endpoint_information_epoch`` is the number of the last news about who
    serves which partitions that it got.  What Kafka 4.3 does not take yet is only passed on to be refused:
    ``instance_id``, and ``task_offsets`` where any were given.
    """

    group_id: str
    member_id: str
    member_epoch: int
    endpoint_information_epoch: int = 0
    instance_id: str | None = None
    rack_id: str | None = None
    rebalance_timeout_ms: int = -1
    topology: Topology | None = None
    active_tasks: TaskLists | None = None
    standby_tasks: TaskLists | None = None
    warmup_tasks: TaskLists | None = None
    process_id: str | None = None
    endpoint: Endpoint | None = None
    client_tags: Mapping[str, str] | None = None
    task_offsets: bool = False
    shutdown_application: bool = False


class EndpointPartitions(NamedTuple):
    """The partitions, by topic, that an endpoint can be asked about."""

    endpoint: Endpoint
    active: Mapping[str, Sequence[int]]
    standby: Mapping[str, Sequence[int]]


class StreamsGroupHeartbeatReply(NamedTuple):
    """``tasks`` is all that the member may have now, None where that is unchanged."""

    error_code: int = 0
    error_message: str | None = None
    member_id: str = ""
    member_epoch: int = 0
    heartbeat_interval_ms: int = 0
    status: Sequence[Status] | None = None
    tasks: MemberTasks | None = None
    endpoint_information_epoch: int = 0
    partitions_by_endpoint: Sequence[EndpointPartitions] | None = None


# StreamsGroupDescribe (89) -------------------------------------------------------------------------------------------


class DescribeStreamsGroupsRequest(NamedTuple):
    group_ids: Sequence[str]


class DescribedSubtopology(NamedTuple):
    """The topics are sorted; internal ones have their partitions once the topology is found to be in order."""

    subtopology_id: str
    source_topics: Sequence[str]
    repartition_sink_topics: Sequence[str]
    state_changelog_topics: Sequence[TopicInfo]
    repartition_source_topics: Sequence[TopicInfo]


class DescribedTopology(NamedTuple):
    epoch: int
    subtopologies: Sequence[DescribedSubtopology]


class DescribedStreamsMember(NamedTuple):
    member_id: str
    member_epoch: int
    instance_id: str | None
    rack_id: str | None
    client_id: str
    client_host: str
    topology_epoch: int
    process_id: str
    endpoint: Endpoint | None
    client_tags: Sequence[tuple[str, str]]
    assignment: MemberTasks = MemberTasks()
    target_assignment: MemberTasks = MemberTasks()


class DescribedStreamsGroup(NamedTuple):
    group_id: str
    error_code: int = 0
    error_message: str | None = None
    group_state: str = ""
    group_epoch: int = 0
    assignment_epoch: int = 0
    topology: DescribedTopology | None = None
    members: Sequence[DescribedStreamsMember] = ()
