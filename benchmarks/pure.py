"""Without a compiler the same code runs on the pure-Python codec, at a speed that tests can live with."""

from __future__ import annotations

from benchmarks import _child
from benchmarks._harness import Claim, Contender, Goal, Sample
from benchmarks._unit import E


def send(count: int) -> Sample:
    from benchmarks.send import forgotten
    from embedkafka.record import is_compiled

    assert not is_compiled()
    return forgotten(count)


def iterate(count: int) -> Sample:
    from benchmarks.read import by_iteration, project

    return project(count, by_iteration)


def _pure(function: str, count: int) -> Sample:
    return _child.measure("pure", function, count, EMBEDKAFKA_PURE="1")


CLAIM = Claim(
    "pure",
    "the pure-Python fallback; CPU time of all threads",
    [
        E,
        Contender("send, pure", lambda count: _pure("send", count)),
        Contender("iterate, pure", lambda count: _pure("iterate", count)),
    ],
    [Goal("send, pure", "E", 60.0), Goal("iterate, pure", "E", 40.0)],
    count=100_000,
    quick_count=5_000,
)
