"""Run kafka-python's own integration tests against a broker.

    python tests/foreign/kafka_python.py CHECKOUT 127.0.0.1:9092 --json results/kafka-python.ours.json

CHECKOUT is the repository dpkp/kafka-python.  The interpreter that runs this (or ``--python``) needs kafka-python from
that checkout, pytest, pytest-mock, pytest-timeout, mock, py, and the compression packages.

The suite expects a broker with these settings: node.id=0, auto.create.topics.enable=true,
group.min.session.timeout.ms=1000, group.initial.rebalance.delay.ms=0, an authorizer with
allow.everyone.if.no.acl.found=true.  Its SASL and SSL tests start brokers of their own and are left out (12 tests
with the one for brokers before 0.10.1).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import outcomes

OWN_BROKERS = ("test_sasl_integration.py", "test_ssl_integration.py")


def main() -> int:
    parser = outcomes.parser(__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to run the suite with")
    parser.add_argument("-k", dest="select", default="", help="pytest's -k")
    parser.add_argument("--net", default="", help="kafka-python's network backend: selector, asyncio, ...")
    options = parser.parse_args()
    options.checkout = options.checkout.resolve()
    tests = options.checkout / "test" / "integration"
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.xml")
        environment = {
            **os.environ,
            "KAFKA_URI": f"kafka://{options.address}",
            "KAFKA_VERSION": "4.3.1",
            "KAFKA_ROOT": scratch,  # where a broker of its own would be: the suite only looks whether it exists
            "KAFKA_PYTHON_NET": options.net,
        }
        command = [options.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=120", tests]
        command += [f"--ignore={tests / name}" for name in OWN_BROKERS]
        command += [f"--junit-xml={report}", *(["-k", options.select] if options.select else [])]
        subprocess.run(command, cwd=options.checkout, env=environment, check=False, stdout=sys.stderr)
        found = outcomes.of_junit(report)
    if options.json:
        version = outcomes.commit_of(options.checkout)
        outcomes.write(options.json, "kafka-python", version, "without SASL and SSL", found)
    return outcomes.report(found)


if __name__ == "__main__":
    sys.exit(main())
