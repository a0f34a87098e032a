"""Regular expressions of peers: the same answers as Python's ``re``, and never a long wait."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.coordinator.patterns import Automaton, compile_pattern, parser

LETTERS = ["a", "b", "A", "1", "_", "-", ".", "é"]


def patterns() -> st.SearchStrategy[str]:
    """Patterns of everything that is supported."""
    letter = st.sampled_from(["a", "b", "1", "_", "é", r"\.", ".", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S"])
    several = st.sampled_from(["[ab]", "[^a]", "[a-z]", "[^0-9_]", r"[\d-]", r"[^\w.]"])
    place = st.sampled_from(["^", "$", r"\b", r"\B", r"\A", r"\Z"])
    return st.recursive(
        letter | several | place,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3).map("".join)
            | st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})")
            | inner.map(lambda one: f"(?i:{one})")
            | st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{2}", "{0,2}", "{1,}"])).map(
                lambda pair: f"(?:{pair[0]}){pair[1]}"
            )
        ),
        max_leaves=6,
    )


@given(patterns(), st.lists(st.sampled_from(LETTERS), min_size=1, max_size=6).map("".join))
def test_an_automaton_matches_what_re_matches(pattern: str, text: str) -> None:
    expected = re.compile(pattern, re.ASCII).fullmatch(text) is not None
    assert (Automaton(parser.parse(pattern, re.ASCII)).fullmatch(text) is not None) == expected
    assert (compile_pattern(pattern).fullmatch(text) is not None) == expected


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+", "a" * 248 + "!"),
        ("(a|aa)+b", "a" * 249),
        ("(a*)*b", "a" * 249),
        (".*.*.*.*.*.*x", "a" * 249),
        ("a?" * 60 + "a" * 60, "a" * 59),
        ("(x{1,30}){1,30}y", "x" * 249),
        ("(.*)(.*)(.*)(.*)(.*)[^a]", "a" * 249),
    ],
)
def test_a_pattern_that_would_go_back_for_ever_is_answered_at_once(pattern: str, text: str) -> None:
    began = time.monotonic()
    assert compile_pattern(pattern).fullmatch(text) is None
    assert time.monotonic() - began < 5  # `re` would take years; the machine may be busy


@pytest.mark.parametrize(
    "pattern", ["orders", "orders-.*", "(orders|payments)-[a-z]+", r"v\d{2}", "[a-z]+-.*", "(?i)Or.*"]
)
def test_a_usual_pattern_is_the_libraries_own(pattern: str) -> None:
    assert isinstance(compile_pattern(pattern), re.Pattern)


@pytest.mark.parametrize("pattern", ["(?=a)", "(?!a)b", "(?<=a)b", r"(a)\1", "(?P<x>a)(?P=x)", "(a)?(?(1)b|c)"])
def test_what_re2_does_not_have_is_refused(pattern: str) -> None:
    with pytest.raises(re.error):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(", "[a", "*", "a{2,1}", "(" * 5_000 + ")" * 5_000, "a" * 10_001, "((a{50}){50}){50}", "a{99999999999}"],
)
def test_what_is_no_pattern_or_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(re.error):
        compile_pattern(pattern)
