"""What every test gets without asking: a leak check, Hypothesis profiles, a printed seed, and no silent skip in CI.

**Leaks.**  An autouse fixture at function and at module scope compares threads, descriptors and mapped data files
before and after.  An autouse fixture is set up before, and torn down after, the other fixtures of its scope, so the
inner one covers a test with its own fixtures and the outer one what a module shares.  The comparison costs about half
a millisecond; garbage is collected only when something seems to be left over, because a leak is what survives that.

**Seeds.**  The ``seed`` fixture gives each test its own number, drawn from ``EMBEDKAFKA_SEED`` (default: a constant, so
that a plain run repeats itself) and from the test's name; both are printed when the test fails.

**Amounts.**  ``EMBEDKAFKA_FULL=1`` selects Hypothesis' long profile; ``.ci/full`` sets it.
"""

from __future__ import annotations

import gc
import os
import re
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

# -- seeds and amounts -------------------------------------------------------------------------------------------------

BASE_SEED = int(os.environ.get("EMBEDKAFKA_SEED", "20260101"))
IS_FULL = os.environ.get("EMBEDKAFKA_FULL", "") not in ("", "0")
IS_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")

_unhurried = [hypothesis.HealthCheck.too_slow]  # machines are shared: slow data generation says nothing about the code

# Deadlines are off for the same reason.  The short profile repeats itself exactly, so that a red run is about the
# change and not about luck; the long one explores, and Hypothesis prints the seed and the failing example.
hypothesis.settings.register_profile(
    "short", max_examples=40, deadline=None, derandomize=True, print_blob=True, suppress_health_check=_unhurried
)
hypothesis.settings.register_profile(
    "full", max_examples=2_000, deadline=None, print_blob=True, suppress_health_check=_unhurried
)
hypothesis.settings.load_profile("full" if IS_FULL else "short")


def pytest_report_header() -> list[str]:
    lines = [f"seed: EMBEDKAFKA_SEED={BASE_SEED}; Hypothesis profile: {'full' if IS_FULL else 'short'}"]
    if not _HAS_PROC:
        lines.append("leak check: threads only, because this platform has no /proc to list descriptors and mappings")
    return lines


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A 32-bit number of this test's own; a failing test's report shows how to get the same one again."""
    value = zlib.crc32(request.node.nodeid.encode()) ^ (BASE_SEED & 0xFFFFFFFF)
    request.node.add_report_section("setup", "seed", f"seed {value}; again with EMBEDKAFKA_SEED={BASE_SEED}")
    return value


# -- leaks -------------------------------------------------------------------------------------------------------------

_HAS_PROC = Path("/proc/self/fd").is_dir() and Path("/proc/self/maps").is_file()

# Libuv keeps a pipe for signals from the first loop of a process on; it is the process's, not the first test's.
try:
    import uvloop
except ImportError:
    pass
else:
    uvloop.new_event_loop().close()

# A thread that was told to stop and joined is gone at once; this is for one whose last bytecodes are still running.
_GRACE_S = 0.5

# Mapped for the interpreter's own sake, whenever something is imported or a locale is used; never a test's data.
_PREFIXES = "|".join(re.escape(prefix) for prefix in {sys.prefix, sys.base_prefix})
_PROGRAM_FILE = re.compile(rf"\.so(\.[\w.]+)?$|\.cache$|^\[|^/(usr|lib|lib64|etc)/|^({_PREFIXES})/")


@dataclass(frozen=True)
class Held:
    """What this process holds right now, each thing with a name that a person can act on."""

    threads: frozenset[threading.Thread]
    descriptors: frozenset[tuple[int, str]]
    mappings: frozenset[tuple[str, str]]

    @staticmethod
    def now() -> Held:
        return Held(frozenset(threading.enumerate()), frozenset(_descriptors()), frozenset(_mappings()))

    def beyond(self, before: Held) -> list[str]:
        """Describe what is held now and was not then."""
        found = [f"thread {thread!r}" for thread in self.threads - before.threads]
        found += [f"descriptor {number} -> {target}" for number, target in self.descriptors - before.descriptors]
        found += [f"mapping {address} of {path}" for address, path in self.mappings - before.mappings]
        return sorted(found)


def _descriptors() -> Iterator[tuple[int, str]]:
    if not _HAS_PROC:
        return
    for name in os.listdir("/proc/self/fd"):
        try:
            yield int(name), os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:  # the descriptor of the listing itself, closed by now
            continue


def _mappings() -> Iterator[tuple[str, str]]:
    if not _HAS_PROC:
        return
    with open("/proc/self/maps", "rb") as maps:
        lines = maps.read().splitlines()
    for line in lines:  # address perms offset device inode path; anonymous memory has no path
        fields = line.split(None, 5)
        if len(fields) == 6:
            path = os.fsdecode(fields[5])
            if not _PROGRAM_FILE.search(path):
                yield os.fsdecode(fields[0].split(b"-")[0]), path


_reported: set[str] = set()


def _check_leaks(where: str) -> Iterator[None]:
    before = Held.now()
    yield
    left = Held.now().beyond(before)
    deadline = time.monotonic() + _GRACE_S
    while left:
        gc.collect()
        left = [description for description in Held.now().beyond(before) if description not in _reported]
        if time.monotonic() > deadline:
            break
        if left:
            time.sleep(0.01)
    if left:
        _reported.update(left)  # the module around this test need not say it again
        pytest.fail(f"{where} left behind:\n  " + "\n  ".join(left), pytrace=False)


@pytest.fixture(autouse=True, scope="module")
def _module_leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    yield from _check_leaks(request.node.nodeid)


@pytest.fixture(autouse=True)
def _test_leaves_nothing_behind(request: pytest.FixtureRequest, _module_leaves_nothing_behind: None) -> Iterator[None]:
    yield from _check_leaks(request.node.nodeid)


# -- skips -------------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    _refuse_skip(report, item.nodeid)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report = yield
    _refuse_skip(report, collector.nodeid)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport, nodeid: str) -> None:
    """In CI a test that did not run is a failure: a green run has to mean that everything was checked."""
    if IS_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{nodeid} was skipped, and in CI a skip is a failure: {reason}"
