"""One shard's group coordinator: commands in, decisions out; see the package's theory of operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from embedkafka.coordinator import commit, delete, describe, expire, fetch, turned_away
from embedkafka.coordinator.api import (
    DeleteGroupsRequest,
    DescribeConsumerGroupsRequest,
    DescribeGroupsRequest,
    HeartbeatRequest,
    LeaveGroupRequest,
    ListGroupsRequest,
    OffsetDeleteRequest,
    OffsetFetchRequest,
    SyncGroupRequest,
)
from embedkafka.coordinator.classic import expire as classic_expire
from embedkafka.coordinator.classic import group as classic_group
from embedkafka.coordinator.classic import join, leave, load, sync
from embedkafka.coordinator.config import GroupConfig, GroupSettings
from embedkafka.coordinator.consumer import classic_member, heartbeat, target
from embedkafka.coordinator.consumer import describe as consumer_describe
from embedkafka.coordinator.consumer import leave as consumer_leave
from embedkafka.coordinator.consumer import load as consumer_load
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.decision import (
    AssignmentDue,
    Command,
    CommitOffsets,
    ConsumerHeartbeat,
    Decision,
    ExpireOffsets,
    GroupChanged,
    InitialDelayOver,
    JoinDeadline,
    JoinGroup,
    Loaded,
    MemberOverdue,
    SessionExpired,
    SyncDeadline,
    TopicsDeleted,
)
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.moment import NO_SETTINGS, Moment
from embedkafka.coordinator.records import Record
from embedkafka.coordinator.share import describe as share_describe
from embedkafka.coordinator.share import heartbeat as share_heartbeat
from embedkafka.coordinator.share import leave as share_leave
from embedkafka.coordinator.share import load as share_load
from embedkafka.coordinator.share import offsets as share_offsets
from embedkafka.coordinator.share import target as share_target
from embedkafka.coordinator.share import upkeep
from embedkafka.coordinator.share.api import (
    AlterShareGroupOffsetsRequest,
    DeleteShareGroupOffsetsRequest,
    DescribeShareGroupsRequest,
)
from embedkafka.coordinator.share.commands import (
    DeleteStates,
    ListStates,
    OpenStates,
    ShareHeartbeat,
    StatesDeleted,
    StatesInitialized,
    StatesNotInitialized,
)
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.state import DurableState
from embedkafka.coordinator.streams import classic_member as classic_member_of_streams
from embedkafka.coordinator.streams import describe as streams_describe
from embedkafka.coordinator.streams import heartbeat as streams_heartbeat
from embedkafka.coordinator.streams import leave as streams_leave
from embedkafka.coordinator.streams import load as streams_load
from embedkafka.coordinator.streams import target as streams_target
from embedkafka.coordinator.streams.api import DescribeStreamsGroupsRequest
from embedkafka.coordinator.streams.commands import NOTHING_SOFT, Soft, SoftChanged, StreamsDelayOver, StreamsHeartbeat
from embedkafka.coordinator.streams.group import StreamsGroup
from embedkafka.coordinator.streams.turn import StreamsTurn
from embedkafka.coordinator.topics import NO_TOPICS, Topics

# What a member, or a timer about one, asks of its group, by the group's type.  Where there is no group the classic
# column answers.  A timer of the other type, or of a type that the group had once, asks nothing any more.
_CLASSIC: Mapping[type, Callable[[Any, classic_group.Group | None, GroupConfig, int], Decision]] = {
    JoinGroup: join.join_group,
    SyncGroupRequest: sync.sync_group,
    HeartbeatRequest: leave.heartbeat,
    LeaveGroupRequest: leave.leave_group,
    SessionExpired: classic_expire.expire_session,
    InitialDelayOver: classic_expire.end_initial_delay,
    JoinDeadline: classic_expire.end_join_phase,
    SyncDeadline: classic_expire.end_sync_phase,
}
_CONSUMER: Mapping[type, Callable[[Any, ConsumerGroup, Moment], Decision]] = {
    JoinGroup: classic_member.join_group,
    SyncGroupRequest: classic_member.sync_group,
    HeartbeatRequest: classic_member.heartbeat,
    LeaveGroupRequest: classic_member.leave_group,
    SessionExpired: consumer_leave.expire_session,
    MemberOverdue: consumer_leave.throw_out,
    AssignmentDue: target.assign_now,
}
_SHARE: Mapping[type, Callable[[Any, ShareGroup, Moment], Decision]] = {
    JoinGroup: turned_away.join_group,
    SyncGroupRequest: turned_away.sync_group,
    HeartbeatRequest: turned_away.heartbeat,
    LeaveGroupRequest: turned_away.leave_group,
    SessionExpired: share_leave.expire_session,
    AssignmentDue: share_target.assign_now,
    OpenStates: upkeep.open_states,
    ListStates: upkeep.list_states,
    StatesInitialized: upkeep.states_initialized,
    StatesNotInitialized: upkeep.states_not_initialized,
    StatesDeleted: upkeep.states_deleted,
    DeleteStates: upkeep.delete_states,
}
_STREAMS: Mapping[type, Callable[[Any, StreamsTurn], Decision]] = {
    JoinGroup: classic_member_of_streams.join_group,
    SyncGroupRequest: lambda command, turn: turned_away.sync_group(command, turn.group, turn.moment),
    HeartbeatRequest: lambda command, turn: turned_away.heartbeat(command, turn.group, turn.moment),
    LeaveGroupRequest: lambda command, turn: turned_away.leave_group(command, turn.group, turn.moment),
    SessionExpired: streams_leave.expire_session,
    MemberOverdue: streams_leave.throw_out,
    AssignmentDue: streams_target.assign_now,
    StreamsDelayOver: streams_target.end_initial_delay,
}
_MEMBERS_COMMANDS = _CLASSIC.keys() | _CONSUMER.keys() | _SHARE.keys() | _STREAMS.keys()
# What somebody wants of a group that may not be there, or be of another type.
_REQUESTS: Mapping[type, Callable[[Any, AnyGroup | None, Moment], Decision]] = {
    AlterShareGroupOffsetsRequest: share_offsets.alter_offsets,
    DeleteShareGroupOffsetsRequest: share_offsets.delete_offsets,
}


class GroupMachine:
    """The groups of one ``__consumer_offsets`` partition."""

    def __init__(self, config: GroupConfig) -> None:
        self.config = config
        self._durable = DurableState()
        self._soft: dict[str, classic_group.Group] = {}
        self._soft_streams: dict[str, Soft] = {}  # of streams groups; the other types have nothing soft

    def durable(self) -> DurableState:
        """What the log holds; comparable, not to be changed."""
        return self._durable

    def apply(self, record: Record, producer_id: int = -1) -> None:
        """Let a record that is in the log take effect; with a producer id, as part of its transaction."""
        self._durable.apply(record, producer_id)

    def apply_marker(self, producer_id: int, *, commit: bool) -> None:
        """Let the end of a producer's transaction, which is in the log, take effect."""
        self._durable.apply_marker(producer_id, commit=commit)

    def note(self, event: GroupChanged | SoftChanged) -> None:
        """Let a soft change take effect; of a group that nobody is in or about to join, nothing is soft."""
        if isinstance(event, SoftChanged):
            if event.soft == NOTHING_SOFT:
                self._soft_streams.pop(event.group_id, None)
            else:
                self._soft_streams[event.group_id] = event.soft
            return
        if event.group_id not in self._durable.streams_groups:
            self._soft_streams.pop(event.group_id, None)
        group = event.group
        if group is None or group.is_abandoned:
            self._soft.pop(event.group_id, None)
        else:
            self._soft[event.group_id] = group

    def find(self, group_id: str) -> AnyGroup | None:
        """The group as it is now, not to be changed; None where there is none."""
        durable = self._durable
        group: AnyGroup | None = self._soft.get(group_id)
        group = group or durable.consumer_groups.get(group_id) or durable.share_groups.get(group_id)
        group = group or durable.streams_groups.get(group_id)
        if group is not None:
            return group
        stored = self._durable.groups.get(group_id)
        if stored is not None:
            return classic_group.restore(group_id, stored)
        has_offsets = group_id in self._durable.offsets or group_id in self._durable.pending
        return classic_group.Group(group_id) if has_offsets else None

    def groups(self) -> Iterator[AnyGroup]:
        """Every group, by id."""
        for group_id in sorted(self._durable.group_ids() | self._soft.keys()):
            group = self.find(group_id)
            if group is not None:
                yield group

    def handle(
        self,
        command: Command,
        now_ms: int,
        topics: Topics = NO_TOPICS,
        settings: Mapping[str, GroupSettings] = NO_SETTINGS,
    ) -> Decision:
        """Decide about a command; changes nothing.

        Args:
            command: a request, or what happened without one.
            now_ms: the wall clock, milliseconds since the epoch; stamps records and judges retention.
            topics: what topics there are now.
            settings: of groups that have their own.
        """
        moment = Moment(self.config, now_ms, topics, settings)
        if type(command) in _MEMBERS_COMMANDS:
            return self._handle_member(command, moment)
        if isinstance(command, ConsumerHeartbeat):
            return heartbeat.heartbeat(command, self.find(command.request.group_id), moment)
        if isinstance(command, ShareHeartbeat):
            return share_heartbeat.heartbeat(command, self.find(command.request.group_id), moment)
        if isinstance(command, StreamsHeartbeat):
            group_id = command.request.group_id
            return streams_heartbeat.heartbeat(command, self.find(group_id), self._soft_of(group_id), moment)
        if isinstance(command, CommitOffsets):
            return commit.commit_offsets(command, self.find(command.request.group_id), self.config, now_ms)
        if isinstance(command, OffsetFetchRequest):
            return fetch.fetch_offsets(command, self.find(command.group_id), self._durable)
        if isinstance(command, OffsetDeleteRequest):
            return delete.delete_offsets(command, self.find(command.group_id), self._durable)
        of_group = _REQUESTS.get(type(command))
        if of_group is not None:
            return of_group(command, self.find(command.group_id), moment)  # type: ignore[union-attr] # all have one
        return self._handle_many(command, moment)

    def _handle_member(self, command: Any, moment: Moment) -> Decision:
        asked = command.request.group_id if isinstance(command, JoinGroup) else command.group_id
        group = self.find(asked)
        if isinstance(group, ConsumerGroup):
            of_consumer = _CONSUMER.get(type(command))
            return Decision() if of_consumer is None else of_consumer(command, group, moment)
        if isinstance(group, ShareGroup):
            of_share = _SHARE.get(type(command))
            return Decision() if of_share is None else of_share(command, group, moment)
        if isinstance(group, StreamsGroup):
            of_streams = _STREAMS.get(type(command))
            return Decision() if of_streams is None else of_streams(command, self._streams_turn(group, moment))
        of_classic = _CLASSIC.get(type(command))
        assert group is None or isinstance(group, classic_group.Group)
        return Decision() if of_classic is None else of_classic(command, group, moment.config, moment.now_ms)

    def _streams_turn(self, group: StreamsGroup, moment: Moment) -> StreamsTurn:
        return StreamsTurn(group, self._soft_of(group.group_id), moment)

    def _soft_of(self, group_id: str) -> Soft:
        return self._soft_streams.get(group_id, NOTHING_SOFT)

    def _handle_many(self, command: Command, moment: Moment) -> Decision:
        """Commands about several groups."""
        if isinstance(command, ListGroupsRequest):
            return describe.list_groups(command, self.groups())
        if isinstance(command, DescribeGroupsRequest):
            return describe.describe_groups(self._find_each(command.group_ids))
        if isinstance(command, DescribeConsumerGroupsRequest):
            return consumer_describe.describe_consumer_groups(self._find_each(command.group_ids), moment)
        if isinstance(command, DescribeShareGroupsRequest):
            return share_describe.describe_share_groups(self._find_each(command.group_ids), moment)
        if isinstance(command, DescribeStreamsGroupsRequest):
            return streams_describe.describe_streams_groups(self._find_each(command.group_ids), moment)
        if isinstance(command, DeleteGroupsRequest):
            return delete.delete_groups(command, self._find_each(command.group_ids), self._durable)
        if isinstance(command, TopicsDeleted):
            return self._delete_topics(command, moment)
        if isinstance(command, ExpireOffsets):
            return expire.expire_offsets(self.groups(), self._durable, self.config, moment.now_ms)
        assert isinstance(command, Loaded), f"not a command: {command!r}"
        return self._load(moment)

    def _find_each(self, group_ids: Iterable[str]) -> Iterator[tuple[str, AnyGroup | None]]:
        for group_id in dict.fromkeys(group_ids):
            yield group_id, self.find(group_id)

    def _delete_topics(self, command: TopicsDeleted, moment: Moment) -> Decision:
        deleted = delete.delete_topics(command, self._durable)
        for group in self._durable.share_groups.values():
            decision = upkeep.topics_deleted(command, group, moment)
            deleted = deleted._replace(
                records=[*deleted.records, *decision.records], events=[*deleted.events, *decision.events]
            )
        return deleted

    def _load(self, moment: Moment) -> Decision:
        """Members' sessions start when a coordinator has loaded its groups."""
        loaded = Decision(events=[], timers=[])
        for group in self.groups():
            if isinstance(group, ConsumerGroup):
                decision = consumer_load.start_timers(group, moment)
            elif isinstance(group, ShareGroup):
                decision = share_load.start_timers(group, moment)
            elif isinstance(group, StreamsGroup):
                decision = streams_load.start_timers(self._streams_turn(group, moment))
            elif isinstance(group, classic_group.Group) and group.members:
                decision = load.start_sessions(group, moment.config, moment.now_ms)
            else:
                continue
            loaded = loaded._replace(
                events=[*loaded.events, *decision.events], timers=[*loaded.timers, *decision.timers]
            )
        return loaded
