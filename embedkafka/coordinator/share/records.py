"""What a share group consists of, as records of ``__consumer_offsets``; every key has a ``group_id``."""

from __future__ import annotations

from typing import NamedTuple

from embedkafka.protocol.internal.share_group_current_member_assignment import (
    ShareGroupCurrentMemberAssignmentKey,
    ShareGroupCurrentMemberAssignmentValue,
)
from embedkafka.protocol.internal.share_group_member_metadata import (
    ShareGroupMemberMetadataKey,
    ShareGroupMemberMetadataValue,
)
from embedkafka.protocol.internal.share_group_metadata import ShareGroupMetadataKey, ShareGroupMetadataValue
from embedkafka.protocol.internal.share_group_state_partition_metadata import (
    ShareGroupStatePartitionMetadataKey,
    ShareGroupStatePartitionMetadataValue,
)
from embedkafka.protocol.internal.share_group_target_assignment_member import (
    ShareGroupTargetAssignmentMemberKey,
    ShareGroupTargetAssignmentMemberValue,
)
from embedkafka.protocol.internal.share_group_target_assignment_metadata import (
    ShareGroupTargetAssignmentMetadataKey,
    ShareGroupTargetAssignmentMetadataValue,
)


class ShareMemberRecord(NamedTuple):
    """A share group's member, or with None its end."""

    key: ShareGroupMemberMetadataKey
    value: ShareGroupMemberMetadataValue | None


class ShareGroupRecord(NamedTuple):
    """A share group's epoch, or with None the group's deletion."""

    key: ShareGroupMetadataKey
    value: ShareGroupMetadataValue | None


class ShareTargetEpochRecord(NamedTuple):
    """Of which epoch a share group's target assignment is."""

    key: ShareGroupTargetAssignmentMetadataKey
    value: ShareGroupTargetAssignmentMetadataValue | None


class ShareTargetRecord(NamedTuple):
    """What a member of a share group shall come to read."""

    key: ShareGroupTargetAssignmentMemberKey
    value: ShareGroupTargetAssignmentMemberValue | None


class ShareAssignmentRecord(NamedTuple):
    """What a member of a share group reads, and its epoch."""

    key: ShareGroupCurrentMemberAssignmentKey
    value: ShareGroupCurrentMemberAssignmentValue | None


class ShareStatesRecord(NamedTuple):
    """Of which partitions a share group has a state, or is getting or losing one."""

    key: ShareGroupStatePartitionMetadataKey
    value: ShareGroupStatePartitionMetadataValue | None


ShareRecord = (
    ShareMemberRecord
    | ShareGroupRecord
    | ShareTargetEpochRecord
    | ShareTargetRecord
    | ShareAssignmentRecord
    | ShareStatesRecord
)
