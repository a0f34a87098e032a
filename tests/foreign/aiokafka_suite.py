"""Run aiokafka's own tests against a broker.

    python tests/foreign/aiokafka_suite.py CHECKOUT 127.0.0.1:9092 --json results/aiokafka.ours.json

CHECKOUT is the repository aio-libs/aiokafka; the interpreter needs its requirements, docker's Python package among
them, which is only imported.  The suite would start a broker in a container of its own; this file, which is also a
plugin of pytest, puts the given broker in its place.  Tests over SSL and SASL, which need that container, are left out.

The suite expects num.partitions=2, auto.create.topics.enable=true and node.id=0.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

_ADDRESS = "EMBEDKAFKA_FOREIGN_ADDRESS"
_NEEDS_CONTAINER = "ssl or sasl or gssapi or kerberos"


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Any:
    """In place of the fixtures that need a container."""
    host, _, port = os.environ[_ADDRESS].rpartition(":")
    server = SimpleNamespace(
        host=host, port=int(port), ssl_port=0, sasl_plain_port=0, sasl_ssl_port=0, hosts=[os.environ[_ADDRESS]]
    )
    replaced = {
        "docker": None,
        "kafka_image": "kafka:2.13_4.3.1",
        "ssl_folder": Path("tests"),
        "kafka_server": server,
        "acl_manager": None,
        "kerberos_utils": None,
        "kafka_config": None,
    }
    if fixturedef.argname not in replaced:
        return None
    fixturedef.cached_result = (replaced[fixturedef.argname], fixturedef.cache_key(request), None)
    return fixturedef.cached_result[0] or True


def main() -> int:
    import outcomes

    parser = outcomes.parser(__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to run the suite with")
    parser.add_argument("-k", dest="select", default="", help="pytest's -k")
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
        select = f"({options.select}) and not ({_NEEDS_CONTAINER})" if options.select else f"not ({_NEEDS_CONTAINER})"
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
        found = {name: each for name, each in outcomes.of_junit(report).items() if "Integration" in name}
    if options.json:
        version = outcomes.commit_of(checkout)
        outcomes.write(options.json, "aiokafka", version, "without SASL and SSL", found)
    return outcomes.report(found)


if __name__ == "__main__":
    sys.exit(main())
