"""Members of share groups, and a share coordinator that does at once what it is asked, unless it is told not to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from coordinator.driver import Driver

from embedkafka.coordinator.share.api import (
    DescribedShareGroup,
    DescribeShareGroupsRequest,
    ShareGroupHeartbeatReply,
    ShareGroupHeartbeatRequest,
)
from embedkafka.coordinator.share.commands import (
    OpenStates,
    ShareHeartbeat,
    StatesDeleted,
    StatesInitialized,
    StatesUnderWay,
)
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.topics import Topic, Topics
from embedkafka.errors import for_code

T, U = UUID(int=1), UUID(int=2)


class ShareDriver(Driver):
    """A driver with the requests of KIP-932."""

    def grow(self, name: str, partition_count: int) -> None:
        """Create a topic, or add partitions to it."""
        known = {topic.name: topic for topic in map(self.topics.named, "tu") if topic is not None}
        topic_id = known[name].topic_id if name in known else UUID(int=100 + self.topics.version)
        known[name] = Topic(name, topic_id, partition_count)
        self.topics = Topics(known.values(), self.topics.version + 1)

    def drop(self, name: str) -> None:
        """Delete a topic, without a word to anybody."""
        kept = [topic for topic in map(self.topics.named, "tu") if topic is not None and topic.name != name]
        self.topics = Topics(kept, self.topics.version + 1)

    def heartbeat_request(self, request: ShareGroupHeartbeatRequest) -> ShareGroupHeartbeatReply:
        reply = self.send(ShareHeartbeat(request, "client", "/127.0.0.1")).reply
        assert isinstance(reply, ShareGroupHeartbeatReply)
        return reply

    def open_states(self, group_id: str = "g") -> StatesUnderWay:
        reply = self.send(OpenStates(group_id)).reply
        assert isinstance(reply, StatesUnderWay)
        return reply

    def set_up(self, group_id: str = "g") -> None:
        """The share coordinator does what waits for it."""
        under_way = self.open_states(group_id)
        if under_way.initializing:
            self.send(StatesInitialized(group_id, under_way.initializing))
        if under_way.deleting_topics:
            self.send(StatesDeleted(group_id, under_way.deleting_topics))

    def member(self, name: str, topics: Sequence[str] = ("t",), **more: Any) -> Member:
        return Member(self, name, topics, **more)

    def group(self, group_id: str = "g") -> ShareGroup:
        found = self.machine.find(group_id)
        assert isinstance(found, ShareGroup)
        return found

    def described(self, group_id: str = "g") -> DescribedShareGroup:
        reply: Any = self.send(DescribeShareGroupsRequest([group_id])).reply
        return reply[0]  # type: ignore[no-any-return]

    def record_kinds(self, since: int = 0) -> list[int]:
        """The types of the records written, with a minus for a tombstone."""
        return [int.from_bytes(key[:2], "big") * (1 if value is not None else -1) for key, value in self.log[since:]]


class Member:
    """One member; ``reads`` is what it was told to read."""

    def __init__(self, driver: ShareDriver, name: str, topics: Sequence[str] = ("t",), *, group_id: str = "g") -> None:
        self.driver = driver
        self.member_id = name
        self.group_id = group_id
        self.topics = topics
        self.epoch = 0
        self.reads: Mapping[UUID, Sequence[int]] = {}

    def send(self, epoch: int | None = None, topics: Sequence[str] | None = None, **more: Any) -> Any:
        """Send a heartbeat, take the reply in; gives the reply."""
        used = self.epoch if epoch is None else epoch
        names = self.topics if used == 0 and topics is None else topics
        request = ShareGroupHeartbeatRequest(self.group_id, self.member_id, used, subscribed_topic_names=names, **more)
        reply = self.driver.heartbeat_request(request)
        if reply.error_code == 0 and used >= 0:
            self.epoch = reply.member_epoch
            if reply.assignment is not None:
                self.reads = reply.assignment
        return reply

    def join(self) -> Member:
        """Join, wait for the share coordinator, learn what to read."""
        self.epoch = 0
        reply = self.send()
        assert reply.error_code == 0, reply
        self.driver.set_up(self.group_id)
        self.send()
        return self

    def error(self, **more: Any) -> str:
        """The name of the error that a heartbeat is answered with."""
        return for_code(self.send(**more).error_code).__name__

    def leave(self) -> Any:
        return self.send(-1)

    def numbers(self, topic_id: UUID = T) -> list[int]:
        """The numbers of the partitions that it reads of a topic."""
        return list(self.reads.get(topic_id, ()))


def settle(*members: Member) -> None:
    """Everyone sends heartbeats until nobody is told anything new."""
    for _ in range(10):
        before = [member.epoch for member in members]
        for member in members:
            member.send()
        if [member.epoch for member in members] == before:
            return
    raise AssertionError("not settled after 10 rounds")
