"""Exchanges of a share group's member with a broker, and what is compared of the answers."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from server.peers import WirePeer, produce_request

from embedkafka.clock import SystemClock
from embedkafka.protocol.apis import api_03_metadata as metadata
from embedkafka.protocol.apis import api_10_find_coordinator as coordinator
from embedkafka.protocol.apis import api_19_create_topics as topics
from embedkafka.protocol.apis import api_44_incremental_alter_configs as configs
from embedkafka.protocol.apis import api_76_share_group_heartbeat as membership
from embedkafka.protocol.apis import api_78_share_fetch as fetching
from embedkafka.protocol.apis import api_79_share_acknowledge as acknowledging
from embedkafka.record import iter_headers

GAP, ACCEPT, RELEASE, REJECT, RENEW = range(5)
_GROUP = 32  # config resource
_TIMEOUT_MS = 20_000

Acknowledgement = tuple[int, int, Sequence[int]]
Answer = tuple[Any, ...]


class Member:
    """A member of a group of its own that reads a topic of its own."""

    def __init__(self, peer: WirePeer) -> None:
        self.peer = peer
        self.clock = SystemClock()
        self.name = f"share-{uuid.uuid4()}"
        self.member_id = str(uuid.uuid4())
        self.epoch = 0
        created = peer.ask(19, 7, topics.CreateTopicsRequest([topics.CreatableTopic(self.name, 1, 1)], 10_000))
        assert not created.topics[0].error_code
        self.topic_id = self._until(self._find_topic)
        self.configure("share.auto.offset.reset", "earliest")
        self._until(self._join)

    # Requests ---------------------------------------------------------------------------------------------------------

    def configure(self, name: str, value: str) -> None:
        """Set one of the group's settings, and wait until it holds, as far as can be seen."""
        change = configs.AlterableConfig(name, 0, value)
        resource = configs.AlterConfigsResource(_GROUP, self.name, [change])
        reply = self.peer.ask(44, 1, configs.IncrementalAlterConfigsRequest([resource]))
        assert not reply.responses[0].error_code, reply
        self._pause(500)

    def send(self, *values: bytes) -> None:
        """One batch."""
        reply = self.peer.ask(0, 9, produce_request(self.name, values))
        assert not reply.responses[0].partition_responses[0].error_code

    def fetch(
        self,
        *acknowledgements: Acknowledgement,
        member_id: str | None = None,
        epoch: int | None = None,
        partitions: Sequence[int] = (0,),
        forgotten: Sequence[int] = (),
        **limits: Any,
    ) -> Answer:
        batches = [fetching.AcknowledgementBatch(first, last, list(types)) for first, last, types in acknowledgements]
        asked = [fetching.FetchPartition(number, [] if index else batches) for index, number in enumerate(partitions)]
        used = self.epoch if epoch is None else epoch
        request = fetching.ShareFetchRequest(
            self.name,
            member_id or self.member_id,
            used,
            **{"max_wait_ms": 300, "min_bytes": 1, "max_bytes": 1 << 20, "max_records": 500, "batch_size": 500}
            | limits,
            topics=[fetching.FetchTopic(self.topic_id, asked)] if asked else [],
            forgotten_topics_data=[fetching.ForgottenTopic(self.topic_id, list(forgotten))] if forgotten else [],
        )
        reply = self.peer.ask(78, 2, request)
        if used == self.epoch >= 0 and not reply.error_code:
            self.epoch += 1
        found = [
            (
                each.partition_index,
                each.error_code,
                each.acknowledge_error_code,
                [(header.base_offset, header.last_offset) for _, header in iter_headers(each.records or b"")],
                [
                    (acquired.first_offset, acquired.last_offset, acquired.delivery_count)
                    for acquired in each.acquired_records
                ],
            )
            for topic in reply.responses
            for each in topic.partitions
        ]
        return reply.error_code, reply.acquisition_lock_timeout_ms, sorted(found)

    def acknowledge(
        self,
        *acknowledgements: Acknowledgement,
        member_id: str | None = None,
        epoch: int | None = None,
        partition: int = 0,
        is_renew_ack: bool = False,
    ) -> Answer:
        batches = [
            acknowledging.AcknowledgementBatch(first, last, list(types)) for first, last, types in acknowledgements
        ]
        asked = acknowledging.AcknowledgeTopic(self.topic_id, [acknowledging.AcknowledgePartition(partition, batches)])
        used = self.epoch if epoch is None else epoch
        request = acknowledging.ShareAcknowledgeRequest(
            self.name, member_id or self.member_id, used, is_renew_ack, [asked] if batches else []
        )
        reply = self.peer.ask(79, 2, request)
        if used == self.epoch >= 0 and not reply.error_code:
            self.epoch += 1
        found = [(each.partition_index, each.error_code) for topic in reply.responses for each in topic.partitions]
        return reply.error_code, reply.acquisition_lock_timeout_ms, sorted(found)

    # Beginning --------------------------------------------------------------------------------------------------------

    def _find_topic(self) -> uuid.UUID | None:
        asked = metadata.MetadataRequest([metadata.MetadataRequestTopic(name=self.name)])
        (topic,) = self.peer.ask(3, 12, asked).topics
        is_led = not topic.error_code and topic.partitions and topic.partitions[0].leader_id >= 0
        return topic.topic_id if is_led else None

    def _join(self) -> bool:
        self.peer.ask(10, 0, coordinator.FindCoordinatorRequest(self.name))
        request = membership.ShareGroupHeartbeatRequest(self.name, self.member_id, 0, None, [self.name])
        reply = self.peer.ask(76, 1, request)
        if reply.error_code:
            return False
        for _ in range(20):
            if reply.assignment is not None and reply.assignment.topic_partitions:
                return True
            self._pause(250)
            beat = membership.ShareGroupHeartbeatRequest(self.name, self.member_id, reply.member_epoch)
            reply = self.peer.ask(76, 1, beat)
        return False

    def _until(self, look: Callable[[], Any]) -> Any:
        deadline_ms = self.clock.monotonic_ms() + _TIMEOUT_MS
        while not (found := look()):
            assert self.clock.monotonic_ms() < deadline_ms, look
            self._pause(200)
        return found

    def _pause(self, delay_ms: float) -> None:
        """Let a broker's state settle: another process's progress, there is nothing to wait on."""
        threading.Event().wait(delay_ms / 1_000)


def taking_and_acknowledging(member: Member) -> Iterator[Answer]:
    member.send(b"a", b"b", b"c")
    member.send(b"d", b"e")
    yield member.fetch()
    yield member.fetch()
    yield member.acknowledge((0, 0, [ACCEPT]), (1, 1, [RELEASE]), (2, 2, [REJECT]))
    yield member.fetch()
    yield member.acknowledge((1, 1, [ACCEPT]), (3, 4, [ACCEPT]))
    yield member.fetch()
    yield member.acknowledge((3, 4, [ACCEPT]))


def sessions(member: Member) -> Iterator[Answer]:
    yield member.acknowledge((0, 0, [ACCEPT]), epoch=0)
    yield member.acknowledge(epoch=1)
    yield member.fetch(epoch=3)
    yield member.fetch(epoch=-1, partitions=())
    yield member.acknowledge(epoch=-1)
    yield member.fetch((0, 0, [ACCEPT]))
    member.epoch = 0
    member.send(b"a", b"b")
    yield member.fetch()
    yield member.fetch(epoch=5)
    yield member.acknowledge(epoch=0)
    yield member.acknowledge(epoch=7)
    yield member.fetch()
    yield member.fetch(epoch=0)
    member.epoch = 1
    yield member.acknowledge((0, 0, [ACCEPT]))
    yield member.acknowledge((1, 1, [ACCEPT]), epoch=-1)
    yield member.acknowledge(epoch=-1)


def closing_a_session(member: Member) -> Iterator[Answer]:
    member.send(b"a", b"b", b"c")
    yield member.fetch()
    yield member.acknowledge((0, 0, [ACCEPT]), epoch=-1)
    member.epoch = 0
    yield member.fetch()
    yield member.fetch((1, 1, [ACCEPT]), epoch=-1)
    yield member.fetch(member_id=str(uuid.uuid4()), epoch=0)


def acknowledgements_that_are_wrong(member: Member) -> Iterator[Answer]:
    member.send(*[b"x"] * 6)
    yield member.fetch()
    for batches in (
        [(3, 2, [ACCEPT])],
        [(0, 2, [ACCEPT]), (2, 3, [ACCEPT])],
        [(4, 4, [ACCEPT]), (0, 0, [ACCEPT])],
        [(0, 2, [ACCEPT, ACCEPT])],
        [(0, 2, [])],
        [(0, 0, [5])],
        [(0, 0, [-1])],
        [(0, 0, [RENEW])],
        [(4, 8, [ACCEPT])],
        [(9, 9, [ACCEPT])],
    ):
        yield member.acknowledge(*batches)
    yield member.acknowledge((0, 0, [ACCEPT]), partition=4)
    yield member.acknowledge((0, 1, [ACCEPT]), (2, 2, [ACCEPT]))
    yield member.acknowledge((1, 1, [ACCEPT]))
    yield member.acknowledge((5, 5, [RELEASE]))
    yield member.acknowledge((5, 5, [ACCEPT]))
    yield member.acknowledge((3, 4, [ACCEPT, REJECT]))
    yield member.fetch()


def acknowledging_for_others(member: Member) -> Iterator[Answer]:
    member.send(*[b"x"] * 4)
    yield member.fetch()
    other = str(uuid.uuid4())
    yield member.fetch(member_id=other, epoch=0)
    yield member.acknowledge((0, 0, [ACCEPT]), member_id=other, epoch=1)
    yield member.fetch((0, 0, [ACCEPT]), member_id=other, epoch=2)


def renewing(member: Member) -> Iterator[Answer]:
    nothing = {"max_wait_ms": 0, "min_bytes": 0, "max_bytes": 0, "max_records": 0}
    member.send(*[b"x"] * 3)
    yield member.fetch()
    yield member.acknowledge((0, 0, [RENEW]), is_renew_ack=True)
    yield member.acknowledge((1, 1, [ACCEPT]), is_renew_ack=True)
    yield member.fetch((0, 0, [RENEW]), is_renew_ack=True)
    yield member.fetch((0, 0, [RENEW]), is_renew_ack=True, **nothing)
    yield member.acknowledge((0, 0, [RENEW]))
    member.configure("share.renew.acknowledge.enable", "false")
    yield member.acknowledge((0, 0, [RENEW]), is_renew_ack=True)
    yield member.acknowledge((0, 0, [ACCEPT]), is_renew_ack=True)
    yield member.fetch((2, 2, [RENEW]), is_renew_ack=True, **nothing)


def limits_of_records(member: Member) -> Iterator[Answer]:
    for _ in range(4):
        member.send(*[b"x"] * 5)
    yield member.fetch(max_records=2, share_acquire_mode=1)
    yield member.fetch(max_records=3, share_acquire_mode=1)
    yield member.fetch(max_records=2)
    yield member.fetch(max_records=3, batch_size=2)


def portions(member: Member) -> Iterator[Answer]:
    for _ in range(4):
        member.send(*[b"x"] * 5)
    yield member.fetch(max_records=20, batch_size=7)


def the_limit_of_deliveries(member: Member) -> Iterator[Answer]:
    member.configure("share.delivery.count.limit", "3")
    member.send(b"x")
    for _ in range(4):
        yield member.fetch()
        yield member.acknowledge((0, 0, [RELEASE]))


def gaps(member: Member) -> Iterator[Answer]:
    member.send(*[b"x"] * 4)
    yield member.fetch()
    yield member.acknowledge((0, 3, [ACCEPT, GAP, GAP, ACCEPT]))
    yield member.fetch()


def partitions_that_come_and_go(member: Member) -> Iterator[Answer]:
    yield member.fetch(partitions=(7,))
    yield member.fetch()
    member.send(b"x")
    yield member.fetch(partitions=(), forgotten=(0, 7))
    yield member.fetch()


EXCHANGES = (
    taking_and_acknowledging,
    sessions,
    closing_a_session,
    acknowledgements_that_are_wrong,
    acknowledging_for_others,
    renewing,
    limits_of_records,
    portions,
    the_limit_of_deliveries,
    gaps,
    partitions_that_come_and_go,
)
