"""Clients that are not ours prove who they are, speak TLS, and meet rules and limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import confluent_kafka
import confluent_kafka.admin
import kafka as kafka_python
import pytest
from kafka import errors as their_errors
from server.certificates import Authority, Certificate
from server.peers import WirePeer

from embedkafka import EmbeddedKafka
from embedkafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
    UserScramCredentialUpsertion,
)
from embedkafka.broker.api import RequestContext
from embedkafka.errors import KafkaConfigurationError
from embedkafka.protocol.apis.api_03_metadata import MetadataRequest, MetadataRequestTopic
from embedkafka.protocol.apis.api_19_create_topics import CreatableTopic, CreateTopicsRequest
from embedkafka.protocol.apis.api_20_delete_topics import DeleteTopicsRequest, DeleteTopicState
from embedkafka.server.listener import Listener

DN = "CN=alice,OU=tests,O=embedkafka,C=DE"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
OPERATIONS = ACLOperation


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def server(authority: Authority) -> Certificate:
    return authority.issue("server", "/CN=localhost")


@pytest.fixture(scope="session")
def alice(authority: Authority) -> Certificate:
    return authority.issue("alice", "/C=DE/O=embedkafka/OU=tests/CN=alice")


@pytest.fixture(autouse=True)
def _test_leaves_nothing_behind() -> None:
    """Other people's clients end their threads in their own time."""


@pytest.fixture(autouse=True, scope="module")
def _module_leaves_nothing_behind() -> None:
    """As above."""


@pytest.fixture
def kafka() -> Iterator[EmbeddedKafka]:
    """An engine with an authorizer, the users alice and root, of whom root may do everything, and a topic."""
    settings: dict[str, Any] = {
        "authorizer.class.name": "StandardAuthorizer",
        "super.users": "User:root",
        "connection.failed.authentication.delay.ms": 1,
    }
    with EmbeddedKafka(**settings) as engine, engine.admin() as admin:
        for user in ("alice", "root"):
            for mechanism in (1, 2):
                change = UserScramCredentialUpsertion(user, mechanism, f"{user}'s secret")
                assert admin.alter_user_scram_credentials([change]) == {user: None}
        engine.create_topic("t")
        yield engine


def allow(engine: EmbeddedKafka, principal: str, *rights: tuple[ResourceType, str, ACLOperation]) -> None:
    rules = [
        ACL(principal, "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name))
        for kind, name, operation in rights
    ]
    with engine.admin() as admin:
        assert admin.create_acls(rules)["failed"] == []


def of_librdkafka(listener: Listener, mechanism: str, user: str = "alice", **other: Any) -> dict[str, Any]:
    return {
        "bootstrap.servers": listener.address,
        "security.protocol": listener.security_protocol,
        "sasl.mechanism": mechanism,
        "sasl.username": user,
        "sasl.password": f"{user}'s secret",
        "log_level": 0,
        **other,
    }


def of_kafka_python(listener: Listener, mechanism: str, user: str = "alice", **other: Any) -> dict[str, Any]:
    return {
        "bootstrap_servers": listener.address,
        "security_protocol": listener.security_protocol,
        "sasl_mechanism": mechanism,
        "sasl_plain_username": user,
        "sasl_plain_password": f"{user}'s secret",
        **other,
    }


def with_tls(listener: Listener, authority: Authority, own: Certificate | None = None) -> dict[str, Any]:
    settings = {"ssl_cafile": str(authority.certificate)}
    if own is not None:
        settings |= {"ssl_certfile": str(own.certificate), "ssl_keyfile": str(own.key)}
    return {"bootstrap_servers": listener.address, "security_protocol": "SSL", **settings}


def round_trip(producer: Any, consumer: Any) -> list[bytes]:
    """What kafka-python's clients give back of three records."""
    for number in range(3):
        producer.send("t", b"%d" % number).get(10)
    producer.close()
    consumer.assign([kafka_python.TopicPartition("t", 0)])
    consumer.seek_to_beginning()
    values: list[bytes] = []
    deadline = time.monotonic() + 10
    while len(values) < 3 and time.monotonic() < deadline:
        values += [record.value for records in consumer.poll(100).values() for record in records]
    consumer.close()
    return values


ALL_OF_TOPIC = (ResourceType.TOPIC, "t", ACLOperation.ALL)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_librdkafka_authenticates(kafka: EmbeddedKafka, mechanism: str) -> None:
    allow(kafka, "User:alice", ALL_OF_TOPIC)
    listener = kafka.listen(security_protocol="SASL_PLAINTEXT")
    producer = confluent_kafka.Producer(of_librdkafka(listener, mechanism))
    outcomes: list[Any] = []
    producer.produce("t", b"v", on_delivery=lambda error, message: outcomes.append(error))
    assert producer.flush(10) == 0
    assert outcomes == [None]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_kafka_python_authenticates(kafka: EmbeddedKafka, mechanism: str) -> None:
    allow(kafka, "User:alice", ALL_OF_TOPIC)
    listener = kafka.listen(security_protocol="SASL_PLAINTEXT")
    settings = of_kafka_python(listener, mechanism)
    values = round_trip(kafka_python.KafkaProducer(**settings), kafka_python.KafkaConsumer(**settings))
    assert values == [b"0", b"1", b"2"]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_wrong_password_is_refused(kafka: EmbeddedKafka, mechanism: str) -> None:
    listener = kafka.listen(security_protocol="SASL_PLAINTEXT")
    errors: list[Any] = []
    settings = of_librdkafka(listener, mechanism, **{"sasl.password": "a guess", "error_cb": errors.append})
    admin = confluent_kafka.admin.AdminClient(settings)
    with pytest.raises(confluent_kafka.KafkaException):
        admin.list_topics(timeout=1)
    admin.poll(0)
    assert confluent_kafka.KafkaError._AUTHENTICATION in {error.code() for error in errors}


@pytest.mark.parametrize("each_loop", ["uvloop", "asyncio"], indirect=True)
def test_users_over_tls(kafka: EmbeddedKafka, authority: Authority, server: Certificate, each_loop: str) -> None:
    allow(kafka, "User:alice", ALL_OF_TOPIC)
    listener = kafka.listen(security_protocol="SASL_SSL", ssl_certfile=server.certificate, ssl_keyfile=server.key)
    settings = of_kafka_python(listener, "SCRAM-SHA-512", ssl_cafile=str(authority.certificate))
    values = round_trip(kafka_python.KafkaProducer(**settings), kafka_python.KafkaConsumer(**settings))
    assert values == [b"0", b"1", b"2"]
    librdkafka = of_librdkafka(listener, "SCRAM-SHA-256", **{"ssl.ca.location": str(authority.certificate)})
    assert list(confluent_kafka.admin.AdminClient(librdkafka).list_topics(timeout=10).topics) == ["t"]


@pytest.mark.parametrize("each_loop", ["uvloop", "asyncio"], indirect=True)
def test_a_certificates_name_is_the_principal(
    kafka: EmbeddedKafka, authority: Authority, server: Certificate, alice: Certificate, each_loop: str
) -> None:
    allow(kafka, f"User:{DN}", ALL_OF_TOPIC)
    listener = kafka.listen(
        security_protocol="SSL",
        ssl_certfile=server.certificate,
        ssl_keyfile=server.key,
        ssl_cafile=authority.certificate,
        ssl_client_auth="required",
    )
    settings = with_tls(listener, authority, alice)
    values = round_trip(kafka_python.KafkaProducer(**settings), kafka_python.KafkaConsumer(**settings))
    assert values == [b"0", b"1", b"2"]
    without = {
        "bootstrap.servers": listener.address,
        "security.protocol": "SSL",
        "ssl.ca.location": str(authority.certificate),
        "log_level": 0,
    }
    with pytest.raises(confluent_kafka.KafkaException):
        confluent_kafka.admin.AdminClient(without).list_topics(timeout=1)


def test_who_shows_no_certificate_where_it_is_only_asked_for_is_nobody(
    kafka: EmbeddedKafka, authority: Authority, server: Certificate
) -> None:
    listener = kafka.listen(
        security_protocol="SSL",
        ssl_certfile=server.certificate,
        ssl_keyfile=server.key,
        ssl_cafile=authority.certificate,
        ssl_client_auth="requested",
    )
    consumer = kafka_python.KafkaConsumer(**with_tls(listener, authority))
    assert consumer.topics() == set()
    allow(kafka, "User:ANONYMOUS", (ResourceType.TOPIC, "t", ACLOperation.DESCRIBE))
    assert consumer.topics() == {"t"}
    consumer.close()


@pytest.mark.parametrize("form", ["location", "texts", "password"])
def test_keys_in_kafkas_settings(authority: Authority, server: Certificate, tmp_path: Any, form: str) -> None:
    chain, key = server.certificate.read_text(), server.key.read_text()
    both = tmp_path / "both.pem"
    both.write_text(key + chain)
    secret = authority.issue("secret", "/CN=localhost", password="open sesame") if form == "password" else server
    settings: dict[str, dict[str, Any]] = {
        "location": {"ssl.keystore.location": str(both)},
        "texts": {"ssl.keystore.certificate.chain": chain, "ssl.keystore.key": key},
        "password": {
            "ssl.keystore.certificate.chain": secret.certificate.read_text(),
            "ssl.keystore.key": secret.key.read_text(),
            "ssl.key.password": "open sesame",
        },
    }
    with EmbeddedKafka(**settings[form]) as engine:
        engine.create_topic("t")
        listener = engine.listen(security_protocol="SSL")
        consumer = kafka_python.KafkaConsumer(**with_tls(listener, authority))
        assert consumer.topics() == {"t"}
        consumer.close()


def test_plain_bytes_to_an_encrypted_listener_are_no_harm(
    kafka: EmbeddedKafka, authority: Authority, server: Certificate
) -> None:
    import socket

    listener = kafka.listen(security_protocol="SSL", ssl_certfile=server.certificate, ssl_keyfile=server.key)
    with socket.create_connection((listener.host, listener.port), timeout=10) as peer:
        peer.sendall(b"\0\0\0\x04\0\x12\0\0")
        while peer.recv(100):
            pass
    allow(kafka, "User:ANONYMOUS", (ResourceType.TOPIC, "t", ACLOperation.DESCRIBE))
    consumer = kafka_python.KafkaConsumer(**with_tls(listener, authority))
    assert consumer.topics() == {"t"}
    consumer.close()


def test_listeners_of_several_protocols_serve_one_engine(
    kafka: EmbeddedKafka, authority: Authority, server: Certificate
) -> None:
    allow(kafka, "User:ANONYMOUS", (ResourceType.TOPIC, "t", ACLOperation.DESCRIBE))
    allow(kafka, "User:alice", (ResourceType.TOPIC, "t", ACLOperation.DESCRIBE))
    open_one, with_users = kafka.listen(), kafka.listen(security_protocol="SASL_PLAINTEXT")
    encrypted = kafka.listen(security_protocol="SSL", ssl_certfile=server.certificate, ssl_keyfile=server.key)
    for settings in (
        {"bootstrap_servers": open_one.address},
        of_kafka_python(with_users, "PLAIN"),
        with_tls(encrypted, authority),
    ):
        consumer = kafka_python.KafkaConsumer(**settings)
        assert consumer.topics() == {"t"}
        consumer.close()


def test_a_key_that_is_not_the_certificates_is_named(
    kafka: EmbeddedKafka, server: Certificate, alice: Certificate
) -> None:
    with pytest.raises(KafkaConfigurationError, match=str(alice.key)):
        kafka.listen(security_protocol="SSL", ssl_certfile=server.certificate, ssl_keyfile=alice.key)


# Rules and limits -----------------------------------------------------------------------------------------------------


@pytest.fixture
def users(kafka: EmbeddedKafka) -> Listener:
    return kafka.listen(security_protocol="SASL_PLAINTEXT")


@pytest.fixture
def admins(users: Listener) -> Iterator[Callable[[str], kafka_python.KafkaAdminClient]]:
    opened: list[kafka_python.KafkaAdminClient] = []

    def admin(user: str) -> kafka_python.KafkaAdminClient:
        opened.append(kafka_python.KafkaAdminClient(**of_kafka_python(users, "PLAIN", user)))
        return opened[-1]

    yield admin
    for each in opened:
        each.close()


def test_kafka_pythons_admin_sets_rules(admins: Callable[[str], kafka_python.KafkaAdminClient]) -> None:
    from kafka.admin import ACL as TheirACL
    from kafka.admin import ACLFilter, ACLResourcePatternType, ResourcePatternFilter
    from kafka.admin import ACLOperation as Operation
    from kafka.admin import ACLPermissionType as Permission
    from kafka.admin import ResourcePattern as Pattern
    from kafka.admin import ResourceType as Kind

    root, alice = admins("root"), admins("alice")
    assert alice.list_topics() == []
    rule = TheirACL("User:alice", "*", Operation.DESCRIBE, Permission.ALLOW, Pattern(Kind.TOPIC, "t"))
    assert root.create_acls([rule]) == {"succeeded": [rule], "failed": []}
    assert alice.list_topics() == ["t"]
    everything = ACLFilter(
        None,
        None,
        Operation.ANY,
        Permission.ANY,
        ResourcePatternFilter(Kind.ANY, None, ACLResourcePatternType.ANY),
    )
    assert root.describe_acls(everything)[0] == [rule]
    with pytest.raises(their_errors.ClusterAuthorizationFailedError):
        alice.describe_acls(everything)
    ((_, gone, error),) = root.delete_acls([everything])
    assert (gone, error) == ([rule], their_errors.NoError)
    assert alice.list_topics() == []


def test_kafka_pythons_admin_sets_passwords(
    users: Listener, admins: Callable[[str], kafka_python.KafkaAdminClient]
) -> None:
    from kafka.admin import UserScramCredentialDeletion
    from kafka.admin import UserScramCredentialUpsertion as TheirUpsertion

    root = admins("root")
    assert root.alter_user_scram_credentials([TheirUpsertion("carol", "SCRAM-SHA-256", "carol's secret")]) == {
        "carol": None
    }
    assert set(root.describe_user_scram_credentials()) == {"alice", "carol", "root"}
    consumer = kafka_python.KafkaConsumer(**of_kafka_python(users, "SCRAM-SHA-256", "carol"))
    consumer.close()
    root.alter_user_scram_credentials([UserScramCredentialDeletion("carol", "SCRAM-SHA-256")])
    assert set(root.describe_user_scram_credentials()) == {"alice", "root"}


def test_librdkafkas_admin_sets_rules_and_passwords(users: Listener) -> None:
    from confluent_kafka import admin as theirs

    root = theirs.AdminClient(of_librdkafka(users, "SCRAM-SHA-512", "root"))
    rule = theirs.AclBinding(
        theirs.ResourceType.GROUP,
        "app-",
        theirs.ResourcePatternType.PREFIXED,
        "User:alice",
        "*",
        theirs.AclOperation.READ,
        theirs.AclPermissionType.ALLOW,
    )
    root.create_acls([rule])[rule].result(10)
    wanted = theirs.AclBindingFilter(
        theirs.ResourceType.ANY,
        None,
        theirs.ResourcePatternType.ANY,
        None,
        None,
        theirs.AclOperation.ANY,
        theirs.AclPermissionType.ANY,
    )
    assert root.describe_acls(wanted).result(10) == [rule]
    assert root.delete_acls([wanted])[wanted].result(10) == [rule]
    info = theirs.ScramCredentialInfo(theirs.ScramMechanism.SCRAM_SHA_256, 4096)
    upsertion = theirs.UserScramCredentialUpsertion("dave", info, b"dave's secret")
    root.alter_user_scram_credentials([upsertion])["dave"].result(10)
    described = root.describe_user_scram_credentials(["dave"])["dave"].result(10)
    assert [each.iterations for each in described.scram_credential_infos] == [4096]
    dave = theirs.AdminClient(of_librdkafka(users, "PLAIN", "dave"))
    assert list(dave.list_topics(timeout=10).topics) == []


def test_a_client_without_the_right_is_told_so(kafka: EmbeddedKafka, users: Listener) -> None:
    allow(kafka, "User:alice", (ResourceType.TOPIC, "t", ACLOperation.READ))
    producer = confluent_kafka.Producer(of_librdkafka(users, "PLAIN", **{"message.timeout.ms": 3000}))
    outcomes: list[Any] = []
    producer.produce("t", b"v", on_delivery=lambda error, message: outcomes.append(error.code()))
    producer.flush(10)
    assert outcomes == [confluent_kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED]
    consumer = kafka_python.KafkaConsumer("t", group_id="g", **of_kafka_python(users, "PLAIN"))
    with pytest.raises(their_errors.GroupAuthorizationFailedError):
        consumer.poll(5000)
    consumer.close()


def test_a_client_that_writes_too_much_is_slowed_down(kafka: EmbeddedKafka, users: Listener) -> None:
    allow(kafka, "User:alice", ALL_OF_TOPIC)
    with kafka.admin() as admin:
        admin.alter_client_quotas({"user": "alice"}, {"producer_byte_rate": 20_000})
    producer = kafka_python.KafkaProducer(**of_kafka_python(users, "PLAIN", linger_ms=0, retries=0))
    began = time.monotonic()
    for _ in range(4):
        producer.send("t", b"x" * 70_000).get(30)
    assert time.monotonic() - began > 0.4  # the third is beyond ten seconds' worth, so the fourth waits
    producer.close()


# What is a secret -----------------------------------------------------------------------------------------------------


def test_a_topics_id_does_not_tell_its_name_to_who_may_not_describe_it(kafka: EmbeddedKafka) -> None:
    topic = next(iter(kafka.engine.ports.values())).metadata(RequestContext(), ["t"]).topics[0]
    with WirePeer(kafka.listen()) as peer:
        (found,) = peer.ask(3, 12, MetadataRequest([MetadataRequestTopic(topic.topic_id, None)])).topics
        assert (found.error_code, found.name, found.topic_id) == (29, None, topic.topic_id)
        deleting = DeleteTopicsRequest([DeleteTopicState(None, topic.topic_id)])
        (deleted,) = peer.ask(20, 6, deleting).responses
        assert (deleted.error_code, deleted.name, deleted.topic_id) == (29, None, topic.topic_id)


def test_who_may_not_see_settings_creates_topics_without_seeing_them(kafka: EmbeddedKafka) -> None:
    allow(kafka, "User:ANONYMOUS", (ResourceType.TOPIC, "new", ACLOperation.CREATE))
    creating = CreateTopicsRequest([CreatableTopic("new", 1, 1)], 1000, False)
    with WirePeer(kafka.listen()) as peer:
        (created,) = peer.ask(19, 7, creating).topics
        assert (created.error_code, created.topic_config_error_code, created.num_partitions) == (0, 29, -1)
        assert created.configs == []


def test_rules_make_users_of_certificates_and_who_has_none_is_nobody(
    authority: Authority, server: Certificate, alice: Certificate
) -> None:
    rules = "RULE:CN=(alice),.*/$1/U"
    with EmbeddedKafka(
        **{"ssl.principal.mapping.rules": rules, "authorizer.class.name": "StandardAuthorizer"}
    ) as kafka:
        kafka.create_topic("t")
        allow(kafka, "User:ALICE", (ResourceType.TOPIC, "t", ACLOperation.DESCRIBE))
        listener = kafka.listen(
            security_protocol="SSL",
            ssl_certfile=server.certificate,
            ssl_keyfile=server.key,
            ssl_cafile=authority.certificate,
            ssl_client_auth="required",
        )
        consumer = kafka_python.KafkaConsumer(**with_tls(listener, authority, alice))
        assert consumer.topics() == {"t"}
        consumer.close()
        other = {
            "bootstrap.servers": listener.address,
            "security.protocol": "SSL",
            "ssl.ca.location": str(authority.certificate),
            "ssl.certificate.location": str(server.certificate),
            "ssl.key.location": str(server.key),
            "log_level": 0,
        }
        with pytest.raises(confluent_kafka.KafkaException):
            confluent_kafka.admin.AdminClient(other).list_topics(timeout=1)
