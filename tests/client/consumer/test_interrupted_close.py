"""Ctrl-C while a member of a group is closed: the others do not wait for it until its session times out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from broker.interrupts import every_line, interrupted_at

from embedkafka import EmbeddedKafka, KafkaConsumer, ManualClock, TopicPartition

ALL = {TopicPartition("t", number) for number in range(2)}


@pytest.mark.parametrize("group_protocol", ["classic", "consumer"])
def test_after_an_interrupted_close_the_partitions_go_to_others_at_once(group_protocol: str) -> None:
    for line in every_line(usual_step=9):
        if not _close_interrupted_at(line, group_protocol):
            break


def _close_interrupted_at(line: int, group_protocol: str) -> bool:
    with EmbeddedKafka(clock=ManualClock()) as kafka:
        kafka.create_topic("t", len(ALL))

        def join() -> KafkaConsumer:
            return kafka.consumer("t", group_id="g", group_protocol=group_protocol)

        leaving, staying = join(), join()
        _settle(lambda: bool(leaving.assignment() and staying.assignment()), leaving, staying)
        began_ms = kafka.clock.now_ms()
        try:
            was_interrupted = interrupted_at(line, leaving.close)
            with contextlib.suppress(Exception):
                leaving.close()
            _settle(lambda: staying.assignment() == ALL, staying)
            assert kafka.clock.now_ms() == began_ms
        finally:
            staying.close()
    return was_interrupted


def _settle(is_settled: Callable[[], bool], *members: KafkaConsumer) -> None:
    for _ in range(10):
        if is_settled():
            return
        for member in members:
            member.poll(timeout_ms=0)
    raise AssertionError("the group does not settle")
