"""What a run prints and keeps: a table and verdicts for people, JSON and a plot in ``benchmarks/results/``."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks._harness import CPU, WALL, Outcome

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("embedkafka", "confluent-kafka", "lmdb", "persist-queue", "crc32c", "cramjam", "Cython")


def print_outcome(outcome: Outcome) -> None:
    claim = outcome.claim
    print(f"\n{claim.name}: {claim.about}" + ("   [quick: figures mean little]" if outcome.quick else ""))
    unit = outcome.median("E", CPU)
    heads = ["", "records", "k records/s", "wall ns", "CPU ns", *(["CPU / E"] if unit else []), *claim.show]
    rows = [heads]
    for contender in claim.contenders:
        if contender.name not in outcome.samples:
            rows.append([f"{contender.name} ({contender.kind})", f"needs {contender.needs}"])
            continue
        count = outcome.samples[contender.name][0].count
        wall, cpu = outcome.median(contender.name, WALL), outcome.median(contender.name, CPU)
        row = [f"{contender.name} ({contender.kind})", f"{count:,}" if count else ""]
        row += [f"{1e6 / wall:,.0f}" if wall else "", _number(wall), _number(cpu)]
        if unit:
            row.append(f"{cpu / unit:.2f}" if cpu is not None else "")
        row += [_number(outcome.median(contender.name, quantity)) for quantity in claim.show]
        rows.append(row)
    _print_rows(rows)
    for verdict in outcome.verdicts():
        word = {True: "met   ", False: "MISSED", None: "-     "}[verdict.is_met]
        print(f"  {word} {verdict.goal.text}: {verdict.shown}")


def print_summary(outcomes: list[Outcome]) -> None:
    verdicts = [verdict for outcome in outcomes for verdict in outcome.verdicts()]
    met = sum(verdict.is_met is True for verdict in verdicts)
    missed = [verdict for verdict in verdicts if verdict.is_met is False]
    print(f"\n{met} goals met, {len(missed)} missed, {len(verdicts) - met - len(missed)} not measured")
    for verdict in missed:
        print(f"  missed: {verdict.goal.text}: {verdict.shown}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _print_rows(rows: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(len(rows[0]))]
    for row in rows:
        first, *rest = row
        cells = [first.ljust(widths[0]), *(cell.rjust(widths[column]) for column, cell in enumerate(rest, 1))]
        print("  " + "  ".join(cells).rstrip())


def save(outcome: Outcome) -> Path:
    """Write ``results/<claim>.json`` with everything needed to judge or repeat the run, and its plot."""
    RESULTS.mkdir(exist_ok=True)
    claim = outcome.claim
    path = RESULTS / f"{claim.name}.json"
    content = {
        "claim": claim.name,
        "about": claim.about,
        "quick": outcome.quick,
        "surroundings": surroundings(),
        "samples": {
            name: [{"records": one.count, "wall_s": one.wall_s, "cpu_s": one.cpu_s, **one.values} for one in samples]
            for name, samples in outcome.samples.items()
        },
        "missing": list(outcome.missing),
        "goals": [
            {"goal": verdict.goal.text, "measured": verdict.shown, "met": verdict.is_met}
            for verdict in outcome.verdicts()
        ],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    _plot(outcome, path.with_suffix(".png"))
    return path


def surroundings() -> dict[str, Any]:
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": _commit(),
        "python": sys.version.split()[0],
        "implementation": platform.python_implementation(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "cores": os.cpu_count(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "compiled": _is_compiled(),
        "versions": versions,
    }


def _is_compiled() -> bool:
    from embedkafka.record import is_compiled

    return is_compiled()


def _commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def summarise(path: Path) -> None:
    """Write what ``results/`` holds as one page: every goal with what was measured, every contender's median."""
    results = [json.loads(file.read_text()) for file in sorted(RESULTS.glob("*.json"))]
    whole = [result for result in results if not result["quick"]]
    lines = [
        "# What was measured",
        "",
        "Written by `python -m benchmarks --summary FILE` from `results/`; each goal stands in its claim's file.",
        "E is an empty Python method called with the same keyword arguments, in the same run.",
    ]
    for result in whole:
        about = result["surroundings"]
        versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items() if version)
        lines += ["", f"## {result['claim']}", "", result["about"][0].upper() + result["about"][1:] + ".", ""]
        rounds = min(len(samples) for samples in result["samples"].values())
        lines.append(
            f"{about['time'][:10]}, commit {about['commit']}, {rounds} rounds, Python {about['python']}, "
            f"{about['cores']} cores {about['machine']}, load {about['load'][0]:.1f}; {versions}."
        )
        if result["goals"]:
            lines += ["", "| goal | measured | |", "|---|---|---|"]
            words = {True: "met", False: "**missed**", None: "not measured"}
            lines += [f"| {one['goal']} | {one['measured']} | {words[one['met']]} |" for one in result["goals"]]
        lines += ["", "| | wall ns a record | CPU ns a record | other |", "|---|---|---|---|"]
        for name, samples in result["samples"].items():
            times = [
                f"{statistics.median(1e9 * one[key] / one['records'] for one in samples):,.0f}"
                if samples[0]["records"]
                else ""
                for key in ("wall_s", "cpu_s")
            ]
            extra = set(samples[0]) - {"records", "wall_s", "cpu_s", "thread_ns"}
            others = [f"{key} {_number(statistics.median(one[key] for one in samples))}" for key in sorted(extra)]
            lines.append(f"| {name} | {times[0]} | {times[1]} | {', '.join(others)} |")
    path.write_text("\n".join(lines) + "\n")


_COLOURS = {"project": "#1b6ca8", "peer": "#b0b0b0", "bound": "#2e8b57", "unit": "#d9d9d9"}


def _plot(outcome: Outcome, path: Path) -> None:
    try:
        import matplotlib as mpl
    except ImportError:
        return
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    is_timed = any(outcome.median(name, WALL) for name in outcome.samples)
    quantity = WALL if is_timed else outcome.claim.show[0]
    bars = [
        (contender, value)
        for contender in reversed(outcome.claim.contenders)
        if (value := outcome.median(contender.name, quantity)) is not None
    ]
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.4 * len(bars)), layout="constrained")
    axes.barh(
        [contender.name for contender, _ in bars],
        [value for _, value in bars],
        color=[_COLOURS[contender.kind] for contender, _ in bars],
    )
    axes.set_xscale("log")
    axes.set_xlabel("nanoseconds per record, wall time (log)" if quantity == WALL else f"{quantity} (log)")
    axes.set_title(outcome.claim.about, fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)
