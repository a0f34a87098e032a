"""Regular expressions of peers: what matches, and that none takes long, with RE2 and without."""

from __future__ import annotations

import re
import time

import pytest

from embedkafka.coordinator import patterns
from embedkafka.coordinator.patterns import compile_pattern

HARMLESS = (".*.*x",)


@pytest.fixture(autouse=True, params=["re2", "re"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both that a pattern may be matched by."""
    name: str = request.param
    if name == "re":
        monkeypatch.setattr(patterns, "library", lambda: None)
    assert name == "re" or patterns.library() is not None, "google-re2 is in the test extra"
    compile_pattern.cache_clear()
    return name


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("orders", ["orders"], ["orders2", "order", ""]),
        ("orders-.*", ["orders-", "orders-1"], ["orders"]),
        ("(orders|payments)-[a-z]+", ["orders-x", "payments-yz"], ["orders-1", "bills-x"]),
        (r"v\d{2}", ["v12"], ["v1", "v123"]),
        ("(?i)Or.*", ["oR", "ORDERS"], ["ro"]),
        ("[^_].*", ["a", "a_"], ["_a", ""]),
        ("^a.+z$", ["abz"], ["az", "abzz!"]),
        (r"a\.b?", ["a.", "a.b"], ["axb"]),
    ],
)
def test_a_pattern_matches_whole_names(pattern: str, matching: list[str], other: list[str]) -> None:
    compiled = compile_pattern(pattern)
    assert all(compiled.fullmatch(name) is not None for name in matching)
    assert all(compiled.fullmatch(name) is None for name in other)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+", "a" * 248 + "!"),
        ("(a|aa)+b", "a" * 249),
        ("(a*)*b", "a" * 249),
        (".*.*.*.*.*.*x", "a" * 249),
        (".*.*x", "a" * 249),
        ("a?" * 60 + "a" * 60, "a" * 59),
        ("(.*)(.*)(.*)(.*)(.*)[^a]", "a" * 249),
    ],
)
def test_no_pattern_takes_long(library: str, pattern: str, text: str) -> None:
    began = time.monotonic()
    if library == "re2" or pattern in HARMLESS:
        assert compile_pattern(pattern).fullmatch(text) is None
    else:
        with pytest.raises(re.error, match="google-re2"):
            compile_pattern(pattern)
    assert time.monotonic() - began < 5  # it would be years; the machine may be busy


@pytest.mark.parametrize("pattern", ["(?=a)", "(?!a)b", "(?<=a)b", r"(a)\1", "(?P<x>a)(?P=x)", "(a)?(?(1)b|c)"])
def test_what_re2_does_not_have_is_refused(pattern: str) -> None:
    with pytest.raises(re.error):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(", "[a", "*", "a{2,1}", "a" * 10_001, "((a{50}){50}){50}"],
    ids=lambda pattern: pattern[:20],
)
def test_what_is_no_pattern_or_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(re.error):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(" * 5_000 + ")" * 5_000, "a{99999999999}"], ids=["deep", "long"])
def test_what_is_too_large_for_re_breaks_nothing(library: str, pattern: str) -> None:
    if library == "re2":
        assert compile_pattern(pattern).fullmatch("b") is None
    else:
        with pytest.raises(re.error):
            compile_pattern(pattern)


def test_with_re2_a_pattern_has_kafkas_syntax(library: str) -> None:
    if library == "re2":
        assert compile_pattern(r"\pL+\z").fullmatch("abc") is not None
        assert compile_pattern(r"\Qa.b\E.*").fullmatch("a.bc") is not None
