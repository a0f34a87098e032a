"""Run librdkafka's own network tests against a broker.

    python tests/foreign/librdkafka.py CHECKOUT 127.0.0.1:9092 --json results/librdkafka.ours.json

CHECKOUT is the repository confluentinc/librdkafka with its ``tests/test-runner`` built, and ``make KAFKA_PATH=...`` run
in its ``tests/java``, for the one test that writes with Kafka's own client.  Each test file runs in a process of its
own (``--jobs`` at a time), because a test that hangs ends the whole runner.

``--group-protocol consumer`` runs the tests over KIP-848 instead of the classic protocol, ``--scenario`` picks the
runner's scenario: ``default`` wants auto.create.topics.enable=true and num.partitions=4, ``noautocreate`` the former
false.  The suite's own cluster sets group.share.min.record.lock.duration.ms=1000 and an authorizer with
allow.everyone.if.no.acl.found=true.

The suite's own cluster has three brokers.  ``--one-replica`` compiles and preloads `one_replica.c`, so that topics for
three are made on one; some tests of transactions, credentials and regular expressions need nothing else of a cluster.

``--secured FILE`` runs them by another protocol against the broker that `secured.py` started: ``--protocol SASL_SSL
--mechanism SCRAM-SHA-256``, say.  ADDRESS is then that broker's PLAINTEXT one, for Kafka's command line tools, which
some tests call and which the suite gives no user.  The user is ``admin``; the client shows its certificate.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import outcomes
import secured
from outcomes import Outcome

# Only tests that a broker takes part in are of interest; these say so in their table, but run a mock broker.
_MOCKS = re.compile(r"_mock$|_local$")
_TABLE_ENTRY = re.compile(r"_TEST\((\w+),\s*((?:[A-Z_0-9]+(?:\s*\|\s*)?)+)(.*?)(?=_TEST\(|\{NULL\})", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m|\x1b\(B")
_LIMIT_S = 900

# The states of the runner's report.
_STATES = {"PASSED": "passed", "FAILED": "failed", "RUNNING": "failed", "SKIPPED": "skipped", "DNS": "skipped"}


def network_tests(checkout: Path, scenario: str) -> dict[str, list[str]]:
    """The names of the tests that need a broker, by the number that selects them."""
    table = (checkout / "tests" / "test.c").read_text().partition("struct test tests[]")[2]
    numbers: dict[str, list[str]] = {}
    for name, flags, rest in _TABLE_ENTRY.findall(table):
        scenarios = re.search(r'\.scenario = "([\w,]+)"', rest)
        is_wanted = scenario in (scenarios.group(1) if scenarios else "default").split(",")
        if is_wanted and not re.search("LOCAL|MANUAL|KNOWN_ISSUE(?!_)", flags) and not _MOCKS.search(name):
            numbers.setdefault(name[:4], []).append(name)
    return numbers


class Runner:
    """Runs the tests of one number in a process of its own."""

    def __init__(self, checkout: Path, configuration: str, environment: dict[str, str], flags: list[str]) -> None:
        self._tests = checkout.resolve() / "tests"
        self._configuration = configuration
        self._environment = environment
        self._flags = flags

    def run(self, number: str, names: list[str]) -> dict[str, Outcome]:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            Path(scratch, "test.conf").write_text(self._configuration)
            output = Path(scratch, "output")
            with output.open("wb") as sink:
                code = self._execute(scratch, number, sink)
            said = _COLOUR.sub("", output.read_text(errors="replace"))
            report = Path(scratch, "report.json")
            found = _of_report(report, names) if report.is_file() else {}
        for name in names:
            if name not in found:
                found[name] = Outcome("failed", round(time.monotonic() - started, 1), f"the runner ended with {code}")
            if found[name].outcome != "passed":
                found[name] = Outcome(found[name].outcome, found[name].seconds, outcomes.tidy(_why(said, name)))
        self._keep(number, said, found)
        return found

    def _execute(self, scratch: str, number: str, sink: object) -> int | str:
        libraries = os.pathsep.join(str(self._tests.parent / folder) for folder in ("src", "src-cpp"))
        environment = {
            **os.environ,
            **self._environment,
            "LD_LIBRARY_PATH": libraries,
            "TESTS": number,
            "TEST_REPORT": str(Path(scratch, "report.json")),
            "TEST_KAFKA_VERSION": "4.3.1",
            "RDKAFKA_TEST_CONF": str(Path(scratch, "test.conf")),
        }
        environment.pop("CI", None)  # the runner would stretch its time limits
        command = [self._tests / "test-runner", "-L", "-p1", *self._flags]
        try:
            return subprocess.run(
                command, cwd=self._tests, env=environment, stdout=sink, stderr=subprocess.STDOUT, timeout=_LIMIT_S
            ).returncode  # type: ignore[call-overload]
        except subprocess.TimeoutExpired:
            return f"a limit of {_LIMIT_S} s"

    def _keep(self, number: str, said: str, found: dict[str, Outcome]) -> None:
        """Keep what a failing test said, where EMBEDKAFKA_FOREIGN_OUTPUT names a folder."""
        folder = os.environ.get("EMBEDKAFKA_FOREIGN_OUTPUT")
        if folder and any(outcome.outcome == "failed" for outcome in found.values()):
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder, f"{number}.txt").write_text(said)


def _of_report(report: Path, names: list[str]) -> dict[str, Outcome]:
    text = report.read_text(errors="replace")
    found: dict[str, Outcome] = {}
    for name in names:
        # Not parsed as JSON: what tests add to their entries is not always valid.
        entry = re.search(rf'"name": "{name}", "state": "(\w+)".*?"duration": ([\d.]+)', text)
        if entry:
            found[name] = Outcome(_STATES[entry.group(1)], round(float(entry.group(2)), 1))
    return found


def _why(said: str, name: str) -> str:
    """The line of the summary, else the first line that tells of a failure."""
    summary = re.search(rf"\| +{name} +\| +\w+ \| +[\d.]+s +\|(.*)", said)
    if summary and summary.group(1).strip():
        return summary.group(1)
    for sign in (r"TEST FAILURE\n.*\n.*", r"(?:failed: |assert.*failed|[Aa]ssertion).*(?:\n.*)?"):
        failure = re.search(sign, said)
        if failure:
            return failure.group(0).removeprefix("TEST FAILURE\n")
    return said[-200:]


def _login(told: dict[str, Any], protocol: str, mechanism: str) -> list[str]:
    """How a client of librdkafka connects, as the suite's own cluster would tell it."""
    folder = Path(told["folder"])
    lines = [f"bootstrap.servers={told['addresses'][protocol]}", f"security.protocol={protocol}"]
    if protocol.startswith("SASL"):
        lines += [f"sasl.mechanism={mechanism}", "sasl.username=admin", "sasl.password=admin"]
    if protocol.endswith("SSL"):
        lines += [
            f"ssl.ca.location={folder / 'ca.crt'}",
            f"ssl.certificate.location={folder / 'client-chain.crt'}",
            f"ssl.key.location={folder / 'client-protected.key'}",
            f"ssl.key.password={told['password']}",
        ]
    return lines


def _certificates(told: dict[str, Any]) -> dict[str, str]:
    """Where the test of certificates looks for them, by the names that the suite's own cluster gives them."""
    files = {
        "SSL_pkcs": "client.pfx",
        "SSL_pub_pem": "client-chain.crt",
        "SSL_pub_der": "client.der",
        "SSL_priv_pem": "client-protected.key",
        "SSL_priv_der": "client-key.der",
        "SSL_ca_pem": "ca.crt",
        "SSL_ca_der": "ca.der",
        "SSL_all_cas_pem": "all-cas.crt",
    }
    paths = {name: str(Path(told["folder"], file)) for name, file in files.items()}
    return {**paths, "SSL_password": told["password"], "SSL_client_auth": "required"}


def main() -> int:
    parser = outcomes.parser(__doc__)
    parser.add_argument("--tests", default="", help="numbers, separated by commas; by default all that need a broker")
    parser.add_argument("--jobs", type=int, default=2, help="test files at a time")
    parser.add_argument("--scenario", default="default")
    parser.add_argument("--group-protocol", choices=("classic", "consumer"), default="classic")
    parser.add_argument("--kafka", type=Path, help="an Apache Kafka installation: some tests call its kafka-topics.sh")
    parser.add_argument("--quick", action="store_true", help="the runner's -Q: fewer iterations, less data")
    parser.add_argument("--idempotent", action="store_true", help="the runner's -P: enable.idempotence=true everywhere")
    parser.add_argument("--one-replica", action="store_true", help="make topics for three brokers on the only one")
    parser.add_argument("--secured", type=Path, help="secured.json of the broker")
    parser.add_argument("--protocol", choices=secured.PROTOCOLS[1:], default="SASL_SSL", help="with --secured")
    parser.add_argument("--mechanism", choices=secured.MECHANISMS, default="SCRAM-SHA-256", help="with --secured")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a line for test.conf")
    options = parser.parse_args()

    numbers = network_tests(options.checkout, options.scenario)
    if options.tests:
        unknown = set(options.tests.split(",")) - numbers.keys()
        if unknown:
            parser.error(f"no tests that need a broker: {', '.join(sorted(unknown))}")
        numbers = {number: numbers[number] for number in options.tests.split(",")}
    lines = ["broker.address.family=v4", "test.timeout.multiplier=2"]
    environment = {"TEST_CONSUMER_GROUP_PROTOCOL": options.group_protocol, "TEST_SCENARIO": options.scenario}
    if options.secured:
        told = json.loads(options.secured.read_text())
        lines += _login(told, options.protocol, options.mechanism)
        environment |= _certificates(told)
        options.kafka = options.kafka or Path(told["installation"])
    else:
        lines.append(f"bootstrap.servers={options.address}")
    lines += options.set
    if options.kafka:
        environment |= {"KAFKA_PATH": str(options.kafka.resolve()), "BROKERS": options.address}
    scratch = tempfile.TemporaryDirectory()
    if options.one_replica:
        library = Path(scratch.name, "one_replica.so")
        source = Path(__file__).with_name("one_replica.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        environment["LD_PRELOAD"] = str(library)
    flags = [*(["-Q"] if options.quick else []), *(["-P"] if options.idempotent else [])]
    runner = Runner(options.checkout, "\n".join(lines) + "\n", environment, flags)
    settings = f"scenario {options.scenario}, group protocol {options.group_protocol}, {' '.join(flags) or 'full'}"
    if options.one_replica:
        settings += ", one replica"
    if options.secured:
        settings += f", {options.protocol}{' ' + options.mechanism if options.protocol.startswith('SASL') else ''}"
    version = outcomes.commit_of(options.checkout)
    found: dict[str, Outcome] = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        for result in pool.map(lambda item: runner.run(*item), numbers.items()):
            found.update(result)
            for name, outcome in result.items():
                print(json.dumps([name, outcome.outcome, outcome.seconds, outcome.why]), file=sys.stderr, flush=True)
            if options.json:  # after each, so that a run that is ended leaves what it has
                outcomes.write(options.json, "librdkafka", version, settings, result)
    return outcomes.report(found)


if __name__ == "__main__":
    sys.exit(main())
