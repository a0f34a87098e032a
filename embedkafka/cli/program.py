"""How to call this program again, in words that work when pasted into the same shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

NAME = "embedkafka"


def program_words() -> list[str]:
    """``embedkafka`` where the shell finds this one; otherwise the path to it, or ``python -m embedkafka``."""
    script = Path(sys.argv[0])
    if script.name.removesuffix(".exe") == NAME and script.exists():
        found = shutil.which(NAME)
        if found and os.path.samefile(found, script):
            return [NAME]
        relative = os.path.relpath(script) if script.is_absolute() else str(script)
        return [relative if not relative.startswith(os.pardir) else str(script)]
    for python in ("python", "python3"):
        found = shutil.which(python)
        if found and os.path.abspath(found) == os.path.abspath(sys.executable):
            return [python, "-m", NAME]
    return [sys.executable, "-m", NAME]


def shell_line(words: Sequence[str]) -> str:
    """Words as one line for this platform's shell."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
