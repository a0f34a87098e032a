"""The ``demo`` command: runs the steps, tells what happened, checks it against the input."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embedkafka.cli import text
from embedkafka.cli.exits import CliError, ExitCode
from embedkafka.cli.program import program_words, shell_line
from embedkafka.cli.session import DataOption, JsonOption, Session, command

if TYPE_CHECKING:
    from embedkafka.cli.demo.source import Source
    from embedkafka.cli.demo.steps import Crash, GroupRun, Produced

DEFAULT_NAME = "embedkafka-demo"


@dataclass(frozen=True)
class Check:
    """One thing that must hold."""

    name: str
    holds: bool
    detail: str


@command
def demo(
    repeat: Annotated[int, typer.Option("--repeat", min=1, help="Send the text so many times.")] = 10,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Watch real text flow through topics, partitions and groups, survive a crash and be read again.

    The data stays: in a fresh ./embedkafka-demo, or in --data DIR, which must not be there yet or be empty.
    """
    session = Session(data, as_json)
    directory = _directory(session)
    show = _Narrator(session)
    from embedkafka import EmbeddedKafka
    from embedkafka.cli.demo import source as sources
    from embedkafka.cli.demo import steps

    started = time.perf_counter()
    source = sources.load(repeat)
    show.opening(source, repeat)
    with EmbeddedKafka(directory) as kafka:
        steps.create_topics(kafka)
        with session.out.progress("producing", len(steps.TOPICS) * len(source.lines)) as advance:
            produced = [steps.produce(kafka, topic, source, advance) for topic in steps.TOPICS]
        show.produced(produced)
        with session.out.progress("reading", 2 * len(steps.TOPICS) * len(source.lines)) as advance:
            groups = steps.read_in_groups(kafka, source, advance)
        show.groups(groups)
    with session.out.progress("reading in a process of its own, to be killed"):
        crash = steps.kill_a_reader(directory, source)
    reopening = time.perf_counter()
    with EmbeddedKafka(directory) as kafka:
        crash.reopen_s = time.perf_counter() - reopening
        left = len(source.lines) - crash.committed.records
        with session.out.progress("resuming", left) as advance:
            steps.resume(kafka, crash, advance)
    show.crash(crash)
    checks = list(_checks(source, produced, groups, crash))
    elapsed_s = time.perf_counter() - started
    if session.out.as_json:
        session.out.json(_as_json(directory, source, produced, groups, crash, checks, elapsed_s))
    else:
        show.checks(checks)
        show.commands(directory)
    if not all(check.holds for check in checks):
        raise CliError("the counts do not agree with the input", f"the data is in {directory}; please report this")


def _directory(session: Session) -> Path:
    if not session.has_data:
        number = 1
        path = Path(DEFAULT_NAME)
        while path.exists():
            number += 1
            path = Path(f"{DEFAULT_NAME}-{number}")
        return path
    path = session.data
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CliError(f"{path} is there and not empty", "the demo wants a directory of its own", ExitCode.USAGE)
    return path


def _checks(source: Source, produced: list[Produced], groups: list[GroupRun], crash: Crash) -> Iterator[Check]:
    lines = len(source.lines)
    for topic in produced:
        yield Check(f"{topic.topic} holds every line", topic.records == lines, f"{topic.records:,} of {lines:,}")
    for run in groups:
        same = run.keyed == source.keyed and run.unkeyed == source.unkeyed
        yield Check(f"group {run.group} read every line once", same, f"{run.records:,} of {2 * lines:,}")
        in_order = run.by_chapter == source.by_chapter()
        yield Check(f"group {run.group} read each chapter in order", in_order, f"{len(run.by_chapter)} chapters")
    yield Check(
        "the group resumed where it had committed",
        crash.resumed_at == crash.committed_offsets,
        f"{sum(crash.resumed_at.values()):,} of {lines:,}",
    )
    together = crash.committed.plus(crash.resumed)
    yield Check("killed and resumed reader together saw every line", together == source.keyed, f"{together.records:,}")


class _Narrator:
    """Tells the demo's story to a person; says nothing with ``--json``."""

    def __init__(self, session: Session) -> None:
        self._out = session.out
        self._silent = session.out.as_json

    def _say(self, line: str = "") -> None:
        if not self._silent:
            self._out.line(line)
            self._out.flush()

    def _heading(self, title: str) -> None:
        self._say()
        self._say(self._out.styled(title, "bold"))

    def opening(self, source: Source, repeat: int) -> None:
        from embedkafka.cli.version import version_line

        self._say(version_line())
        times = f" {repeat} times over" if repeat > 1 else ""
        self._say(
            f"input: Python's help() text, {source.chapters} chapters{times}: "
            f"{len(source.lines):,} lines, {text.size(source.size_bytes)}"
        )

    def produced(self, produced: list[Produced]) -> None:
        self._heading("1. Produce: the same lines to two topics of 4 partitions")
        for topic in produced:
            keys = "key = chapter" if topic.topic == "text-by-chapter" else "no key"
            rate = text.rate(topic.records, topic.elapsed_s)
            self._say(f"   {topic.topic:<16} {keys:<14} {topic.records:>9,} records  {rate:>12}")
            spread = " ".join(f"{count:>7,}" for count in topic.per_partition)
            self._say(f"   {'':<16} per partition: {spread}")
        self._say("   Without a key, lines spread. With one, a chapter stays together, in order.")

    def groups(self, groups: list[GroupRun]) -> None:
        self._heading("2. Consume: two groups at the same time, each reads both topics")
        for run in groups:
            shares = " ".join(f"{count:>7,}" for count in run.per_consumer)
            rate = text.rate(run.records, run.elapsed_s)
            self._say(f"   {run.group:<16} {run.consumers} consumers    {run.records:>9,} records  {rate:>12}")
            self._say(f"   {'':<16} per consumer:  {shares}")
        words = next(run.words for run in groups if run.words)
        common = ", ".join(f"{text.printable(word)} {count:,}" for word, count in words.most_common(3))
        self._say(f"   Reading removes nothing. Most frequent: {common}")

    def crash(self, crash: Crash) -> None:
        self._heading("3. Crash: a consumer is killed and its group goes on")
        self._say(f"   process {crash.process_id} read {crash.read.records:,} lines as group reader,")
        self._say(f"   committed {crash.committed.records:,} of them, and was killed (SIGKILL)")
        self._say(f"   the directory opened again in {text.duration(crash.reopen_s)}")
        self._say(
            f"   the group went on where it had committed: {crash.read_again:,} lines again, "
            f"{crash.resumed.records - crash.read_again:,} new"
        )

    def checks(self, checks: list[Check]) -> None:
        self._heading("4. Checks against the input")
        for check in checks:
            verdict = self._out.styled("ok   ", "green") if check.holds else self._out.styled("WRONG", "red")
            self._say(f"   {verdict}  {check.name:<50} {check.detail:>18}")

    def commands(self, directory: Path) -> None:
        size_bytes = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
        self._heading(f"The data stays in {directory} ({text.size(size_bytes)}). Look around:")
        for words in look_around(directory):
            self._say(f"   {words}")


def look_around(directory: Path) -> list[str]:
    """Command lines to paste, each of which works on what the demo wrote."""
    data = ["-d", str(directory)]
    template = "{offset} {key}: {value}"
    program = program_words()
    return [
        shell_line([*program, "topics", "describe", *data]),
        shell_line([*program, "consume", "text-by-chapter", "-n", "5", "--format", template, *data]),
        shell_line([*program, "groups", "describe", "reader", *data]),
        "echo hello | " + shell_line([*program, "produce", "text", *data]),
        shell_line([*program, "groups", "describe", "index", *data]),
        shell_line([*program, "consume", "text", "--group", "index", *data]),
        shell_line([*program, "log", "dump", "text-0", *data]),
        shell_line([*program, "log", "verify", *data]),
    ]


def _as_json(
    directory: Path,
    source: Source,
    produced: list[Produced],
    groups: list[GroupRun],
    crash: Crash,
    checks: list[Check],
    elapsed_s: float,
) -> dict[str, Any]:
    return {
        "data": str(directory),
        "lines": len(source.lines),
        "elapsed_s": round(elapsed_s, 3),
        "produced": [
            {
                "topic": topic.topic,
                "records": topic.records,
                "elapsed_s": round(topic.elapsed_s, 6),
                "per_partition": topic.per_partition,
            }
            for topic in produced
        ],
        "groups": [
            {
                "group": run.group,
                "records": run.records,
                "elapsed_s": round(run.elapsed_s, 6),
                "per_consumer": run.per_consumer,
            }
            for run in groups
        ],
        "crash": {
            "read": crash.read.records,
            "committed": crash.committed.records,
            "read_again": crash.read_again,
            "resumed": crash.resumed.records,
            "reopen_s": round(crash.reopen_s, 6),
        },
        "checks": [{"name": check.name, "holds": check.holds, "detail": check.detail} for check in checks],
        "ok": all(check.holds for check in checks),
    }
