"""Run aiokafka's own tests against a broker.

    python tests/foreign/aiokafka_suite.py CHECKOUT 127.0.0.1:9092 --json results/aiokafka.ours.json

CHECKOUT is the repository aio-libs/aiokafka; the interpreter needs its requirements, docker's Python package among
them, which is only imported.  The suite would start a broker in a container of its own; this file, which is also a
plugin of pytest, puts the given broker in its place.

The suite expects num.partitions=2, auto.create.topics.enable=true and node.id=0.

Tests over SSL and SASL are left out, unless ``--secured FILE`` names the ``secured.json`` of the broker that
`secured.py` started (with ``--set num.partitions=2``).  The commands that the suite would run in its container, to add
users and ACLs, are then run as that installation's ``kafka-configs.sh`` and ``kafka-acls.sh``, against the listener
for SASL as the super user, and one credential at a time, because Kafka has taken only one of a user in a request since
ZooKeeper is gone.  Tests of GSSAPI need Kerberos and are always left out.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

_ADDRESS = "EMBEDKAFKA_FOREIGN_ADDRESS"
_SECURED = "EMBEDKAFKA_FOREIGN_SECURED"
_NEEDS_KERBEROS = "gssapi or kerberos"
_NEEDS_CONTAINER = f"ssl or sasl or {_NEEDS_KERBEROS}"


class Container:
    """In place of the suite's container: runs Kafka's tools against the broker."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._bin = Path(told["installation"], "bin")
        # The suite is of a time when these tools spoke to ZooKeeper.
        self._connect = f"--bootstrap-server {told['addresses']['SASL_PLAINTEXT']} --command-config {told['admin']}"

    def exec_run(self, command: str) -> tuple[int, bytes]:
        command = re.sub(r"/opt/kafka_[^/]+/bin", str(self._bin), command)
        command = re.sub(r"--authorizer-properties zookeeper\.connect=\S+|--zookeeper \S+", self._connect, command)
        before, added, credentials = command.partition("--add-config ")
        listed, _, after = credentials.partition(" ")
        code, output = 0, b""
        for credential in listed.split(",") if added else [""]:
            words = [*before.split(), *([added.strip(), credential] if added else []), *after.split()]
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            code, output = code or done.returncode, output + done.stdout
        return code, output


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Any:
    """In place of the fixtures that need a container."""
    host, _, port = os.environ[_ADDRESS].rpartition(":")
    told = json.loads(Path(os.environ[_SECURED]).read_text()) if _SECURED in os.environ else {}
    ports = {name: int(address.rpartition(":")[2]) for name, address in told.get("addresses", {}).items()}
    server = SimpleNamespace(
        host=host,
        port=int(port),
        hosts=[os.environ[_ADDRESS]],
        ssl_port=ports.get("SSL", 0),
        sasl_plain_port=ports.get("SASL_PLAINTEXT", 0),
        sasl_ssl_port=ports.get("SASL_SSL", 0),
        container=Container(told) if told else None,
    )
    replaced = {
        "docker": None,
        "kafka_image": "kafka:2.13_4.3.1",
        "ssl_folder": Path(told.get("folder", "tests")),
        "kafka_server": server,
        "kerberos_utils": None,
    }
    if not told:
        replaced |= {"acl_manager": None, "kafka_config": None}
    if fixturedef.argname not in replaced:
        return None
    fixturedef.cached_result = (replaced[fixturedef.argname], fixturedef.cache_key(request), None)
    return fixturedef.cached_result[0] or True


def main() -> int:
    import outcomes

    parser = outcomes.parser(__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to run the suite with")
    parser.add_argument("-k", dest="select", default="", help="pytest's -k")
    parser.add_argument("--secured", type=Path, help="secured.json of the broker: run the tests of SSL and SASL, too")
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.xml")
        environment = {
            **os.environ,
            _ADDRESS: options.address,
            "AIOKAFKA_NO_EXTENSIONS": "1",
            "PYTHONPATH": str(Path(__file__).parent),
        }
        if options.secured:
            environment[_SECURED] = str(options.secured.resolve())
        left_out = _NEEDS_KERBEROS if options.secured else _NEEDS_CONTAINER
        select = f"({options.select}) and not ({left_out})" if options.select else f"not ({left_out})"
        command = [
            options.python,
            "-m",
            "pytest",
            "-q",
            "-p",
            "aiokafka_suite",
            "-p",
            "no:cacheprovider",
            "-W",
            "default",
        ]
        command += ["--docker-image=kafka:2.13_4.3.1", "--timeout=120", f"--junit-xml={report}", "-k", select]
        command += [*sorted(map(str, (checkout / "tests").glob("test_*.py")))]
        subprocess.run(command, cwd=checkout, env=environment, check=False, stdout=sys.stderr)
        # The others need no broker.
        found = {
            name: each for name, each in outcomes.of_junit(report).items() if "Integration" in name or "SASL" in name
        }
    if options.json:
        version = outcomes.commit_of(checkout)
        outcomes.write(options.json, "aiokafka", version, "without Kerberos", found)
    return outcomes.report(found)


if __name__ == "__main__":
    sys.exit(main())
