"""Runs one measurement in a process of its own: for memory, limits, imports, and the pure-Python codec.

``measure("memory", "stream", 1000)`` calls ``benchmarks.memory.stream(1000)`` over there and brings its sample back.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks._harness import Sample


def measure(module: str, function: str, count: int, *, limit_files: int | None = None, **environ: str) -> Sample:
    """Run ``benchmarks.<module>.<function>(count)`` in a fresh interpreter.

    ``limit_files`` is its ``ulimit -n``; ``environ`` is added to its environment.
    """
    command = [sys.executable, "-m", "benchmarks._child", module, function, str(count), str(limit_files or 0)]
    process = subprocess.run(
        command,
        cwd=Path(__file__).parent.parent,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if process.returncode:
        raise RuntimeError(f"benchmarks.{module}.{function}({count}) failed with exit code {process.returncode}")
    return Sample(**json.loads(process.stdout.splitlines()[-1]))


def main(module: str, function: str, count: str, limit_files: str) -> None:
    if int(limit_files):
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (int(limit_files), int(limit_files)))
    sample: Sample = getattr(importlib.import_module(f"benchmarks.{module}"), function)(int(count))
    print(json.dumps(dataclasses.asdict(sample)))


if __name__ == "__main__":
    main(*sys.argv[1:])
