"""Run claims: ``python -m benchmarks [name ...] [--quick] [--rounds N] [--list]``."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from benchmarks import _report
from benchmarks._harness import Claim


def names() -> list[str]:
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def claim(name: str) -> Claim:
    found = importlib.import_module(f"benchmarks.{name}").CLAIM
    assert isinstance(found, Claim)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what embedkafka claims.")
    parser.add_argument("names", nargs="*", metavar="name", help="default: all")
    parser.add_argument("--quick", action="store_true", help="few records, two rounds: shows that it runs")
    parser.add_argument("--rounds", type=int, help="default 5, which is the least that counts")
    parser.add_argument("--list", action="store_true", help="name the claims")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    parser.add_argument(
        "--summary", type=Path, metavar="FILE", help="run nothing: write what results/ holds as Markdown"
    )
    options = parser.parse_args()
    if options.summary:
        _report.summarise(options.summary)
        return 0
    unknown = set(options.names) - set(names())
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    chosen = options.names or names()
    if options.list:
        for name in chosen:
            print(f"{name:<14} {claim(name).about}")
        return 0

    outcomes = []
    for name in chosen:
        outcome = claim(name).measure(quick=options.quick, rounds=options.rounds, announce=_announce)
        _announce("")
        _report.print_outcome(outcome)
        _report.save(outcome)
        outcomes.append(outcome)
    _report.print_summary(outcomes)
    return int(options.strict and any(verdict.is_met is False for one in outcomes for verdict in one.verdicts()))


def _announce(text: str) -> None:
    """A line that overwrites itself, for people who watch."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
