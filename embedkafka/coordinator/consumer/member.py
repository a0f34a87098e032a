"""A member of a consumer group: who it is, what it reads, what it owns, and how it stands to its target.

::

                                       nothing (more) to give up,
                 +------------------------ all of its target free -----------------------+
                 v                                                                       |
    (join) --> STABLE --- has to give partitions up ---> UNREVOKED_PARTITIONS -----------+
                 |  ^                                            |         ^             |
                 |  +--- the last one was released ---+          |         |             |
                 |                                    |          v         |             |
                 +--- waits for partitions ---> UNRELEASED_PARTITIONS -----+ a new target
                       that others still own

Kafka's ``MemberState``; numbers are those in its records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from embedkafka.coordinator.assignment import Owned

JOIN_EPOCH = 0
LEAVE_EPOCH = -1
STATIC_LEAVE_EPOCH = -2


class MemberState(IntEnum):
    STABLE = 0
    UNREVOKED_PARTITIONS = 1
    UNRELEASED_PARTITIONS = 2
    UNKNOWN = 127


class ClassicPart(NamedTuple):
    """What is known of a member that speaks the classic protocol, beyond the others."""

    session_timeout_ms: int
    protocols: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One member; changes make a new value.

    ``epoch`` is what the next heartbeat has to bring; ``previous_epoch`` is taken too, for the reply with the new one
    may have been lost.  An epoch of :data:`STATIC_LEAVE_EPOCH` is that of a static member which will come back.
    ``revoking`` is what it was told to give up and has not confirmed yet.
    """

    member_id: str
    instance_id: str | None = None
    rack_id: str | None = None
    client_id: str = ""
    client_host: str = ""
    subscribed_topics: frozenset[str] = frozenset()
    subscribed_regex: str | None = None
    rebalance_timeout_ms: int = -1
    server_assignor: str | None = None
    classic: ClassicPart | None = None
    epoch: int = 0
    previous_epoch: int = 0
    state: MemberState = MemberState.STABLE
    assigned: Owned = field(default_factory=dict)
    revoking: Owned = field(default_factory=dict)

    def is_reconciled_to(self, epoch: int) -> bool:
        return self.state is MemberState.STABLE and self.epoch == epoch
