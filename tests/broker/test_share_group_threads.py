"""Members and operators at once, on the real share coordinator: afterwards both coordinators say the same."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator

import pytest
from broker.interrupts import IS_FULL
from broker.support import Broker, running

from embedkafka.broker import api
from embedkafka.clock import SystemClock
from embedkafka.model import TopicIdPartition, TopicPartition

REMOTE = api.RequestContext(client_id="c", in_process=False)
GROUPS = ("g", "h")
TOPICS = {"t": 4, "u": 2}
GONE = (0, 25, 69)  # UNKNOWN_MEMBER_ID, GROUP_ID_NOT_FOUND: somebody else was quicker


@pytest.fixture(autouse=True)
def _many_switches() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def beat(broker: Broker, group_id: str, name: str, epoch: int, topics: list[str] | None = None) -> int:
    request = api.ShareGroupHeartbeatRequest(group_id, name, epoch, None, topics)
    reply = broker.port.share_group_heartbeat(REMOTE, request)
    assert reply.error_code in GONE, reply
    return reply.member_epoch if reply.error_code == 0 else 0


def come_and_go(broker: Broker, source: random.Random, name: str) -> None:
    for number in range(25):
        group_id, member_id = source.choice(GROUPS), f"{name}-{number}"
        epoch = beat(broker, group_id, member_id, 0, source.choice([["t"], ["u"], ["t", "u"]]))
        for _ in range(source.randrange(3)):
            if epoch:
                epoch = beat(broker, group_id, member_id, epoch)
        beat(broker, group_id, member_id, -1)


def operate(broker: Broker, source: random.Random, done: threading.Event) -> None:
    port = broker.port
    while not done.is_set():
        group_id, kind = source.choice(GROUPS), source.randrange(12)
        if kind < 3:
            port.delete_groups(REMOTE, [group_id])
        elif kind < 6:
            offsets = {TopicPartition("t", source.randrange(4)): 3}
            port.alter_share_group_offsets(REMOTE, api.AlterShareGroupOffsetsRequest(group_id, offsets))
        elif kind < 9:
            port.delete_share_group_offsets(REMOTE, api.DeleteShareGroupOffsetsRequest(group_id, ["t"]))
        elif kind < 11:
            port.describe_share_group_offsets(REMOTE, [api.DescribeShareGroupOffsetsRequest(group_id)])
        else:
            port.delete_topics(REMOTE, ["u"])
            broker.create("u", TOPICS["u"])


def check(broker: Broker, group_id: str) -> None:
    """Two members read everything, the shard is what its log says, and every partition has its state."""
    names = list(TOPICS)
    for _ in range(3):
        requests = [api.ShareGroupHeartbeatRequest(group_id, name, 0, None, names) for name in "ab"]
        replies = [broker.port.share_group_heartbeat(REMOTE, request) for request in requests]
    read = [(t, p) for reply in replies for t, partitions in (reply.assignment or {}).items() for p in partitions]
    assert len(read) == len(set(read)) == sum(TOPICS.values())
    shard = broker.engine.groups._shards.of(group_id)
    with shard.lock:
        live = shard._machine.durable()
        shard._reload()
        assert shard._machine.durable() == live
    states = live.share_groups[group_id].states
    assert (states.initializing, states.deleting) == ({}, {})
    for topic_id, partition in read:
        found = broker.engine.share_states.read(group_id, TopicIdPartition(topic_id, partition), 0)
        assert found.error_code == 0, f"partition {partition} was assigned without a state"


@pytest.mark.parametrize("round_number", range(200 if IS_FULL else 3))
def test_both_coordinators_agree_whatever_members_and_operators_do_at_once(seed: int, round_number: int) -> None:
    seed += 1000 * round_number
    with running(clock=SystemClock()) as broker:
        for name, count in TOPICS.items():
            broker.create(name, count)
        failures: list[BaseException] = []

        def guarded(work: object, *arguments: object) -> None:
            try:
                work(*arguments)  # type: ignore[operator]
            except BaseException as error:
                failures.append(error)

        done = threading.Event()
        members = [
            threading.Thread(target=guarded, args=(come_and_go, broker, random.Random(seed + number), f"m{number}"))
            for number in range(5)
        ]
        operator = threading.Thread(target=guarded, args=(operate, broker, random.Random(seed), done))
        for thread in (*members, operator):
            thread.start()
        for thread in members:
            thread.join()
        done.set()
        operator.join()
        assert not failures, failures
        for group_id in GROUPS:
            check(broker, group_id)
