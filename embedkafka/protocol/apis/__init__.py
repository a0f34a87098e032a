"""The APIs of Kafka 4.3's brokers, one file each, numbered by key so that a listing is the protocol.

A file holds the messages as data classes and ``API``, which binds both to their versions; see
:mod:`embedkafka.protocol.fields` for the words.  Names are Kafka's in snake case.  What a broker does not offer
on its listeners, but to controllers, is left out (its keys are missing below), and so are the versions that Kafka 4.0
removed.

A file is whole: what several APIs have alike (a topic's partitions, a leader's address) stands in each of them, because
Kafka changes them one by one.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from embedkafka.errors import UnsupportedVersionError
from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import VersionRange

NAMES = {
    0: "produce",
    1: "fetch",
    2: "list_offsets",
    3: "metadata",
    8: "offset_commit",
    9: "offset_fetch",
    10: "find_coordinator",
    11: "join_group",
    12: "heartbeat",
    13: "leave_group",
    14: "sync_group",
    15: "describe_groups",
    16: "list_groups",
    17: "sasl_handshake",
    18: "api_versions",
    19: "create_topics",
    20: "delete_topics",
    21: "delete_records",
    22: "init_producer_id",
    23: "offset_for_leader_epoch",
    24: "add_partitions_to_txn",
    25: "add_offsets_to_txn",
    26: "end_txn",
    27: "write_txn_markers",
    28: "txn_offset_commit",
    29: "describe_acls",
    30: "create_acls",
    31: "delete_acls",
    32: "describe_configs",
    33: "alter_configs",
    34: "alter_replica_log_dirs",
    35: "describe_log_dirs",
    36: "sasl_authenticate",
    37: "create_partitions",
    38: "create_delegation_token",
    39: "renew_delegation_token",
    40: "expire_delegation_token",
    41: "describe_delegation_token",
    42: "delete_groups",
    43: "elect_leaders",
    44: "incremental_alter_configs",
    45: "alter_partition_reassignments",
    46: "list_partition_reassignments",
    47: "offset_delete",
    48: "describe_client_quotas",
    49: "alter_client_quotas",
    50: "describe_user_scram_credentials",
    51: "alter_user_scram_credentials",
    55: "describe_quorum",
    57: "update_features",
    60: "describe_cluster",
    61: "describe_producers",
    64: "unregister_broker",
    65: "describe_transactions",
    66: "list_transactions",
    68: "consumer_group_heartbeat",
    69: "consumer_group_describe",
    71: "get_telemetry_subscriptions",
    72: "push_telemetry",
    74: "list_config_resources",
    75: "describe_topic_partitions",
    76: "share_group_heartbeat",
    77: "share_group_describe",
    78: "share_fetch",
    79: "share_acknowledge",
    80: "add_raft_voter",
    81: "remove_raft_voter",
    83: "initialize_share_group_state",
    84: "read_share_group_state",
    85: "write_share_group_state",
    86: "delete_share_group_state",
    87: "read_share_group_state_summary",
    88: "streams_group_heartbeat",
    89: "streams_group_describe",
    90: "describe_share_group_offsets",
    91: "alter_share_group_offsets",
    92: "delete_share_group_offsets",
}

# What the files say, once more: a broker that starts tells its versions before anybody needs a message.
_ADVERTISED = {
    0: "0-13",
    1: "4-18",
    2: "1-11",
    3: "0-13",
    8: "2-10",
    9: "1-10",
    10: "0-6",
    11: "0-9",
    12: "0-4",
    13: "0-5",
    14: "0-5",
    15: "0-6",
    16: "0-5",
    17: "0-1",
    18: "0-4",
    19: "2-7",
    20: "1-6",
    21: "0-2",
    22: "0-5",
    23: "2-4",
    24: "0-5",
    25: "0-4",
    26: "0-5",
    27: "1-2",
    28: "0-5",
    29: "1-3",
    30: "1-3",
    31: "1-3",
    32: "1-4",
    33: "0-2",
    34: "1-2",
    35: "1-5",
    36: "0-2",
    37: "0-3",
    38: "1-3",
    39: "1-2",
    40: "1-2",
    41: "1-3",
    42: "0-2",
    43: "0-2",
    44: "0-1",
    45: "0-1",
    46: "0",
    47: "0",
    48: "0-1",
    49: "0-1",
    50: "0",
    51: "0",
    55: "0-2",
    57: "0-2",
    60: "0-2",
    61: "0",
    64: "0",
    65: "0",
    66: "0-2",
    68: "0-1",
    69: "0-1",
    71: "0",
    72: "0",
    74: "0-1",
    75: "0",
    76: "1",
    77: "1",
    78: "1-2",
    79: "1-2",
    80: "0-1",
    81: "0",
    83: "0",
    84: "0",
    85: "0-1",
    86: "0",
    87: "0-1",
    88: "0",
    89: "0",
    90: "0-1",
    91: "0",
    92: "0",
}


@cache
def advertised(key: int) -> VersionRange:
    """The versions of an API that ApiVersions names; its file is not imported for that."""
    return VersionRange.parse(_ADVERTISED[key])


@cache
def api(key: int) -> Api:
    """The API of a key; its file is imported on first use.

    Raises:
        UnsupportedVersionError: clients of Kafka 4.3 have no such API.
    """
    name = NAMES.get(key)
    if name is None:
        raise UnsupportedVersionError(f"there is no API {key} for clients")
    found: Api = import_module(f"{__name__}.api_{key:02d}_{name}").API
    return found
