"""The error tree: kafka-python 3's class names, each with Kafka's error code.

Two families, because who is at fault should be in the type:

* :class:`BrokerResponseError` and below carry ``errno`` and ``message``, the number and the name that Apache Kafka
  gives the error on the wire (``org.apache.kafka.common.protocol.Errors``).
* Every other :class:`KafkaError` is raised by this library on the caller's side and never crosses the wire.

``retriable`` says whether the same call may succeed later; ``invalid_metadata`` whether the client should look up the
partition's leader again first.  :func:`for_code` turns a wire code into its class.
"""

from __future__ import annotations


class KafkaError(Exception):
    """Base of every error this library raises on purpose."""

    retriable = False
    invalid_metadata = False

    def __str__(self) -> str:
        if not self.args:
            return type(self).__name__
        return f"{type(self).__name__}: {super().__str__()}"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.args == getattr(other, "args", None)

    def __hash__(self) -> int:
        return hash((type(self), str(self.args)))


class RetriableError(KafkaError):
    """The same call may succeed later."""

    retriable = True


class InvalidMetadataError(RetriableError):
    """Retriable after the client has looked up leaders again."""

    invalid_metadata = True


class CommitFailedError(KafkaError):
    """The group moved on to a new generation; these offsets were not committed."""

    def __init__(self, *args: object) -> None:
        super().__init__(
            *args
            or (
                "the group has rebalanced and given the partitions to another member; poll more often, or raise "
                "max_poll_interval_ms",
            )
        )


class BrokerResponseError(KafkaError):
    """An error with a Kafka error code: what a broker answered.

    ``record_indexes`` are the places in their batch of the records that it is about, where it is about some (KIP-467).
    """

    errno: int = -1
    message: str = "UNKNOWN"
    record_indexes: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"[Error {self.errno}] {super().__str__()}"


class DirectoryLockedError(KafkaError):
    """Another process or engine owns the data directory.

    ``owner_pid`` is None where its lock file does not say; ``address`` is where the owner listens, None where it does
    not.
    """

    def __init__(self, path: str, owner_pid: int | None, address: str | None = None) -> None:
        self.path = path
        self.owner_pid = owner_pid
        self.address = address
        owner = "somebody else" if owner_pid is None else f"process {owner_pid}"
        if address is None:
            hint = "close it there, or open it read-only"
        else:
            hint = f"it listens on {address}: connect a Kafka client there, close it, or open it read-only"
        super().__init__(f"{path} is owned by {owner}; {hint}")

    def add_hint(self, hint: str) -> None:
        """Say one thing more to the reader."""
        self.args = (f"{self.args[0]}; {hint}",)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.path, self.owner_pid, self.address)


class ForeignDirectoryError(KafkaError):
    """The directory is not a data directory of this library and version; nothing in it was touched."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} is not a data directory of embedkafka: {reason}")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.path, self.reason)


class LogTruncationError(KafkaError):
    """The log was truncated below the consumer's position (KIP-320).

    ``divergent_offsets`` maps each partition to the offset to seek back to, or None where none is known.
    """

    def __init__(self, divergent_offsets: object, *args: object) -> None:
        self.divergent_offsets = divergent_offsets
        super().__init__(*(args or (f"log truncated below the position of {divergent_offsets}",)))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.divergent_offsets, *self.args)


class RecordDeserializationError(KafkaError):
    """A deserializer failed on one record; the consumer's position stays there, so a seek past it goes on.

    ``topic_partition`` and ``offset`` say which record; the deserializer's own error is ``__cause__`` and ``cause``.
    """

    def __init__(self, topic_partition: object, offset: int, cause: BaseException) -> None:
        self.topic_partition = topic_partition
        self.offset = offset
        self.cause = cause
        topic, partition = getattr(topic_partition, "topic", "?"), getattr(topic_partition, "partition", "?")
        super().__init__(
            f"cannot deserialize the record at offset {offset} of {topic}-{partition}: {cause!r}; "
            f"seek to {offset + 1} to go on without it"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.topic_partition, self.offset, self.cause)


class WakeupError(KafkaError):
    """``wakeup()`` ended a consumer's ``poll`` (Java: WakeupException)."""


class ConcurrentModificationError(KafkaError):
    """Two threads were inside one consumer (Java: ConcurrentModificationException)."""


class Cancelled(RetriableError):
    """The request was given up before it was answered."""


class IllegalArgumentError(KafkaError):
    """An argument has a value that it may not have."""


class IllegalStateError(KafkaError):
    """The object is not in a state for this call: closed, not subscribed, inherited by a fork, ..."""


class KafkaConfigurationError(KafkaError):
    """A setting is unknown, or has a value that cannot be."""


class KafkaConnectionError(InvalidMetadataError):
    """The connection to a broker broke."""


class KafkaProtocolError(KafkaError):
    """Bytes that should be a message of the protocol are none."""


class CorrelationIdError(RetriableError, KafkaProtocolError):
    """An answer came that belongs to another request."""


class InvalidReceiveError(KafkaProtocolError):
    """A message announces a size that cannot be right."""


class KafkaTimeoutError(RetriableError):
    """It was not done in the time given: no room in a buffer, no metadata, no answer."""


class MetadataEmptyBrokerList(RetriableError):
    """Metadata named no broker."""


class NoOffsetForPartitionError(KafkaError):
    """Nothing is committed for a partition and ``auto_offset_reset`` is ``none``: seek first."""


class NodeNotReadyError(RetriableError):
    """The broker cannot be spoken to yet."""


class UnknownBrokerIdError(KafkaError):
    """No broker has this id."""


class QuotaViolationError(KafkaError):
    """A client uses more than it is granted."""


class StaleMetadata(InvalidMetadataError):
    """What the client knows of the cluster is out of date."""


class TooManyInFlightRequests(RetriableError):
    """Too many requests wait for answers already."""


class UnrecognizedBrokerVersion(KafkaError):
    """The broker's version cannot be told."""


class UnsupportedCodecError(KafkaError):
    """The compression type is unknown, or its library is missing."""


class TransactionAbortedError(KafkaError):
    """The record was in a transaction that was aborted before it was sent."""


class AuthorizationError(BrokerResponseError):
    """Base of the errors that say "not allowed"."""


class NoError(BrokerResponseError):
    """No error: what code 0 stands for in replies."""

    errno = 0
    message = "NO_ERROR"


class UnknownError(BrokerResponseError):
    """The broker met something it did not expect; its log says more."""

    errno = -1
    message = "UNKNOWN"


class OffsetOutOfRangeError(BrokerResponseError):
    """The log does not hold this offset: deleted already, or not written yet."""

    errno = 1
    message = "OFFSET_OUT_OF_RANGE"


class CorruptRecordError(BrokerResponseError):
    """Bytes of a record or batch are damaged: wrong checksum, length or format."""

    errno = 2
    message = "CORRUPT_MESSAGE"


class UnknownTopicOrPartitionError(InvalidMetadataError, BrokerResponseError):
    """There is no such topic, or it has no such partition."""

    errno = 3
    message = "UNKNOWN_TOPIC_OR_PARTITION"


class InvalidFetchRequestError(BrokerResponseError):
    """A fetch asks for a size that cannot be."""

    errno = 4
    message = "INVALID_FETCH_SIZE"


class LeaderNotAvailableError(InvalidMetadataError, BrokerResponseError):
    """The partition has no leader at the moment; an election may be under way."""

    errno = 5
    message = "LEADER_NOT_AVAILABLE"


class NotLeaderForPartitionError(InvalidMetadataError, BrokerResponseError):
    """This broker does not lead the partition (any more)."""

    errno = 6
    message = "NOT_LEADER_FOR_PARTITION"


class RequestTimedOutError(RetriableError, BrokerResponseError):
    """The broker could not do it within the request's time."""

    errno = 7
    message = "REQUEST_TIMED_OUT"


class BrokerNotAvailableError(BrokerResponseError):
    """The broker is not there."""

    errno = 8
    message = "BROKER_NOT_AVAILABLE"


class ReplicaNotAvailableError(InvalidMetadataError, BrokerResponseError):
    """The broker has no copy of the partition."""

    errno = 9
    message = "REPLICA_NOT_AVAILABLE"


class MessageSizeTooLargeError(BrokerResponseError):
    """A batch or record is larger than ``max.message.bytes`` (or the producer's ``max_request_size``)."""

    errno = 10
    message = "MESSAGE_SIZE_TOO_LARGE"


class StaleControllerEpochError(BrokerResponseError):
    """The controller that asks has been replaced."""

    errno = 11
    message = "STALE_CONTROLLER_EPOCH"


class OffsetMetadataTooLargeError(BrokerResponseError):
    """The text committed with an offset is longer than ``offset.metadata.max.bytes``."""

    errno = 12
    message = "OFFSET_METADATA_TOO_LARGE"


class NetworkExceptionError(InvalidMetadataError, BrokerResponseError):
    """The connection broke before the answer."""

    errno = 13
    message = "NETWORK_EXCEPTION"


class CoordinatorLoadInProgressError(RetriableError, BrokerResponseError):
    """The coordinator still reads its log; try again soon."""

    errno = 14
    message = "COORDINATOR_LOAD_IN_PROGRESS"


class CoordinatorNotAvailableError(RetriableError, BrokerResponseError):
    """There is no coordinator at the moment."""

    errno = 15
    message = "COORDINATOR_NOT_AVAILABLE"


class NotCoordinatorError(RetriableError, BrokerResponseError):
    """This broker does not coordinate this group or transaction (any more)."""

    errno = 16
    message = "NOT_COORDINATOR"


class InvalidTopicError(BrokerResponseError):
    """The topic's name is illegal, or the topic may not be used so."""

    errno = 17
    message = "INVALID_TOPIC"


class RecordListTooLargeError(BrokerResponseError):
    """The batch is larger than a segment can be."""

    errno = 18
    message = "RECORD_LIST_TOO_LARGE"


class NotEnoughReplicasError(RetriableError, BrokerResponseError):
    """Fewer replicas are in sync than ``min.insync.replicas``; nothing was written."""

    errno = 19
    message = "NOT_ENOUGH_REPLICAS"


class NotEnoughReplicasAfterAppendError(RetriableError, BrokerResponseError):
    """Too few replicas were in sync when the record was written; it may be kept or lost."""

    errno = 20
    message = "NOT_ENOUGH_REPLICAS_AFTER_APPEND"


class InvalidRequiredAcksError(BrokerResponseError):
    """``acks`` is none of -1, 0 and 1."""

    errno = 21
    message = "INVALID_REQUIRED_ACKS"


class IllegalGenerationError(BrokerResponseError):
    """The member belongs to a generation of its group that is over: join again."""

    errno = 22
    message = "ILLEGAL_GENERATION"


class InconsistentGroupProtocolError(BrokerResponseError):
    """The member offers no assignor that all members of the group have, or another protocol type."""

    errno = 23
    message = "INCONSISTENT_GROUP_PROTOCOL"


class InvalidGroupIdError(BrokerResponseError):
    """The group id is empty or illegal."""

    errno = 24
    message = "INVALID_GROUP_ID"


class UnknownMemberIdError(BrokerResponseError):
    """The group does not know this member (any more): join again."""

    errno = 25
    message = "UNKNOWN_MEMBER_ID"


class InvalidSessionTimeoutError(BrokerResponseError):
    """Outside ``group.min.session.timeout.ms`` and ``group.max.session.timeout.ms``."""

    errno = 26
    message = "INVALID_SESSION_TIMEOUT"


class RebalanceInProgressError(BrokerResponseError):
    """The group is being rebalanced: join again."""

    errno = 27
    message = "REBALANCE_IN_PROGRESS"


class InvalidCommitOffsetSizeError(BrokerResponseError):
    """The commit does not fit into a record."""

    errno = 28
    message = "INVALID_COMMIT_OFFSET_SIZE"


class TopicAuthorizationFailedError(AuthorizationError):
    """Not allowed on this topic."""

    errno = 29
    message = "TOPIC_AUTHORIZATION_FAILED"


class GroupAuthorizationFailedError(AuthorizationError):
    """Not allowed on this group."""

    errno = 30
    message = "GROUP_AUTHORIZATION_FAILED"


class ClusterAuthorizationFailedError(AuthorizationError):
    """Not allowed on this cluster."""

    errno = 31
    message = "CLUSTER_AUTHORIZATION_FAILED"


class InvalidTimestampError(BrokerResponseError):
    """A record's timestamp is too far from the broker's clock (``message.timestamp.*.max.ms``)."""

    errno = 32
    message = "INVALID_TIMESTAMP"


class UnsupportedSaslMechanismError(BrokerResponseError):
    """The broker does not offer this way to authenticate."""

    errno = 33
    message = "UNSUPPORTED_SASL_MECHANISM"


class IllegalSaslStateError(BrokerResponseError):
    """A message of the authentication came out of turn."""

    errno = 34
    message = "ILLEGAL_SASL_STATE"


class UnsupportedVersionError(BrokerResponseError):
    """This version of the broker, or of this library, cannot do that."""

    errno = 35
    message = "UNSUPPORTED_VERSION"


class IncompatibleBrokerVersion(UnsupportedVersionError):
    """The broker is too old for this call."""


class TopicAlreadyExistsError(BrokerResponseError):
    """There is a topic of this name."""

    errno = 36
    message = "TOPIC_ALREADY_EXISTS"


class InvalidPartitionsError(BrokerResponseError):
    """A number of partitions below 1, or not more than there are."""

    errno = 37
    message = "INVALID_PARTITIONS"


class InvalidReplicationFactorError(BrokerResponseError):
    """A replication factor below 1, or above the number of brokers."""

    errno = 38
    message = "INVALID_REPLICATION_FACTOR"


class InvalidReplicationAssignmentError(BrokerResponseError):
    """Replicas are assigned to brokers that do not exist, or unevenly."""

    errno = 39
    message = "INVALID_REPLICATION_ASSIGNMENT"


class InvalidConfigurationError(BrokerResponseError):
    """A topic or broker setting is unknown or has a value that cannot be."""

    errno = 40
    message = "INVALID_CONFIG"


class NotControllerError(RetriableError, BrokerResponseError):
    """This broker is not the controller (any more)."""

    errno = 41
    message = "NOT_CONTROLLER"


class InvalidRequestError(BrokerResponseError):
    """The request contradicts itself or the protocol."""

    errno = 42
    message = "INVALID_REQUEST"


class UnsupportedForMessageFormatError(BrokerResponseError):
    """The log's record format is too old for that."""

    errno = 43
    message = "UNSUPPORTED_FOR_MESSAGE_FORMAT"


class PolicyViolationError(BrokerResponseError):
    """The cluster's own policy forbids it."""

    errno = 44
    message = "POLICY_VIOLATION"


class OutOfOrderSequenceNumberError(BrokerResponseError):
    """A producer's batch came before an earlier one of it."""

    errno = 45
    message = "OUT_OF_ORDER_SEQUENCE_NUMBER"


class DuplicateSequenceNumberError(BrokerResponseError):
    """A producer's batch came a second time; it is in the log once."""

    errno = 46
    message = "DUPLICATE_SEQUENCE_NUMBER"


class InvalidProducerEpochError(BrokerResponseError):
    """A newer producer with the same id is there."""

    errno = 47
    message = "INVALID_PRODUCER_EPOCH"


class InvalidTxnStateError(BrokerResponseError):
    """The transaction is in no state for that."""

    errno = 48
    message = "INVALID_TXN_STATE"


class InvalidProducerIdMappingError(BrokerResponseError):
    """The producer id is not the transactional id's."""

    errno = 49
    message = "INVALID_PRODUCER_ID_MAPPING"


class InvalidTransactionTimeoutError(BrokerResponseError):
    """Above ``transaction.max.timeout.ms``."""

    errno = 50
    message = "INVALID_TRANSACTION_TIMEOUT"


class ConcurrentTransactionsError(RetriableError, BrokerResponseError):
    """The producer's previous transaction is still being finished."""

    errno = 51
    message = "CONCURRENT_TRANSACTIONS"


class TransactionCoordinatorFencedError(BrokerResponseError):
    """The transaction coordinator that asks has been replaced."""

    errno = 52
    message = "TRANSACTION_COORDINATOR_FENCED"


class TransactionalIdAuthorizationFailedError(AuthorizationError):
    """Not allowed to use this transactional id."""

    errno = 53
    message = "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"


class SecurityDisabledError(BrokerResponseError):
    """The cluster has no authorizer."""

    errno = 54
    message = "SECURITY_DISABLED"


class OperationNotAttemptedError(BrokerResponseError):
    """Not tried, because another part of the request failed."""

    errno = 55
    message = "OPERATION_NOT_ATTEMPTED"


class KafkaStorageError(InvalidMetadataError, BrokerResponseError):
    """The disk failed: that directory is offline until it is reopened and recovered."""

    errno = 56
    message = "KAFKA_STORAGE_ERROR"


class LogDirNotFoundError(BrokerResponseError):
    """The broker has no such log directory."""

    errno = 57
    message = "LOG_DIR_NOT_FOUND"


class SaslAuthenticationFailedError(BrokerResponseError):
    """Wrong user or password."""

    errno = 58
    message = "SASL_AUTHENTICATION_FAILED"


class UnknownProducerIdError(BrokerResponseError):
    """The broker knows nothing (any more) of this producer."""

    errno = 59
    message = "UNKNOWN_PRODUCER_ID"


class ReassignmentInProgressError(BrokerResponseError):
    """The partition is being moved."""

    errno = 60
    message = "REASSIGNMENT_IN_PROGRESS"


class DelegationTokenAuthDisabledError(BrokerResponseError):
    """The cluster has no delegation tokens."""

    errno = 61
    message = "DELEGATION_TOKEN_AUTH_DISABLED"


class DelegationTokenNotFoundError(BrokerResponseError):
    """There is no such delegation token."""

    errno = 62
    message = "DELEGATION_TOKEN_NOT_FOUND"


class DelegationTokenOwnerMismatchError(BrokerResponseError):
    """The delegation token is somebody else's."""

    errno = 63
    message = "DELEGATION_TOKEN_OWNER_MISMATCH"


class DelegationTokenRequestNotAllowedError(BrokerResponseError):
    """Delegation tokens are not given over this kind of connection."""

    errno = 64
    message = "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED"


class DelegationTokenAuthorizationFailedError(AuthorizationError):
    """Not allowed on this delegation token."""

    errno = 65
    message = "DELEGATION_TOKEN_AUTHORIZATION_FAILED"


class DelegationTokenExpiredError(BrokerResponseError):
    """The delegation token's time is over."""

    errno = 66
    message = "DELEGATION_TOKEN_EXPIRED"


class InvalidPrincipalTypeError(BrokerResponseError):
    """A principal of this type cannot be used so."""

    errno = 67
    message = "INVALID_PRINCIPAL_TYPE"


class NonEmptyGroupError(BrokerResponseError):
    """The group has members; it can be deleted once they have left."""

    errno = 68
    message = "NON_EMPTY_GROUP"


class GroupIdNotFoundError(BrokerResponseError):
    """There is no such group."""

    errno = 69
    message = "GROUP_ID_NOT_FOUND"


class FetchSessionIdNotFoundError(RetriableError, BrokerResponseError):
    """The broker has forgotten this fetch session."""

    errno = 70
    message = "FETCH_SESSION_ID_NOT_FOUND"


class InvalidFetchSessionEpochError(RetriableError, BrokerResponseError):
    """The fetch session is at another step."""

    errno = 71
    message = "INVALID_FETCH_SESSION_EPOCH"


class ListenerNotFoundError(InvalidMetadataError, BrokerResponseError):
    """The leader does not listen where the client can reach it."""

    errno = 72
    message = "LISTENER_NOT_FOUND"


class TopicDeletionDisabledError(BrokerResponseError):
    """``delete.topic.enable`` is off."""

    errno = 73
    message = "TOPIC_DELETION_DISABLED"


class FencedLeaderEpochError(InvalidMetadataError, BrokerResponseError):
    """The client's leader epoch is older than the broker's: look the leader up."""

    errno = 74
    message = "FENCED_LEADER_EPOCH"


class UnknownLeaderEpochError(InvalidMetadataError, BrokerResponseError):
    """The client's leader epoch is newer than the broker's."""

    errno = 75
    message = "UNKNOWN_LEADER_EPOCH"


class UnsupportedCompressionTypeError(BrokerResponseError):
    """The broker does not take this compression type here."""

    errno = 76
    message = "UNSUPPORTED_COMPRESSION_TYPE"


class StaleBrokerEpochError(BrokerResponseError):
    """The broker has registered anew since."""

    errno = 77
    message = "STALE_BROKER_EPOCH"


class OffsetNotAvailableError(RetriableError, BrokerResponseError):
    """The new leader does not know the high watermark yet."""

    errno = 78
    message = "OFFSET_NOT_AVAILABLE"


class MemberIdRequiredError(BrokerResponseError):
    """Join again with the member id that came with this answer (KIP-394)."""

    errno = 79
    message = "MEMBER_ID_REQUIRED"


class PreferredLeaderNotAvailableError(InvalidMetadataError, BrokerResponseError):
    """The preferred leader is not there."""

    errno = 80
    message = "PREFERRED_LEADER_NOT_AVAILABLE"


class GroupMaxSizeReachedError(BrokerResponseError):
    """The group has ``group.max.size`` members already."""

    errno = 81
    message = "GROUP_MAX_SIZE_REACHED"


class FencedInstanceIdError(BrokerResponseError):
    """Another consumer with the same ``group_instance_id`` took this one's place."""

    errno = 82
    message = "FENCED_INSTANCE_ID"


class EligibleLeadersNotAvailableError(InvalidMetadataError, BrokerResponseError):
    """No replica that could lead is there."""

    errno = 83
    message = "ELIGIBLE_LEADERS_NOT_AVAILABLE"


class ElectionNotNeededError(InvalidMetadataError, BrokerResponseError):
    """The right replica leads already."""

    errno = 84
    message = "ELECTION_NOT_NEEDED"


class NoReassignmentInProgressError(BrokerResponseError):
    """The partition is not being moved."""

    errno = 85
    message = "NO_REASSIGNMENT_IN_PROGRESS"


class GroupSubscribedToTopicError(BrokerResponseError):
    """The group reads the topic; its offsets can be deleted once it does not."""

    errno = 86
    message = "GROUP_SUBSCRIBED_TO_TOPIC"


class InvalidRecordError(BrokerResponseError):
    """A record is refused for what it is: no key in a compacted topic, for one."""

    errno = 87
    message = "INVALID_RECORD"


class UnstableOffsetCommitError(RetriableError, BrokerResponseError):
    """Offsets are being committed by a transaction that is still open."""

    errno = 88
    message = "UNSTABLE_OFFSET_COMMIT"


class ThrottlingQuotaExceededError(RetriableError, BrokerResponseError):
    """Too many changes in a short time; try again later."""

    errno = 89
    message = "THROTTLING_QUOTA_EXCEEDED"


class ProducerFencedError(BrokerResponseError):
    """A newer producer with the same transactional id is there; this one is done."""

    errno = 90
    message = "PRODUCER_FENCED"


class ResourceNotFoundError(BrokerResponseError):
    """What the request is about is not there."""

    errno = 91
    message = "RESOURCE_NOT_FOUND"


class DuplicateResourceError(BrokerResponseError):
    """What should be made is there already."""

    errno = 92
    message = "DUPLICATE_RESOURCE"


class UnacceptableCredentialError(BrokerResponseError):
    """The password does not meet the rules."""

    errno = 93
    message = "UNACCEPTABLE_CREDENTIAL"


class InconsistentVoterSetError(BrokerResponseError):
    """The voters of a quorum contradict each other."""

    errno = 94
    message = "INCONSISTENT_VOTER_SET"


class InvalidUpdateVersionError(BrokerResponseError):
    """A feature cannot be set to this version."""

    errno = 95
    message = "INVALID_UPDATE_VERSION"


class FeatureUpdateFailedError(BrokerResponseError):
    """Features were not updated."""

    errno = 96
    message = "FEATURE_UPDATE_FAILED"


class PrincipalDeserializationFailureError(BrokerResponseError):
    """A forwarded request's principal cannot be read."""

    errno = 97
    message = "PRINCIPAL_DESERIALIZATION_FAILURE"


class SnapshotNotFoundError(BrokerResponseError):
    """The quorum has no such snapshot."""

    errno = 98
    message = "SNAPSHOT_NOT_FOUND"


class PositionOutOfRangeError(BrokerResponseError):
    """The snapshot does not hold this position."""

    errno = 99
    message = "POSITION_OUT_OF_RANGE"


class UnknownTopicIdError(InvalidMetadataError, BrokerResponseError):
    """No topic has this id."""

    errno = 100
    message = "UNKNOWN_TOPIC_ID"


class DuplicateBrokerRegistrationError(BrokerResponseError):
    """A broker of this id is registered and running."""

    errno = 101
    message = "DUPLICATE_BROKER_REGISTRATION"


class BrokerIdNotRegisteredError(BrokerResponseError):
    """No broker of this id is registered."""

    errno = 102
    message = "BROKER_ID_NOT_REGISTERED"


class InconsistentTopicIdError(InvalidMetadataError, BrokerResponseError):
    """The topic of this name has another id: it was deleted and made again."""

    errno = 103
    message = "INCONSISTENT_TOPIC_ID"


class InconsistentClusterIdError(BrokerResponseError):
    """The request is for another cluster."""

    errno = 104
    message = "INCONSISTENT_CLUSTER_ID"


class TransactionalIdNotFoundError(BrokerResponseError):
    """Nothing is known of this transactional id."""

    errno = 105
    message = "TRANSACTIONAL_ID_NOT_FOUND"


class FetchSessionTopicIdError(RetriableError, BrokerResponseError):
    """A fetch session may not change between topic names and ids."""

    errno = 106
    message = "FETCH_SESSION_TOPIC_ID_ERROR"


class IneligibleReplicaError(BrokerResponseError):
    """The replica may not be in sync."""

    errno = 107
    message = "INELIGIBLE_REPLICA"


class NewLeaderElectedError(BrokerResponseError):
    """The change was overtaken by an election."""

    errno = 108
    message = "NEW_LEADER_ELECTED"


class OffsetMovedToTieredStorageError(BrokerResponseError):
    """The offset is in tiered storage only."""

    errno = 109
    message = "OFFSET_MOVED_TO_TIERED_STORAGE"


class FencedMemberEpochError(BrokerResponseError):
    """The member's epoch is not the group's: join again (KIP-848)."""

    errno = 110
    message = "FENCED_MEMBER_EPOCH"


class UnreleasedInstanceIdError(BrokerResponseError):
    """The ``group_instance_id`` is still another member's (KIP-848)."""

    errno = 111
    message = "UNRELEASED_INSTANCE_ID"


class UnsupportedAssignorError(BrokerResponseError):
    """The group coordinator has no such assignor (KIP-848)."""

    errno = 112
    message = "UNSUPPORTED_ASSIGNOR"


class StaleMemberEpochError(BrokerResponseError):
    """The member's epoch is older than the group's (KIP-848)."""

    errno = 113
    message = "STALE_MEMBER_EPOCH"


class MismatchedEndpointTypeError(BrokerResponseError):
    """A broker was asked for what a controller answers, or the other way round."""

    errno = 114
    message = "MISMATCHED_ENDPOINT_TYPE"


class UnsupportedEndpointTypeError(BrokerResponseError):
    """This kind of endpoint cannot answer that."""

    errno = 115
    message = "UNSUPPORTED_ENDPOINT_TYPE"


class UnknownControllerIdError(BrokerResponseError):
    """No controller has this id."""

    errno = 116
    message = "UNKNOWN_CONTROLLER_ID"


class UnknownSubscriptionIdError(BrokerResponseError):
    """No such subscription to client metrics (KIP-714)."""

    errno = 117
    message = "UNKNOWN_SUBSCRIPTION_ID"


class TelemetryTooLargeError(BrokerResponseError):
    """The client's metrics are too many bytes (KIP-714)."""

    errno = 118
    message = "TELEMETRY_TOO_LARGE"


class InvalidRegistrationError(BrokerResponseError):
    """The broker's registration is refused."""

    errno = 119
    message = "INVALID_REGISTRATION"


class TransactionAbortableError(BrokerResponseError):
    """The transaction cannot be committed any more, but it can be aborted (KIP-890)."""

    errno = 120
    message = "TRANSACTION_ABORTABLE"


class InvalidRecordStateError(BrokerResponseError):
    """The record is in no state for this acknowledgement (KIP-932)."""

    errno = 121
    message = "INVALID_RECORD_STATE"


class ShareSessionNotFoundError(RetriableError, BrokerResponseError):
    """The broker has forgotten this share session (KIP-932)."""

    errno = 122
    message = "SHARE_SESSION_NOT_FOUND"


class InvalidShareSessionEpochError(RetriableError, BrokerResponseError):
    """The share session is at another step (KIP-932)."""

    errno = 123
    message = "INVALID_SHARE_SESSION_EPOCH"


class FencedStateEpochError(BrokerResponseError):
    """A share group's state was written by a newer coordinator (KIP-932)."""

    errno = 124
    message = "FENCED_STATE_EPOCH"


class InvalidVoterKeyError(BrokerResponseError):
    """The voter's key is not the one on record (KIP-853)."""

    errno = 125
    message = "INVALID_VOTER_KEY"


class DuplicateVoterError(BrokerResponseError):
    """The voter is in the set already (KIP-853)."""

    errno = 126
    message = "DUPLICATE_VOTER"


class VoterNotFoundError(BrokerResponseError):
    """The voter is not in the set (KIP-853)."""

    errno = 127
    message = "VOTER_NOT_FOUND"


class InvalidRegularExpressionError(BrokerResponseError):
    """The pattern of a subscription is no regular expression (KIP-848)."""

    errno = 128
    message = "INVALID_REGULAR_EXPRESSION"


class RebootstrapRequiredError(BrokerResponseError):
    """The client must begin again from its bootstrap servers (KIP-1102)."""

    errno = 129
    message = "REBOOTSTRAP_REQUIRED"


class StreamsInvalidTopologyError(BrokerResponseError):
    """The topology of a Streams group is refused (KIP-1071)."""

    errno = 130
    message = "STREAMS_INVALID_TOPOLOGY"


class StreamsInvalidTopologyEpochError(BrokerResponseError):
    """The topology's epoch is refused (KIP-1071)."""

    errno = 131
    message = "STREAMS_INVALID_TOPOLOGY_EPOCH"


class StreamsTopologyFencedError(BrokerResponseError):
    """A newer topology of the Streams group is there (KIP-1071)."""

    errno = 132
    message = "STREAMS_TOPOLOGY_FENCED"


class ShareSessionLimitReachedError(RetriableError, BrokerResponseError):
    """The broker holds as many share sessions as it may (KIP-932)."""

    errno = 133
    message = "SHARE_SESSION_LIMIT_REACHED"


CorruptRecordException = CorruptRecordError  # kafka-python's second name for it


def _by_code(family: type[BrokerResponseError]) -> dict[int, type[BrokerResponseError]]:
    found: dict[int, type[BrokerResponseError]] = {}
    for child in family.__subclasses__():
        found.update(_by_code(child))
        if "errno" in vars(child):
            found[child.errno] = child
    return found


kafka_errors: dict[int, type[BrokerResponseError]] = _by_code(BrokerResponseError)


def for_code(error_code: int) -> type[BrokerResponseError]:
    """The class of a wire error code; an unknown code gets a class of its own that keeps the number."""
    found = kafka_errors.get(error_code)
    if found is None:
        found = type("UnrecognizedBrokerError", (UnknownError,), {"errno": error_code})
    return found
