"""A folder that looks like an installation of Apache Kafka, for suites that start brokers of their own.

    python tests/foreign/installation.py FOLDER --broker ours --jars JARS
    python tests/foreign/installation.py FOLDER --broker kafka --jars JARS

Such suites write a ``server.properties``, call ``bin/kafka-storage.sh format`` and start ``kafka.Kafka`` with it.  With
``--broker kafka`` those are Kafka's own classes.  With ``--broker ours`` the same two calls end in this file: users of
``--add-scram`` and of the JAAS file go into the data directory, and every listener of the file is opened on one
embedkafka, with the file's settings.  The other tools (``kafka-topics.sh``, ...) are Kafka's own for both, so that they
are one more client.  Nothing of the suite is changed.

JARS is a folder with the jars of Apache Kafka 4.3.1 and what they need, or a class path.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

SERVER = "kafka.Kafka"
STORAGE = "kafka.tools.StorageTool"
TOOLS = {
    "kafka-server-start.sh": SERVER,
    "kafka-storage.sh": STORAGE,
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-run-class.sh": "",
}

# Suites look for "started" on stdout.
_LOGGING = """\
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=info
rootLogger.appenderRef.out.ref=out
"""

# What the listeners' own arguments say, or what only a cluster has.
_NOT_SETTINGS = re.compile(r"listeners$|^listener\.|^controller\.|^inter\.broker|^sasl\.mechanism\.|^security\.")


def make(folder: Path, broker: str, jars: str) -> Path:
    """Write the folder; gives it back."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(parents=True, exist_ok=True)
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / "log4j2.properties").write_text(_LOGGING)
    (folder / "libs").mkdir(exist_ok=True)
    for jar in map(Path, jars.split(os.pathsep)) if ".jar" in jars else Path(jars).glob("*.jar"):
        link = folder / "libs" / jar.name
        link.unlink(missing_ok=True)
        link.symlink_to(jar.resolve())
    for script, java_class in TOOLS.items():
        path = bin_folder / script
        path.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "{folder.resolve()}" '
            f'--broker {broker} --run {java_class} "$@"\n'
        )
        path.chmod(0o755)
    return folder


def run(folder: Path, broker: str, arguments: list[str]) -> None:
    """What a script of the folder does; does not come back."""
    java_class, *rest = arguments
    if broker == "ours" and java_class == STORAGE:
        if "format" in rest:
            _format(rest)
    elif broker == "ours" and java_class == SERVER:
        _serve(_properties(Path(next(each for each in rest if each.endswith(".properties")))))
    else:
        command = ["java", "-XX:+UseSerialGC", "-Xmx1g" if java_class == SERVER else "-Xmx256m"]
        if java_class == SERVER:
            command += [f"-Dlog4j2.configurationFile={folder / 'config' / 'log4j2.properties'}"]
            command += os.environ.get("KAFKA_OPTS", "").split()
        else:
            command.append("-XX:TieredStopAtLevel=1")
        class_path = [os.environ.get("CLASSPATH", ""), str(folder / "libs" / "*")]
        os.execvp("java", [*command, "-cp", os.pathsep.join(filter(None, class_path)), java_class, *rest])


def _properties(path: Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _data_directory(properties: dict[str, str]) -> str:
    return properties.get("log.dirs", properties.get("log.dir", "")).partition(",")[0]


def _format(arguments: list[str]) -> None:
    """Kafka's ``format``: here it only has users to keep."""
    flag = next(each for each in arguments if each in ("-c", "--config"))
    properties = _properties(Path(arguments[arguments.index(flag) + 1]))
    added = [later for earlier, later in pairwise(arguments) if earlier in ("--add-scram", "-S")]
    users = []
    for text in added:
        mechanism, _, rest = text.partition("=")
        fields = dict(pair.split("=", 1) for pair in rest.strip("[]").split(","))
        users.append((fields["name"], fields["password"], [mechanism]))
    from embedkafka import EmbeddedKafka

    with EmbeddedKafka(_data_directory(properties)) as kafka:
        _add(kafka, users)


def _add(kafka: object, users: list[tuple[str, str, list[str]]]) -> None:
    from embedkafka.cli.users import store_password

    with kafka.admin() as admin:  # type: ignore[attr-defined]
        for name, password, mechanisms in users:
            store_password(admin, name, password, mechanisms=mechanisms)


def _jaas_users(properties: dict[str, str]) -> Iterator[tuple[str, str, list[str]]]:
    """Users whom PLAIN's login module names; PLAIN's passwords are checked against SCRAM's keys here."""
    named = re.search(r"-Djava\.security\.auth\.login\.config=(\S+)", os.environ.get("KAFKA_OPTS", ""))
    texts = [Path(named.group(1)).read_text()] if named else []
    texts += [value for name, value in properties.items() if name.endswith("sasl.jaas.config")]
    for text in texts:
        for name, password in re.findall(r'user_([\w.-]+)="([^"]*)"', text):
            yield name, password, ["SCRAM-SHA-256", "SCRAM-SHA-512"]


def _serve(properties: dict[str, str]) -> None:
    from embedkafka import EmbeddedKafka
    from embedkafka.config import BROKER_CONFIGS

    settings = {
        name: value
        for name, value in properties.items()
        if name in BROKER_CONFIGS and not _NOT_SETTINGS.search(name) and value
    }
    if properties.get("ssl.keystore.type") != "PEM":  # the listeners get what is made of them
        settings = {name: value for name, value in settings.items() if not name.startswith("ssl.")}
    stopped = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopped)
    with EmbeddedKafka(_data_directory(properties), **settings) as kafka, tempfile.TemporaryDirectory() as scratch:
        _add(kafka, list(_jaas_users(properties)))
        with kafka.admin() as admin:
            for name in admin.describe_user_scram_credentials():
                print(f"Replayed UserScramCredentialRecord creating new entry for {name}", flush=True)
        for name, host, port in _addresses(properties["listeners"]):
            if name not in properties.get("controller.listener.names", "").split(","):
                _listen(kafka, properties, name, host, port, Path(scratch))
        print(f"[KafkaRaftServer nodeId={properties.get('node.id', '0')}] Kafka Server started", flush=True)
        signal.sigwait(stopped)


def _addresses(listeners: str) -> Iterator[tuple[str, str, int]]:
    for listener in listeners.split(","):
        name, _, address = listener.partition("://")
        host, _, port = address.rpartition(":")
        yield name, host or "127.0.0.1", int(port)


def _listen(kafka: object, properties: dict[str, str], name: str, host: str, port: int, scratch: Path) -> None:
    told = properties.get("advertised.listeners") or properties["listeners"]
    advertised = {each: (its_host, its_port) for each, its_host, its_port in _addresses(told)}
    mapped = dict(pair.split(":") for pair in properties.get("listener.security.protocol.map", "").split(",") if pair)
    protocol = mapped.get(name, name)
    files = _certificates(properties, protocol, scratch) if protocol.endswith("SSL") else {}
    kafka.listen(  # type: ignore[attr-defined]
        host, port, advertised=advertised.get(name), security_protocol=protocol, **files
    )


def _certificates(properties: dict[str, str], protocol: str, scratch: Path) -> dict[str, str]:
    """The stores of Java, which ``keytool`` and ``openssl`` write as the PEM files that Python reads."""
    # Kafka's SASL_SSL asks for no certificate, whatever ssl.client.auth says for SSL.
    client_auth = {"ssl_client_auth": properties.get("ssl.client.auth", "none") if protocol == "SSL" else "none"}
    if properties.get("ssl.keystore.type") == "PEM":
        return client_auth
    password = properties["ssl.keystore.password"]
    store, chain, trusted = scratch / "keys.p12", scratch / "chain.pem", scratch / "trusted.pem"
    if not chain.exists():
        convert = ["keytool", "-importkeystore", "-noprompt", "-srckeystore", properties["ssl.keystore.location"]]
        convert += ["-srcstorepass", password, "-destkeystore", str(store), "-deststoretype", "PKCS12"]
        subprocess.run([*convert, "-deststorepass", password], check=True, capture_output=True)
        write = ["openssl", "pkcs12", "-in", str(store), "-passin", f"pass:{password}", "-nodes"]
        chain.write_bytes(subprocess.run(write, check=True, capture_output=True).stdout)
        listed = ["keytool", "-list", "-rfc", "-keystore", properties["ssl.truststore.location"]]
        listed += ["-storepass", properties["ssl.truststore.password"]]
        trusted.write_bytes(subprocess.run(listed, check=True, capture_output=True).stdout)
    return {"ssl_certfile": str(chain), "ssl_cafile": str(trusted), **client_auth}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--broker", choices=("ours", "kafka"), default="ours")
    parser.add_argument("--jars", help="jars of Apache Kafka 4.3.1: a folder, or a class path")
    parser.add_argument("--run", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(options.folder, options.broker, options.run)
    elif not options.jars:
        parser.error("--jars is needed: Kafka's own tools are called with either broker")
    else:
        print(make(options.folder, options.broker, options.jars))


if __name__ == "__main__":
    main()
