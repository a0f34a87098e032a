"""Ctrl-C anywhere in a rebalance of the consumer protocol: whoever polls on gets its share, and what comes then."""

from __future__ import annotations

import pytest
from broker.interrupts import every_line, interrupted_at
from client.consumer.records import numbers, partitions, poll_in_turn, send, values

from embedkafka import EmbeddedKafka, ManualClock

NEW = {"group_id": "g", "group_protocol": "consumer", "auto_offset_reset": "earliest"}


def test_a_poll_may_be_interrupted_at_any_line_of_a_join() -> None:
    for line in every_line(usual_step=11):
        with EmbeddedKafka(clock=ManualClock()) as kafka:
            kafka.create_topic("t", 4)
            member, other = kafka.consumer("t", **NEW), kafka.consumer("t", **NEW)
            member.poll(0)
            went_through = not interrupted_at(line, lambda other=other: other.poll(0))  # type: ignore[misc]
            poll_in_turn(member, other)
            assert (len(partitions(member)), len(partitions(other))) == (2, 2), line
            member.close()
            other.close()
        if went_through:
            return


@pytest.mark.timeout(600)  # some three thousand engines where EMBEDKAFKA_FULL asks for every line
def test_a_poll_may_be_interrupted_at_any_line_while_partitions_move() -> None:
    for line in every_line(usual_step=11):
        with EmbeddedKafka(clock=ManualClock()) as kafka:
            kafka.create_topic("t", 4)
            giver, taker = kafka.consumer("t", **NEW), kafka.consumer("t", **NEW)
            giver.poll(0)
            taker.poll(0)
            went_through = not interrupted_at(
                line,
                lambda giver=giver, taker=taker: poll_in_turn(giver, taker, rounds=1),  # type: ignore[misc]
            )
            poll_in_turn(giver, taker)
            assert (len(partitions(giver)), len(partitions(taker))) == (2, 2), line
            assert sorted(partitions(giver) + partitions(taker)) == [0, 1, 2, 3], line
            for partition in range(4):
                send(kafka, "t", numbers(1, start=partition), partition=partition)
            assert sorted(values(giver.poll(0)) + values(taker.poll(0))) == numbers(4), line
            giver.close()
            taker.close()
        if went_through:
            return
