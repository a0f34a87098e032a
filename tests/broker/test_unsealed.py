"""The dirty set: nobody's records are missed, whatever the threads do in between."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import Any

from embedkafka.broker.unsealed import Unsealed
from embedkafka.model import TopicPartition

T0, T1 = TopicPartition("t", 0), TopicPartition("t", 1)


class Lane:
    """Counts its sealings; ``during`` runs inside one."""

    def __init__(self) -> None:
        self.is_dirty = False
        self.sealed = 0
        self.during: Any = None

    def seal(self) -> None:
        self.sealed += 1
        if self.during is not None:
            self.during()


def test_only_the_partitions_asked_for_are_sealed() -> None:
    unsealed, one, other = Unsealed(), Lane(), Lane()
    unsealed.add(T0, one)
    unsealed.add(T1, other)
    unsealed.seal([T0, TopicPartition("unknown", 0)])
    assert (one.sealed, other.sealed) == (1, 0)
    assert (one.is_dirty, other.is_dirty) == (False, True)


def test_a_sealed_lane_leaves_the_set() -> None:
    unsealed, lane = Unsealed(), Lane()
    unsealed.add(T0, lane)
    unsealed.seal([T0])
    unsealed.seal([T0])
    assert lane.sealed == 1
    assert unsealed._lanes == {}


def test_every_lane_of_a_partition_is_sealed() -> None:
    unsealed, lanes = Unsealed(), [Lane() for _ in range(3)]
    for lane in lanes:
        unsealed.add(T0, lane)
        unsealed.add(T0, lane)
    unsealed.seal_all()
    assert [lane.sealed for lane in lanes] == [1, 1, 1]


def test_the_flag_is_down_while_a_lane_is_sealed() -> None:
    unsealed, lane = Unsealed(), Lane()
    flags: list[bool] = []
    lane.during = lambda: flags.append(lane.is_dirty)
    unsealed.add(T0, lane)
    unsealed.seal([T0])
    assert flags == [False]


def test_a_lane_that_gets_a_record_while_it_is_sealed_stays_in_the_set() -> None:
    unsealed, lane = Unsealed(), Lane()
    lane.during = lambda: unsealed.add(T0, lane)
    unsealed.add(T0, lane)
    unsealed.seal([T0])
    assert lane.is_dirty
    lane.during = None
    unsealed.seal([T0])
    assert lane.sealed == 2


def test_a_second_reader_finds_the_lane_until_the_first_has_sealed_it() -> None:
    unsealed, lane = Unsealed(), Lane()

    def second_reader() -> None:
        lane.during = None
        unsealed.seal([T0])

    lane.during = second_reader
    unsealed.add(T0, lane)
    unsealed.seal([T0])
    assert lane.sealed == 2


def test_an_interrupted_sealing_is_repeated_by_the_next_reader() -> None:
    unsealed, lane = Unsealed(), Lane()

    def interrupt() -> None:
        lane.during = None
        raise KeyboardInterrupt

    lane.during = interrupt
    unsealed.add(T0, lane)
    with contextlib.suppress(KeyboardInterrupt):
        unsealed.seal([T0])
    unsealed.seal([T0])
    assert lane.sealed == 2


def test_a_sender_is_told_of_parked_readers() -> None:
    unsealed, lane = Unsealed(), Lane()
    assert not unsealed.add(T0, lane)
    unsealed.park([T0, T1])
    unsealed.park([T0])
    assert unsealed.add(T0, lane)
    unsealed.unpark([T0])
    assert unsealed.add(T0, lane)
    unsealed.unpark([T0, T1])
    assert not unsealed.add(T0, lane)
    assert unsealed._parked == {}


def test_a_discarded_lane_is_not_sealed() -> None:
    unsealed, one, other = Unsealed(), Lane(), Lane()
    unsealed.add(T0, one)
    unsealed.add(T0, other)
    unsealed.discard(T0, one)
    unsealed.discard(T1, one)
    unsealed.seal_all()
    assert (one.sealed, other.sealed) == (0, 1)


def test_no_record_is_missed_between_senders_and_readers() -> None:
    """A sender counts up and marks its lane; whatever it had counted before a seal began is read by that seal."""
    unsealed = Unsealed()

    class Counting:
        def __init__(self) -> None:
            self.is_dirty = False
            self.sent = 0
            self.read = 0
            self.lock = threading.Lock()

        def send(self) -> None:
            self.sent += 1
            if not self.is_dirty:
                unsealed.add(T0, self)

        def seal(self) -> None:
            with self.lock:
                self.read = self.sent

    lane = Counting()
    missed: list[tuple[int, int]] = []

    def read() -> None:
        for _ in range(2_000):
            before = lane.sent
            unsealed.seal([T0])
            if lane.read < before:
                missed.append((before, lane.read))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        while any(reader.is_alive() for reader in readers):
            lane.send()
        for reader in readers:
            reader.join()
    finally:
        sys.setswitchinterval(interval)
    assert missed == []
