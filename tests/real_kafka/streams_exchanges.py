"""Exchanges of a streams group's members with a broker (KIP-1071), and what is compared of the answers."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from server.peers import WirePeer

from embedkafka.broker.shards import partition_of
from embedkafka.clock import SystemClock
from embedkafka.protocol.apis import api_03_metadata as metadata
from embedkafka.protocol.apis import api_08_offset_commit as commits
from embedkafka.protocol.apis import api_10_find_coordinator as coordinator
from embedkafka.protocol.apis import api_16_list_groups as listing
from embedkafka.protocol.apis import api_19_create_topics as topics
from embedkafka.protocol.apis import api_37_create_partitions as growing
from embedkafka.protocol.apis import api_42_delete_groups as deleting
from embedkafka.protocol.apis import api_44_incremental_alter_configs as configs
from embedkafka.protocol.apis import api_47_offset_delete as offset_deleting
from embedkafka.protocol.apis import api_88_streams_group_heartbeat as beats
from embedkafka.protocol.apis import api_89_streams_group_describe as describing

_GROUP = 32  # config resource
_TIMEOUT_MS = 20_000
_COORDINATOR_NOT_READY = (14, 15, 16)
_MISSING_SOURCE_TOPICS = 1
_OFFSETS_PARTITIONS = 50  # of __consumer_offsets, by default

Answer = tuple[Any, ...]
Tasks = Mapping[str, Sequence[int]]


class Application:
    """A streams group of its own, whose topics have names of its own."""

    def __init__(self, peer: WirePeer) -> None:
        self.peer = peer
        self.clock = SystemClock()
        self.name = f"streams-{uuid.uuid4()}"
        self._other_names = (f"{self.name}-{number}" for number in itertools.count())
        self.until(self._coordinator_is_there)

    def topic(self, name: str) -> str:
        return f"{self.name}.{name}"

    def create(self, name: str, partitions: int) -> None:
        """Create a topic, and wait until the broker knows of it."""
        request = topics.CreateTopicsRequest([topics.CreatableTopic(self.topic(name), partitions, 1)], 10_000)
        reply = self.peer.ask(19, 7, request)
        assert not reply.topics[0].error_code, reply
        self._until_known(name, partitions)

    def grow(self, name: str, partitions: int) -> None:
        request = growing.CreatePartitionsRequest(
            [growing.CreatePartitionsTopic(self.topic(name), partitions, None)], 10_000
        )
        assert not self.peer.ask(37, 3, request).results[0].error_code
        self._until_known(name, partitions)

    def _until_known(self, name: str, partitions: int) -> None:
        """Wait until the topic has its partitions, and the coordinator of this group has heard of it."""
        self.until(lambda: self.partition_count(name) == partitions)
        group_id = next(filter(self._has_our_coordinator, self._other_names))
        plan = beats.Topology(0, [beats.Subtopology("0", [self.topic(name)])])
        join = beats.StreamsGroupHeartbeatRequest(
            group_id,
            "m",
            0,
            rebalance_timeout_ms=60_000,
            topology=plan,
            active_tasks=[],
            standby_tasks=[],
            warmup_tasks=[],
            process_id="p",
        )
        last = [beats.TaskIds("0", [partitions - 1])]

        def knows() -> bool:
            joined = self.peer.ask(88, 0, join)
            if joined.error_code or any(each.status_code == _MISSING_SOURCE_TOPICS for each in joined.status):
                return False
            beat = beats.StreamsGroupHeartbeatRequest(
                group_id, "m", joined.member_epoch, active_tasks=last, standby_tasks=[], warmup_tasks=[]
            )
            return self.peer.ask(88, 0, beat).error_code == 0  # a task that there is

        self.until(knows)

    def _has_our_coordinator(self, group_id: str) -> bool:
        """Whether a group is on the same partition of ``__consumer_offsets``, so that they hear of news together."""
        return partition_of(group_id, _OFFSETS_PARTITIONS) == partition_of(self.name, _OFFSETS_PARTITIONS)

    def partition_count(self, name: str) -> int:
        asked = metadata.MetadataRequest(
            [metadata.MetadataRequestTopic(name=self.topic(name))], allow_auto_topic_creation=False
        )
        (found,) = self.peer.ask(3, 12, asked).topics
        is_led = not found.error_code and all(each.leader_id >= 0 for each in found.partitions)
        return len(found.partitions) if is_led else 0

    def configure(self, name: str, value: str) -> None:
        """Set one of the group's settings."""
        change = configs.AlterableConfig(name, 0, value)
        resource = configs.AlterConfigsResource(_GROUP, self.name, [change])
        reply = self.peer.ask(44, 1, configs.IncrementalAlterConfigsRequest([resource]))
        assert not reply.responses[0].error_code, reply

    def subtopology(
        self,
        subtopology_id: str,
        sources: Sequence[str] = (),
        *,
        changelogs: Sequence[str] = (),
        sinks: Sequence[str] = (),
        repartition: Mapping[str, int] | None = None,
        alike: Sequence[tuple[Sequence[int], Sequence[int]]] = (),
        **more: Any,
    ) -> beats.Subtopology:
        """``repartition`` are topics it reads with their partitions, ``alike`` indexes of those that go together."""
        return beats.Subtopology(
            subtopology_id,
            [self.topic(each) for each in sources],
            state_changelog_topics=[
                beats.TopicInfo(self.topic(each), 0, 0, [beats.KeyValue("cleanup.policy", "compact")])
                for each in changelogs
            ],
            repartition_sink_topics=[self.topic(each) for each in sinks],
            repartition_source_topics=[
                beats.TopicInfo(self.topic(each), partitions) for each, partitions in (repartition or {}).items()
            ],
            copartition_groups=[beats.CopartitionGroup(list(one), [], list(other)) for one, other in alike],
            **more,
        )

    def member(self, name: str, *subtopologies: beats.Subtopology, process: str | None = None, **more: Any) -> Member:
        return Member(self, f"{name}-{uuid.uuid4()}", subtopologies, process or name, **more)

    def describe(self) -> Answer:
        (group,) = self.peer.ask(89, 0, describing.StreamsGroupDescribeRequest([self.name], True)).groups
        topology = group.topology
        return (
            group.error_code,
            group.group_state,
            group.group_epoch,
            group.assignment_epoch,
            group.authorized_operations,
            None if topology is None else (topology.epoch, self.plain(topology.subtopologies)),
            sorted(self._described(each) for each in group.members),
        )

    def _described(self, member: describing.Member) -> Answer:
        return (
            _short(member.member_id),
            member.member_epoch,
            member.instance_id or "",
            member.rack_id or "",
            member.topology_epoch,
            member.process_id,
            str(member.user_endpoint),
            [(tag.key, tag.value) for tag in member.client_tags],
            member.task_offsets,
            member.task_end_offsets,
            [_lists(each) for each in (member.assignment.active_tasks, member.assignment.standby_tasks)],
            [_lists(each) for each in (member.target_assignment.active_tasks, member.target_assignment.standby_tasks)],
            member.is_classic,
        )

    def listed(self) -> Answer:
        reply = self.peer.ask(16, 5, listing.ListGroupsRequest([], ["streams"]))
        return tuple(
            (group.protocol_type, group.group_state, group.group_type)
            for group in reply.groups
            if group.group_id == self.name
        )

    def delete(self) -> Answer:
        return tuple(
            each.error_code for each in self.peer.ask(42, 2, deleting.DeleteGroupsRequest([self.name])).results
        )

    def delete_offset(self, topic: str) -> Answer:
        asked = offset_deleting.OffsetDeleteRequestTopic(
            self.topic(topic), [offset_deleting.OffsetDeleteRequestPartition(0)]
        )
        reply = self.peer.ask(47, 0, offset_deleting.OffsetDeleteRequest(self.name, [asked]))
        return (reply.error_code, [each.error_code for found in reply.topics for each in found.partitions])

    def plain(self, value: Any) -> str:
        """A message as text, without the name of this application."""
        return str(value).replace(self.name, "")

    def until(self, look: Callable[[], Any]) -> Any:
        deadline_ms = self.clock.monotonic_ms() + _TIMEOUT_MS
        while not (found := look()):
            assert self.clock.monotonic_ms() < deadline_ms, look
            self.pause(200)
        return found

    def pause(self, delay_ms: float) -> None:
        """Let a broker's state settle: another process's progress, there is nothing to wait on."""
        threading.Event().wait(delay_ms / 1_000)

    def _coordinator_is_there(self) -> bool:
        self.peer.ask(10, 0, coordinator.FindCoordinatorRequest(self.name))
        request = beats.StreamsGroupHeartbeatRequest(self.name, "nobody", 1)
        return self.peer.ask(88, 0, request).error_code not in _COORDINATOR_NOT_READY


class Member:
    """A member as a client would play it; ``active`` and ``standby`` are the tasks it has."""

    def __init__(
        self,
        application: Application,
        member_id: str,
        subtopologies: Sequence[beats.Subtopology],
        process: str,
        *,
        topology_epoch: int = 0,
        endpoint: tuple[str, int] | None = None,
    ) -> None:
        self.application = application
        self.member_id = member_id
        self.topology = beats.Topology(topology_epoch, list(subtopologies))
        self.process = process
        self.endpoint = None if endpoint is None else beats.Endpoint(*endpoint)
        self.epoch = 0
        self.endpoint_epoch = 0
        self.active: list[beats.TaskIds] = []
        self.standby: list[beats.TaskIds] = []

    def send(self, epoch: int | None = None, **fields: Any) -> Answer:
        """Send a heartbeat, take the reply in; gives what is compared."""
        used = self.epoch if epoch is None else epoch
        request = beats.StreamsGroupHeartbeatRequest(
            **{
                "group_id": self.application.name,
                "member_id": self.member_id,
                "member_epoch": used,
                "endpoint_information_epoch": self.endpoint_epoch,
                **fields,
            }
        )
        reply = self.application.peer.ask(88, 0, request)
        if not reply.error_code and used >= 0:
            self.epoch = reply.member_epoch
            self.endpoint_epoch = reply.endpoint_information_epoch
            if reply.active_tasks is not None:
                self.active, self.standby = reply.active_tasks, reply.standby_tasks
        return (
            reply.error_code,
            _short(reply.member_id),
            reply.member_epoch,
            reply.heartbeat_interval_ms,
            reply.acceptable_recovery_lag,
            reply.task_offset_interval_ms,
            None if reply.status is None else [each.status_code for each in reply.status],
            [None if each is None else _lists(each) for each in (reply.active_tasks, reply.standby_tasks)],
            reply.warmup_tasks,
            reply.endpoint_information_epoch,
            None
            if reply.partitions_by_user_endpoint is None
            else sorted(map(self.application.plain, reply.partitions_by_user_endpoint)),
        )

    def join(self, **fields: Any) -> Answer:
        return self.send(
            0,
            **{
                "rebalance_timeout_ms": 60_000,
                "topology": self.topology,
                "active_tasks": [],
                "standby_tasks": [],
                "warmup_tasks": [],
                "process_id": self.process,
                "user_endpoint": self.endpoint,
                "client_tags": [],
                **fields,
            },
        )

    def confirm(self) -> Answer:
        """Say that it has the tasks it was told to have."""
        return self.send(active_tasks=self.active, standby_tasks=self.standby, warmup_tasks=[])

    def leave(self, **fields: Any) -> Answer:
        return self.send(-1, **fields)

    def commit(self, topic: str, partition: int, epoch: int | None = None, member_id: str | None = None) -> int:
        request = commits.OffsetCommitRequest(
            group_id=self.application.name,
            generation_id_or_member_epoch=self.epoch if epoch is None else epoch,
            member_id=self.member_id if member_id is None else member_id,
            topics=[
                commits.OffsetCommitRequestTopic(
                    name=self.application.topic(topic),
                    partitions=[commits.OffsetCommitRequestPartition(partition, 1, -1, committed_metadata="")],
                )
            ],
        )
        reply = self.application.peer.ask(8, 9, request)
        code: int = reply.topics[0].partitions[0].error_code
        return code


def _short(member_id: str) -> str:
    return member_id[:-36]


def _lists(tasks: Sequence[Any]) -> list[Answer]:
    return sorted((each.subtopology_id, sorted(each.partitions)) for each in tasks)


def settled(*members: Member) -> list[Answer]:
    """Heartbeats of everyone, some times over; gives the last answers."""
    answers = []
    for _ in range(6):
        answers = [member.confirm() for member in members]
    return answers


# Exchanges -----------------------------------------------------------------------------------------------------------


def one_member(application: Application) -> Iterator[Answer]:
    application.create("in", 3)
    one = application.member("a", application.subtopology("0", ["in"]))
    yield one.join()
    yield application.describe()
    yield one.confirm()
    yield one.send()
    yield application.listed()
    yield one.join()
    yield application.delete()
    yield one.leave()
    yield application.describe()
    yield application.delete()
    yield application.describe()
    yield application.listed()


def tasks_move_to_a_second_member(application: Application) -> Iterator[Answer]:
    application.create("in", 4)
    plan = application.subtopology("0", ["in"])
    one, other = application.member("a", plan), application.member("b", plan)
    one.join()
    yield one.confirm()
    yield other.join()
    yield application.describe()
    yield one.send()
    yield application.describe()
    yield other.confirm()
    yield one.confirm()
    yield other.confirm()
    yield application.describe()
    yield one.leave()
    yield other.send()
    yield application.describe()


def three_members_of_two_processes(application: Application) -> Iterator[Answer]:
    application.create("in", 5)
    application.create("also", 3)
    plan = [application.subtopology("0", ["in"]), application.subtopology("1", ["also"])]
    members = [application.member(name, *plan, process=name[0]) for name in ("p1", "p2", "q")]
    for each in members:
        yield (each.join()[0],)
    settled(*members)
    yield tuple(sorted(sum(len(task.partitions) for task in each.active) for each in members))
    yield application.describe()[:4]


def internal_topics_come(application: Application) -> Iterator[Answer]:
    application.create("in", 3)
    plan = [
        application.subtopology("0", ["in"], sinks=["repartition"]),
        application.subtopology("1", repartition={"repartition": 0}, changelogs=["changelog"]),
    ]
    one = application.member("a", *plan)
    assert one.join()[0] == 0
    application.until(lambda: application.partition_count("repartition") and application.partition_count("changelog"))
    yield application.partition_count("repartition"), application.partition_count("changelog")
    application.pause(500)
    settled(one)
    yield tuple(_lists(one.active))
    yield application.describe()[5:6]


def source_topics_are_missing(application: Application) -> Iterator[Answer]:
    plan = application.subtopology("0", ["in"])
    one = application.member("a", plan)
    yield one.join()
    yield application.describe()
    yield application.listed()
    yield one.confirm()
    application.create("in", 2)
    yield one.confirm()
    yield application.describe()


def topics_that_are_not_alike(application: Application) -> Iterator[Answer]:
    application.create("in", 3)
    application.create("also", 2)
    plan = application.subtopology("0", ["in", "also"], alike=[((0, 1), ())])
    one = application.member("a", plan)
    yield one.join()
    yield application.describe()
    application.grow("also", 3)
    yield one.confirm()
    yield application.describe()[1:5]


def a_changelog_with_other_partitions(application: Application) -> Iterator[Answer]:
    application.create("in", 3)
    application.create("changelog", 2)
    one = application.member("a", application.subtopology("0", ["in"], changelogs=["changelog"]))
    yield one.join()


def a_source_topic_grows(application: Application) -> Iterator[Answer]:
    application.create("in", 1)
    one = application.member("a", application.subtopology("0", ["in"]))
    yield one.join()
    application.grow("in", 3)
    yield one.confirm()
    yield application.describe()


def requests_that_are_wrong(application: Application) -> Iterator[Answer]:
    application.create("in", 2)
    plan = application.subtopology("0", ["in"])
    one = application.member("a", plan)
    task = [beats.TaskIds("0", [0])]
    yield one.send(1)
    yield one.leave()
    yield one.join(member_id="")
    yield one.join(rack_id="")
    yield one.join(instance_id="i")
    yield one.join(rebalance_timeout_ms=-1)
    yield one.join(topology=None)
    yield one.join(active_tasks=task)
    yield one.join(standby_tasks=task)
    yield one.join(warmup_tasks=task)
    yield one.join(active_tasks=None, standby_tasks=None, warmup_tasks=None)
    yield one.join(active_tasks=None)
    yield one.join(task_offsets=[])
    yield one.join(task_end_offsets=[])
    yield one.join(topology=beats.Topology(0, [application.subtopology("0", ["in"], source_topic_regex=["x"])]))
    yield one.join(topology=beats.Topology(0, [beats.Subtopology("0", ["__consumer_offsets"])]))
    yield one.join(topology=beats.Topology(0, [beats.Subtopology("0", ["a topic"])]))
    changelog = beats.TopicInfo(application.topic("changelog"), 3)
    yield one.join(
        topology=beats.Topology(
            0, [beats.Subtopology("0", [application.topic("in")], state_changelog_topics=[changelog])]
        )
    )
    yield one.join(topology=beats.Topology(0, [application.subtopology("0", repartition={"nobody": 0})]))
    yield one.join(topology=beats.Topology(0, [application.subtopology("0", ["in"]), application.subtopology("1")]))
    yield application.describe()[:2]
    yield one.join()
    yield one.send(-2)
    yield one.send(-3)
    yield one.send(topology=one.topology)
    yield one.send(active_tasks=task)
    yield one.send(active_tasks=[beats.TaskIds("0", [7])], standby_tasks=[], warmup_tasks=[])
    yield one.send(active_tasks=[beats.TaskIds("7", [0])], standby_tasks=[], warmup_tasks=[])
    yield one.send(99)
    yield one.send(1)
    yield one.send(0, rebalance_timeout_ms=1000, topology=beats.Topology(0, [application.subtopology("1", ["in"])]))
    yield application.member("b", plan).send(member_epoch=4)


def epochs_of_the_topology(application: Application) -> Iterator[Answer]:
    application.create("in", 2)
    plan = application.subtopology("0", ["in"])
    one = application.member("a", plan, topology_epoch=3)
    yield one.join()
    older, newer = application.member("b", plan, topology_epoch=2), application.member("c", plan, topology_epoch=4)
    yield older.join()
    yield older.confirm()
    yield newer.join()
    yield application.describe()[1:]


def fenced_epochs(application: Application) -> Iterator[Answer]:
    application.create("in", 4)
    plan = application.subtopology("0", ["in"])
    one, other = application.member("a", plan), application.member("b", plan)
    one.join()
    other.join()
    settled(one, other)
    epoch = one.epoch
    yield one.send(epoch - 1)
    yield one.send(epoch - 1, active_tasks=[], standby_tasks=[], warmup_tasks=[])
    yield one.send(epoch, active_tasks=one.active, standby_tasks=[], warmup_tasks=[])
    yield one.send(epoch + 1)
    yield application.describe()[:4]


def shutting_down(application: Application) -> Iterator[Answer]:
    application.create("in", 2)
    plan = application.subtopology("0", ["in"])
    one, other = application.member("a", plan), application.member("b", plan)
    yield one.join(shutdown_application=True)
    yield other.join()
    settled(one, other)
    yield other.confirm()
    yield one.leave(shutdown_application=True)
    yield other.confirm()
    yield other.leave()
    yield one.join()


def endpoints(application: Application) -> Iterator[Answer]:
    application.create("in", 2)
    application.create("also", 1)
    plan = application.subtopology("0", ["in"])
    one = application.member("a", plan, endpoint=("localhost", 8080))
    other = application.member("b", plan, endpoint=("localhost", 8081))
    yield one.join(endpoint_information_epoch=0)
    yield one.confirm()
    yield other.join()
    for _ in range(3):
        yield one.confirm()
        yield other.confirm()
    yield one.confirm()


def standby_tasks(application: Application) -> Iterator[Answer]:
    application.create("in", 4)
    application.create("changelog", 4)
    application.configure("streams.num.standby.replicas", "1")
    application.pause(500)
    plan = application.subtopology("0", ["in"], changelogs=["changelog"])
    one, other = application.member("a", plan), application.member("b", plan)
    yield one.join()
    yield other.join()
    settled(one, other)
    yield tuple(len(each) for member in (one, other) for task in member.active for each in [task.partitions])
    yield tuple(len(each) for member in (one, other) for task in member.standby for each in [task.partitions])
    yield other.leave()
    settled(one)
    yield application.describe()
    application.configure("streams.num.standby.replicas", "0")
    application.pause(500)
    yield one.confirm()


def committing(application: Application) -> Iterator[Answer]:
    application.create("in", 4)
    application.create("else", 1)
    plan = application.subtopology("0", ["in"])
    one, other = application.member("a", plan), application.member("b", plan)
    yield (one.commit("in", 0, -1, ""),)
    one.join()
    yield (one.commit("in", 0, -1, ""),)
    yield (one.commit("in", 0, one.epoch),)
    before = one.epoch
    other.join()
    settled(one, other)
    yield one.epoch, other.epoch
    yield tuple(one.commit("in", each, before) for each in range(4))
    yield tuple(one.commit("in", each) for each in range(4))
    yield tuple(other.commit("in", each, other.epoch - 1) for each in range(4))
    yield (one.commit("else", 0, before), one.commit("in", 0, one.epoch + 1), one.commit("in", 0, 1, "nobody"))
    yield application.delete_offset("in")
    yield application.delete_offset("else")
    one.leave()
    other.leave()
    yield application.delete_offset("in")


EXCHANGES = (
    one_member,
    tasks_move_to_a_second_member,
    three_members_of_two_processes,
    internal_topics_come,
    source_topics_are_missing,
    topics_that_are_not_alike,
    a_changelog_with_other_partitions,
    a_source_topic_grows,
    requests_that_are_wrong,
    epochs_of_the_topology,
    fenced_epochs,
    shutting_down,
    endpoints,
    standby_tasks,
    committing,
)
