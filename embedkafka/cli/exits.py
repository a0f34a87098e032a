"""How a command ends: exit codes, and the error that carries one.

| code | meaning |
|---|---|
| 0 | done |
| 1 | the command failed, or a check (``demo``, ``log verify``, ``backup``) found something wrong |
| 2 | wrong usage: unknown option, missing argument, no data directory named |
| 3 | another process owns the data directory |
| 4 | no such directory, topic, partition or group |
| 130 | interrupted (Ctrl-C) |
| 141 | whoever read our output went away (``| head``), as for any Unix filter |
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command; the module's table says what each means."""

    OK = 0
    FAILED = 1
    USAGE = 2
    IN_USE = 3
    NOT_FOUND = 4
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class CliError(Exception):
    """A failure to show to a person: one sentence on what is wrong, one on what to do about it.

    Args:
        message: what is wrong, without a full stop.
        hint: what to do; empty where there is nothing to say.
        exit_code: how the process ends.
    """

    def __init__(self, message: str, hint: str = "", exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


def check_known(kind: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raise :func:`not_found` for the first of these names that is not known."""
    for name in names:
        if name not in known:
            raise not_found(kind, name, known)


def not_found(kind: str, name: str, known: Iterable[str]) -> CliError:
    """The error for a name that does not exist, with the nearest one that does."""
    from difflib import get_close_matches

    there = sorted(known)
    near = get_close_matches(name, there, n=1)
    if near:
        hint = f"did you mean {near[0]!r}?"
    elif there:
        shown = ", ".join(there[:8]) + (", ..." if len(there) > 8 else "")
        hint = f"there are: {shown}"
    else:
        hint = f"there is no {kind} at all yet"
    return CliError(f"no {kind} called {name!r}", hint, ExitCode.NOT_FOUND)
