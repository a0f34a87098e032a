"""Run kafkajs' own tests against a broker.

    python tests/foreign/kafkajs_suite.py CHECKOUT 127.0.0.1:9092 --ssl 127.0.0.1:9093 --sasl-ssl 127.0.0.1:9094 \\
        --json results/kafkajs.ours.json

CHECKOUT is the repository tulios/kafkajs after ``npm install --ignore-scripts``.  Its tests count on three brokers at
fixed ports of localhost; a file that jest loads first leads those to the addresses given here.  So what needs two
brokers or two replicas fails, and one test that runs a script within a container.

The users of the suite: test (testtest), bob (bobbob) and alice (alicealice) by PLAIN; testscram by SCRAM-SHA-256
(testtestscram=256) and SCRAM-SHA-512 (testtestscram=512).
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
const tls = require('tls')
const addresses = %s
for (const module of [net, tls]) {
  const connect = module.connect
  module.connect = (options, ...rest) =>
    connect(addresses[options.port] ? { ...options, ...addresses[options.port] } : options, ...rest)
}
"""
# Of the suite's three brokers, per protocol.
_PORTS = {"plain": (9092, 9095, 9098), "ssl": (9093, 9096, 9099), "sasl_ssl": (9094, 9097, 9100)}
# Left out is what needs no broker.
_SELECTED = "src/(admin|broker|cluster|consumer|network|producer)/"


def main() -> int:
    parser = outcomes.parser(__doc__)
    parser.add_argument("--ssl", required=True, help="host:port of the same broker's encrypted listener")
    parser.add_argument("--sasl-ssl", required=True, help="host:port of the one that asks for users, too")
    parser.add_argument("--files", default=_SELECTED, help="regular expression of the test files to run")
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    addresses = {"plain": options.address, "ssl": options.ssl, "sasl_ssl": options.sasl_ssl}
    with tempfile.TemporaryDirectory() as scratch:
        lead_to, config, report = (Path(scratch, name) for name in ("lead_to.js", "config.json", "report.xml"))
        lead_to.write_text(_LEAD_TO % json.dumps(_led(addresses)))
        config.write_text(json.dumps(_config(checkout, lead_to)))
        environment = {
            **os.environ,
            "KAFKA_VERSION": "2.4",
            "NODE_ENV": "test",
            "KAFKAJS_DEBUG_PROTOCOL_BUFFERS": "1",
            "JEST_JUNIT_OUTPUT_DIR": scratch,
            "JEST_JUNIT_OUTPUT_NAME": report.name,
            "JEST_JUNIT_CLASSNAME": "{filepath}",
            "JEST_JUNIT_TITLE": "{classname} {title}",
        }
        command = [str(checkout / "node_modules/.bin/jest"), "--ci", "--maxWorkers=3", "--no-watchman", "--forceExit"]
        command += [f"--config={config}", "--testPathPattern", options.files]
        subprocess.run(command, cwd=checkout, env=environment, check=False, stdout=sys.stderr)
        found = {_named(name): outcome for name, outcome in outcomes.of_junit(report).items()}
    if options.json:
        version = outcomes.commit_of(checkout)
        outcomes.write(options.json, "kafkajs", version, "with SSL and SASL; one broker where it expects three", found)
    return outcomes.report(found)


def _led(addresses: dict[str, str]) -> dict[int, dict[str, str | int]]:
    """Where each of the suite's ports leads to."""
    led: dict[int, dict[str, str | int]] = {}
    for protocol, address in addresses.items():
        host, _, port = address.rpartition(":")
        led |= {fixed: {"host": host, "port": int(port)} for fixed in _PORTS[protocol]}
    return led


def _config(checkout: Path, first: Path) -> dict[str, object]:
    """The suite's own configuration of jest, and the file that goes first."""
    script = "console.log(JSON.stringify(require('./jest.config.js')))"
    done = subprocess.run(["node", "-e", script], cwd=checkout, capture_output=True, text=True, check=True)
    return {**json.loads(done.stdout), "rootDir": str(checkout), "setupFiles": [str(first)]}


def _named(name: str) -> str:
    """``admin/__tests__/createAcls::...`` of what jest-junit reports of the file's path and the test."""
    path, _, title = name.partition("::")
    return f"{path.removeprefix('src/').removesuffix('/spec/js').removesuffix('/__tests__')}::{title}"


if __name__ == "__main__":
    sys.exit(main())
