"""Run Kafka's command line tools against two brokers and tell where they end or print differently.

    python tests/foreign/java_tools.py 127.0.0.1:29092 127.0.0.1:9092 [--only "topics"] [--json results/java-tools]

The first address is Apache Kafka's, the second ours; `java_steps.py` is what is run.  A step passes on Kafka when it
ends, and on ours when code and output are Kafka's, but for what cannot be the same: ids, times, addresses,
measurements.  ``--json`` writes ``java-tools.kafka.json`` and ``java-tools.ours.json``.  Needs Java and Maven; one
virtual machine runs all.
"""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import outcomes
from confluent_kafka import Producer
from java_steps import SCENARIOS, Finish, OpenTransaction, Step

_TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_TESTS))

from real_kafka.jars import KafkaJars, compiled  # noqa: E402 - found by the line before
from server.clients.java_tools import JavaTools, Tool  # noqa: E402

_STEP_LIMIT_S = 60.0
_UNTIL_LIMIT_S = 20.0

_TIDY = [
    (re.compile(r"\b(127\.0\.0\.1|localhost)(/127\.0\.0\.1)?:\d+"), "BROKER"),
    (re.compile(r"[\w.-]+-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}|\b[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}"), "MEMBER"),
    (re.compile(r"\b1[6-9]\d{11}\b"), "TIME"),
    (re.compile(r"127\.0\.0\.1\s+\d+\b"), "BROKER"),
    (re.compile(r"\b(TIME\s+)\d+|\b(Epoch: )\d+"), r"\1\2N"),
    (re.compile(r"\b[\d.]+ (ms|MB/sec|records/sec)\b"), r"N \1"),
    (re.compile(r"(Percentiles: |Avg latency: ).*"), r"\1N"),
    (re.compile(r'"(logDir|log_dirs)":(\["|")[^"]*'), r'"\1":\2DIRECTORY'),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,:]\d{3}"), "TIME"),
    (re.compile(r"(TopicId: |Cluster ID: |ClusterId: +|name \x27)[\w-]{22}\b"), r"\1ID"),
    (re.compile(r"(?<![\w-])[\w-]{21}[AEIMQUYcgkosw048](?![\w-])"), "ID"),
    (re.compile(r"(?<=\d)\.\d+\b|\b\d+\.\d+\b"), "N"),
    (re.compile(r"(\w+Exception: ).*"), r"\1..."),  # Kafka's sentences are not ours
    (re.compile(r"(Error while executing [\w-]+ command ?: ).*"), r"\1..."),
    (re.compile(r"\t+| +"), " "),
    (re.compile(r"-{3,}"), "---"),
]


# What Java's hash tables hold comes in another order each time.
_UNORDERED = re.compile(r"(?<=operations \[)[^]]*|(?<=states are: ).*|(?<=groups \()[^)]*")


class Ran(NamedTuple):
    """How a step ended, and what it printed."""

    code: int | None
    lines: list[str]
    seconds: float

    @property
    def text(self) -> str:
        return "\n".join([f"exit {self.code}", *self.lines])


class Broker:
    """One of the two brokers, and what this run calls things on it."""

    def __init__(self, jars: KafkaJars, address: str, scratch: Path) -> None:
        self.address = address
        self.tools = JavaTools(jars, address)
        self._scratch = scratch
        self._run = f"{time.time_ns() % 36**7:x}"
        self._waiting: list[Tool] = []
        self._producers: list[Producer] = []

    def run(self, scenario: str, step: Step | OpenTransaction | Finish) -> Ran | None:
        """Run a step; one that goes on in the background has nothing to compare."""
        prefix = f"{re.sub('[^a-z]', '', scenario)[:9]}{self._run}"
        if isinstance(step, OpenTransaction):
            self._begin(self._named(step.topic, prefix), self._named(step.transactional_id, prefix))
            return None
        if isinstance(step, Finish):
            for tool in self._waiting:
                _wait(tool)
            self._waiting.clear()
            return None
        return self._run_tool(prefix, step)

    def _run_tool(self, prefix: str, step: Step) -> Ran | None:
        files = {name: self._file(prefix, name, content) for name, content in {"none": "", **step.files}.items()}
        text = self._named(step.arguments, prefix)
        for name, path in files.items():
            text = text.replace(f"{{file:{name}}}", str(path))
        arguments = shlex.split(text.replace("'", "\\'"))
        started = time.monotonic()
        while True:
            tool = self.tools.start(step.tool, *arguments, text=step.text)
            if step.background:
                self._waiting.append(tool)
                return None
            _wait(tool)
            lines = [self._tidy(line, prefix) for line in [*tool.output, *tool.errors]]
            until = self._tidy(self._named(step.until, prefix), prefix)
            if re.search(until, "\n".join(lines)) or time.monotonic() - started > _UNTIL_LIMIT_S:
                break
        kept = re.compile(self._tidy(self._named(step.keep, prefix), prefix))
        lines = [line for line in lines if kept.search(line) and line and not line.startswith(("at ", "... "))]
        if not step.has_numbers:
            lines = [re.sub(r"\b\d+\b", "N", line) for line in lines]
        code = None if tool.code is None else tool.code & 255
        return Ran(code, lines if step.is_sorted else sorted(lines), time.monotonic() - started)

    def _begin(self, topic: str, transactional_id: str) -> None:
        producer = Producer({"bootstrap.servers": self.address, "transactional.id": transactional_id})
        producer.init_transactions()
        producer.begin_transaction()
        producer.produce(topic, b"open", partition=0)
        producer.flush()
        self._producers.append(producer)

    def _named(self, text: str, prefix: str) -> str:
        return re.sub(r"\{(\w+)\}", rf"{prefix}-\1", text)

    def _file(self, prefix: str, name: str, content: str) -> Path:
        path = self._scratch / f"{prefix}-{name}"
        path.write_text(self._named(content, prefix))
        return path

    def _tidy(self, line: str, prefix: str) -> str:
        line = line.replace(str(self._scratch), "").replace(prefix, "NAME")
        for pattern, instead in _TIDY:
            line = pattern.sub(instead, line)
        return _UNORDERED.sub(lambda found: ", ".join(sorted(found[0].split(", "))), line).strip()


def _wait(tool: Tool) -> None:
    try:
        tool.wait_for(lambda: tool.code is not None)
    except AssertionError:
        tool.errors.append("does not end")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kafka", help="host:port of Apache Kafka's broker")
    parser.add_argument("ours", help="host:port of our broker")
    parser.add_argument("--only", default="", help="a part of the names of the scenarios to run")
    parser.add_argument("--json", type=Path, help="write PATH.kafka.json and PATH.ours.json")
    options = parser.parse_args()
    found: dict[str, dict[str, outcomes.Outcome]] = {"kafka": {}, "ours": {}}
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(2) as pool:
        folders = [Path(scratch, name) for name in ("classes", "kafka", "ours")]
        for folder in folders:
            folder.mkdir()
        jars = compiled([_TESTS / "server" / "clients" / "java" / "Tools.java"], folders[0])
        brokers = [Broker(jars, options.kafka, folders[1]), Broker(jars, options.ours, folders[2])]
        for scenario, steps in SCENARIOS.items():
            if options.only not in scenario:
                continue
            for number, step in enumerate(steps):
                theirs, ours = pool.map(lambda each: each.run(scenario, step), brokers)  # noqa: B023 - used up at once
                if theirs is None or ours is None or not isinstance(step, Step):
                    continue
                name = f"{scenario} {number:02}: {step.tool} {step.arguments}"
                why = _difference(theirs, ours)
                print(f"{'differs' if why else 'same':8}{name}", flush=True)
                if why:
                    print(why, flush=True)
                ended = "failed" if "does not end" in theirs.lines else "passed"
                found["kafka"][name] = outcomes.Outcome(ended, round(theirs.seconds, 2))
                outcome = "failed" if why else "passed"
                found["ours"][name] = outcomes.Outcome(outcome, round(ours.seconds, 2), outcomes.tidy(why))
        for broker in brokers:
            broker.tools.close()
    if options.json:
        for which, of_broker in found.items():
            path = options.json.with_name(f"{options.json.name}.{which}.json")
            outcomes.write(path, "java-tools", "4.3.1", "code and output compared", of_broker)
    return outcomes.report(found["ours"])


def _difference(theirs: Ran, ours: Ran) -> str:
    if theirs.text == ours.text:
        return ""
    lines = difflib.unified_diff(theirs.text.splitlines(), ours.text.splitlines(), lineterm="", n=0)
    return "\n".join(f"    {line}" for line in list(lines)[2:] if not line.startswith("@@"))


if __name__ == "__main__":
    sys.exit(main())
