"""The port of an engine with an authorizer: each API is denied without the rights that Kafka asks for, not with them.

:data:`CASES` is the table: how to call an API, how to read error codes out of its answer, and which rights it needs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest
from broker.support import START_MS, Broker, batch, running

from embedkafka.broker import api
from embedkafka.broker.api import AclOperation, AclPatternType, AclPermissionType, AclResourceType
from embedkafka.broker.cluster_port import ClusterPort
from embedkafka.broker.port import ApiKey, BrokerPort
from embedkafka.broker.security.acl_checks import RIGHTS
from embedkafka.broker.security.authorized_port import AuthorizedPort
from embedkafka.broker.security.port import SecurityPort
from embedkafka.broker.share.states_port import ShareStatesPort
from embedkafka.clock import ManualClock
from embedkafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConfigurationError,
    OperationNotAttemptedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from embedkafka.model import TopicPartition

T0 = TopicPartition("t", 0)
ALICE = api.RequestContext("app", "User:alice", "/10.0.0.1", in_process=False)
TOPIC_SETTINGS = api.ConfigResourceKey(api.ResourceType.TOPIC, "t")
BROKER_SETTINGS = api.ConfigResourceKey(api.ResourceType.BROKER, "0")

DENIED = {
    error.errno
    for error in (
        TopicAuthorizationFailedError,
        GroupAuthorizationFailedError,
        ClusterAuthorizationFailedError,
        TransactionalIdAuthorizationFailedError,
    )
}

Right = tuple[str, str]  # what kind of resource, which operation
NAMES = {"TOPIC": "t", "GROUP": "g", "TRANSACTIONAL_ID": "x", "CLUSTER": "kafka-cluster"}


class Case(NamedTuple):
    api_key: int
    call: Callable[[BrokerPort], Any]
    codes: Callable[[Any], list[int]]
    rights: tuple[Right, ...]


def answered(ask: Callable[[Callable[[Any], None]], object]) -> Any:
    """The reply of a call that completes at once."""
    replies: list[Any] = []
    ask(replies.append)
    (reply,) = replies
    return reply


def each(replies: Any) -> list[int]:
    return [reply.error_code for reply in replies]


def partitions(reply: Any) -> list[int]:
    return each(reply.partitions)


def own(reply: Any) -> list[int]:
    return [reply.error_code]


def by_key(error_codes: Any) -> list[int]:
    return list(error_codes.values())


def each_of(replies: Any) -> list[int]:
    return each(replies.values())


def by_partition(reply: Any) -> list[int]:
    return list(reply.error_codes.values())


def produce_request(transactional_id: str | None = None) -> api.ProduceRequest:
    return api.ProduceRequest([api.PartitionBatches(T0, batch(b"v"))], transactional_id=transactional_id, trusted=True)


MEMBER = "AAAAAAAAAAAAAAAAAAAAAQ"


def share_partition(port: BrokerPort) -> api.TopicIdPartition:
    (topic,) = port.metadata(api.RequestContext(), ["t"]).topics
    return api.TopicIdPartition(topic.topic_id, 0)


CASES: dict[str, Case] = {
    "produce": Case(
        0,
        lambda port: answered(lambda done: port.produce(ALICE, produce_request(), done)),
        partitions,
        (("TOPIC", "WRITE"),),
    ),
    "fetch": Case(
        1,
        lambda port: answered(lambda done: port.fetch(ALICE, api.FetchRequest([api.PartitionFetch(T0, 0)]), done)),
        partitions,
        (("TOPIC", "READ"),),
    ),
    "list_offsets": Case(
        2, lambda port: port.list_offsets(ALICE, api.ListOffsetsRequest({T0: -1})), each, (("TOPIC", "DESCRIBE"),)
    ),
    "metadata": Case(3, lambda port: port.metadata(ALICE, ["t"]).topics, each, (("TOPIC", "DESCRIBE"),)),
    "offset_commit": Case(
        8,
        lambda port: port.offset_commit(ALICE, api.OffsetCommitRequest("g", {T0: api.OffsetToCommit(1)})),
        by_partition,
        (("GROUP", "READ"), ("TOPIC", "READ")),
    ),
    "offset_fetch": Case(
        9,
        lambda port: port.offset_fetch(ALICE, api.OffsetFetchRequest("g", [T0])),
        lambda reply: [reply.error_code, *each(reply.offsets.values())],
        (("GROUP", "DESCRIBE"), ("TOPIC", "DESCRIBE")),
    ),
    "find_coordinator of a group": Case(
        10, lambda port: port.find_coordinator(ALICE, 0, ["g"]), each, (("GROUP", "DESCRIBE"),)
    ),
    "find_coordinator of a transactional id": Case(
        10, lambda port: port.find_coordinator(ALICE, 1, ["x"]), each, (("TRANSACTIONAL_ID", "DESCRIBE"),)
    ),
    "find_coordinator of a share": Case(
        10,
        lambda port: port.find_coordinator(ALICE, 2, ["g:AAAAAAAAAAAAAAAAAAAAAA:0"]),
        each,
        (("CLUSTER", "CLUSTER_ACTION"),),
    ),
    "join_group": Case(
        11,
        lambda port: answered(
            lambda done: port.join_group(
                ALICE, api.JoinGroupRequest("g", 10_000, 10_000, "", "consumer", [("range", b"")]), done
            )
        ),
        own,
        (("GROUP", "READ"),),
    ),
    "heartbeat": Case(
        12,
        lambda port: port.heartbeat(ALICE, api.HeartbeatRequest("g", 1, "m")),
        lambda code: [code],
        (("GROUP", "READ"),),
    ),
    "leave_group": Case(
        13, lambda port: port.leave_group(ALICE, "g", [api.LeavingMember("m")]), own, (("GROUP", "READ"),)
    ),
    "sync_group": Case(
        14,
        lambda port: answered(lambda done: port.sync_group(ALICE, api.SyncGroupRequest("g", 1, "m"), done)),
        own,
        (("GROUP", "READ"),),
    ),
    "describe_groups": Case(15, lambda port: port.describe_groups(ALICE, ["g"]), each, (("GROUP", "DESCRIBE"),)),
    "create_topics": Case(
        19,
        lambda port: port.create_topics(ALICE, [api.NewTopicSpec("t")], validate_only=True),
        each,
        (("TOPIC", "CREATE"),),
    ),
    "create_topics of the cluster": Case(
        19,
        lambda port: port.create_topics(ALICE, [api.NewTopicSpec("t")], validate_only=True),
        each,
        (("CLUSTER", "CREATE"),),
    ),
    "delete_topics": Case(20, lambda port: port.delete_topics(ALICE, ["t"]), each, (("TOPIC", "DELETE"),)),
    "delete_records": Case(21, lambda port: port.delete_records(ALICE, {T0: 0}), each, (("TOPIC", "DELETE"),)),
    "init_producer_id": Case(
        22,
        lambda port: answered(lambda done: port.init_producer_id(ALICE, api.InitProducerIdRequest(), done)),
        own,
        (("CLUSTER", "IDEMPOTENT_WRITE"),),
    ),
    "init_producer_id of who may write": Case(
        22,
        lambda port: answered(lambda done: port.init_producer_id(ALICE, api.InitProducerIdRequest(), done)),
        own,
        (("TOPIC", "WRITE"),),
    ),
    "init_producer_id of a transactional id": Case(
        22,
        lambda port: answered(lambda done: port.init_producer_id(ALICE, api.InitProducerIdRequest("x"), done)),
        own,
        (("TRANSACTIONAL_ID", "WRITE"),),
    ),
    "offset_for_leader_epoch": Case(
        23, lambda port: port.offset_for_leader_epoch(ALICE, {T0: 0}), each, (("TOPIC", "DESCRIBE"),)
    ),
    "add_partitions_to_txn": Case(
        24,
        lambda port: port.add_partitions_to_txn(ALICE, [api.TxnPartitions("x", 1, 0, [T0])])[0],
        by_partition,
        (("TRANSACTIONAL_ID", "WRITE"), ("TOPIC", "WRITE")),
    ),
    "add_offsets_to_txn": Case(
        25,
        lambda port: port.add_offsets_to_txn(ALICE, "x", producer_id=1, producer_epoch=0, group_id="g"),
        lambda code: [code],
        (("TRANSACTIONAL_ID", "WRITE"), ("GROUP", "READ")),
    ),
    "end_txn": Case(
        26, lambda port: port.end_txn(ALICE, api.EndTxnRequest("x", 1, 0, True)), own, (("TRANSACTIONAL_ID", "WRITE"),)
    ),
    "write_txn_markers": Case(
        27,
        lambda port: port.write_txn_markers(ALICE, [api.TxnMarker(1, 0, True, [T0])])[0],
        by_partition,
        (("CLUSTER", "CLUSTER_ACTION"),),
    ),
    "write_txn_markers by hand": Case(
        27,
        lambda port: port.write_txn_markers(ALICE, [api.TxnMarker(1, 0, True, [T0])])[0],
        by_partition,
        (("CLUSTER", "ALTER"),),
    ),
    "txn_offset_commit": Case(
        28,
        lambda port: port.txn_offset_commit(
            ALICE, api.TxnOffsetCommitRequest("x", "g", 1, 0, {T0: api.OffsetToCommit(1)})
        ),
        by_partition,
        (("TRANSACTIONAL_ID", "WRITE"), ("GROUP", "READ"), ("TOPIC", "READ")),
    ),
    "describe_acls": Case(
        29, lambda port: port.describe_acls(ALICE, api.AclBindingFilter()), own, (("CLUSTER", "DESCRIBE"),)
    ),
    "create_acls": Case(
        30,
        lambda port: port.create_acls(ALICE, [api.AclBinding(2, "z", 3, "User:z", "*", 3, 3)]),
        each,
        (("CLUSTER", "ALTER"),),
    ),
    "delete_acls": Case(
        31,
        lambda port: port.delete_acls(ALICE, [api.AclBindingFilter(resource_name="z")]),
        each,
        (("CLUSTER", "ALTER"),),
    ),
    "describe_configs of a topic": Case(
        32, lambda port: port.describe_configs(ALICE, [TOPIC_SETTINGS]), each, (("TOPIC", "DESCRIBE_CONFIGS"),)
    ),
    "describe_configs of a broker": Case(
        32, lambda port: port.describe_configs(ALICE, [BROKER_SETTINGS]), each, (("CLUSTER", "DESCRIBE_CONFIGS"),)
    ),
    "describe_configs of a group": Case(
        32,
        lambda port: port.describe_configs(ALICE, [api.ConfigResourceKey(api.ResourceType.GROUP, "g")]),
        each,
        (("GROUP", "DESCRIBE_CONFIGS"),),
    ),
    "alter_configs": Case(
        33, lambda port: port.alter_configs(ALICE, {TOPIC_SETTINGS: {}}), each, (("TOPIC", "ALTER_CONFIGS"),)
    ),
    "describe_log_dirs": Case(35, lambda port: port.describe_log_dirs(ALICE, None), each, (("CLUSTER", "DESCRIBE"),)),
    "create_partitions": Case(
        37, lambda port: port.create_partitions(ALICE, [api.NewPartitionsSpec("t", 2)]), each, (("TOPIC", "ALTER"),)
    ),
    "alter_replica_log_dirs": Case(
        34, lambda port: port.alter_replica_log_dirs(ALICE, {T0: ""}), partitions, (("CLUSTER", "ALTER"),)
    ),
    "unregister_broker": Case(64, lambda port: port.unregister_broker(ALICE, 7), own, (("CLUSTER", "ALTER"),)),
    "add_raft_voter": Case(80, lambda port: port.add_raft_voter(ALICE, None, 7), own, (("CLUSTER", "ALTER"),)),
    "remove_raft_voter": Case(81, lambda port: port.remove_raft_voter(ALICE, None, 7), own, (("CLUSTER", "ALTER"),)),
    "initialize_share_group_state": Case(
        83,
        lambda port: port.initialize_share_group_state(ALICE, "g", {share_partition(port): api.ShareStateStart(0, 0)}),
        by_key,
        (("CLUSTER", "CLUSTER_ACTION"),),
    ),
    "read_share_group_state": Case(
        84,
        lambda port: port.read_share_group_state(ALICE, "g", {share_partition(port): 0}),
        each_of,
        (("CLUSTER", "CLUSTER_ACTION"),),
    ),
    "write_share_group_state": Case(
        85,
        lambda port: port.write_share_group_state(
            ALICE, "g", {share_partition(port): api.ShareStateWrite(0, 0, 0, -1, [])}
        ),
        by_key,
        (("CLUSTER", "CLUSTER_ACTION"),),
    ),
    "delete_share_group_state": Case(
        86,
        lambda port: port.delete_share_group_state(ALICE, "g", [share_partition(port)]),
        by_key,
        (("CLUSTER", "CLUSTER_ACTION"),),
    ),
    "read_share_group_state_summary": Case(
        87,
        lambda port: port.read_share_group_state_summary(ALICE, "g", [share_partition(port)]),
        each_of,
        (("CLUSTER", "CLUSTER_ACTION"),),
    ),
    "elect_leaders": Case(43, lambda port: port.elect_leaders(ALICE, 0, [T0]), own, (("CLUSTER", "ALTER"),)),
    "alter_partition_reassignments": Case(
        45,
        lambda port: port.alter_partition_reassignments(ALICE, [api.PartitionReassignment(T0, [port.broker_id])]),
        own,
        (("CLUSTER", "ALTER"),),
    ),
    "list_partition_reassignments": Case(
        46, lambda port: port.list_partition_reassignments(ALICE), own, (("CLUSTER", "DESCRIBE"),)
    ),
    "describe_quorum": Case(55, lambda port: port.describe_quorum(ALICE, []), own, (("CLUSTER", "DESCRIBE"),)),
    "update_features": Case(57, lambda port: port.update_features(ALICE, []), own, (("CLUSTER", "ALTER"),)),
    "describe_topic_partitions": Case(
        75, lambda port: port.describe_topic_partitions(ALICE, ["t"]).topics, each, (("TOPIC", "DESCRIBE"),)
    ),
    "delete_groups": Case(42, lambda port: port.delete_groups(ALICE, ["g"]), each, (("GROUP", "DELETE"),)),
    "incremental_alter_configs of a topic": Case(
        44,
        lambda port: port.incremental_alter_configs(ALICE, {TOPIC_SETTINGS: []}),
        each,
        (("TOPIC", "ALTER_CONFIGS"),),
    ),
    "incremental_alter_configs of a broker": Case(
        44,
        lambda port: port.incremental_alter_configs(ALICE, {BROKER_SETTINGS: []}),
        each,
        (("CLUSTER", "ALTER_CONFIGS"),),
    ),
    "offset_delete": Case(
        47,
        lambda port: port.offset_delete(ALICE, "g", [T0]),
        lambda reply: [reply.error_code, *reply.error_codes.values()],
        (("GROUP", "DELETE"), ("TOPIC", "READ")),
    ),
    "describe_client_quotas": Case(
        48, lambda port: port.describe_client_quotas(ALICE, []), own, (("CLUSTER", "DESCRIBE_CONFIGS"),)
    ),
    "alter_client_quotas": Case(
        49,
        lambda port: port.alter_client_quotas(ALICE, [api.QuotaAlteration((("user", "a"),), [])]),
        each,
        (("CLUSTER", "ALTER_CONFIGS"),),
    ),
    "describe_user_scram_credentials": Case(
        50, lambda port: port.describe_user_scram_credentials(ALICE, None), own, (("CLUSTER", "DESCRIBE"),)
    ),
    "alter_user_scram_credentials": Case(
        51,
        lambda port: port.alter_user_scram_credentials(ALICE, [api.ScramDeletion("a", 1)], []),
        each,
        (("CLUSTER", "ALTER"),),
    ),
    "describe_producers": Case(61, lambda port: port.describe_producers(ALICE, [T0]), each, (("TOPIC", "READ"),)),
    "describe_transactions": Case(
        65, lambda port: port.describe_transactions(ALICE, ["x"]), each, (("TRANSACTIONAL_ID", "DESCRIBE"),)
    ),
    "consumer_group_heartbeat": Case(
        68,
        lambda port: port.consumer_group_heartbeat(
            ALICE,
            api.ConsumerGroupHeartbeatRequest(
                "g", "m", 0, rebalance_timeout_ms=1000, subscribed_topic_names=["t"], topic_partitions={}
            ),
        ),
        own,
        (("GROUP", "READ"), ("TOPIC", "DESCRIBE")),
    ),
    "consumer_group_describe": Case(
        69, lambda port: port.consumer_group_describe(ALICE, ["g"]), each, (("GROUP", "DESCRIBE"),)
    ),
    "share_group_heartbeat": Case(
        76,
        lambda port: port.share_group_heartbeat(
            ALICE, api.ShareGroupHeartbeatRequest("g", "m", 0, subscribed_topic_names=["t"])
        ),
        own,
        (("GROUP", "READ"), ("TOPIC", "DESCRIBE")),
    ),
    "share_group_describe": Case(
        77, lambda port: port.share_group_describe(ALICE, ["g"]), each, (("GROUP", "DESCRIBE"),)
    ),
    "streams_group_heartbeat": Case(
        88,
        lambda port: port.streams_group_heartbeat(
            ALICE,
            api.StreamsGroupHeartbeatRequest(
                "g",
                "m",
                0,
                rebalance_timeout_ms=1000,
                topology=api.Topology(0, (api.Subtopology("0", ("t",), repartition_sink_topics=("t",)),)),
                active_tasks={},
                standby_tasks={},
                warmup_tasks={},
            ),
        ),
        own,
        (("GROUP", "READ"), ("TOPIC", "DESCRIBE")),
    ),
    "streams_group_describe": Case(
        89, lambda port: port.streams_group_describe(ALICE, ["g"]), each, (("GROUP", "DESCRIBE"),)
    ),
    "share_fetch": Case(
        78,
        lambda port: answered(
            lambda done: port.share_fetch(
                ALICE,
                api.ShareFetchRequest("g", MEMBER, 0, [api.ShareFetchPartition(share_partition(port))]),
                done,
            )
        ),
        lambda reply: [reply.error_code, *each(reply.partitions)],
        (("GROUP", "READ"), ("TOPIC", "READ")),
    ),
    "share_acknowledge": Case(
        79,
        lambda port: port.share_acknowledge(
            ALICE,
            api.ShareAcknowledgeRequest("g", MEMBER, 1, [api.ShareAcknowledgePartition(share_partition(port), [])]),
        ),
        lambda reply: [reply.error_code, *each(reply.partitions)],
        (("GROUP", "READ"), ("TOPIC", "READ")),
    ),
    "describe_share_group_offsets": Case(
        90,
        lambda port: port.describe_share_group_offsets(ALICE, [api.DescribeShareGroupOffsetsRequest("g")]),
        each,
        (("GROUP", "DESCRIBE"),),
    ),
    "alter_share_group_offsets": Case(
        91,
        lambda port: port.alter_share_group_offsets(ALICE, api.AlterShareGroupOffsetsRequest("g", {T0: 0})),
        lambda reply: [reply.error_code, *each(reply.offsets.values())],
        (("GROUP", "READ"), ("TOPIC", "READ")),
    ),
    "delete_share_group_offsets": Case(
        92,
        lambda port: port.delete_share_group_offsets(ALICE, api.DeleteShareGroupOffsetsRequest("g", ["t"])),
        lambda reply: [reply.error_code, *each(reply.topics)],
        (("GROUP", "DELETE"), ("TOPIC", "READ")),
    ),
}

OPEN_TO_ALL = {
    "charge",
    "connected",
    "delegation_token_refusal",
    "describe_cluster",
    "fetches_promptly",
    "mutations",
    "topic_name",
}
"""Methods that need no right, or are no API."""

FILTERED = {
    "list_groups",
    "list_transactions",
    "watch_group",
    "list_config_resources",
    "produce_promptly",
    "close_share_session",
}
"""Methods whose answers have no error codes; they have tests of their own."""


@pytest.fixture
def broker() -> Iterator[Broker]:
    with running(clock=ManualClock(START_MS), authorizer_class_name="StandardAuthorizer") as broker:
        broker.create()
        yield broker


def allow(broker: Broker, *rights: Right, permission: int = AclPermissionType.ALLOW) -> None:
    bindings = [
        api.AclBinding(
            AclResourceType[kind],
            NAMES[kind],
            AclPatternType.LITERAL,
            "User:alice",
            "*",
            AclOperation[operation],
            permission,
        )
        for kind, operation in rights
    ]
    assert all(not result.error_code for result in broker.port.create_acls(broker.context, bindings))


def is_denied(codes: list[int]) -> bool:
    return bool(DENIED & set(codes))


@pytest.fixture(autouse=True)
def share_session(request: pytest.FixtureRequest) -> None:
    """An acknowledgement is made within a session, which begins with a fetch of the engine's own."""
    if "broker" in request.fixturenames:
        port = request.getfixturevalue("broker").port
        answered(
            lambda done: port.share_fetch(ALICE._replace(in_process=True), api.ShareFetchRequest("g", MEMBER, 0), done)
        )


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_allowed_without_rights(broker: Broker, name: str) -> None:
    case = CASES[name]
    assert is_denied(case.codes(case.call(broker.port)))


@pytest.mark.parametrize("name", CASES)
def test_the_rights_that_kafka_asks_for_are_enough(broker: Broker, name: str) -> None:
    case = CASES[name]
    allow(broker, *case.rights)
    assert not is_denied(case.codes(case.call(broker.port)))


@pytest.mark.parametrize(
    ("name", "missing"),
    [(name, right) for name, case in CASES.items() if len(case.rights) > 1 for right in case.rights],
)
def test_each_of_several_rights_is_needed(broker: Broker, name: str, missing: Right) -> None:
    case = CASES[name]
    allow(broker, *(right for right in case.rights if right != missing))
    assert is_denied(case.codes(case.call(broker.port)))


@pytest.mark.parametrize("name", CASES)
def test_a_denial_wins_over_a_right_to_everything(broker: Broker, name: str) -> None:
    case = CASES[name]
    allow(broker, *((kind, "ALL") for kind in NAMES))
    assert not is_denied(case.codes(case.call(broker.port)))
    allow(broker, *((kind, "ALL") for kind in NAMES), permission=AclPermissionType.DENY)
    assert is_denied(case.codes(case.call(broker.port)))


@pytest.mark.parametrize("name", CASES)
def test_the_engines_own_process_may_do_everything(broker: Broker, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    monkeypatch.setitem(globals(), "ALICE", ALICE._replace(in_process=True))
    assert not is_denied(case.codes(case.call(broker.port)))


def test_a_super_user_may_do_everything() -> None:
    users = "User:root; User:alice"
    with running(authorizer_class_name="StandardAuthorizer", super_users=users) as broker:
        broker.create()
        for case in CASES.values():
            assert not is_denied(case.codes(case.call(broker.port)))


def test_what_no_rule_is_about_may_be_everyones() -> None:
    with running(authorizer_class_name="StandardAuthorizer", **{"allow.everyone.if.no.acl.found": True}) as broker:
        broker.create()
        assert broker.port.metadata(ALICE, ["t"]).topics[0].error_code == 0
        allow(broker, ("TOPIC", "WRITE"), permission=AclPermissionType.DENY)
        assert broker.port.metadata(ALICE, ["t"]).topics[0].error_code == TopicAuthorizationFailedError.errno


def test_every_method_of_the_port_asks() -> None:
    methods = {
        name
        for name, _ in inspect.getmembers(BrokerPort, inspect.isfunction)
        if not name.startswith("_") and name not in OPEN_TO_ALL
    }
    asking = {
        name
        for kind in AuthorizedPort.__mro__
        if kind not in (BrokerPort, SecurityPort, ClusterPort, ShareStatesPort)
        for name in vars(kind)
    }
    assert methods - asking == set()


def test_every_method_of_the_port_is_in_the_table() -> None:
    called = {name.split(" of ")[0].split(" by ")[0] for name in CASES} | FILTERED | OPEN_TO_ALL
    methods = {name for name, _ in inspect.getmembers(BrokerPort, inspect.isfunction) if not name.startswith("_")}
    methods -= {"is_authorized", "authorized_operations", "produce_sealed"}
    assert methods - called == set()


def test_the_table_of_rights_knows_every_api_that_needs_one() -> None:
    keys = {number for name, number in vars(ApiKey).items() if not name.startswith("_")}
    assert keys - set(RIGHTS) == {ApiKey.DESCRIBE_CLUSTER}
    assert {case.api_key for case in CASES.values()} <= set(RIGHTS)


# What is left out, hidden, or done in part ---------------------------------------------------------------------------


def test_topics_that_may_not_be_described_are_not_listed(broker: Broker) -> None:
    broker.create("u")
    allow(broker, ("TOPIC", "DESCRIBE"))
    assert [topic.topic for topic in broker.port.metadata(ALICE, None).topics] == ["t"]


def test_a_denied_topic_is_answered_alike_whether_it_exists_or_not(broker: Broker) -> None:
    there, nowhere = broker.port.metadata(ALICE, ["t", "nowhere"], auto_create=True).topics
    assert there._replace(topic="") == nowhere._replace(topic="")
    assert "nowhere" not in broker.topic_names()


def test_creating_by_asking_needs_the_right_to_create(broker: Broker) -> None:
    everything = api.AclBinding(2, "new", 3, "User:alice", "*", AclOperation.DESCRIBE, 3)
    broker.port.create_acls(broker.context, [everything])
    (topic,) = broker.port.metadata(ALICE, ["new"], auto_create=True).topics
    assert topic.error_code == TopicAuthorizationFailedError.errno
    broker.port.create_acls(broker.context, [everything._replace(operation=AclOperation.CREATE)])
    (topic,) = broker.port.metadata(ALICE, ["new"], auto_create=True).topics
    assert topic.error_code == 0


def test_answers_come_in_the_order_asked(broker: Broker) -> None:
    broker.create("a")
    broker.create("z")
    allow(broker, ("TOPIC", "DESCRIBE"))
    asked = [TopicPartition("z", 0), T0, TopicPartition("a", 0)]
    found = broker.port.list_offsets(ALICE, api.ListOffsetsRequest(dict.fromkeys(asked, -1)))
    assert [(each.topic_partition, each.error_code) for each in found] == [(asked[0], 29), (T0, 0), (asked[2], 29)]
    topics = broker.port.metadata(ALICE, ["z", "t", "a"]).topics
    assert [(each.topic, each.error_code) for each in topics] == [("z", 29), ("t", 0), ("a", 29)]


def test_the_allowed_partitions_of_a_produce_are_written(broker: Broker) -> None:
    broker.create("u")
    allow(broker, ("TOPIC", "WRITE"))
    batches = [api.PartitionBatches(TopicPartition(topic, 0), batch(b"v")) for topic in ("u", "t")]
    reply = answered(lambda done: broker.port.produce(ALICE, api.ProduceRequest(batches, trusted=True), done))
    assert {each.topic_partition.topic: each.error_code for each in reply.partitions} == {"t": 0, "u": 29}
    assert broker.values() == [b"v"]
    assert broker.values(TopicPartition("u", 0)) == []


def test_what_is_denied_is_not_produced_promptly_either(broker: Broker) -> None:
    assert broker.port.produce_promptly(ALICE, produce_request()) is None
    assert broker.values() == []


def test_the_allowed_partitions_of_a_fetch_are_read(broker: Broker) -> None:
    broker.create("u")
    broker.send(b"v")
    allow(broker, ("TOPIC", "READ"))
    asked = [api.PartitionFetch(TopicPartition(topic, 0), 0) for topic in ("u", "t")]
    reply = answered(lambda done: broker.port.fetch(ALICE, api.FetchRequest(asked), done))
    found = {each.topic_partition.topic: (each.error_code, len(each.records)) for each in reply.partitions}
    assert found == {"t": (0, 1), "u": (29, 0)}


def test_a_transactional_id_that_is_denied_refuses_every_batch(broker: Broker) -> None:
    allow(broker, ("TOPIC", "WRITE"))
    reply = answered(lambda done: broker.port.produce(ALICE, produce_request("x"), done))
    assert partitions(reply) == [TransactionalIdAuthorizationFailedError.errno]
    assert broker.values() == []


def test_partitions_of_a_transaction_are_added_together_or_not_at_all(broker: Broker) -> None:
    broker.create("u")
    allow(broker, ("TRANSACTIONAL_ID", "WRITE"), ("TOPIC", "WRITE"))
    u0 = TopicPartition("u", 0)
    (result,) = broker.port.add_partitions_to_txn(ALICE, [api.TxnPartitions("x", 1, 0, [T0, u0])])
    assert result.error_codes == {T0: OperationNotAttemptedError.errno, u0: TopicAuthorizationFailedError.errno}


def test_groups_that_may_not_be_described_are_not_listed(broker: Broker) -> None:
    for group in ("g", "other"):
        broker.port.offset_commit(broker.context, api.OffsetCommitRequest(group, {T0: api.OffsetToCommit(1)}))
    assert broker.port.list_groups(ALICE) == []
    allow(broker, ("GROUP", "DESCRIBE"))
    assert [group.group_id for group in broker.port.list_groups(ALICE)] == ["g"]
    allow(broker, ("CLUSTER", "DESCRIBE"))
    assert [group.group_id for group in broker.port.list_groups(ALICE)] == ["g", "other"]


def test_offsets_of_topics_that_may_not_be_described_are_left_out(broker: Broker) -> None:
    broker.create("u")
    u0 = TopicPartition("u", 0)
    offsets = {T0: api.OffsetToCommit(1), u0: api.OffsetToCommit(2)}
    broker.port.offset_commit(broker.context, api.OffsetCommitRequest("g", offsets))
    allow(broker, ("GROUP", "DESCRIBE"), ("TOPIC", "DESCRIBE"))
    assert list(broker.port.offset_fetch(ALICE, api.OffsetFetchRequest("g")).offsets) == [T0]
    asked = broker.port.offset_fetch(ALICE, api.OffsetFetchRequest("g", [T0, u0])).offsets
    assert {each: committed.error_code for each, committed in asked.items()} == {T0: 0, u0: 29}


def test_transactional_ids_that_may_not_be_described_are_not_listed(broker: Broker) -> None:
    for name in ("x", "other"):
        request = api.InitProducerIdRequest(name)
        assert own(answered(lambda done, request=request: broker.port.init_producer_id(broker.context, request, done)))
    assert broker.port.list_transactions(ALICE, api.ListTransactionsRequest()).transactions == []
    allow(broker, ("TRANSACTIONAL_ID", "DESCRIBE"))
    listed = broker.port.list_transactions(ALICE, api.ListTransactionsRequest()).transactions
    assert [each.transactional_id for each in listed] == ["x"]


def test_resources_with_settings_are_listed_for_who_may_see_the_clusters(broker: Broker) -> None:
    with pytest.raises(ClusterAuthorizationFailedError):
        broker.port.list_config_resources(ALICE)
    allow(broker, ("CLUSTER", "DESCRIBE_CONFIGS"))
    assert broker.port.list_config_resources(ALICE)


def test_a_session_reads_no_topic_whose_right_was_taken_away(broker: Broker) -> None:
    allow(broker, ("GROUP", "READ"), ("TOPIC", "READ"))
    partition = share_partition(broker.port)
    begin = api.ShareFetchRequest("g", MEMBER, 0, [api.ShareFetchPartition(partition)])
    answered(lambda done: broker.port.share_fetch(ALICE, begin, done))
    assert broker.engine.shares.session_partitions("g", MEMBER) == [partition]
    allow(broker, ("TOPIC", "READ"), permission=AclPermissionType.DENY)
    answered(lambda done: broker.port.share_fetch(ALICE, api.ShareFetchRequest("g", MEMBER, 1), done))
    assert broker.engine.shares.session_partitions("g", MEMBER) == []


def test_a_session_of_a_denied_group_is_not_closed(broker: Broker) -> None:
    broker.port.close_share_session(ALICE, "g", MEMBER)
    going_on = api.ShareFetchRequest("g", MEMBER, 1)
    owner = ALICE._replace(in_process=True)
    assert own(answered(lambda done: broker.port.share_fetch(owner, going_on, done))) == [0]


def test_a_group_that_is_denied_is_not_watched(broker: Broker) -> None:
    called: list[int] = []
    broker.port.watch_group(ALICE, "g", "m", lambda: called.append(1))()
    assert called == []


def test_a_consumer_group_with_hidden_topics_is_hidden(broker: Broker) -> None:
    join = api.ConsumerGroupHeartbeatRequest(
        "g", "m", 0, rebalance_timeout_ms=1000, subscribed_topic_names=["t"], topic_partitions={}
    )
    assert broker.port.consumer_group_heartbeat(ALICE._replace(in_process=True), join).error_code == 0
    allow(broker, ("GROUP", "DESCRIBE"))
    (group,) = broker.port.consumer_group_describe(ALICE, ["g"])
    assert (group.error_code, group.members) == (TopicAuthorizationFailedError.errno, ())
    allow(broker, ("TOPIC", "DESCRIBE"))
    (group,) = broker.port.consumer_group_describe(ALICE, ["g"])
    assert (group.error_code, len(group.members)) == (0, 1)


# Operations as bits --------------------------------------------------------------------------------------------------


def test_authorized_operations_are_those_that_the_rules_allow(broker: Broker) -> None:
    allow(broker, ("TOPIC", "READ"), ("GROUP", "DELETE"))
    read, describe, delete = (1 << AclOperation[name] for name in ("READ", "DESCRIBE", "DELETE"))
    port = broker.port
    assert port.authorized_operations(ALICE, AclResourceType.TOPIC, "t") == read | describe
    assert port.authorized_operations(ALICE, AclResourceType.GROUP, "g") == delete | describe
    assert port.authorized_operations(ALICE, AclResourceType.CLUSTER, "kafka-cluster") == 0


def test_without_an_authorizer_every_operation_is_authorized() -> None:
    """The numbers of a broker without an authorizer."""
    with running() as broker:
        port = broker.port
        assert port.authorized_operations(ALICE, AclResourceType.TOPIC, "t") == 3576
        assert port.authorized_operations(ALICE, AclResourceType.GROUP, "g") == 3400
        assert port.authorized_operations(ALICE, AclResourceType.CLUSTER, "kafka-cluster") == 8096


# The authorizer ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["alice", "User:", ":alice", "User:root;bob"])
def test_a_super_user_is_a_principal(text: str) -> None:
    with (
        pytest.raises(KafkaConfigurationError, match=r"super\.users"),
        running(authorizer_class_name="StandardAuthorizer", super_users=text),
    ):
        pass


def test_another_authorizer_is_refused() -> None:
    with pytest.raises(KafkaConfigurationError, match="authorizer"), running(authorizer_class_name="com.example.Mine"):
        pass


@pytest.mark.parametrize(
    "part",
    [
        {"resource_type": 0},
        {"resource_type": 1},
        {"resource_type": 99},
        {"pattern_type": AclPatternType.MATCH},
        {"operation": AclOperation.ANY},
        {"operation": 99},
        {"permission_type": AclPermissionType.ANY},
        {"resource_name": ""},
        {"resource_type": AclResourceType.CLUSTER, "resource_name": "mine"},
        {"principal": "alice"},
    ],
)
def test_a_rule_that_cannot_be_is_refused_and_the_others_are_made(broker: Broker, part: dict[str, Any]) -> None:
    good = api.AclBinding(2, "t", 3, "User:alice", "*", 3, 3)
    results = broker.port.create_acls(broker.context, [good._replace(**part), good])
    assert [result.error_code for result in results] == [42, 0]
    assert broker.port.describe_acls(broker.context, api.AclBindingFilter()).acls == [good]


def test_rules_that_several_threads_make_at_once_are_all_there(broker: Broker) -> None:
    def make(names: range) -> None:
        for number in names:
            binding = api.AclBinding(2, f"t{number}", 3, "User:alice", "*", AclOperation.DESCRIBE, 3)
            broker.port.create_acls(broker.context, [binding])
            (topic,) = broker.port.metadata(ALICE, [f"t{number}"]).topics
            assert topic.error_code == UnknownTopicOrPartitionError.errno  # and not that it may not be known

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(make, range(start, start + 25)) for start in range(0, 100, 25)]:
            done.result()
    assert len(broker.port.describe_acls(broker.context, api.AclBindingFilter()).acls) == 100


def test_rules_are_there_after_reopening(path: Any) -> None:
    binding = api.AclBinding(2, 'a/b "c"', 4, "User:CN=x,O=y", "*", 3, 3)
    with running(path, authorizer_class_name="StandardAuthorizer") as broker:
        broker.port.create_acls(broker.context, [binding])
    with running(path, authorizer_class_name="StandardAuthorizer") as broker:
        assert broker.port.describe_acls(broker.context, api.AclBindingFilter()).acls == [binding]
        broker.port.delete_acls(broker.context, [api.AclBindingFilter()])
        assert broker.port.describe_acls(broker.context, api.AclBindingFilter()).acls == []
