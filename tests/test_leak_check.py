"""The suite's own safety net catches what it is there for (tests/conftest.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="descriptors and mappings are listed from /proc")

PREAMBLE = """
import mmap, os, threading, time, pytest
kept = []
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run a test file under this suite's conftest, in a process of its own, and give its outcome."""
    monkeypatch.delenv("CI", raising=False)
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text())

    def run(source: str) -> pytest.RunResult:
        pytester.makepyfile(PREAMBLE + source)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider")

    return run


def test_a_test_that_leaves_nothing_passes(run):
    result = run("""
def test_clean(tmp_path):
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    (tmp_path / "data").write_bytes(b"x" * 4096)
    with open(tmp_path / "data", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        assert view[0] == 120
""")
    result.assert_outcomes(passed=1)


def test_a_leaked_thread_is_caught(run):
    result = run("""
def test_leak():
    kept.append(threading.Event())
    threading.Thread(target=kept[0].wait, name="forgotten-housekeeper", daemon=True).start()
""")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*test_leak left behind:*", "*thread*forgotten-housekeeper*"])


@needs_proc
def test_a_leaked_descriptor_is_caught(run):
    result = run("""
def test_leak(tmp_path):
    kept.append(open(tmp_path / "forgotten.log", "wb"))
""")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*descriptor * -> *forgotten.log*"])


@needs_proc
def test_a_leaked_mapping_is_caught_after_its_file_is_deleted(run):
    result = run("""
def test_leak(tmp_path):
    path = tmp_path / "00000000000000000000.log"
    path.write_bytes(b"x" * 4096)
    descriptor = os.open(path, os.O_RDONLY)
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    # A bare mmap(2): Python's own keeps a descriptor too, which would hide whether mappings are looked at.
    kept.append(libc.mmap(None, ctypes.c_size_t(4096), 1, 2, descriptor, ctypes.c_long(0)))
    os.close(descriptor)
    path.unlink()
""")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*mapping * of *00000000000000000000.log (deleted)*"])
    result.stdout.no_fnmatch_line("*  descriptor *")


@needs_proc
def test_what_a_reference_cycle_holds_is_not_a_leak(run):
    result = run("""
def test_cycle(tmp_path):
    class Holder: pass
    holder = Holder()
    holder.me, holder.file = holder, open(tmp_path / "cycle", "wb")
""")
    result.assert_outcomes(passed=1)


@needs_proc
def test_a_module_fixture_may_hold_on_to_things_only_until_its_module_ends(run):
    result = run("""
@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    kept.append(open(tmp_path_factory.mktemp("m") / "shared.log", "wb"))

def test_one(shared): pass
def test_two(shared): pass
""")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*descriptor * -> *shared.log*"])


def test_in_ci_a_skipped_test_is_a_failure(run, monkeypatch):
    monkeypatch.setenv("CI", "true")
    result = run("""
@pytest.mark.skip(reason="no Java here")
def test_skipped(): pass
""")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*in CI a skip is a failure: *no Java here*"])


def test_in_ci_a_skipped_module_is_a_failure(run, monkeypatch):
    monkeypatch.setenv("CI", "true")
    result = run("""
pytest.skip("no Java here", allow_module_level=True)
""")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*in CI a skip is a failure: *no Java here*"])


def test_outside_ci_a_skip_is_a_skip(run):
    result = run("""
@pytest.mark.skip(reason="no Java here")
def test_skipped(): pass
""")
    result.assert_outcomes(skipped=1)


def test_a_failing_test_shows_its_seed_and_the_same_base_gives_the_same_one(run, monkeypatch):
    monkeypatch.setenv("EMBEDKAFKA_SEED", "7")
    source = """
def test_random(seed): assert seed is None
"""
    shown = [[line for line in run(source).outlines if "again with EMBEDKAFKA_SEED=7" in line] for _ in range(2)]
    assert shown[0]
    assert shown[0] == shown[1]
