"""An engine as the groups see it, in memory, whose log can be made to fail."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from embedkafka.broker.api import (
    BrokerEndpoint,
    JoinGroupReply,
    JoinGroupRequest,
    NewTopicSpec,
    OffsetCommitRequest,
    OffsetToCommit,
    RequestContext,
    SyncGroupReply,
    SyncGroupRequest,
    TopicResult,
)
from embedkafka.broker.groups.groups import Groups
from embedkafka.clock import ManualClock
from embedkafka.coordinator.config import GroupConfig, GroupSettings
from embedkafka.coordinator.share_state.api import ShareStateSummary
from embedkafka.coordinator.topics import Topic, Topics
from embedkafka.model import TopicIdPartition, TopicPartition

TOPIC_ID = UUID("01234567-89ab-4def-8123-456789abcdef")


def topic_id(name: str) -> UUID:
    return TOPIC_ID if name == "t" else uuid5(TOPIC_ID, name)


class FakeLog:
    """Keeps batches; raises ``failure`` instead, once, when it is set."""

    def __init__(self) -> None:
        self.batches: list[bytes] = []
        self.failure: BaseException | None = None
        self.fail_after_write = False

    def append(self, batch: bytearray) -> None:
        failure, self.failure = self.failure, None
        if failure is None or self.fail_after_write:
            self.batches.append(bytes(batch))
        if failure is not None:
            raise failure

    def read_all(self) -> Iterator[memoryview]:
        for batch in self.batches:
            yield memoryview(batch)


class FakeShareStates:
    """A share coordinator that remembers start offsets; ``failure`` is its answer instead, where it is set."""

    def __init__(self) -> None:
        self.start_offsets: dict[tuple[str, TopicIdPartition], int] = {}
        self.state_epochs: list[int] = []
        self.failure = 0
        self.before: Callable[[], None] = lambda: None  # called when anything is asked

    def initialize(
        self, group_id: str, start_offsets: Mapping[TopicIdPartition, int], state_epoch: int
    ) -> dict[TopicIdPartition, int]:
        self.before()
        self.state_epochs.append(state_epoch)
        if not self.failure:
            self.start_offsets.update({(group_id, each): offset for each, offset in start_offsets.items()})
        return dict.fromkeys(start_offsets, self.failure)

    def delete(self, group_id: str, partitions: Collection[TopicIdPartition]) -> dict[TopicIdPartition, int]:
        self.before()
        for each in partitions if not self.failure else ():
            self.start_offsets.pop((group_id, each), None)
        return dict.fromkeys(partitions, self.failure)

    def read_summary(
        self, group_id: str, partitions: Collection[TopicIdPartition]
    ) -> dict[TopicIdPartition, ShareStateSummary]:
        return {
            each: ShareStateSummary(
                start_offset=self.start_offsets.get((group_id, each), -1), delivery_complete_count=3
            )
            for each in partitions
        }


class FakeHost:
    def __init__(self, clock: ManualClock | None = None, logs: dict[int, FakeLog] | None = None) -> None:
        self.clock = clock or ManualClock()
        self.random = random.Random(7)
        self.logs = {} if logs is None else logs
        self.topics = {"t": 8, "u": 8}
        self.settings: dict[str, GroupSettings] = {}
        self.share_states = FakeShareStates()
        self.end_offset = 100
        self.gone: list[tuple[str, str]] = []
        self._known: list[Topic] = []
        self._topics_now = Topics()

    def group_settings(self) -> Mapping[str, GroupSettings]:
        return self.settings

    def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        return dict.fromkeys(partitions, (0, self.end_offset))

    def share_member_gone(self, group_id: str, member_id: str) -> None:
        self.gone.append((group_id, member_id))

    def broker_endpoint(self) -> BrokerEndpoint:
        return BrokerEndpoint(0, "localhost", 9092)

    def topic_id_of(self, topic_partition: TopicPartition) -> UUID | None:
        name = topic_partition.topic
        return topic_id(name) if topic_partition.partition < self.topics.get(name, 0) else None

    def known_topics(self) -> Topics:
        known = [Topic(name, topic_id(name), count) for name, count in self.topics.items()]
        if known != list(self._known):
            self._known = known
            self._topics_now = Topics(known, self._topics_now.version + 1)
        return self._topics_now

    def hidden_topics(self, context: RequestContext) -> frozenset[str]:
        return frozenset()

    def create_topics(self, context: RequestContext, specs: Sequence[NewTopicSpec]) -> list[TopicResult]:
        self.topics.update({spec.topic: spec.num_partitions for spec in specs})
        return [TopicResult(spec.topic) for spec in specs]

    def offsets_partition_count(self) -> int:
        return 50

    def offsets_log(self, partition: int, create: bool) -> FakeLog | None:
        if partition not in self.logs and create:
            self.logs[partition] = FakeLog()
        return self.logs.get(partition)


class Life:
    """The liveness of an in-process member."""

    def __init__(self, clock: ManualClock, max_poll_interval_ms: float = 300_000) -> None:
        self.alive = True
        self.last_poll_ms = clock.monotonic_ms()
        self.max_poll_interval_ms = max_poll_interval_ms


class Box:
    """Takes the reply of a call that may wait; a second, equal one is not an error (an interrupt may cause it)."""

    def __init__(self) -> None:
        self.reply: Any = None
        self.count = 0

    def __call__(self, reply: Any) -> None:
        self.reply = reply
        self.count += 1


class World:
    """Groups on a fake engine, and the shortest way to use them."""

    def __init__(self, config: GroupConfig | None = None, host: FakeHost | None = None) -> None:
        self.host = host or FakeHost()
        self.clock = self.host.clock
        self.config = config or GroupConfig()
        self.groups = Groups(self.host, self.config)
        self.remote = RequestContext(client_id="c", in_process=False)

    def reopened(self, **config: Any) -> World:
        """A new coordinator over the same log, as after a crash."""
        return World(self.config, FakeHost(self.clock, self.host.logs))

    def log(self, group_id: str = "g") -> FakeLog:
        from embedkafka.broker.shards import partition_of

        found = self.host.offsets_log(partition_of(group_id, 50), False)
        assert found is not None
        return found

    def join(
        self,
        member_id: str = "",
        *,
        group_id: str = "g",
        context: RequestContext | None = None,
        protocols: list[tuple[str, bytes]] | None = None,
        instance_id: str | None = None,
        session_timeout_ms: int = 10_000,
        rebalance_timeout_ms: int = 30_000,
        **more: Any,
    ) -> Box:
        box = Box()
        request = JoinGroupRequest(
            group_id,
            session_timeout_ms,
            rebalance_timeout_ms,
            member_id,
            "consumer",
            protocols if protocols is not None else [("range", b"\0\0\0\0\0\1\0\1t\xff\xff\xff\xff")],
            instance_id,
            **more,
        )
        self.groups.join_group(context or self.remote, request, box)
        return box

    def enter(self, **join: Any) -> Box:
        """Join as a new dynamic member, with the id one is told first."""
        told = self.join(**join)
        assert told.reply.error_code == 79, told.reply
        return self.join(told.reply.member_id, **join)

    def sync(
        self, joined: JoinGroupReply, assignments: dict[str, bytes] | None = None, *, group_id: str = "g", **more: Any
    ) -> Box:
        box = Box()
        request = SyncGroupRequest(
            group_id, joined.generation_id, joined.member_id, assignments=assignments or {}, **more
        )
        self.groups.sync_group(self.remote, request, box)
        return box

    def stable(self, **join: Any) -> tuple[JoinGroupReply, SyncGroupReply]:
        """A group of one stable member."""
        joined = self.enter(**join).reply
        group_id = join.get("group_id", "g")
        return joined, self.sync(joined, {joined.member_id: b"all"}, group_id=group_id).reply

    def commit(
        self,
        offset: int = 1,
        *,
        member_id: str = "",
        generation_id: int = -1,
        group_id: str = "g",
        metadata: str = "",
        topic_partition: TopicPartition = TopicPartition("t", 0),  # noqa: B008 # a NamedTuple never changes
    ) -> int:
        request = OffsetCommitRequest(
            group_id, {topic_partition: OffsetToCommit(offset, 3, metadata)}, generation_id, member_id
        )
        return self.groups.offset_commit(self.remote, request).error_codes[topic_partition]
