"""A child process from its start to ``kill -9``, by its own hand (:mod:`reliability.dying`) or its parent's."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

_LIFE_TIMEOUT_S = 60


def live_and_die(
    program: Path,
    life: Mapping[str, Any],
    *,
    output: Path,
    has_begun: Callable[[], bool],
    kill_within_s: float,
    phases: Sequence[str],
) -> str:
    """Run a child until it is dead; returns the phase it died in.

    Args:
        program: takes ``life`` as a JSON object; ``board``, ``seed`` and ``target`` are in it.
        output: what the child prints is added here.
        has_begun: where the parent kills, it waits for this first, and then for up to ``kill_within_s``.
    """
    board = Path(life["board"])
    board.write_bytes(b"\0")
    with open(output, "ab") as printed:
        child = subprocess.Popen([sys.executable, str(program), json.dumps(dict(life))], stdout=printed, stderr=printed)
    try:
        if life["target"] is None:
            deadline_s = time.monotonic() + _LIFE_TIMEOUT_S
            while not has_begun() and child.poll() is None and time.monotonic() < deadline_s:
                time.sleep(0.001)  # another process's progress: there is nothing to wait on
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(kill_within_s)
            child.kill()
        child.wait(_LIFE_TIMEOUT_S)
    finally:
        child.kill()
        child.wait()
    last = output.read_text()[-4_000:]
    assert child.returncode == -signal.SIGKILL, f"seed {life['seed']}: ended with {child.returncode}\n{last}"
    return phases[board.read_bytes()[0]]
