"""Apache Kafka's own tools, as users over TLS, make users, rules and limits on our listener."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from server.certificates import Authority

from embedkafka import EmbeddedKafka, KafkaAdminClient
from embedkafka.admin import (
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePatternFilter,
    ResourceType,
    UserScramCredentialUpsertion,
)

LOGIN = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}
Tool = Callable[..., str]


@pytest.fixture
def admin() -> Iterator[KafkaAdminClient]:
    settings = {"authorizer.class.name": "StandardAuthorizer", "super.users": "User:root"}
    with EmbeddedKafka(**settings) as kafka, kafka.admin() as admin:
        admin.alter_user_scram_credentials([UserScramCredentialUpsertion("root", 2, "root's secret")])
        yield admin


@pytest.fixture
def tool(admin: KafkaAdminClient, kafka_jars: Any, tmp_path: Path) -> Tool:
    """Runs one of Kafka's tools as ``root``."""
    authority = Authority(tmp_path)
    server = authority.issue("server", "/CN=localhost")
    kafka: EmbeddedKafka = admin.config["bootstrap_servers"]
    listener = kafka.listen(security_protocol="SASL_SSL", ssl_certfile=server.certificate, ssl_keyfile=server.key)

    def run(main_class: str, *words: str, mechanism: str) -> str:
        properties = tmp_path / "client.properties"
        properties.write_text(
            "security.protocol=SASL_SSL\n"
            "ssl.truststore.type=PEM\n"
            f"ssl.truststore.location={authority.certificate}\n"
            f"sasl.mechanism={mechanism}\n"
            f'sasl.jaas.config={LOGIN[mechanism]} required username="root" password="root\'s secret";\n'
        )
        output: str = kafka_jars.run(
            main_class, "--bootstrap-server", listener.address, "--command-config", properties, *words
        )
        return output

    return run


def test_kafka_acls_makes_rules(admin: KafkaAdminClient, tool: Tool) -> None:
    tool(
        "org.apache.kafka.tools.AclCommand",
        *("--add", "--allow-principal", "User:alice", "--producer", "--topic", "orders"),
        mechanism="SCRAM-SHA-512",
    )
    wanted = ACLFilter(
        "User:alice",
        None,
        ACLOperation.ANY,
        ACLPermissionType.ANY,
        ResourcePatternFilter(ResourceType.TOPIC, "orders", ACLResourcePatternType.MATCH),
    )
    assert {rule.operation.name for rule in admin.describe_acls(wanted)[0]} == {"WRITE", "DESCRIBE", "CREATE"}


def test_kafka_configs_makes_users_and_limits(admin: KafkaAdminClient, tool: Tool) -> None:
    configs = "kafka.admin.ConfigCommand"
    whom = ("--entity-type", "users", "--entity-name", "bob")
    password = "SCRAM-SHA-256=[iterations=8192,password=bob's secret]"
    tool(configs, "--alter", "--add-config", password, *whom, mechanism="PLAIN")
    tool(configs, "--alter", "--add-config", "producer_byte_rate=1000", *whom, mechanism="PLAIN")
    kafka: EmbeddedKafka = admin.config["bootstrap_servers"]
    assert kafka.engine.users.is_password("bob", "bob's secret")
    assert admin.describe_client_quotas() == [({"user": "bob"}, {"producer_byte_rate": 1000.0})]
    described = tool(configs, "--describe", *whom, mechanism="SCRAM-SHA-512")
    assert "producer_byte_rate=1000.0" in described
    assert "SCRAM-SHA-256=iterations=8192" in described
