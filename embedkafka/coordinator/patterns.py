"""Regular expressions that a peer sends: matched in a time that the pattern cannot blow up.

Kafka takes RE2J for them, whose matching is linear.  Python's ``re`` goes back and tries again, so that ``(a+)+`` on a
name of forty letters takes for ever, with the interpreter's lock held.  So RE2 itself is taken where it is installed
(``google-re2``, the extra ``server``).  Elsewhere ``re`` is, and what could explode is refused: repeats or choices
inside of repeats, and more than three repeats; so is what RE2 does not have, such as look-around and backreferences.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, Protocol

if sys.version_info >= (3, 11):
    from re import _constants as ops  # type: ignore[attr-defined]  # the parser has no public name
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_constants as ops
    import sre_parse as parser

_MAX_LENGTH = 10_000
_MAX_MEMORY_BYTES = 1 << 20  # of a pattern that RE2 has compiled
_MAX_REPEATS = 3  # tried in every combination: with 249 letters 2.6 million at the worst


class Matcher(Protocol):
    """What a compiled pattern can do."""

    def fullmatch(self, text: str) -> object | None:
        """Something where the pattern matches the whole text, else None."""


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Matcher:
    """A pattern to match whole names with.

    Raises:
        re.error: it is none, or one of those that are refused.
    """
    if len(pattern) > _MAX_LENGTH:
        raise re.error(f"a pattern has {_MAX_LENGTH} characters at most")
    re2 = library()
    return _compile_by_re(pattern) if re2 is None else _compile_by_re2(re2, pattern)


@cache
def library() -> Any:
    """The module of RE2; None where it is not installed."""
    try:
        import re2
    except ImportError:
        return None
    return re2


def _compile_by_re2(re2: Any, pattern: str) -> Matcher:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY_BYTES
    try:
        compiled: Matcher = re2.compile(pattern, options)
    except re2.error as error:
        raise re.error(str(error)) from None
    return compiled


def _compile_by_re(pattern: str) -> Matcher:
    try:
        tree = parser.parse(pattern, re.ASCII)
        _check(tree)
        if _repeats(tree) > _MAX_REPEATS or _is_nested(tree):
            raise re.error("it could take too long; with google-re2 installed no pattern does")
        return re.compile(pattern, re.ASCII)
    except (OverflowError, RecursionError) as error:
        raise re.error(f"too large: {error}") from None


_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT)
_KNOWN = {ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN, ops.BRANCH, ops.SUBPATTERN, ops.AT, *_REPEATS}


def _children(op: Any, argument: Any) -> Iterable[Any]:
    if op in _REPEATS:
        return (argument[2],)
    if op is ops.SUBPATTERN:
        return (argument[3],)
    if op is ops.BRANCH:
        return tuple(argument[1])
    return ()


def _check(tree: Any) -> None:
    for op, argument in tree:
        if op not in _KNOWN:
            raise re.error(f"{str(op).lower()} is not supported")
        for child in _children(op, argument):
            _check(child)


def _repeats(tree: Any) -> int:
    """How many repeats may take many letters or few."""
    count = 0
    for op, argument in tree:
        count += op in _REPEATS and argument[0] != argument[1]
        count += sum(map(_repeats, _children(op, argument)))
    return count


def _is_nested(tree: Any, *, inside: bool = False) -> bool:
    """Whether there is a repeat, or a choice, inside of a repeat."""
    for op, argument in tree:
        if inside and (op in _REPEATS or op is ops.BRANCH):
            return True
        if any(_is_nested(child, inside=inside or op in _REPEATS) for child in _children(op, argument)):
            return True
    return False
