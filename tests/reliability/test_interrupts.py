"""Ctrl-C between any two lines of a call leaves nothing lost, nothing doubled and nothing stuck.

``sys.settrace`` raises KeyboardInterrupt at the first line of engine code that a call executes, then, in a fresh
engine, at the second, and so on until the call comes through without an interrupt.  Afterwards the same clients must go
on working.  The default run takes every ``STRIDE``-th line, from one that depends on the seed; the full run takes all.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

import embedkafka
from embedkafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from embedkafka.clock import ManualClock

STRIDE = 1 if os.environ.get("EMBEDKAFKA_FULL", "") not in ("", "0") else 9
PACKAGE = os.path.dirname(embedkafka.__file__) + os.sep
ONE = TopicPartition("t", 0)
BEFORE = [b"first", b"second"]


class Interrupter:
    """Raises KeyboardInterrupt at the ``line``-th line of the package that runs inside the block.

    Left out is the event of leaving a ``with``: a tracer can raise there, before ``__exit__`` is called, but a signal
    cannot, because the interpreter looks for signals after calls and at backward jumps only.
    """

    def __init__(self, line: int) -> None:
        self._left = line
        self._entered: dict[int, set[int]] = {}
        self.where: str | None = None

    @contextmanager
    def armed(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            yield
        except KeyboardInterrupt:
            if self.where is None:
                raise
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if self.where is not None or not code.co_filename.startswith(PACKAGE) or code.co_name == "__del__":
            return None  # what a finalizer raises, the interpreter only prints
        if event == "call":
            self._entered[id(frame)] = set()
        elif event == "line" and not self._is_leaving_a_with(frame):
            self._left -= 1
            if self._left < 0:
                self.where = f"{frame.f_code.co_filename.removeprefix(PACKAGE)}:{frame.f_lineno}"
                raise KeyboardInterrupt(self.where)
        return self._trace

    def _is_leaving_a_with(self, frame: FrameType) -> bool:
        entered = self._entered[id(frame)]
        if not linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip().startswith("with "):
            return False
        if frame.f_lineno in entered:
            return True
        entered.add(frame.f_lineno)
        return False


class Scene:
    """An engine with two records in it, a producer, and a group's consumer that has read the first."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.engine = embedkafka.EmbeddedKafka(clock=self.clock)
        admin = embedkafka.KafkaAdminClient(bootstrap_servers=self.engine)
        admin.create_topics({"t": {"num_partitions": 1}})
        admin.close()
        self.producer = KafkaProducer(bootstrap_servers=self.engine)
        for value in BEFORE:
            self.producer.send("t", value)
        self.producer.flush()
        self.consumer = self.member()
        self.polled = [record.value for record in self._poll(self.consumer)]
        assert self.polled == BEFORE[:1]

    def member(self) -> Any:
        return KafkaConsumer(
            "t",
            bootstrap_servers=self.engine,
            group_id="g",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=1,
        )

    @staticmethod
    def _poll(consumer: Any) -> list[Any]:
        return [record for records in consumer.poll(timeout_ms=1_000).values() for record in records]

    def all_values(self) -> list[bytes]:
        reader = KafkaConsumer(bootstrap_servers=self.engine, group_id=None, auto_offset_reset="earliest")
        reader.assign([ONE])
        values = [record.value for _ in range(10) for record in self._poll(reader)]
        reader.close()
        return values

    def check_still_works(self) -> None:
        """Both old clients and a new member go on; what they do is all seen."""
        self.producer.send("t", b"last").get(timeout=10)
        values = self.all_values()
        assert values[:2] == BEFORE
        assert values[-1] == b"last"
        assert len(set(values)) == len(values), "a record is there twice"
        while b"last" not in self.polled:
            polled = [record.value for record in self._poll(self.consumer)]
            assert polled, f"the consumer is stuck after {self.polled}"
            self.polled += polled
        assert self.polled == sorted(set(self.polled), key=values.index), "read twice, or out of order"
        self.consumer.commit()
        assert self.consumer.committed(ONE) == len(values)

    def close(self) -> None:
        self.consumer.close()
        self.producer.close()
        self.engine.close()


def interrupt_everywhere(
    action: Callable[[Scene], None], check: Callable[[Scene], None], *, first: int, allow_skips: bool = False
) -> None:
    """Run ``action`` with an interrupt at its n-th line, for every n, then ``check``."""
    line = first
    while True:
        scene = Scene()
        interrupter = Interrupter(line)
        with interrupter.armed():
            action(scene)
        where = f"interrupted at line event {line}, {interrupter.where}"
        try:
            check(scene)
            scene.close()
        except Exception as error:
            raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
        if interrupter.where is None:
            assert line > 20, "the action hardly ran any engine code: the tracer sees nothing"
            return
        line += STRIDE


@pytest.fixture
def first(seed: int) -> int:
    return seed % STRIDE


def test_send(first: int) -> None:
    def send(scene: Scene) -> None:
        scene.producer.send("t", b"interrupted")

    interrupt_everywhere(send, Scene.check_still_works, first=first)


def test_flush(first: int) -> None:
    def flush(scene: Scene) -> None:
        scene.future = scene.producer.send("t", b"interrupted")  # type: ignore[attr-defined]
        scene.producer.flush()

    def check(scene: Scene) -> None:
        scene.check_still_works()
        future = getattr(scene, "future", None)
        if future is not None:
            offset = future.get(timeout=10).offset
            assert scene.all_values()[offset] == b"interrupted"

    interrupt_everywhere(flush, check, first=first)


def test_get(first: int) -> None:
    def get(scene: Scene) -> None:
        scene.producer.send("t", b"interrupted").get(timeout=10)

    interrupt_everywhere(get, Scene.check_still_works, first=first)


def test_commit(first: int) -> None:
    def commit(scene: Scene) -> None:
        scene.consumer.commit({ONE: OffsetAndMetadata(1, "interrupted", -1)})

    def check(scene: Scene) -> None:
        admin = embedkafka.KafkaAdminClient(bootstrap_servers=scene.engine)
        offsets = admin.list_group_offsets({"g": None})["g"]
        admin.close()
        assert ONE not in offsets or offsets[ONE].offset == 1
        scene.check_still_works()

    interrupt_everywhere(commit, check, first=first)


def test_poll(first: int) -> None:
    """A poll that is interrupted may have moved on past what it did not return only if it returned it."""

    def poll(scene: Scene) -> None:
        scene.polled += [record.value for record in scene._poll(scene.consumer)]

    interrupt_everywhere(poll, Scene.check_still_works, first=first)


def test_joining_a_group(first: int) -> None:
    def join(scene: Scene) -> None:
        scene.consumer.close()
        scene.consumer = scene.member()
        scene.consumer.poll(timeout_ms=0, max_records=1, update_offsets=False)

    def check(scene: Scene) -> None:
        # A member that an interrupt kept from leaving is dead all the same: its session ends.
        scene.clock.advance(60_000)
        fresh = scene.member()
        scene.consumer.close()
        scene.consumer = fresh
        scene.polled.clear()  # nothing was committed
        scene.check_still_works()

    interrupt_everywhere(join, check, first=first)


def test_the_check_would_find_a_lost_record() -> None:
    def send_and_lose(scene: Scene) -> None:
        scene.producer.send("t", b"interrupted")
        scene.producer.flush()
        scene.polled.append(b"interrupted")  # as if it had been returned, out of order

    with pytest.raises(AssertionError, match="read twice, or out of order"):
        interrupt_everywhere(send_and_lose, Scene.check_still_works, first=10**9)
