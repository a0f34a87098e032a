"""Members of streams groups as a client would play them: they give up what they are told to, then say so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from coordinator.driver import Driver

from embedkafka.coordinator.streams.api import (
    DescribedStreamsGroup,
    DescribeStreamsGroupsRequest,
    MemberTasks,
    StreamsGroupHeartbeatReply,
    StreamsGroupHeartbeatRequest,
)
from embedkafka.coordinator.streams.commands import StreamsHeartbeat, StreamsHeartbeatResult
from embedkafka.coordinator.streams.group import StreamsGroup
from embedkafka.coordinator.streams.member import Endpoint
from embedkafka.coordinator.streams.topology import Subtopology, TopicInfo, Topology
from embedkafka.coordinator.topics import Topic, Topics
from embedkafka.errors import for_code

STATELESS = Topology(0, (Subtopology("0", ("t",)),))
STATEFUL = Topology(0, (Subtopology("0", ("t",), state_changelog_topics=(TopicInfo("changelog"),)),))


class StreamsDriver(Driver):
    """A driver with the requests of KIP-1071; it has the topics ``t`` (8 partitions) and ``u`` (4)."""

    def set_topics(self, **partition_counts: int) -> None:
        """Create topics, add partitions to them, or with 0 delete them."""
        known = {topic.name: topic for topic in self.topics.existing(self.names())}
        for name, count in partition_counts.items():
            topic_id = known[name].topic_id if name in known else UUID(int=100 + self.topics.version)
            known[name] = Topic(name, topic_id, count)
        self.topics = Topics((each for each in known.values() if each.partition_count), self.topics.version + 1)

    def names(self) -> Collection[str]:
        return self.topics.matching(".*")

    def create(self, missing: Collection[TopicInfo]) -> None:
        """Do what the shell does about missing internal topics."""
        self.set_topics(**{topic.name: topic.partitions for topic in missing})

    def beat(self, request: StreamsGroupHeartbeatRequest) -> StreamsHeartbeatResult:
        result = self.send(StreamsHeartbeat(request, "client", "/127.0.0.1")).reply
        assert isinstance(result, StreamsHeartbeatResult)
        return result

    def member(self, name: str, topology: Topology = STATELESS, **more: Any) -> Member:
        return Member(self, name, topology, **more)

    def group(self, group_id: str = "g") -> StreamsGroup:
        found = self.machine.find(group_id)
        assert isinstance(found, StreamsGroup)
        return found

    def described(self, group_id: str = "g") -> DescribedStreamsGroup:
        reply: Any = self.send(DescribeStreamsGroupsRequest([group_id])).reply
        return reply[0]  # type: ignore[no-any-return]

    def record_kinds(self, since: int = 0) -> list[int]:
        """The types of the records written, with a minus for a tombstone."""
        return [int.from_bytes(key[:2], "big") * (1 if value is not None else -1) for key, value in self.log[since:]]


class Member:
    """One member; ``tasks`` are those that it was told to have."""

    def __init__(
        self,
        driver: StreamsDriver,
        name: str,
        topology: Topology = STATELESS,
        *,
        process: str | None = None,
        group_id: str = "g",
        endpoint: Endpoint | None = None,
    ) -> None:
        self.driver = driver
        self.member_id = name
        self.group_id = group_id
        self.topology = topology
        self.process_id = process or name
        self.endpoint = endpoint
        self.epoch = 0
        self.tasks = MemberTasks()
        self.missing: Collection[TopicInfo] = ()

    def send(self, epoch: int | None = None, **fields: Any) -> StreamsGroupHeartbeatReply:
        """Send a heartbeat, take the reply in; gives the reply."""
        used = self.epoch if epoch is None else epoch
        if used == 0:
            fields = {
                "rebalance_timeout_ms": 60_000,
                "topology": self.topology,
                "active_tasks": {},
                "standby_tasks": {},
                "warmup_tasks": {},
                "process_id": self.process_id,
                "endpoint": self.endpoint,
                **fields,
            }
        request = StreamsGroupHeartbeatRequest(self.group_id, self.member_id, used, **fields)
        reply, self.missing = self.driver.beat(request)
        if reply.error_code == 0 and used >= 0:
            self.epoch = reply.member_epoch
            if reply.tasks is not None:
                self.tasks = reply.tasks
        return reply

    def join(self) -> Member:
        self.epoch, self.tasks = 0, MemberTasks()
        assert self.send().error_code == 0
        return self

    def confirm(self) -> StreamsGroupHeartbeatReply:
        """Say that it has just the tasks that it was told to have."""
        active, standby, warmup = self.tasks
        return self.send(active_tasks=active, standby_tasks=standby, warmup_tasks=warmup)

    def leave(self, **fields: Any) -> StreamsGroupHeartbeatReply:
        return self.send(-1, **fields)

    def error(self, epoch: int | None = None, **fields: Any) -> str:
        """The name of the error that a heartbeat is answered with."""
        return for_code(self.send(epoch, **fields).error_code).__name__

    def active(self, subtopology_id: str = "0") -> list[int]:
        return list(self.tasks.active.get(subtopology_id, ()))

    def standby(self, subtopology_id: str = "0") -> list[int]:
        return list(self.tasks.standby.get(subtopology_id, ()))


def codes(reply: StreamsGroupHeartbeatReply) -> list[int]:
    """The codes of a reply's statuses."""
    assert reply.error_code == 0, reply
    return [each.code for each in reply.status or ()]


def settle(*members: Member, rounds: int = 20) -> None:
    """Everyone says what it has until nobody is told anything new."""
    for _ in range(rounds):
        before: Sequence[Any] = [(each.epoch, each.tasks) for each in members]
        for each in members:
            assert each.confirm().error_code == 0
        if [(each.epoch, each.tasks) for each in members] == before:
            return
    raise AssertionError(f"not settled after {rounds} rounds")
