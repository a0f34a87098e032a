"""Lives of a process with many threads on one directory, each ended by ``kill -9``, and the history of them all."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from reliability.history.child import BROKER, Life
from reliability.history.events import Event, Restarted
from reliability.history.recording import TICKS_PER_LIFE, Recorder, read_events
from reliability.history.world import read_the_end

import embedkafka

_CHILD = Path(__file__).with_name("child.py")
_PATIENCE_S = 120
EVENTS_PER_LIFE = 6_000


def run_and_kill(folder: Path, seed: int, lives: int, *, switch_interval_s: float = 0.005) -> list[Event]:
    """Some lives, then read everything there is.

    Args:
        folder: an empty one.
        seed: of what the actors do and of how long each life lasts; threads make no two runs the same.
        switch_interval_s: of the interpreters; a tiny one lets threads meet in many more places.
    """
    source = random.Random(seed)
    data, journal = folder / "data", folder / "journal"
    journal.touch()
    restarts: list[Event] = []
    for life in range(lives):
        _live(Life(str(data), str(journal), source.randrange(1 << 32), life, switch_interval_s), source)
        restarts.append(Restarted((life + 1) * TICKS_PER_LIFE - 1))
    recorder = Recorder(journal, life=lives)
    with embedkafka.EmbeddedKafka(data, **BROKER) as engine:
        read_the_end(recorder, engine)
    recorder.close()
    return [*read_events(journal), *restarts]


def _live(life: Life, source: random.Random) -> None:
    """One process, killed some time after it has done a certain amount of work."""
    size_bytes = Path(life.journal).stat().st_size
    wanted_bytes = size_bytes + source.randrange(EVENTS_PER_LIFE // 2, EVENTS_PER_LIFE) * 150
    output = Path(life.journal).with_name(f"output-{life.life}")
    with output.open("wb") as file:
        child = subprocess.Popen([sys.executable, str(_CHILD), json.dumps(asdict(life))], stdout=file, stderr=file)
    try:
        deadline_s = time.monotonic() + _PATIENCE_S
        while Path(life.journal).stat().st_size < wanted_bytes and child.poll() is None:
            assert time.monotonic() < deadline_s, f"{life} does not get on\n{output.read_text()[-4_000:]}"
            time.sleep(0.002)  # another process's progress: there is nothing to wait on
    finally:
        child.kill()
        child.wait()
    assert child.returncode == -signal.SIGKILL, f"{life} ended by itself\n{output.read_text()[-6_000:]}"
