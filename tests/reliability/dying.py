"""In a child process that works until it is killed: by itself in a phase it is to die in, or by its parent.

The child notes on a *board*, a file of one byte that both see, which phase it is in.  In its target phase it ends
itself before a call, after it, or in the middle of the first write within it.
"""

from __future__ import annotations

import importlib
import mmap
import os
import random
import signal
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any


class Killer:
    """Notes the phase, and ends the process in the target phase once its time has come.

    Args:
        phases: the first one is that of nothing in particular.
        methods: for each other phase what it is, as ``module:Class.method`` or ``module:function``.
        target: the phase to die in, at the ``after_calls``-th call; None: the parent kills.
        concerns: whether a call with these arguments belongs to a phase, where a method serves several.
    """

    def __init__(
        self,
        phases: Sequence[str],
        methods: Mapping[str, str],
        *,
        board: str,
        seed: int,
        target: str | None,
        after_calls: int,
        concerns: Callable[[str, Sequence[Any]], bool] = lambda phase, arguments: True,
    ) -> None:
        self._phases = phases
        self._methods = methods
        self._target = target
        self._left = max(1, after_calls)
        self._concerns = concerns
        self._where = random.Random(seed).choice(("before", "write", "after"))
        self._board = mmap.mmap(os.open(board, os.O_RDWR), 1)
        self._is_armed = False

    def install(self) -> None:
        for phase, where in self._methods.items():
            _replace(where, partial(self._in_phase, phase))
        from embedkafka.files.posix import PosixFile

        original = PosixFile.write_at

        def write_at(file: Any, data: Any, position: int) -> int:
            if self._is_armed:
                original(file, bytes(data)[: len(data) // 2], position)
                self._die()
            return original(file, data, position)

        PosixFile.write_at = write_at  # type: ignore[method-assign]

    def _in_phase(self, phase: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            if not self._concerns(phase, arguments):
                return method(*arguments, **named)
            before = self._board[0]
            self._board[0] = self._phases.index(phase)
            is_meant = phase == self._target and self._is_due()
            if is_meant and self._where == "before":
                self._die()
            self._is_armed = is_meant and self._where == "write"
            result = method(*arguments, **named)
            if is_meant:
                self._die()
            self._board[0] = before
            return result

        return wrapped

    def _is_due(self) -> bool:
        self._left -= 1
        return self._left == 0

    def _die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def _replace(where: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    module, _, path = where.partition(":")
    owner: Any = importlib.import_module(module)
    *owners, name = path.split(".")
    for each in owners:
        owner = getattr(owner, each)
    setattr(owner, name, wrap(getattr(owner, name)))
