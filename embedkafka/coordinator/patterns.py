"""Regular expressions that a peer sends: matched in a time that the pattern cannot blow up.

Kafka takes RE2J for them, whose matching is linear.  Python's ``re`` goes back and tries again, so that ``(a+)+`` on a
name of thirty letters takes for ever, with the interpreter's lock held.  So a pattern is parsed (by the parser that
``re`` itself uses) and looked at first:

* what RE2 does not have (look-around, backreferences, conditions, atomic groups) is refused, as Kafka does;
* a pattern without repeats inside repeats, and with few of them, is ``re``'s: it cannot go back far;
* any other is run as the automaton it stands for, all its states at once, one step a letter (Thompson, 1968).

Letters of classes (``\\d``, ``\\w``, ``\\s``) are ASCII's, as RE2's are.  Syntax is Python's otherwise: ``\\pL`` and
``\\Q..\\E``, which RE2 knows, are errors, and ``\\z`` is ``\\Z``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Protocol

if sys.version_info >= (3, 11):
    from re import _constants as ops  # type: ignore[attr-defined]  # the parser has no public name
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_constants as ops
    import sre_parse as parser

_MAX_LENGTH = 10_000
_MAX_STATES = 2_000  # of an automaton: its every step may look at each
_MAX_REPEATS = 2  # tried in every combination: of a name of 249 letters 31,000

_Test = Callable[[str], bool]


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
    try:
        tree = parser.parse(pattern, re.ASCII)
        _check(tree)
        if _repeats(tree) <= _MAX_REPEATS and not _is_nested(tree):
            return re.compile(pattern, re.ASCII)
        return Automaton(tree)
    except (OverflowError, RecursionError) as error:
        raise re.error(f"too large: {error}") from error


_REPEATS = tuple(getattr(ops, name) for name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") if hasattr(ops, name))
_KNOWN = {
    ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN, ops.BRANCH, ops.SUBPATTERN, ops.MAX_REPEAT, ops.MIN_REPEAT, ops.AT,
}  # fmt: skip


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


class Automaton:
    """A pattern as states: each tests a letter or a place and goes on, or splits in two; the last one has matched."""

    def __init__(self, tree: Any) -> None:
        self._tests: list[_Test | None] = []  # of a letter
        self._places: list[Any] = []  # or what the place must be
        self._next: list[tuple[int, ...]] = []
        flags = tree.state.flags
        end = self._state(None, None, ())
        self._start = self._sequence(tree, flags, end)
        self._end = end

    def fullmatch(self, text: str) -> object | None:
        """True where the pattern matches the whole text, else None."""
        current = self._closure((self._start,), text, 0)
        for position, letter in enumerate(text, start=1):
            reached = {
                following
                for state in current
                if (test := self._tests[state]) is not None and test(letter)
                for following in self._next[state]
            }
            if not reached:
                return None
            current = self._closure(reached, text, position)
        return True if self._end in current else None

    def _closure(self, states: Iterable[int], text: str, position: int) -> set[int]:
        """The states that are reached without a letter."""
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state in found:
                continue
            found.add(state)
            if self._tests[state] is None and _is_at(self._places[state], text, position):
                waiting.extend(self._next[state])
        return found

    # Building, from the end to the beginning -------------------------------------------------------------------------

    def _state(self, test: _Test | None, place: Any, following: tuple[int, ...]) -> int:
        if len(self._next) >= _MAX_STATES:
            raise re.error(f"too large: more than {_MAX_STATES} states")
        self._tests.append(test)
        self._places.append(place)
        self._next.append(following)
        return len(self._next) - 1

    def _sequence(self, tree: Any, flags: int, following: int) -> int:
        for op, argument in reversed(list(tree)):
            following = self._item(op, argument, flags, following)
        return following

    def _item(self, op: Any, argument: Any, flags: int, following: int) -> int:
        if op in _REPEATS:
            least, most, child = argument
            return self._repeat(least, most, child, flags, following)
        if op is ops.SUBPATTERN:
            _, added, removed, child = argument
            return self._sequence(child, (flags | added) & ~removed, following)
        if op is ops.BRANCH:
            choices = tuple(self._sequence(child, flags, following) for child in argument[1])
            return self._state(None, None, choices)
        if op is ops.AT:
            return self._state(None, argument, (following,))
        return self._state(_letter(op, argument, flags), None, (following,))

    def _repeat(self, least: int, most: Any, child: Any, flags: int, following: int) -> int:
        if most is ops.MAXREPEAT:
            again = self._state(None, None, ())
            self._next[again] = (self._sequence(child, flags, again), following)
            following = again
        else:
            leave = following
            for _ in range(most - least):
                following = self._state(None, None, (self._sequence(child, flags, following), leave))
        for _ in range(least):
            following = self._sequence(child, flags, following)
        return following


def _letter(op: Any, argument: Any, flags: int) -> _Test:
    """Whether a letter is the one, or one of those, that the pattern has here."""
    if op is ops.ANY:
        return (lambda letter: True) if flags & re.DOTALL else (lambda letter: letter != "\n")
    items = argument if op is ops.IN else [(ops.LITERAL, argument)]
    negated = op is ops.NOT_LITERAL or (op is ops.IN and items[0][0] is ops.NEGATE)
    tests = [_member(kind, value) for kind, value in items if kind is not ops.NEGATE]
    if flags & re.IGNORECASE:
        return lambda letter: (
            negated != any(test(each) for test in tests for each in (letter, letter.lower(), letter.upper()))
        )
    return lambda letter: negated != any(test(letter) for test in tests)


def _member(kind: Any, value: Any) -> _Test:
    if kind is ops.RANGE:
        low, high = map(chr, value)
        return lambda letter: low <= letter <= high
    if kind is ops.CATEGORY:
        return _CATEGORIES[value]
    wanted = chr(value)
    return lambda letter: letter == wanted


def _is_digit(letter: str) -> bool:
    return "0" <= letter <= "9"


def _is_space(letter: str) -> bool:
    return letter in " \t\n\r\f\v"


def _is_word(letter: str) -> bool:
    return letter == "_" or (letter.isascii() and letter.isalnum())


_CATEGORIES: dict[Any, _Test] = {
    ops.CATEGORY_DIGIT: _is_digit,
    ops.CATEGORY_NOT_DIGIT: lambda letter: not _is_digit(letter),
    ops.CATEGORY_SPACE: _is_space,
    ops.CATEGORY_NOT_SPACE: lambda letter: not _is_space(letter),
    ops.CATEGORY_WORD: _is_word,
    ops.CATEGORY_NOT_WORD: lambda letter: not _is_word(letter),
}


def _is_at(place: Any, text: str, position: int) -> bool:
    """Whether ``^``, ``$``, ``\\b`` or ``\\B`` holds between two letters; None holds everywhere."""
    if place is None:
        return True
    if place in (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING):
        return position == 0
    if place in (ops.AT_END, ops.AT_END_STRING):
        return position == len(text)
    before = position > 0 and _is_word(text[position - 1])
    after = position < len(text) and _is_word(text[position])
    return (before != after) == (place is ops.AT_BOUNDARY)
