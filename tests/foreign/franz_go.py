"""Run franz-go's own tests of its client against a broker.

    python tests/foreign/franz_go.py CHECKOUT 127.0.0.1:9092 --json results/franz-go.ours.json

CHECKOUT is the repository twmb/franz-go with ``pkg/kgo/kgo.test``, the program of its tests (``go test -c``).  They
copy records through chains of groups of both protocols, of transactions and of share groups, and count what arrives.
The settings that matter: share.version=1, transaction.version=2.  Two tests of SCRAM need the broker that `secured.py`
started: ``--secured FILE`` names its ``secured.json``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import outcomes
from outcomes import Outcome

_RESULT = re.compile(r"^--- (PASS|FAIL|SKIP): (\S+) \(([\d.]+)s\)$", re.MULTILINE)
_OUTCOMES = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}


def main() -> int:
    parser = outcomes.parser(__doc__)
    parser.add_argument("--records", type=int, default=20_000, help="how many records go through each chain")
    parser.add_argument("--run", default="", help="only the tests that this expression finds")
    parser.add_argument("--secured", type=Path, help="secured.json of the broker, for the tests of SCRAM")
    options = parser.parse_args()
    folder = options.checkout.resolve() / "pkg" / "kgo"
    environment = {
        **os.environ,
        "KGO_SEEDS": options.address,
        "KGO_TEST_RF": "1",
        "KGO_TEST_RECORDS": str(options.records),
    }
    if options.secured:
        addresses = json.loads(options.secured.read_text())["addresses"]
        environment |= {"KGO_TEST_SCRAM_SEEDS": addresses["SASL_PLAINTEXT"], "KGO_TEST_SCRAM": "test:test:256"}
    command = [Path(folder, "kgo.test"), "-test.v", "-test.timeout=20m", f"-test.run={options.run}"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    sys.stderr.write(done.stdout[-2000:] + done.stderr[-2000:])
    found = {name: Outcome(_OUTCOMES[result], float(taken)) for result, name, taken in _RESULT.findall(done.stdout)}
    if options.json:
        settings = f"{options.records} records a chain"
        outcomes.write(options.json, "franz-go", outcomes.commit_of(options.checkout), settings, found)
    return outcomes.report(found) or done.returncode


if __name__ == "__main__":
    sys.exit(main())
