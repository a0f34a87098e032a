"""Run confluent-kafka-python's own integration tests against a broker.

    python tests/foreign/confluent_kafka_python.py CHECKOUT 127.0.0.1:9092 --json results/confluent.ours.json

CHECKOUT is the repository confluentinc/confluent-kafka-python; the interpreter needs confluent-kafka of that version,
trivup, and what the requirements name.  Left out is what needs a broker of its own with SASL; what needs a schema
registry fails.
The suite expects group.share.record.lock.duration.ms=1000, an authorizer with allow.everyone.if.no.acl.found=true, and
no rules yet.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import outcomes

FOLDERS = ("admin", "consumer", "producer", "share_consumer")


def main() -> int:
    parser = outcomes.parser(__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to run the suite with")
    parser.add_argument("-k", dest="select", default="", help="pytest's -k")
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.xml")
        environment = {**os.environ, "BROKERS": options.address}
        command = [options.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=120"]
        command += [f"--junit-xml={report}", "--deselect=tests/integration/admin/test_describe_operations.py"]
        command += [*(f"tests/integration/{folder}" for folder in FOLDERS)]
        command += ["-k", options.select] if options.select else []
        subprocess.run(command, cwd=checkout, env=environment, check=False, stdout=sys.stderr)
        found = outcomes.of_junit(report)
    if options.json:
        version = outcomes.commit_of(checkout)
        outcomes.write(options.json, "confluent-kafka-python", version, "without SASL and schema registry", found)
    return outcomes.report(found)


if __name__ == "__main__":
    sys.exit(main())
