"""What ``embedkafka --version`` says."""

from __future__ import annotations

import platform

import embedkafka
from embedkafka.record import is_compiled


def version_line() -> str:
    """Version, which codec is in use, Python and platform on one line."""
    codec = "compiled codec" if is_compiled() else "pure-Python codec (slower)"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"embedkafka {embedkafka.__version__}, {codec}, {python}, {platform.system()} {platform.machine()}"
