"""A member of a share group with the noise taken out, one request a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from broker.support import Broker, records_in

from embedkafka.broker import api
from embedkafka.broker.share.fetching import ParkedShareFetch

GAP, ACCEPT, RELEASE, REJECT, RENEW = range(5)


class Job(NamedTuple):
    offset: int
    value: bytes | None
    delivery_count: int


def partition_id(broker: Broker, topic: str = "t", partition: int = 0) -> api.TopicIdPartition:
    found = broker.engine.topics.topic(topic)
    assert found is not None
    return api.TopicIdPartition(found.topic_id, partition)


def initialize(
    broker: Broker,
    group_id: str = "g",
    *,
    start_offset: int = 0,
    topic: str = "t",
    partitions: int = 1,
    state_epoch: int = 1,
) -> None:
    """What the group's coordinator does when somebody subscribes."""
    states = broker.engine.share_states
    wanted = {partition_id(broker, topic, number): start_offset for number in range(partitions)}
    assert set(states.initialize(group_id, wanted, state_epoch).values()) == {0}


def start_offset(broker: Broker, group_id: str = "g", topic: str = "t", partition: int = 0) -> int:
    """The group's stored start offset."""
    which = partition_id(broker, topic, partition)
    return broker.engine.share_states.read_summary(group_id, [which])[which].start_offset


class Worker:
    """Keeps its session; by default it reads one partition."""

    def __init__(
        self,
        broker: Broker,
        member_id: str = "m",
        group_id: str = "g",
        partitions: Sequence[api.TopicIdPartition] | None = None,
    ) -> None:
        self.broker = broker
        self.member_id = member_id
        self.group_id = group_id
        self.partitions = list(partitions) if partitions is not None else [partition_id(broker)]
        self.epoch = 0

    def start_fetch(
        self, *, acknowledgements: Sequence[tuple[int, int, int]] = (), **of_request: object
    ) -> tuple[list[api.ShareFetchReply], ParkedShareFetch | None]:
        replies: list[api.ShareFetchReply] = []
        batches = [api.AcknowledgementBatch(first, last, (type_,)) for first, last, type_ in acknowledgements]
        asked = [
            api.ShareFetchPartition(each, batches if not index else ()) for index, each in enumerate(self.partitions)
        ]
        request = api.ShareFetchRequest(self.group_id, self.member_id, self.epoch, asked, **of_request)  # type: ignore[arg-type]
        if self.epoch >= 0:
            self.epoch += 1
        return replies, self.broker.port.share_fetch(self.broker.context, request, replies.append)

    def fetch(self, **of_request: object) -> api.ShareFetchReply:
        replies, parked = self.start_fetch(**of_request)  # type: ignore[arg-type]
        assert parked is None
        (reply,) = replies
        return reply

    def take(self, **of_request: object) -> list[Job]:
        """The records that are this worker's now."""
        reply = self.fetch(**of_request)
        assert reply.error_code == 0, reply
        return jobs_in(reply)

    def acknowledge(
        self, *batches: tuple[int, int, int], of: api.TopicIdPartition | None = None, is_renew_ack: bool = False
    ) -> int:
        """The partition's error code."""
        reply = self.answer(*batches, of=of, is_renew_ack=is_renew_ack)
        assert reply.error_code == 0, reply
        (partition,) = reply.partitions
        return partition.error_code

    def answer(
        self, *batches: tuple[int, int, int], of: api.TopicIdPartition | None = None, is_renew_ack: bool = False
    ) -> api.ShareAcknowledgeReply:
        asked = [api.AcknowledgementBatch(first, last, (type_,)) for first, last, type_ in batches]
        request = api.ShareAcknowledgeRequest(
            self.group_id,
            self.member_id,
            self.epoch,
            [api.ShareAcknowledgePartition(of or self.partitions[0], asked)] if batches else [],
            is_renew_ack,
        )
        if self.epoch >= 0:
            self.epoch += 1
        return self.broker.port.share_acknowledge(self.broker.context, request)

    def accept(self, *offsets: int) -> int:
        return self.acknowledge(*((offset, offset, ACCEPT) for offset in offsets))

    def close(self, *batches: tuple[int, int, int]) -> api.ShareAcknowledgeReply:
        self.epoch = -1
        return self.answer(*batches)


def jobs_in(reply: api.ShareFetchReply) -> list[Job]:
    jobs = []
    for partition in reply.partitions:
        assert partition.error_code == 0, partition
        for record in records_in(partition.records):
            for first, last, delivery_count in partition.acquired:
                if first <= record.offset <= last:
                    jobs.append(Job(record.offset, record.value, delivery_count))
    return jobs
