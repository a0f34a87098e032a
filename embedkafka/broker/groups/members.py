"""What the shell knows of members beside the machine: who lives in this process, who watches for a rebalance."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from embedkafka.broker.api import Liveness, RequestContext
from embedkafka.coordinator.group_type import AnyGroup

# Kafka writes an address here.  The name tells, when the directory is opened again, who died with the process.
IN_PROCESS_HOST = "in-process"


def host_of(context: RequestContext) -> str:
    """What is kept of a member's address."""
    return IN_PROCESS_HOST if context.in_process else context.client_host


class LiveMembers:
    """The liveness of in-process members, by group and member id.  The shard's lock guards it."""

    def __init__(self) -> None:
        self._by_group: dict[str, dict[str, Liveness]] = {}

    def add(self, group_id: str, member_id: str, liveness: Liveness) -> None:
        self._by_group.setdefault(group_id, {})[member_id] = liveness

    def get(self, group_id: str, member_id: str) -> Liveness | None:
        return self._by_group.get(group_id, {}).get(member_id)

    def keep_only(self, group_id: str, group: AnyGroup | None) -> None:
        """Forget those that are not in the group any more."""
        members = self._by_group.get(group_id)
        if members is None:
            return
        for member_id in list(members):
            if group is None or not group.knows(member_id):
                del members[member_id]
        if not members:
            del self._by_group[group_id]


class Watchers:
    """Callbacks of members that want to know of a rebalance without asking.  The shard's lock guards it."""

    def __init__(self) -> None:
        self._by_group: dict[str, list[tuple[str, Callable[[], None]]]] = {}

    def add(self, group_id: str, member_id: str, callback: Callable[[], None]) -> None:
        self._by_group.setdefault(group_id, []).append((member_id, callback))

    def remove(self, group_id: str, member_id: str, callback: Callable[[], None]) -> None:
        watching = self._by_group.get(group_id, [])
        if (member_id, callback) in watching:
            watching.remove((member_id, callback))
        if not watching:
            self._by_group.pop(group_id, None)

    def concerned(self, group_id: str, group: AnyGroup | None) -> Iterator[Callable[[], None]]:
        """The callbacks of members whose next heartbeat would tell them something."""
        for member_id, callback in self._by_group.get(group_id, ()):
            if is_troubled(group, member_id):
                yield callback

    def all(self) -> Iterator[Callable[[], None]]:
        for watching in self._by_group.values():
            for _, callback in watching:
                yield callback


def is_troubled(group: AnyGroup | None, member_id: str) -> bool:
    """Whether a heartbeat would tell this member something: to join again, another assignment, that it is out."""
    return group is None or group.needs_attention(member_id)
