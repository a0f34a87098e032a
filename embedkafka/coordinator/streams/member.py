"""A member of a streams group: who it is, which tasks it has, and how it stands to its target.

::

                                       nothing (more) to give up,
                 +------------------------ all of its target free -----------------------+
                 v                                                                       |
    (join) --> STABLE --- has to give tasks up --------> UNREVOKED_TASKS ----------------+
                 |  ^                                            |         ^             |
                 |  +--- the last one was released ---+          |         |             |
                 |                                    |          v         |             |
                 +--- waits for tasks --------> UNRELEASED_TASKS ----------+ a new target
                       that others still have

Kafka's ``MemberState`` of streams groups; numbers are those in its records.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from embedkafka.coordinator.streams.tasks import NOTHING_HELD, HeldTasks

JOIN_EPOCH = 0
LEAVE_EPOCH = -1
STATIC_LEAVE_EPOCH = -2


class MemberState(IntEnum):
    STABLE = 1
    UNREVOKED_TASKS = 2
    UNRELEASED_TASKS = 3
    UNKNOWN = 127


class Endpoint(NamedTuple):
    """Where a member's process answers interactive queries."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class StreamsMember:
    """One member; changes make a new value.

    ``epoch`` is what the next heartbeat has to bring; ``previous_epoch`` is taken too, for the reply with the new one
    may have been lost.  ``process_id`` is that of its application instance: two of its members never have the same
    task in any role.  ``revoking`` is what it was told to give up and has not confirmed yet.
    """

    member_id: str
    instance_id: str | None = None
    rack_id: str | None = None
    client_id: str = ""
    client_host: str = ""
    rebalance_timeout_ms: int = -1
    topology_epoch: int = -1
    process_id: str = ""
    endpoint: Endpoint | None = None
    client_tags: tuple[tuple[str, str], ...] = ()
    epoch: int = 0
    previous_epoch: int = 0
    state: MemberState = MemberState.STABLE
    assigned: HeldTasks = NOTHING_HELD
    revoking: HeldTasks = NOTHING_HELD

    def is_reconciled_to(self, epoch: int) -> bool:
        return self.state is MemberState.STABLE and self.epoch == epoch
