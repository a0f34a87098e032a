"""A process of remote clients, which ends the server under them: what the clients were promised goes to stdout.

The clients have a process of their own because kafka-python leaves a socket behind for each connection that fails.
"""

from __future__ import annotations

import json
import logging
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from reliability.remote_clients import (
    COMMITTING,
    PARTITIONS,
    Committer,
    IdempotentProducer,
    OtherProducer,
    Transformer,
    Worker,
    stored_offsets,
)
from reliability.served import Served

_PATIENCE_S = 60.0


class Run(NamedTuple):
    """What a child is to do: ``deaths`` times end the server with a signal, at moments that the seed decides."""

    data: str
    seed: int
    signal_number: int
    deaths: int


class Promises(NamedTuple):
    """What the clients know: each list of pairs is (offset, number), the others are numbers in order."""

    done: list[int]
    sent: list[list[int]]
    acknowledged: list[list[tuple[int, int]]]
    other_sent: list[int]
    other_acknowledged: list[tuple[int, int]]
    commits: list[tuple[int, list[int]]]  # by partition the offsets of which one has to be committed


def run(what: Run) -> Promises:
    """Start everything, let it die and come back, end it in order.

    Raises:
        AssertionError: a client could not go on, or the server did not end as it should.
    """
    source = random.Random(what.seed)
    expected = 0 if what.signal_number == signal.SIGTERM else -what.signal_number
    served = Served(Path(what.data))
    served.start()
    producer, other = IdempotentProducer(served.address), OtherProducer(served.address)
    committer, transformer = Committer(served.address), Transformer(served.address)
    everybody: Sequence[Worker] = (producer, other, committer, transformer)
    try:
        for worker in everybody:
            worker.start()
        for _ in range(what.deaths):
            _wait_for_progress(everybody, source.randrange(1, 40))
            code = served.end(signal.Signals(what.signal_number))
            assert code == expected, f"the server ended with {code}:\n{served.log()}"
            committed = committer.committed.copy()
            served.start()
            stored = stored_offsets(served.address, COMMITTING)
            lost = {number: offset for number, offset in committed.items() if stored[number] < offset}
            assert not lost, f"committed was {lost}, stored is {stored}: {committer}"
        _wait_for_progress(everybody, 3)
    finally:
        for worker in everybody:
            worker.stop()
        log = served.log()
        served.close()
    assert all(worker.error is None for worker in everybody), f"could not go on: {everybody}\n{log}"
    assert "Traceback" not in log, log
    return Promises(
        [worker.done for worker in everybody],
        [producer.sent[partition] for partition in range(PARTITIONS)],
        [list(producer.promised[partition].items()) for partition in range(PARTITIONS)],
        other.sent,
        list(other.promised.items()),
        [(partition, [offset, *committer.committing[partition]]) for partition, offset in committer.committed.items()],
    )


def _wait_for_progress(workers: Sequence[Worker], steps: int) -> None:
    """Until each has been promised so much more, or one cannot go on."""
    before = [worker.done for worker in workers]
    deadline = time.monotonic() + _PATIENCE_S
    while not all(worker.done - done >= steps for worker, done in zip(workers, before, strict=True)):
        if any(worker.error is not None for worker in workers):
            return
        assert time.monotonic() < deadline, f"no progress: {workers}"
        time.sleep(0.001)  # other threads' progress: there is nothing to wait on


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(run(Run(*json.loads(sys.argv[1])))))
