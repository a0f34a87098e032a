"""Run the tests of @platformatic/kafka's clients against a broker.

    python tests/foreign/platformatic_kafka.py CHECKOUT 127.0.0.1:9092 --sasl 127.0.0.1:9095 --json results/....json

CHECKOUT is the repository platformatic/kafka after ``npm install --ignore-scripts``, for Node.js 24 or later (--node).
Its tests count on a single broker, a cluster of three and one that asks for users, all at fixed ports of localhost; a
file that is loaded first leads those to the addresses given here.  So what needs three brokers fails.  Left out are the
tests of Kerberos, of OAUTHBEARER and of schema registries.

The suite expects the user admin (admin), connections.max.reauth.ms=5000, group.consumer.heartbeat.interval.ms=200 and
group.consumer.min.heartbeat.interval.ms=100.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import outcomes

_LEAD_TO = """
const net = require('net')
const addresses = %s
for (const name of ['connect', 'createConnection']) {
  const original = net[name]
  net[name] = (first, ...rest) => {
    if (typeof first === 'number') return original({ port: first, host: rest.shift(), ...addresses[first] }, ...rest)
    return original({ ...first, ...addresses[first.port] }, ...rest)
  }
}
require('module').syncBuiltinESMExports()
"""
_PLAIN, _SASL = (9001, 9011, 9012, 9013, 19002), (9002,)
_LEFT_OUT = ("oauthbearer", "gssapi")


def main() -> int:
    parser = outcomes.parser(__doc__)
    parser.add_argument("--sasl", required=True, help="host:port of the same broker's listener that asks for users")
    parser.add_argument("--node", default="node", help="the Node.js to run the suite with")
    parser.add_argument("--files", default="test/clients/**/*.test.ts", help="glob of the test files to run")
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    files = [each for each in sorted(checkout.glob(options.files)) if not any(out in each.name for out in _LEFT_OUT)]
    with tempfile.TemporaryDirectory() as scratch:
        lead_to, report = Path(scratch, "lead_to.cjs"), Path(scratch, "report.xml")
        lead_to.write_text(_LEAD_TO % json.dumps(_led(options.address, options.sasl)))
        command = [options.node, f"--require={lead_to}", "--test", "--test-concurrency=2", "--test-timeout=120000"]
        command += ["--test-reporter=junit", f"--test-reporter-destination={report}", *map(str, files)]
        environment = {**os.environ, "KAFKA_VERSION": "8.1.0", "NODE_OPTIONS": f"--require={lead_to}"}
        subprocess.run(command, cwd=checkout, env=environment, check=False, stdout=sys.stderr)
        found = outcomes.of_junit(report)
    if options.json:
        version = outcomes.commit_of(checkout)
        outcomes.write(options.json, "platformatic-kafka", version, "clients, with SASL; one broker of three", found)
    return outcomes.report(found)


def _led(plain: str, sasl: str) -> dict[int, dict[str, str | int]]:
    """Where each of the suite's ports leads to."""
    led: dict[int, dict[str, str | int]] = {}
    for address, ports in ((plain, _PLAIN), (sasl, _SASL)):
        host, _, port = address.rpartition(":")
        led |= {fixed: {"host": host, "port": int(port)} for fixed in ports}
    return led


if __name__ == "__main__":
    sys.exit(main())
