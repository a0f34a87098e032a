"""E: an empty Python method called with the same keyword arguments, in the same loop, in the same run."""

from __future__ import annotations

from benchmarks._data import workload
from benchmarks._harness import Contender, Sample, timed


class _Empty:
    def send(
        self,
        topic: str,
        value: object = None,
        key: object = None,
        headers: object = None,
        partition: object = None,
        timestamp_ms: object = None,
    ) -> None:
        pass


def run(count: int) -> Sample:
    pairs = workload(count).pairs()
    send = _Empty().send
    with timed(count) as sample:
        for key, value in pairs:
            send("benchmark", value=value, key=key)
    return sample


E = Contender("E", run, kind="unit")
