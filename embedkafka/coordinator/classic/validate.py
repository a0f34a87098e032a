"""The checks that every request of a member goes through first."""

from __future__ import annotations

from embedkafka.coordinator.classic.group import Group
from embedkafka.errors import FencedInstanceIdError, IllegalGenerationError, UnknownMemberIdError


def member_error(group: Group, member_id: str, group_instance_id: str | None) -> int:
    """0, or why this is not a member: FENCED_INSTANCE_ID where its static place is another client's now."""
    if group_instance_id is not None:
        current = group.static_member_id(group_instance_id)
        if current is not None and current != member_id:
            return FencedInstanceIdError.errno
    return 0 if member_id in group.members else UnknownMemberIdError.errno


def generation_error(group: Group, member_id: str, group_instance_id: str | None, generation_id: int) -> int:
    """:func:`member_error`, or ILLEGAL_GENERATION for a member that missed a rebalance."""
    error_code = member_error(group, member_id, group_instance_id)
    if error_code:
        return error_code
    return 0 if generation_id == group.generation_id else IllegalGenerationError.errno
