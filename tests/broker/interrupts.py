"""Raises KeyboardInterrupt at one chosen line of the library, as Ctrl-C could at any.

Two line events are left out: those of leaving a ``with`` and of ``try:``.  The interpreter looks for signals after
calls and at backward jumps.  Between the last call of the body, which the ``with`` guards, and the call of ``__exit__``
it does not look, nor at a ``try:``, which a ``with`` around it does not guard.  A tracer can raise there; Ctrl-C no.
"""

from __future__ import annotations

import inspect
import linecache
import os
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import embedkafka
from embedkafka.files.posix import PosixFile

_ROOT = os.path.dirname(embedkafka.__file__) + os.sep


def interrupted_at(line_number: int, action: Callable[[], object]) -> bool:
    """Do ``action``, interrupted at the ``line_number``-th line of library code that it runs.

    Returns:
        False when it ended before it came that far.
    """
    left = line_number
    entered_of: dict[FrameType, set[int]] = {}  # lines of `with` statements that a call is inside of, or was

    def trace_calls(frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(_ROOT) or code.co_name == "__del__":
            return None  # what a finalizer raises, the interpreter only prints
        if code is PosixFile.__init__.__code__:
            return None  # a descriptor that no object has yet would be lost, which is all that would be
        # A generator is called again, in the same frame, wherever it goes on: inside of its `with`, for example.
        entered = entered_of.setdefault(frame, set()) if code.co_flags & inspect.CO_GENERATOR else set()

        def trace_lines(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal left
            if event != "line":
                return trace_lines
            source = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
            if source == "try:":
                return trace_lines
            if source.startswith("with "):
                if frame.f_lineno in entered:
                    return trace_lines
                entered.add(frame.f_lineno)
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
            return trace_lines

        return trace_lines

    previous = sys.gettrace()
    sys.settrace(trace_calls)
    try:
        action()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(previous)
    return False


IS_FULL = os.environ.get("EMBEDKAFKA_FULL", "") not in ("", "0")


def every_line(*, usual_step: int = 1) -> Iterator[int]:
    """1, 2, 3, ... with a limit that no tested action comes near.

    Args:
        usual_step: for a slow action: every so many lines only, unless ``EMBEDKAFKA_FULL`` asks for all.
    """
    yield from range(1, 20_000, 1 if IS_FULL else usual_step)
    raise AssertionError("the action never ran to its end")
