"""What every command starts from: its data directory, its output, and the way its failures are shown."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar

import typer

from embedkafka.cli.exits import CliError, ExitCode
from embedkafka.cli.output import Output
from embedkafka.storage.data_directory import FORMAT_FILE, FORMAT_NAME

P = ParamSpec("P")
R = TypeVar("R")

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        "-d",
        metavar="DIR",
        readable=False,
        help="The data directory (or set EMBEDKAFKA_DATA).",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout and nothing else: one object a line.")]


@dataclass
class Globals:
    """What was said before the command's name: ``embedkafka --data DIR --json topics list``."""

    data: Path | None = None
    as_json: bool = False


_globals = Globals()


def set_globals(data: Path | None, as_json: bool) -> None:
    """Remember the options given before the command's name."""
    _globals.data = data
    _globals.as_json = as_json


class Session:
    """One command's run.

    Args:
        data: the command's own ``--data``, which wins over the one before the command's name and the environment.
        as_json: the command's own ``--json``.
    """

    def __init__(self, data: Path | None, as_json: bool) -> None:
        self.out = Output(as_json=as_json or _globals.as_json)
        environment = os.environ.get("EMBEDKAFKA_DATA")
        self._data = data or _globals.data or (Path(environment) if environment else None)
        _current[:] = [self.out]

    @property
    def has_data(self) -> bool:
        """Whether any data directory was named."""
        return self._data is not None

    @property
    def data(self) -> Path:
        """The data directory that was named, whether it exists or not."""
        if self._data is None:
            raise CliError(
                "no data directory named",
                "give --data DIR or set EMBEDKAFKA_DATA; `embedkafka demo` makes one to try",
                ExitCode.USAGE,
            )
        return self._data

    def existing_data(self) -> Path:
        """The data directory, which must be there and be one of ours."""
        path = self.data
        if not path.exists():
            raise CliError(f"no data directory at {path}", _nearby(path), ExitCode.NOT_FOUND)
        if not path.is_dir():
            raise CliError(f"{path} is a file, not a data directory", "", ExitCode.NOT_FOUND)
        try:
            is_ours = (path / FORMAT_FILE).is_file()
            is_empty = not any(path.iterdir())
        except PermissionError:
            raise CliError(f"may not read {path}", f"its owner is uid {path.stat().st_uid}") from None
        if not is_ours:
            what = "is empty" if is_empty else "is not an embedkafka data directory (it has no file called `format`)"
            raise CliError(f"{path} {what}", _nearby(path), ExitCode.NOT_FOUND)
        return path


_current: list[Output] = []  # the running command's output, so that an error is shown the way its results are


def _nearby(path: Path) -> str:
    """Where a data directory is instead, near the one that was named."""
    for candidate in (path.parent, *sorted(path.glob("*")), *sorted(path.parent.glob("*"))):
        try:
            if (candidate / FORMAT_FILE).read_text().startswith(FORMAT_NAME):
                return f"there is one at {candidate}"
        except (OSError, UnicodeDecodeError):
            continue
    return "give --data DIR or set EMBEDKAFKA_DATA; `embedkafka demo` makes one to try"


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Turn what a command raises into a message and an exit code; no traceback for what a person can cause."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        _current[:] = [Output(as_json=_globals.as_json)]
        try:
            result = function(*args, **kwargs)
            sys.stdout.flush()
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except BrokenPipeError:
            _abandon_stdout()
            raise typer.Exit(ExitCode.BROKEN_PIPE) from None
        except Exception as error:
            _fail(error)
        return result

    return run


def _fail(error: Exception) -> NoReturn:
    from embedkafka.cli.explain import explain

    if os.environ.get("EMBEDKAFKA_TRACEBACK"):
        raise error
    shown = error if isinstance(error, CliError) else explain(error)
    _current[0].error(shown)
    raise typer.Exit(shown.exit_code) from None


def _abandon_stdout() -> None:
    """Make the interpreter's flush at exit go nowhere: the reader is gone, and that is no error of ours."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    os.close(sink)


def parse_pairs(pairs: list[str] | None, option: str) -> dict[str, str]:
    """``["a=1", "b=2"]`` as a mapping."""
    parsed: dict[str, str] = {}
    for pair in pairs or []:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise CliError(f"{option} takes NAME=VALUE, not {pair!r}", "", ExitCode.USAGE)
        parsed[name.strip()] = value
    return parsed


def confirm_deletion(names: list[str], what_else: str) -> None:
    """Ask before names and what belongs to them are gone; where nobody can answer, ``--yes`` has to be given."""
    listed = ", ".join(names)
    if not sys.stdin.isatty():
        raise CliError(f"deleting {listed} needs --yes", "", ExitCode.USAGE)
    typer.confirm(f"delete {listed} and {what_else}?", abort=True, err=True)


def require(condition: Any, message: str, hint: str = "") -> None:
    """A usage error unless the condition holds."""
    if not condition:
        raise CliError(message, hint, ExitCode.USAGE)
