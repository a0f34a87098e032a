"""How a claim is measured: contenders interleaved over rounds, compared by the median of their ratios.

Shared machines are noisy, and the noise comes in waves longer than one run.  So all contenders of a claim run once per
round, in an order that rotates, and a goal is judged by the median over the rounds of *this round's* ratio: a slow
minute slows both sides of it.  CPU time (all threads of the process) is steadier than wall time and cannot hide work
on another thread; goals in E use it.  Wall time decides against peers, whose own threads are free to use both cores.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

WALL = "wall_ns"  # per record
CPU = "cpu_ns"  # per record, all threads


@dataclass
class Sample:
    """One run of one contender.  ``values`` holds every quantity by name: times in ns per record, others as named."""

    count: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    thread_s: float = 0.0
    values: dict[str, float] = field(default_factory=dict)

    def quantity(self, name: str) -> float:
        per_record = {"wall_ns": self.wall_s, "cpu_ns": self.cpu_s, "thread_ns": self.thread_s}
        if name in per_record and self.count:
            return per_record[name] * 1e9 / self.count
        return self.values[name]


@contextlib.contextmanager
def timed(count: int) -> Iterator[Sample]:
    """Time a block that handles ``count`` records; garbage of earlier runs is collected before, not inside."""
    gc.collect()
    sample = Sample(count)
    wall, cpu, thread = time.perf_counter(), time.process_time(), time.thread_time()
    yield sample
    sample.thread_s = time.thread_time() - thread
    sample.cpu_s = time.process_time() - cpu
    sample.wall_s = time.perf_counter() - wall


@contextlib.contextmanager
def fresh_directory() -> Iterator[Path]:
    """An empty directory on the disk that temporary files live on."""
    with tempfile.TemporaryDirectory(prefix="embedkafka-benchmark-") as directory:
        yield Path(directory)


def write_pieces(count: int, record_bytes: int, *, sync_every: int = 0) -> Sample:
    """The bound of every log: as many bytes as ``count`` records take, handed to the kernel in pieces of one batch.

    With ``sync_every`` records, the pieces are that large, and each is made durable.
    """
    records = sync_every or max(1, 16_384 // record_bytes)
    piece = os.urandom(records * record_bytes)
    make_durable = getattr(os, "fdatasync", os.fsync)
    with fresh_directory() as directory:
        descriptor = os.open(directory / "log", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            with timed(count) as sample:
                for number in range(0, count, records):
                    os.pwrite(descriptor, piece, number * record_bytes)
                    if sync_every:
                        make_durable(descriptor)
        finally:
            os.close(descriptor)
    return sample


@dataclass(frozen=True)
class Contender:
    """Something that is measured.

    ``run(count)`` makes its own fresh surroundings, times only what the claim is about, and checks what came out.
    ``kind`` is ``project``, ``peer``, ``bound`` (what the machine could do) or ``unit`` (E).  ``share`` of the claim's
    records is what it gets: 0.01 for a peer that would need an hour for all.  ``needs`` names a module it imports.
    """

    name: str
    run: Callable[[int], Sample]
    kind: str = "project"
    share: float = 1.0
    needs: str | None = None

    @property
    def is_available(self) -> bool:
        return self.needs is None or importlib.util.find_spec(self.needs) is not None


@dataclass(frozen=True)
class Goal:
    """``quantity`` of ``subject`` is at most ``at_most`` times that of ``versus``.

    Without ``versus`` it is at most ``at_most`` itself; ``scale`` and ``unit`` say how to print that.  What the
    contender ``plus`` takes is allowed on top.
    """

    subject: str
    versus: str | None
    at_most: float
    quantity: str = CPU
    scale: float = 1.0
    unit: str = ""
    plus: str | None = None

    @property
    def text(self) -> str:
        extra = f" + {self.plus}" if self.plus else ""
        if self.versus is None:
            return f"{self.quantity} of {self.subject}: <= {self.at_most * self.scale:g} {self.unit}{extra}"
        if self.at_most < 0.6:
            return f"{self.subject}: >= {1 / self.at_most:g} x as fast as {self.versus}"
        what = "" if self.quantity in (CPU, WALL) else f" ({self.quantity})"
        return f"{self.subject}: <= {self.at_most:g} x {self.versus}{extra}{what}"


@dataclass(frozen=True)
class Verdict:
    """A goal and what was measured: ``figure`` in the goal's own sense, None where a side was not there."""

    goal: Goal
    figure: float | None

    @property
    def is_met(self) -> bool | None:
        return None if self.figure is None else self.figure <= self.goal.at_most

    @property
    def shown(self) -> str:
        if self.figure is None:
            return "not measured"
        if self.goal.versus is None:
            return f"{self.figure * self.goal.scale:.3g} {self.goal.unit}"
        return f"{1 / self.figure:.2f} x" if self.goal.at_most < 0.6 else f"{self.figure:.2f}"


@dataclass(frozen=True)
class Claim:
    """One row of the goals: what is measured, on how many records, and what is promised."""

    name: str
    about: str
    contenders: Sequence[Contender]
    goals: Sequence[Goal] = ()
    count: int = 1_000_000
    quick_count: int = 20_000
    rounds: int = 5
    show: Sequence[str] = ()  # further quantities for the table

    def measure(self, *, quick: bool, rounds: int | None, announce: Callable[[str], None]) -> Outcome:
        rounds = rounds or (2 if quick else self.rounds)
        count = self.quick_count if quick else self.count
        present = [contender for contender in self.contenders if contender.is_available]
        samples: dict[str, list[Sample]] = {contender.name: [] for contender in present}
        for number in range(rounds):
            turn = number % len(present)
            for contender in present[turn:] + present[:turn]:
                announce(f"{self.name}: round {number + 1} of {rounds}, {contender.name}")
                samples[contender.name].append(contender.run(max(1, int(count * contender.share))))
        missing = [contender.name for contender in self.contenders if not contender.is_available]
        return Outcome(self, quick, samples, missing)


@dataclass(frozen=True)
class Outcome:
    """What came out of a claim's rounds."""

    claim: Claim
    quick: bool
    samples: dict[str, list[Sample]]
    missing: Sequence[str]

    def median(self, contender: str, quantity: str) -> float | None:
        try:
            return statistics.median(sample.quantity(quantity) for sample in self.samples[contender])
        except KeyError:
            return None

    def verdicts(self) -> list[Verdict]:
        return [Verdict(goal, self._figure(goal)) for goal in self.claim.goals]

    def _figure(self, goal: Goal) -> float | None:
        names = [goal.subject, goal.versus, goal.plus]
        if any(name is not None and name not in self.samples for name in names):
            return None

        def figures(name: str | None, default: float) -> list[float]:
            samples = self.samples[goal.subject if name is None else name]
            return [default if name is None else sample.quantity(goal.quantity) for sample in samples]

        rounds = zip(figures(goal.subject, 0.0), figures(goal.versus, 1.0), figures(goal.plus, 0.0), strict=True)
        return statistics.median((mine - allowed) / unit for mine, unit, allowed in rounds)
