"""``embedkafka serve`` as a process of its own that dies and comes back at its address, for clients that go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Served:
    """A directory that is served at one port, life after life.

    Args:
        data: the directory; made at the first life.
    """

    def __init__(self, data: Path, **settings: object) -> None:
        self.data = data
        self.port = 0
        self._settings = [f"--config={name}={value}" for name, value in settings.items()]
        self._process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when clients may connect: at any port the first time, at the same one ever after."""
        words = ["serve", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}", "--json", *self._settings]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment.pop("EMBEDKAFKA_DATA", None)
        with open(self.data.with_suffix(".log"), "ab") as log:
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "embedkafka", *words],
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                text=True,
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"it did not start:\n{self.log()}"
        said: dict[str, Any] = json.loads(line)
        self.port = said["port"]

    def end(self, number: signal.Signals) -> int:
        """End this life; returns the exit code."""
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(number)
        with process:
            return process.wait(30)

    def close(self) -> None:
        """End it, if it lives."""
        if self._process is not None:
            self.end(signal.SIGKILL)

    def log(self) -> str:
        """What it has said on stderr."""
        return self.data.with_suffix(".log").read_text()[-4000:]
