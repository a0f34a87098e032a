"""Run the tests of a project in Go against a broker.

    python tests/foreign/go_suite.py CHECKOUT localhost:9092 --suite kafka-go --json results/kafka-go.ours.json

The suites are segmentio/kafka-go, whose tests take no other address than localhost:9092, segmentio/topicctl and
ThreeDotsLabs/watermill-kafka.  CHECKOUT is the repository; what it needs comes from the module proxy.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import NamedTuple

import outcomes
from outcomes import Outcome

_RESULT = re.compile(r"^ *--- (PASS|FAIL|SKIP): (\S+) \(([\d.]+)s\)$", re.MULTILINE)
_OUTCOMES = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}


class Suite(NamedTuple):
    """How a project's tests are run; ``ADDRESS`` in the environment stands for the broker's."""

    packages: tuple[str, ...]
    environment: dict[str, str]
    left_out: str = ""
    flags: tuple[str, ...] = ()
    settings: str = ""


SUITES = {
    "kafka-go": Suite(
        (".",),
        {"KAFKA_SKIP_NETTEST": "1", "KAFKA_VERSION": "2.4.1"},
        # These take the coordinator of a group that they have not started, and so end the program that runs the tests.
        left_out="TestReaderConsumerGroup/(consumer_group_commits_on_close|verify_offset_committed)",
        settings="node.id 1",
    ),
    "topicctl": Suite(
        tuple(f"./pkg/{name}" for name in ("acl", "admin", "apply", "check", "cli", "groups", "messages")),
        {
            "KAFKA_TOPICS_TEST_KAFKA_ADDR": "ADDRESS",
            "KAFKA_TOPICS_TEST_BROKER_ADMIN": "1",
            "KAFKA_TOPICS_TEST_BROKER_ADMIN_SECURITY": "1",
        },
        flags=("-p=1",),
        settings="one broker where it expects six",
    ),
    "watermill-kafka": Suite(
        ("./pkg/kafka",), {"WATERMILL_TEST_KAFKA_BROKERS": "ADDRESS"}, flags=("-short",), settings="short"
    ),
}


def main() -> int:
    parser = outcomes.parser(__doc__)
    parser.add_argument("--suite", choices=SUITES, required=True)
    parser.add_argument("--limit", default="10m", help="how long it may take")
    options = parser.parse_args()
    suite = SUITES[options.suite]
    environment = {name: value.replace("ADDRESS", options.address) for name, value in suite.environment.items()}
    command = ["go", "test", "-mod=mod", "-count=1", "-v", f"-timeout={options.limit}", *suite.flags]
    command += [f"-skip={suite.left_out}"] if suite.left_out else []
    done = subprocess.run(
        [*command, *suite.packages],
        cwd=options.checkout.resolve(),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stderr.write(done.stdout + done.stderr[-2000:])
    found = {name: Outcome(_OUTCOMES[result], float(taken)) for result, name, taken in _RESULT.findall(done.stdout)}
    if options.json:
        version = outcomes.commit_of(options.checkout)
        outcomes.write(options.json, options.suite, version, suite.settings, found)
    return outcomes.report(found) or done.returncode


if __name__ == "__main__":
    sys.exit(main())
