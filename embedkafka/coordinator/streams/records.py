"""What a streams group consists of, as records of ``__consumer_offsets``; every key has a ``group_id``."""

from __future__ import annotations

from typing import NamedTuple

from embedkafka.protocol.internal.streams_group_current_member_assignment import (
    StreamsGroupCurrentMemberAssignmentKey,
    StreamsGroupCurrentMemberAssignmentValue,
)
from embedkafka.protocol.internal.streams_group_member_metadata import (
    StreamsGroupMemberMetadataKey,
    StreamsGroupMemberMetadataValue,
)
from embedkafka.protocol.internal.streams_group_metadata import StreamsGroupMetadataKey, StreamsGroupMetadataValue
from embedkafka.protocol.internal.streams_group_target_assignment_member import (
    StreamsGroupTargetAssignmentMemberKey,
    StreamsGroupTargetAssignmentMemberValue,
)
from embedkafka.protocol.internal.streams_group_target_assignment_metadata import (
    StreamsGroupTargetAssignmentMetadataKey,
    StreamsGroupTargetAssignmentMetadataValue,
)
from embedkafka.protocol.internal.streams_group_topology import StreamsGroupTopologyKey, StreamsGroupTopologyValue


class StreamsGroupRecord(NamedTuple):
    """A streams group's epoch, or with None the group's deletion."""

    key: StreamsGroupMetadataKey
    value: StreamsGroupMetadataValue | None


class StreamsMemberRecord(NamedTuple):
    """A streams group's member, or with None its end."""

    key: StreamsGroupMemberMetadataKey
    value: StreamsGroupMemberMetadataValue | None


class StreamsTargetEpochRecord(NamedTuple):
    """Of which epoch a streams group's target assignment is."""

    key: StreamsGroupTargetAssignmentMetadataKey
    value: StreamsGroupTargetAssignmentMetadataValue | None


class StreamsTargetRecord(NamedTuple):
    """The tasks that a member of a streams group shall come to have."""

    key: StreamsGroupTargetAssignmentMemberKey
    value: StreamsGroupTargetAssignmentMemberValue | None


class StreamsAssignmentRecord(NamedTuple):
    """The tasks that a member of a streams group has, and its epoch."""

    key: StreamsGroupCurrentMemberAssignmentKey
    value: StreamsGroupCurrentMemberAssignmentValue | None


class StreamsTopologyRecord(NamedTuple):
    """A streams group's topology."""

    key: StreamsGroupTopologyKey
    value: StreamsGroupTopologyValue | None


StreamsRecord = (
    StreamsGroupRecord
    | StreamsMemberRecord
    | StreamsTargetEpochRecord
    | StreamsTargetRecord
    | StreamsAssignmentRecord
    | StreamsTopologyRecord
)
