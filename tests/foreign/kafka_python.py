"""Run kafka-python's own integration tests against a broker.

    python tests/foreign/kafka_python.py CHECKOUT 127.0.0.1:9092 --json results/kafka-python.ours.json

CHECKOUT is the repository dpkp/kafka-python.  The interpreter that runs this (or ``--python``) needs kafka-python from
that checkout, pytest, pytest-mock, pytest-timeout, mock, py, and the compression packages.

The suite expects a broker with these settings: node.id=0, auto.create.topics.enable=true,
group.min.session.timeout.ms=1000, group.initial.rebalance.delay.ms=0, an authorizer with
allow.everyone.if.no.acl.found=true.

Its SASL and SSL tests (11) start brokers of their own: SASL_PLAINTEXT with each mechanism, and SSL.  They run with
``--installation FOLDER``, an installation of Kafka or one that `installation.py` made, whose ``bin`` they call; they
need ``keytool`` and ``openssl``, and no broker at the address.  Each runs in a process of its own, because the suite
keeps its brokers until the end.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import outcomes
from outcomes import Outcome

TESTS = Path("test", "integration")
OWN_BROKERS = ("test_sasl_integration.py", "test_ssl_integration.py")
SASL_TESTS = ("admin", "produce_and_consume", "client")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
SETTINGS = "SASL and SSL tests with brokers that the suite starts"


def main() -> int:
    parser = outcomes.parser(__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to run the suite with")
    parser.add_argument("-k", dest="select", default="", help="pytest's -k")
    parser.add_argument("--installation", type=Path, help="run the SASL and SSL tests, which start its brokers")
    parser.add_argument("--net", default="", help="kafka-python's network backend: selector, asyncio, ...")
    options = parser.parse_args()
    options.checkout = options.checkout.resolve()
    found = _with_own_brokers(options) if options.installation else _at_the_address(options)
    if options.json:
        version = outcomes.commit_of(options.checkout)
        outcomes.write(options.json, "kafka-python", version, SETTINGS, found)
    return outcomes.report(found)


def _at_the_address(options: argparse.Namespace) -> dict[str, Outcome]:
    with tempfile.TemporaryDirectory() as scratch:
        # KAFKA_ROOT is where a broker of its own would be: the suite only looks whether it exists.
        environment = {"KAFKA_URI": f"kafka://{options.address}", "KAFKA_ROOT": scratch}
        ignored = [f"--ignore={TESTS / name}" for name in OWN_BROKERS]
        return _pytest(options, environment, [str(TESTS), *ignored])


def _with_own_brokers(options: argparse.Namespace) -> dict[str, Outcome]:
    environment = {"KAFKA_ROOT": str(options.installation.resolve())}
    found: dict[str, Outcome] = {}
    for name in OWN_BROKERS:
        for mechanism in MECHANISMS if "sasl" in name else ("",):
            select = [f"test_{test}[{mechanism}]" for test in SASL_TESTS] if mechanism else [""]
            for test in select:
                place = str(TESTS / name)
                found |= _pytest(options, environment, [f"{place}::{test}" if test else place])
    return found


def _pytest(options: argparse.Namespace, environment: dict[str, str], arguments: list[str]) -> dict[str, Outcome]:
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.xml")
        command = [options.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=300", *arguments]
        command += [f"--junit-xml={report}", *(["-k", options.select] if options.select else [])]
        inherited = {name: value for name, value in os.environ.items() if name != "KAFKA_URI"}
        settings = {"KAFKA_VERSION": "4.3.1", "KAFKA_PYTHON_NET": options.net}
        subprocess.run(
            command, cwd=options.checkout, env={**inherited, **settings, **environment}, check=False, stdout=sys.stderr
        )
        return outcomes.of_junit(report)


if __name__ == "__main__":
    sys.exit(main())
