"""How long a consumer group (KIP-848) takes until everyone has its share, by its size; and what one more member costs.

All members live in one process and are polled in turn, at Kafka's defaults (one assignment a second, heartbeats every
five seconds), on a clock that only the benchmark moves: time that passes is the engine's, CPU time is real.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks._harness import Claim, Contender, Goal, Sample, timed
from benchmarks._project import TOPIC
from embedkafka import EmbeddedKafka, KafkaConsumer, ManualClock

_HEARTBEAT_INTERVAL_MS = 5_000
_STEP_MS = 100  # between two rounds of polls
_PATIENCE_MS = 60_000


def settle(member_count: int, partition_count: int) -> Sample:
    """Let members join a new group, until each has its share; then one more."""
    clock = ManualClock()
    configs = {"num.partitions": partition_count, "group.consumer.assignment.interval.ms": 1_000}
    with EmbeddedKafka(clock=clock, **configs) as kafka:
        members = [kafka.consumer(TOPIC, group_id="g", group_protocol="consumer") for _ in range(member_count)]
        try:
            with timed(partition_count) as sample:
                settle_ms = _poll_until_shared(clock, members, partition_count)
            owner = {partition: member for member in members for partition in member.assignment()}
            members.append(kafka.consumer(TOPIC, group_id="g", group_protocol="consumer"))
            with timed(partition_count) as join:
                join_ms = _poll_until_shared(clock, members, partition_count)
            moved = sum(owner[tp] is not member for member in members for tp in member.assignment())
        finally:
            for member in members:
                member.close(autocommit=False)
    share = -(-partition_count // (member_count + 1))
    sample.values = {
        "settle_cpu_s": sample.cpu_s,
        "settle_intervals": settle_ms / _HEARTBEAT_INTERVAL_MS,
        "join_cpu_s": join.cpu_s,
        "join_intervals": join_ms / _HEARTBEAT_INTERVAL_MS,
        "join_moved_shares": moved / share,
    }
    return sample


def _poll_until_shared(clock: ManualClock, members: Sequence[KafkaConsumer], partition_count: int) -> float:
    """Poll everyone in turn until nobody has two partitions more than another; how much engine time that took."""
    began_ms = clock.monotonic_ms()
    while True:
        for member in members:
            member.poll(0)
        sizes = [len(member.assignment()) for member in members]
        passed_ms = clock.monotonic_ms() - began_ms
        if sum(sizes) == partition_count and max(sizes) - min(sizes) < 2:
            return passed_ms
        assert passed_ms < _PATIENCE_MS, f"not shared after {passed_ms} ms: {sizes}"
        clock.advance(_STEP_MS)


GOAL = "100 members, 1,000 partitions"

CLAIM = Claim(
    "consumer_groups",
    "a consumer group settles: CPU per partition, and engine time in heartbeat intervals",
    [
        Contender("10 members, 100 partitions", lambda _: settle(10, 100)),
        Contender("30 members, 300 partitions", lambda _: settle(30, 300)),
        Contender(GOAL, lambda _: settle(100, 1_000)),
        Contender("200 members, 2,000 partitions", lambda _: settle(200, 2_000)),
    ],
    [
        Goal(GOAL, None, 1.0, "settle_cpu_s", unit="s of CPU"),
        Goal(GOAL, None, 3.0, "settle_intervals", unit="heartbeat intervals"),
        Goal(GOAL, None, 1.0, "join_moved_shares", unit="fair shares"),
    ],
    show=("settle_cpu_s", "settle_intervals", "join_cpu_s", "join_intervals"),
)
