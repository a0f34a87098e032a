"""Which right each API needs, as ``kafka.server.KafkaApis`` and ``ControllerApis`` ask for it.

A column that is filled in is asked for every resource of its kind that a request names: a group or transactional id
that is refused refuses the request, a topic that is refused is answered by itself, or left out of what is listed.
The exceptions stand beside the code that makes them (:mod:`~embedkafka.broker.security.authorized_port` and its
neighbours).
An API that is not here needs no right: ApiVersions, SaslHandshake, SaslAuthenticate, DescribeCluster, telemetry.
"""

from __future__ import annotations

from typing import NamedTuple

from embedkafka.broker.security.acls_api import AclOperation, AclResourceType
from embedkafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailedError,
)

_READ, _WRITE, _CREATE, _DELETE = AclOperation.READ, AclOperation.WRITE, AclOperation.CREATE, AclOperation.DELETE
_ALTER, _DESCRIBE, _ACTION = AclOperation.ALTER, AclOperation.DESCRIBE, AclOperation.CLUSTER_ACTION
_DESCRIBE_CONFIGS, _ALTER_CONFIGS = AclOperation.DESCRIBE_CONFIGS, AclOperation.ALTER_CONFIGS


class Rights(NamedTuple):
    """What one API needs, by kind of resource."""

    cluster: AclOperation | None = None
    topic: AclOperation | None = None
    group: AclOperation | None = None
    transactional_id: AclOperation | None = None


RIGHTS: dict[int, Rights] = {
    0: Rights(topic=_WRITE, transactional_id=_WRITE),  # Produce
    1: Rights(topic=_READ),  # Fetch
    2: Rights(topic=_DESCRIBE),  # ListOffsets
    3: Rights(topic=_DESCRIBE),  # Metadata; what it creates needs CREATE
    8: Rights(topic=_READ, group=_READ),  # OffsetCommit
    9: Rights(topic=_DESCRIBE, group=_DESCRIBE),  # OffsetFetch
    10: Rights(cluster=_ACTION, group=_DESCRIBE, transactional_id=_DESCRIBE),  # FindCoordinator; of shares: cluster
    11: Rights(group=_READ),  # JoinGroup
    12: Rights(group=_READ),  # Heartbeat
    13: Rights(group=_READ),  # LeaveGroup
    14: Rights(group=_READ),  # SyncGroup
    15: Rights(group=_DESCRIBE),  # DescribeGroups
    16: Rights(cluster=_DESCRIBE, group=_DESCRIBE),  # ListGroups; one of both
    19: Rights(cluster=_CREATE, topic=_CREATE),  # CreateTopics; one of both
    20: Rights(cluster=_DELETE, topic=_DELETE),  # DeleteTopics; one of both
    21: Rights(topic=_DELETE),  # DeleteRecords
    22: Rights(cluster=AclOperation.IDEMPOTENT_WRITE, topic=_WRITE, transactional_id=_WRITE),  # InitProducerId
    23: Rights(cluster=_ACTION, topic=_DESCRIBE),  # OffsetForLeaderEpoch; one of both
    24: Rights(cluster=_ACTION, topic=_WRITE, transactional_id=_WRITE),  # AddPartitionsToTxn; brokers' own: cluster
    25: Rights(group=_READ, transactional_id=_WRITE),  # AddOffsetsToTxn
    26: Rights(transactional_id=_WRITE),  # EndTxn
    27: Rights(cluster=_ACTION),  # WriteTxnMarkers; ALTER will do, too
    28: Rights(topic=_READ, group=_READ, transactional_id=_WRITE),  # TxnOffsetCommit
    29: Rights(cluster=_DESCRIBE),  # DescribeAcls
    30: Rights(cluster=_ALTER),  # CreateAcls
    31: Rights(cluster=_ALTER),  # DeleteAcls
    32: Rights(cluster=_DESCRIBE_CONFIGS, topic=_DESCRIBE_CONFIGS, group=_DESCRIBE_CONFIGS),  # DescribeConfigs
    33: Rights(cluster=_ALTER_CONFIGS, topic=_ALTER_CONFIGS, group=_ALTER_CONFIGS),  # AlterConfigs
    34: Rights(cluster=_ALTER),  # AlterReplicaLogDirs
    35: Rights(cluster=_DESCRIBE),  # DescribeLogDirs
    37: Rights(topic=_ALTER),  # CreatePartitions
    42: Rights(group=_DELETE),  # DeleteGroups
    43: Rights(cluster=_ALTER),  # ElectLeaders
    44: Rights(cluster=_ALTER_CONFIGS, topic=_ALTER_CONFIGS, group=_ALTER_CONFIGS),  # IncrementalAlterConfigs
    45: Rights(cluster=_ALTER),  # AlterPartitionReassignments
    46: Rights(cluster=_DESCRIBE),  # ListPartitionReassignments
    47: Rights(topic=_READ, group=_DELETE),  # OffsetDelete
    48: Rights(cluster=_DESCRIBE_CONFIGS),  # DescribeClientQuotas
    49: Rights(cluster=_ALTER_CONFIGS),  # AlterClientQuotas
    50: Rights(cluster=_DESCRIBE),  # DescribeUserScramCredentials
    51: Rights(cluster=_ALTER),  # AlterUserScramCredentials
    55: Rights(cluster=_DESCRIBE),  # DescribeQuorum
    57: Rights(cluster=_ALTER),  # UpdateFeatures
    61: Rights(topic=_READ),  # DescribeProducers
    64: Rights(cluster=_ALTER),  # UnregisterBroker
    65: Rights(topic=_DESCRIBE, transactional_id=_DESCRIBE),  # DescribeTransactions
    66: Rights(transactional_id=_DESCRIBE),  # ListTransactions
    68: Rights(topic=_DESCRIBE, group=_READ),  # ConsumerGroupHeartbeat
    69: Rights(topic=_DESCRIBE, group=_DESCRIBE),  # ConsumerGroupDescribe
    74: Rights(cluster=_DESCRIBE_CONFIGS),  # ListConfigResources
    75: Rights(topic=_DESCRIBE),  # DescribeTopicPartitions
    76: Rights(topic=_DESCRIBE, group=_READ),  # ShareGroupHeartbeat
    77: Rights(topic=_DESCRIBE, group=_DESCRIBE),  # ShareGroupDescribe
    78: Rights(topic=_READ, group=_READ),  # ShareFetch
    79: Rights(topic=_READ, group=_READ),  # ShareAcknowledge
    80: Rights(cluster=_ALTER),  # AddRaftVoter
    81: Rights(cluster=_ALTER),  # RemoveRaftVoter
    83: Rights(cluster=_ACTION),  # InitializeShareGroupState
    84: Rights(cluster=_ACTION),  # ReadShareGroupState
    85: Rights(cluster=_ACTION),  # WriteShareGroupState
    86: Rights(cluster=_ACTION),  # DeleteShareGroupState
    87: Rights(cluster=_ACTION),  # ReadShareGroupStateSummary
    88: Rights(topic=_DESCRIBE, group=_READ),  # StreamsGroupHeartbeat; internal topics need CREATE
    89: Rights(topic=_DESCRIBE, group=_DESCRIBE),  # StreamsGroupDescribe
    90: Rights(topic=_DESCRIBE, group=_DESCRIBE),  # DescribeShareGroupOffsets
    91: Rights(topic=_READ, group=_READ),  # AlterShareGroupOffsets
    92: Rights(topic=_READ, group=_DELETE),  # DeleteShareGroupOffsets
}

TOPIC_DENIED = TopicAuthorizationFailedError.errno
GROUP_DENIED = GroupAuthorizationFailedError.errno
CLUSTER_DENIED = ClusterAuthorizationFailedError.errno
TRANSACTIONAL_ID_DENIED = TransactionalIdAuthorizationFailedError.errno

TOPIC_MESSAGE = "Topic authorization failed."
GROUP_MESSAGE = "Group authorization failed."
CLUSTER_MESSAGE = "Cluster authorization failed."

DENIED = {
    AclResourceType.TOPIC: (TOPIC_DENIED, TOPIC_MESSAGE),
    AclResourceType.GROUP: (GROUP_DENIED, GROUP_MESSAGE),
    AclResourceType.CLUSTER: (CLUSTER_DENIED, CLUSTER_MESSAGE),
}
"""The error and its sentence for a resource whose settings the caller may not use."""
