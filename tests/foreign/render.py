"""Write RESULTS.md from the outcomes in results/: real Kafka beside ours, test by test.

    python tests/foreign/render.py

A suite's outcomes are ``NAME.kafka.json`` and ``NAME.ours.json``; ``meanings.json`` says, by suite and test, what a
failure means.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from outcomes import tidy

HERE = Path(__file__).parent
_SHOWN = {
    "passed": "pass",
    "failed": "**fail**",
    "passed/failed": "**pass or fail**",
    "skipped": "skip",
    None: "not run",
}

_INTRODUCTION = """\
# What other projects' tests say

Suites of other projects, run against one broker of Apache Kafka 4.3.1 and against `embedkafka serve`, with the same
settings. The scripts beside this file run them and write `results/*.json`; `render.py` makes this table of those.
The checkouts are not part of this repository.

Settings, of both: one broker, node.id 0, `num.partitions=4` (aiokafka: 2), `group.min.session.timeout.ms=1000`,
`group.share.min.record.lock.duration.ms=1000`, `group.initial.rebalance.delay.ms=0`,
`authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer`,
`allow.everyone.if.no.acl.found=true`, `super.users=User:admin`; Kafka with `share.version=1` and one replica of
its own topics, ours with `--memory`. confluent-kafka-python: `group.share.record.lock.duration.ms=1000`, too.

With SASL and SSL: `secured.py` starts either broker from one `server.properties`, with a listener for each protocol,
users of PLAIN and SCRAM, certificates of clients required on SSL, and `connections.max.reauth.ms=10000`.
kafka-python's tests of SASL and SSL start brokers themselves, from an installation of Kafka: `installation.py` makes
a folder that looks like one and whose broker is either. Left out are GSSAPI and OAUTHBEARER, which need a service
beside the broker and which ours does not offer.

librdkafka, "one replica": topics that its tests want on three brokers are made on one (`one_replica.c`), for both.
"pass or fail": run more than once, with both outcomes.
"""


def main() -> None:
    meanings = json.loads((HERE / "meanings.json").read_text())
    names = sorted({path.name.partition(".")[0] for path in (HERE / "results").glob("*.json")})
    suites = [(name, _load(name, "kafka"), _load(name, "ours")) for name in names]
    lines = [_INTRODUCTION, "| suite | version | settings | real Kafka | ours |", "|---|---|---|---|---|"]
    for name, theirs, ours in suites:
        lines.append(f"| {name} | {ours['version']} | {ours['settings']} | {_count(theirs)} | {_count(ours)} |")
    for name, theirs, ours in suites:
        lines += ["", f"## {name}", "", "| test | real Kafka | ours | what a failure means |", "|---|---|---|---|"]
        for test in sorted(theirs["tests"].keys() | ours["tests"].keys()):
            outcomes = [suite["tests"].get(test) for suite in (theirs, ours)]
            shown = [_SHOWN[each and each["outcome"]] for each in outcomes]
            why = _why(meanings.get(name, {}), test, outcomes)
            lines.append(f"| {test.replace('|', ' ')} | {shown[0]} | {shown[1]} | {why} |")
    (HERE / "RESULTS.md").write_text("\n".join(lines) + "\n")


def _load(name: str, broker: str) -> dict[str, Any]:
    path = HERE / "results" / f"{name}.{broker}.json"
    if not path.is_file():
        return {"version": "", "settings": "", "tests": {}}
    return dict(json.loads(path.read_text()))


def _count(suite: dict[str, Any]) -> str:
    outcomes = [each["outcome"] for each in suite["tests"].values()]
    passed, either, skipped = (outcomes.count(kind) for kind in ("passed", "passed/failed", "skipped"))
    failed = len(outcomes) - passed - either - skipped
    return f"{passed} passed, {f'{either} pass or fail, ' if either else ''}{failed} failed, {skipped} skipped"


def _why(meanings: dict[str, str], test: str, outcomes: list[Any]) -> str:
    """What is known of a test that did not pass on both brokers."""
    if all(each and each["outcome"] == "passed" for each in outcomes):
        return ""
    if test in meanings:
        return meanings[test]
    reasons = [each["why"] for each in outcomes if each and each["outcome"] != "passed" and each["why"]]
    return tidy(reasons[-1]).replace("|", " ")[:200] if reasons else ""


if __name__ == "__main__":
    main()
