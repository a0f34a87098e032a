"""Start one broker with four listeners, one for each security protocol, for the suites that try them.

    python tests/foreign/secured.py INSTALLATION FOLDER [--port 29100] [--set num.partitions=2]

INSTALLATION is what `installation.py` made, of either broker.  FOLDER gets the certificates, ``server.properties``, the
data, and at last ``secured.json``, which says where everything is; the suites' scripts take it as ``--secured``.  The
broker runs until Ctrl-C or SIGTERM.

Both brokers are started from the same ``server.properties``: listeners PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL at
four ports from ``--port`` on, clients' certificates required on SSL, users admin (a super user), test and test2, each
with its own name as password, for PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.  Who comes by PLAINTEXT is a super user, too:
Kafka speaks to itself there, and could not any more once a test makes a rule for the cluster.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
USERS = ("admin", "test", "test2")
PASSWORD = "protected"  # of the client's key

_PROPERTIES = """\
process.roles=broker,controller
node.id=0
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={listeners},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
log.dirs={folder}/data
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.crt
ssl.client.auth=required
connections.max.reauth.ms=10000
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.share.min.record.lock.duration.ms=1000
auto.create.topics.enable=true
num.partitions=4
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:admin;User:ANONYMOUS
log.initial.task.delay.ms=500
"""


def certificates(folder: Path) -> None:
    """A broker's and a client's, signed by one authority; the client's in every form that suites ask for."""
    run = _openssl(folder)
    for authority in ("ca", "other-ca"):
        extensions = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={authority}", *extensions,
            "-keyout", f"{authority}.key", "-out", f"{authority}.crt")  # fmt: skip
    (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n")
    for name in ("server", "client"):
        run("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", "csr")
        run("x509", "-req", "-in", "csr", "-days", "30", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-extfile", "ext", "-out", f"{name}.crt")  # fmt: skip
    run("pkcs8", "-topk8", "-nocrypt", "-in", "server.key", "-out", "server.pk8")
    _join(folder, "server.pem", "server.pk8", "server.crt", "ca.crt")
    _join(folder, "client-chain.crt", "client.crt", "ca.crt")
    _join(folder, "all-cas.crt", "other-ca.crt", "ca.crt")
    run("pkcs8", "-topk8", "-in", "client.key", "-passout", f"pass:{PASSWORD}", "-out", "client-protected.key")
    run("rsa", "-in", "client.key", "-outform", "der", "-out", "client-key.der")
    run("x509", "-in", "client.crt", "-outform", "der", "-out", "client.der")
    run("x509", "-in", "ca.crt", "-outform", "der", "-out", "ca.der")
    run("pkcs12", "-export", "-in", "client-chain.crt", "-inkey", "client.key", "-passout", f"pass:{PASSWORD}",
        "-out", "client.pfx")  # fmt: skip


def _openssl(folder: Path):  # type: ignore[no-untyped-def]
    return lambda *words: subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def _join(folder: Path, name: str, *parts: str) -> None:
    (folder / name).write_text("".join((folder / part).read_text() for part in parts))


def write_configuration(folder: Path, port: int, settings: list[str]) -> dict[str, str]:
    """The broker's files, and a client's for its tools; gives the addresses back."""
    addresses = {protocol: f"127.0.0.1:{port + index}" for index, protocol in enumerate(PROTOCOLS)}
    listeners = ",".join(f"{protocol}://{address}" for protocol, address in addresses.items())
    text = _PROPERTIES.format(listeners=listeners, folder=folder, controller=port + len(PROTOCOLS))
    given = dict(each.split("=", 1) for each in settings)
    lines = [line for line in text.splitlines() if line.partition("=")[0] not in given]
    (folder / "server.properties").write_text("\n".join([*lines, *settings]) + "\n")
    users = " ".join(f'user_{name}="{name}"' for name in USERS)
    login = "org.apache.kafka.common.security"
    (folder / "jaas.conf").write_text(
        f'KafkaServer {{\n{login}.plain.PlainLoginModule required username="admin" password="admin" {users};\n'
        f"{login}.scram.ScramLoginModule required;\n}};\n"
    )
    (folder / "admin.properties").write_text(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
        f'sasl.jaas.config={login}.plain.PlainLoginModule required username="admin" password="admin";\n'
    )
    return addresses


def start(installation: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Format and start the broker; its output goes to ``FOLDER/output``."""
    properties = str(folder / "server.properties")
    command = [
        str(installation / "bin" / "kafka-storage.sh"),
        "format",
        "--standalone",
        "-t",
        "EmbedKafkaForeignSuites",
    ]
    command += ["-c", properties, "--feature", "share.version=1"]
    for name in USERS:
        for mechanism in MECHANISMS[1:]:
            command += ["--add-scram", f"{mechanism}=[name={name},password={name}]"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    environment = {**os.environ, "KAFKA_OPTS": f"-Djava.security.auth.login.config={folder / 'jaas.conf'}"}
    with (folder / "output").open("wb") as output:
        broker = subprocess.Popen(
            [str(installation / "bin" / "kafka-server-start.sh"), properties],
            env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    while "Kafka Server started" not in (folder / "output").read_text(errors="replace"):
        if broker.poll() is not None:
            raise SystemExit(f"the broker did not start: {folder / 'output'}")
        time.sleep(0.2)
    return broker


def describe(installation: Path, folder: Path, addresses: dict[str, str]) -> None:
    """What the suites' scripts read."""
    told = {
        "addresses": addresses,
        "installation": str(installation),
        "folder": str(folder),
        "admin": str(folder / "admin.properties"),
        "password": PASSWORD,
    }
    (folder / "secured.json").write_text(json.dumps(told, indent=1) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("installation", type=Path, help="a folder that installation.py made")
    parser.add_argument("folder", type=Path, help="is emptied first")
    parser.add_argument("--port", type=int, default=29100, help="the first of five")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a line of server.properties")
    options = parser.parse_args()
    installation, folder = options.installation.resolve(), options.folder.resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / "server.properties").exists():
        parser.error(f"{folder} has something else in it")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    signals = {signal.SIGTERM, signal.SIGINT}
    certificates(folder)
    addresses = write_configuration(folder, options.port, options.set)
    broker = start(installation, folder)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        describe(installation, folder, addresses)
        print(json.dumps(addresses), flush=True)
        signal.sigwait(signals)
    finally:
        broker.terminate()
        broker.wait(60)
    return 0


if __name__ == "__main__":
    sys.exit(main())
