"""Drives a machine as the shell does, without one: records go through their bytes, timers wait to be fired."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from embedkafka.coordinator import records
from embedkafka.coordinator.api import (
    HeartbeatRequest,
    JoinGroupReply,
    JoinGroupRequest,
    LeaveGroupRequest,
    LeavingMember,
    OffsetCommitRequest,
    OffsetFetchRequest,
    OffsetToCommit,
    SyncGroupRequest,
)
from embedkafka.coordinator.config import GroupConfig, GroupSettings
from embedkafka.coordinator.decision import (
    Command,
    CommitOffsets,
    Decision,
    JoinGroup,
    Loaded,
    ParkKey,
    TimerKey,
)
from embedkafka.coordinator.machine import GroupMachine
from embedkafka.coordinator.share.commands import ShareMemberGone
from embedkafka.coordinator.topics import Topic, Topics
from embedkafka.model import TopicPartition

START_MS = 1_700_000_000_000
TOPICS = Topics([Topic("t", UUID(int=1), 8), Topic("u", UUID(int=2), 4)], version=1)
SUBSCRIBED_TO_T = b"\0\0\0\0\0\1\0\1t\xff\xff\xff\xff"


class Driver:
    """A machine with its log, its timers and the clients that wait."""

    def __init__(self, config: GroupConfig | None = None) -> None:
        self.config = config or GroupConfig()
        self.machine = GroupMachine(self.config)
        self.log: list[tuple[bytes, bytes | None]] = []
        self.timers: dict[TimerKey, tuple[int, Command]] = {}
        self.parked: set[ParkKey] = set()
        self.answered: dict[ParkKey, Any] = {}
        self.now_ms = START_MS
        self.topics = TOPICS
        self.settings: dict[str, GroupSettings] = {}
        self.gone: list[ShareMemberGone] = []
        self._ids = 0

    def fresh_id(self) -> str:
        self._ids += 1
        return f"id{self._ids}"

    def send(self, command: Command) -> Decision:
        """Handle a command and let the decision take effect; checks that handling changed nothing."""
        unchanging = {id(each): each for each in self._unchanging()}
        before = copy.deepcopy((self.machine._durable, self.machine._soft, self.machine._soft_streams), unchanging)
        decision = self.machine.handle(command, self.now_ms, self.topics, self.settings)
        after = (self.machine._durable, self.machine._soft, self.machine._soft_streams)
        assert after == before, f"{command} changed the machine"
        for record in decision.records:
            key, value = records.encode(record)
            self.log.append((key, value))
            decoded = records.decode(key, value)
            assert decoded == record
            self.machine.apply(record)
        for event in decision.events:
            if isinstance(event, ShareMemberGone):
                self.gone.append(event)
            else:
                self.machine.note(event)
        for timer in decision.timers:
            if timer.keep and timer.key in self.timers:
                continue
            self.timers.pop(timer.key, None)
            if timer.command is not None:
                self.timers[timer.key] = (timer.delay_ms, timer.command)
        for key, reply in decision.completions:
            self.parked.discard(key)
            self.answered[key] = reply
        if decision.park is not None:
            self.parked.add(decision.park)
        return decision

    def _unchanging(self) -> Iterator[object]:
        """What is large, and immutable by its type: a copy of a group need not copy it."""
        durable = self.machine._durable
        yield self.topics
        for group in (*durable.consumer_groups.values(), *durable.share_groups.values()):
            yield from group.members.values()
        for streams in durable.streams_groups.values():
            yield from (*streams.members.values(), *streams.targets.values(), streams.topology, streams._configured)

    def fire(self, key: TimerKey) -> Decision:
        return self.send(self.timers.pop(key)[1])

    def replayed(self) -> GroupMachine:
        """A fresh machine that was fed every record."""
        machine = GroupMachine(self.config)
        for key, value in self.log:
            record = records.decode(key, value)
            assert record is not None
            machine.apply(record)
        return machine

    def failed_over(self) -> Driver:
        """Another driver over the same log, as a new coordinator starts."""
        other = type(self)(self.config)
        other.machine = self.replayed()
        other.log = list(self.log)
        other.now_ms = self.now_ms
        other.topics = self.topics
        other.settings = self.settings
        other._ids = self._ids
        other.send(Loaded())
        return other

    # The requests, shorter ------------------------------------------------------------------------------------------

    def join(
        self,
        member_id: str = "",
        *,
        group_id: str = "g",
        protocols: tuple[tuple[str, bytes], ...] = (("range", SUBSCRIBED_TO_T),),
        instance_id: str | None = None,
        require_member_id: bool = False,
        session_timeout_ms: int = 10_000,
        rebalance_timeout_ms: int = 60_000,
        protocol_type: str = "consumer",
    ) -> Decision:
        request = JoinGroupRequest(
            group_id,
            session_timeout_ms,
            rebalance_timeout_ms,
            member_id,
            protocol_type,
            protocols,
            instance_id,
            None,
            require_member_id,
        )
        return self.send(JoinGroup(request, "client", "/127.0.0.1", self.fresh_id()))

    def joined(self, member_id: str, group_id: str = "g") -> JoinGroupReply:
        """What a parked join was answered."""
        reply: JoinGroupReply = self.answered.pop(ParkKey("join", group_id, member_id))
        return reply

    def sync(
        self, member_id: str, generation_id: int, assignments: dict[str, bytes] | None = None, **more: Any
    ) -> Decision:
        group_id = more.pop("group_id", "g")
        request = SyncGroupRequest(group_id, generation_id, member_id, assignments=assignments or {}, **more)
        return self.send(request)

    def heartbeat(self, member_id: str, generation_id: int, instance_id: str | None = None) -> Any:
        return self.send(HeartbeatRequest("g", generation_id, member_id, instance_id)).reply

    def leave(self, *members: LeavingMember, group_id: str = "g") -> list[int]:
        reply: Any = self.send(LeaveGroupRequest(group_id, members)).reply
        return [member.error_code for member in reply.members]

    def commit(
        self,
        offset: int,
        member_id: str = "",
        generation_id: int = -1,
        *,
        group_id: str = "g",
        topic: str = "t",
        partition: int = 0,
        metadata: str = "",
    ) -> int:
        topic_partition = TopicPartition(topic, partition)
        request = OffsetCommitRequest(
            group_id, {topic_partition: OffsetToCommit(offset, -1, metadata)}, generation_id, member_id
        )
        reply: Any = self.send(CommitOffsets(request, {})).reply
        error_code: int = reply.error_codes[topic_partition]
        return error_code

    def committed(self, *, group_id: str = "g") -> dict[TopicPartition, int]:
        reply: Any = self.send(OffsetFetchRequest(group_id)).reply
        return {topic_partition: found.offset for topic_partition, found in reply.offsets.items()}

    def state(self, group_id: str = "g") -> str | None:
        group = self.machine.find(group_id)
        return None if group is None else group.state.value

    def stable_group(self, size: int = 1, **join: Any) -> list[str]:
        """A stable group of so many dynamic members, the leader first."""
        member_ids: list[str] = []
        for _ in range(size):
            decision = self.join(**join)
            reply: Any = decision.reply
            member_ids.append(reply.member_id if decision.park is None else decision.park.member_id)
            for member_id in member_ids[:-1]:
                self.join(member_id, **join)
        group = self.machine.find(join.get("group_id", "g"))
        assert group is not None
        for member_id in reversed(member_ids):
            self.sync(
                member_id,
                group.generation_id,
                {member_id: b"part of " + member_id.encode() for member_id in member_ids},
                group_id=group.group_id,
            )
        return member_ids
