"""The compiled codec and the plain one: the same names, parameters and defaults, and the same words about them.

Where the plain one is in use it is compared with itself, which says nothing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from embedkafka.record import _codec_py, _cursor_py, _send_py, codec

PLAIN: list[ModuleType] = [_codec_py, _cursor_py, _send_py]
NAMES = sorted(name for name in codec.__all__ if name not in ("Record", "is_compiled"))
TUPLE_METHODS = {"count", "index"}  # what the plain ConsumerRecord has from NamedTuple


def plain(name: str) -> Any:
    return next(vars(module)[name] for module in PLAIN if vars(module).get(name) is not None)


def public(owner: Any) -> dict[str, Any]:
    return {name: found for name, found in vars(owner).items() if not name.startswith("_")}


def parameters(function: Any) -> list[tuple[str, bool, Any]]:
    """Names, whether they have to be named, and defaults; ``self`` is positional in compiled code."""
    return [
        (each.name, each.kind is each.KEYWORD_ONLY, each.default)
        for each in inspect.signature(function).parameters.values()
    ]


def words(documented: Any) -> list[str]:
    return (inspect.getdoc(documented) or "").split()


def pairs() -> Iterator[tuple[str, Any, Any]]:
    """Every public function and method, compiled and plain."""
    for name in NAMES:
        compiled, other = getattr(codec, name), plain(name)
        if not inspect.isclass(other):
            yield name, compiled, other
            continue
        for method, found in public(other).items():
            if inspect.isfunction(found):
                yield f"{name}.{method}", vars(compiled)[method], found


@pytest.mark.parametrize("name", NAMES)
def test_a_class_has_the_same_public_names(name: str) -> None:
    compiled, other = getattr(codec, name), plain(name)
    if not inspect.isclass(other):
        return
    assert inspect.isclass(compiled)
    declared = set(public(other)) | set(getattr(other, "__slots__", ())) | set(inspect.get_annotations(other))
    made_in_init = set(re.findall(r"self\.([a-z]\w*)(?::[^=]+)? = ", inspect.getsource(other)))
    assert set(public(other)) - TUPLE_METHODS <= set(public(compiled))
    assert set(public(compiled)) - TUPLE_METHODS <= declared | made_in_init


@pytest.mark.parametrize(("compiled", "other"), [pair[1:] for pair in pairs()], ids=[pair[0] for pair in pairs()])
def test_a_function_has_the_same_parameters_and_the_same_words(compiled: Any, other: Any) -> None:
    assert parameters(compiled) == parameters(other)
    if not _refers_to_the_plain_one(compiled):
        assert words(compiled) == words(other)


@pytest.mark.parametrize("name", NAMES)
def test_a_class_is_described_in_the_same_words(name: str) -> None:
    compiled, other = getattr(codec, name), plain(name)
    if not inspect.isclass(other) or name == "ConsumerRecord" or _refers_to_the_plain_one(compiled):
        return  # ConsumerRecord is a named tuple in plain Python, whose fields describe themselves
    assert words(compiled) == words(other)
    for attribute, found in public(other).items():
        if isinstance(found, property):
            assert words(vars(compiled)[attribute]) == words(found), attribute


def _refers_to_the_plain_one(compiled: Any) -> bool:
    found = re.search(r"``_(?:codec|cursor|send)_py\.(\w+)``", inspect.getdoc(compiled) or "")
    return found is not None and inspect.getdoc(plain(found[1])) is not None
