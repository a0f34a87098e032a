"""Running a command in this process and looking at what it said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner


@dataclass
class Said:
    """A command's exit code and its two streams."""

    exit_code: int
    stdout: str
    stderr: str

    def objects(self) -> list[Any]:
        """Stdout as JSON lines."""
        return [json.loads(line) for line in self.stdout.splitlines()]


def call(*words: object, stdin: str | bytes | None = None, env: dict[str, str | None] | None = None) -> Said:
    """``embedkafka <words>``."""
    from embedkafka.cli.app import app

    environment: dict[str, str | None] = {"EMBEDKAFKA_DATA": None, "COLUMNS": "100", **(env or {})}
    result = CliRunner().invoke(app, [str(word) for word in words], input=stdin, env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)
