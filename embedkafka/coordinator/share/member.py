"""A member of a share group: who it is, what it subscribes to, what it reads.

::

    (join) ---> STABLE ---> (leave, session over)
                 |  ^
                 +--+  another target: the member takes it, with its epoch

Kafka's ``MemberState`` has more states, for members that give partitions up; here there is nothing to give up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from embedkafka.coordinator.assignment import Assignment

JOIN_EPOCH = 0
LEAVE_EPOCH = -1


class ShareMemberState(IntEnum):
    """The numbers in the records."""

    STABLE = 0
    UNKNOWN = 127


NEXT_STATES: Mapping[ShareMemberState, ShareMemberState] = {
    ShareMemberState.STABLE: ShareMemberState.STABLE,
    ShareMemberState.UNKNOWN: ShareMemberState.STABLE,  # found in a record of a newer Kafka
}
"""The state of a member that has taken its target, by the one before."""


@dataclass(frozen=True, slots=True)
class ShareMember:
    """One member; changes make a new value.

    ``epoch`` is what the next heartbeat has to bring; ``previous_epoch`` is taken too, for the reply with the new one
    may have been lost.
    """

    member_id: str
    rack_id: str | None = None
    client_id: str = ""
    client_host: str = ""
    subscribed_topics: frozenset[str] = frozenset()
    epoch: int = 0
    previous_epoch: int = 0
    state: ShareMemberState = ShareMemberState.STABLE
    assigned: Assignment = field(default_factory=dict)
