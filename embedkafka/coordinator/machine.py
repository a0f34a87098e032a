"""One shard's group coordinator: commands in, decisions out; see the package's theory of operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from embedkafka.coordinator import commit, delete, describe, expire, fetch
from embedkafka.coordinator.api import (
    DeleteGroupsRequest,
    DescribeGroupsRequest,
    HeartbeatRequest,
    LeaveGroupRequest,
    ListGroupsRequest,
    OffsetDeleteRequest,
    OffsetFetchRequest,
    SyncGroupRequest,
)
from embedkafka.coordinator.classic import expire as classic_expire
from embedkafka.coordinator.classic import join, leave, sync
from embedkafka.coordinator.classic.group import Group, GroupState, restore
from embedkafka.coordinator.classic.rebalance import prepare
from embedkafka.coordinator.classic.turn import Turn
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.decision import (
    Command,
    CommitOffsets,
    Decision,
    ExpireOffsets,
    GroupChanged,
    InitialDelayOver,
    JoinDeadline,
    JoinGroup,
    Loaded,
    SessionExpired,
    SyncDeadline,
    Timer,
    TopicsDeleted,
)
from embedkafka.coordinator.records import Record
from embedkafka.coordinator.state import DurableState

# Commands about one group: found first, then handed over.
_ONE_GROUP: dict[type, Callable[[Any, Group | None, GroupConfig, int], Decision]] = {
    HeartbeatRequest: leave.heartbeat,
    LeaveGroupRequest: leave.leave_group,
    SyncGroupRequest: sync.sync_group,
    SessionExpired: classic_expire.expire_session,
    InitialDelayOver: classic_expire.end_initial_delay,
    JoinDeadline: classic_expire.end_join_phase,
    SyncDeadline: classic_expire.end_sync_phase,
}


class GroupMachine:
    """The groups of one ``__consumer_offsets`` partition."""

    def __init__(self, config: GroupConfig) -> None:
        self.config = config
        self._durable = DurableState()
        self._soft: dict[str, Group] = {}

    def durable(self) -> DurableState:
        """What the log holds; comparable, not to be changed."""
        return self._durable

    def apply(self, record: Record) -> None:
        """Let a record that is in the log take effect."""
        self._durable.apply(record)

    def note(self, event: GroupChanged) -> None:
        """Let a soft change take effect; of a group that nobody is in or about to join, nothing is soft."""
        group = event.group
        if group is None or (group.state is GroupState.EMPTY and not group.pending_members):
            self._soft.pop(event.group_id, None)
        else:
            self._soft[event.group_id] = group

    def find(self, group_id: str) -> Group | None:
        """The group as it is now, not to be changed; None where there is none."""
        soft = self._soft.get(group_id)
        if soft is not None:
            return soft
        stored = self._durable.groups.get(group_id)
        if stored is not None:
            return restore(group_id, stored)
        return Group(group_id) if group_id in self._durable.offsets else None

    def groups(self) -> Iterator[Group]:
        """Every group, by id."""
        for group_id in sorted(self._durable.group_ids() | self._soft.keys()):
            group = self.find(group_id)
            if group is not None:
                yield group

    def handle(self, command: Command, now_ms: int) -> Decision:
        """Decide about a command; changes nothing.

        Args:
            command: a request, or what happened without one.
            now_ms: the wall clock, milliseconds since the epoch; stamps records and judges retention.
        """
        if isinstance(command, CommitOffsets):
            return commit.commit_offsets(command, self.find(command.request.group_id), self.config, now_ms)
        one_group = _ONE_GROUP.get(type(command))
        if one_group is not None:
            return one_group(command, self.find(command.group_id), self.config, now_ms)  # type: ignore[union-attr]  # all have it
        if isinstance(command, JoinGroup):
            return join.join_group(command, self.find(command.request.group_id), self.config, now_ms)
        if isinstance(command, OffsetFetchRequest):
            return fetch.fetch_offsets(command, self._durable)
        if isinstance(command, OffsetDeleteRequest):
            return delete.delete_offsets(command, self.find(command.group_id), self._durable)
        if isinstance(command, ListGroupsRequest):
            return describe.list_groups(command, self.groups())
        if isinstance(command, DescribeGroupsRequest):
            return describe.describe_groups(self._find_each(command.group_ids))
        if isinstance(command, DeleteGroupsRequest):
            return delete.delete_groups(command, self._find_each(command.group_ids), self._durable)
        if isinstance(command, TopicsDeleted):
            return delete.delete_topics(command, self._durable)
        if isinstance(command, ExpireOffsets):
            return expire.expire_offsets(self.groups(), self._durable, self.config, now_ms)
        assert isinstance(command, Loaded), f"not a command: {command!r}"
        return self._start_sessions(now_ms)

    def _find_each(self, group_ids: Iterable[str]) -> Iterator[tuple[str, Group | None]]:
        for group_id in dict.fromkeys(group_ids):
            yield group_id, self.find(group_id)

    def _start_sessions(self, now_ms: int) -> Decision:
        """Sessions of all members start when a coordinator has loaded its groups; too large a group rebalances."""
        events: list[GroupChanged] = []
        timers: list[Timer] = []
        for group in self.groups():
            if not group.members:
                continue
            turn = Turn(group, self.config, now_ms)
            for member in group.members.values():
                turn.start_session(member.member_id, member.session_timeout_ms)
            if len(group.members) > self.config.max_size:
                prepare(turn)
            timers += turn.decide().timers
            events.append(GroupChanged(group.group_id, turn.group))
        return Decision(events=events, timers=timers)
