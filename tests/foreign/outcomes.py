"""What every script here writes: one JSON file per suite and broker, test by test.

``{"suite": ..., "version": ..., "settings": ..., "tests": {name: {"outcome": ..., "seconds": ..., "why": ...}}}``

The outcomes are ``passed``, ``failed`` and ``skipped``; a test that was run several times keeps every outcome that it
had, joined by ``/``.  `render.py` makes RESULTS.md of these files.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, dataclass
from pathlib import Path

_ADDRESS = re.compile(r"\b(127\.0\.0\.1|localhost)[:/]\d+")
_FOLDERS = re.compile(r"(?<![\w/])(?:/[\w.@+-]+)+/")
_WHY_LENGTH = 300


@dataclass(frozen=True)
class Outcome:
    outcome: str
    seconds: float = 0.0
    why: str = ""


def parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments that all suites share."""
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("checkout", type=Path, help="the suite's repository, checked out (and built, where it is C)")
    arguments.add_argument("address", help="host:port of the broker")
    arguments.add_argument("--json", type=Path, help="write the outcomes here, over older ones of the same tests")
    return arguments


def tidy(why: str) -> str:
    """One line without ports and folders, so that two runs of the same failure read alike."""
    return _FOLDERS.sub("", _ADDRESS.sub(r"\1:PORT", " ".join(why.split())))[:_WHY_LENGTH]


def of_junit(report: Path) -> dict[str, Outcome]:
    """Outcomes by ``file::test`` from a report in JUnit's format."""
    outcomes: dict[str, Outcome] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        place = case.get("classname", "").removeprefix("test.integration.").removeprefix("tests.")
        name = f"{place.replace('.', '/')}::{case.get('name')}"
        seconds = round(float(case.get("time") or 0), 2)
        outcome = Outcome("passed", seconds)
        for child in case:
            if child.tag in ("failure", "error"):
                outcome = Outcome("failed", seconds, tidy(child.get("message") or child.text or ""))
            elif child.tag == "skipped":
                outcome = Outcome("skipped", seconds, tidy(child.get("message") or ""))
        outcomes[name] = outcome
    return outcomes


def write(path: Path, suite: str, version: str, settings: str, outcomes: dict[str, Outcome]) -> None:
    """Put outcomes into a file; tests of it that were not run this time stay."""
    tests = json.loads(path.read_text())["tests"] if path.is_file() else {}
    tests.update({name: asdict(outcome) for name, outcome in outcomes.items()})
    content = {"suite": suite, "version": version, "settings": settings, "tests": dict(sorted(tests.items()))}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def report(outcomes: dict[str, Outcome]) -> int:
    """Print the outcomes and give the exit code: 1 when a test failed."""
    for name, outcome in sorted(outcomes.items()):
        print(f"{outcome.outcome:8} {outcome.seconds:8.2f} s  {name}  {outcome.why}".rstrip())
    failed = sum("failed" in outcome.outcome for outcome in outcomes.values())
    passed = sum(outcome.outcome == "passed" for outcome in outcomes.values())
    print(f"{passed} passed, {failed} failed, {len(outcomes) - passed - failed} skipped")
    return 1 if failed else 0


def commit_of(checkout: Path) -> str:
    """What ``git describe`` calls the checkout."""
    done = subprocess.run(
        ["git", "-C", str(checkout), "describe", "--tags", "--always"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
