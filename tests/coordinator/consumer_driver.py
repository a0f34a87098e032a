"""Members of the consumer protocol as a client would play them: they give up what they are told to, then say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from coordinator.driver import Driver

from embedkafka.coordinator.api import (
    ConsumerGroupHeartbeatReply,
    ConsumerGroupHeartbeatRequest,
    DescribeConsumerGroupsRequest,
    DescribedConsumerGroup,
)
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.decision import ConsumerHeartbeat
from embedkafka.coordinator.topics import Topic, Topics
from embedkafka.errors import for_code

Partitions = Mapping[UUID, Sequence[int]]


class ConsumerDriver(Driver):
    """A driver with the requests of KIP-848."""

    hidden: frozenset[str] | None = frozenset()  # topics that the next heartbeat's sender may not know of

    def grow(self, name: str, partition_count: int) -> None:
        """Create a topic, or add partitions to it."""
        known = {topic.name: topic for topic in (self.topics.named("t"), self.topics.named("u")) if topic is not None}
        topic_id = known[name].topic_id if name in known else UUID(int=hash(name) & 0xFFFF)
        known[name] = Topic(name, topic_id, partition_count)
        self.topics = Topics(known.values(), self.topics.version + 1)

    def heartbeat_request(self, request: ConsumerGroupHeartbeatRequest) -> ConsumerGroupHeartbeatReply:
        reply = self.send(ConsumerHeartbeat(request, "client", "/127.0.0.1", self.fresh_id(), self.hidden)).reply
        assert isinstance(reply, ConsumerGroupHeartbeatReply)
        return reply

    def consumer(self, name: str, topics: Sequence[str] = ("t",), **more: Any) -> Consumer:
        return Consumer(self, name, topics, **more)

    def group(self, group_id: str = "g") -> ConsumerGroup:
        found = self.machine.find(group_id)
        assert isinstance(found, ConsumerGroup)
        return found

    def described(self, group_id: str = "g") -> DescribedConsumerGroup:
        reply: Any = self.send(DescribeConsumerGroupsRequest([group_id])).reply
        return reply[0]  # type: ignore[no-any-return]

    def record_kinds(self, since: int = 0) -> list[int]:
        """The types of the records written, with a minus for a tombstone."""
        return [int.from_bytes(key[:2], "big") * (1 if value is not None else -1) for key, value in self.log[since:]]


class Consumer:
    """One member; ``owned`` is what it really reads."""

    def __init__(
        self,
        driver: ConsumerDriver,
        name: str,
        topics: Sequence[str] | None = ("t",),
        *,
        group_id: str = "g",
        instance_id: str | None = None,
        regex: str | None = None,
        assignor: str | None = None,
        rebalance_timeout_ms: int = 60_000,
    ) -> None:
        self.driver = driver
        self.member_id = name
        self.group_id = group_id
        self.instance_id = instance_id
        self.topics: Sequence[str] | None = topics
        self.regex = regex
        self.assignor = assignor
        self.rebalance_timeout_ms = rebalance_timeout_ms
        self.epoch = 0
        self.owned: dict[UUID, list[int]] = {}
        self.told: Partitions | None = None

    def send(self, epoch: int | None = None, *, full: bool = False, owned: Partitions | None = None) -> Any:
        """Send a heartbeat, take the reply in; gives the reply."""
        used = self.epoch if epoch is None else epoch
        is_full = full or used == 0
        request = ConsumerGroupHeartbeatRequest(
            self.group_id,
            self.member_id,
            used,
            instance_id=self.instance_id,
            rebalance_timeout_ms=self.rebalance_timeout_ms if is_full else -1,
            subscribed_topic_names=self.topics if is_full else None,
            subscribed_topic_regex=self.regex if is_full else None,
            server_assignor=self.assignor if is_full else None,
            topic_partitions={} if used == 0 else self.owned if is_full and owned is None else owned,
        )
        reply = self.driver.heartbeat_request(request)
        if reply.error_code == 0 and used >= 0:
            self.epoch = reply.member_epoch
            if reply.assignment is not None:
                self.told = reply.assignment
        return reply

    def join(self) -> Any:
        self.epoch, self.owned, self.told = 0, {}, None
        return self.send()

    def revoke(self) -> None:
        """Give up what it may not own any more."""
        if self.told is not None:
            kept = {
                topic: [p for p in numbers if p in self.told.get(topic, ())] for topic, numbers in self.owned.items()
            }
            self.owned = {topic: numbers for topic, numbers in kept.items() if numbers}

    def take(self) -> None:
        """Own all it may own."""
        if self.told is not None:
            self.owned = {topic: sorted(numbers) for topic, numbers in self.told.items() if numbers}

    def turn(self) -> Any:
        """What a client does when it is polled: say what it owns, do as it is told, confirm."""
        reply = self.send(owned=self.owned)
        if reply.error_code:
            return reply
        before = self.owned
        self.take()
        return self.send(owned=self.owned) if self.owned != before else reply

    def error(self, **more: Any) -> str:
        """The name of the error that a heartbeat is answered with."""
        return for_code(self.send(**more).error_code).__name__

    def leave(self, epoch: int = -1) -> Any:
        return self.send(epoch)

    def numbers(self, topic: int = 1) -> list[int]:
        """The numbers of the partitions it owns in a topic."""
        return list(self.owned.get(UUID(int=topic), []))


def settle(*consumers: Consumer, rounds: int = 20) -> int:
    """Let everyone take turns until nothing changes; how many rounds that took."""
    for number in range(rounds):
        before = [(each.epoch, dict(each.owned)) for each in consumers]
        for each in consumers:
            each.turn()
        if [(each.epoch, dict(each.owned)) for each in consumers] == before:
            return number
    raise AssertionError(f"not settled after {rounds} rounds")
