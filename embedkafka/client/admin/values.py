"""What the admin client takes and gives: kafka-python's small classes and enumerations, by the same names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, IntEnum
from typing import Any, TypeVar

_E = TypeVar("_E", bound=Enum)


class FromName:
    """Members can be given as themselves, by value, or by name in any case."""

    @classmethod
    def build_from(cls: type[_E], val: Any) -> _E:  # type: ignore[misc]  # mixed into enumerations only
        if isinstance(val, cls):
            return val
        try:
            return cls(val)
        except ValueError:
            pass
        try:
            return cls[str(val).strip().upper().replace("-", "_")]
        except KeyError:
            raise ValueError(f"no {cls.__name__} is called {val!r}") from None

    @classmethod
    def value_for(cls: type[_E], val: Any) -> Any:  # type: ignore[misc]  # mixed into enumerations only
        return cls.build_from(val).value  # type: ignore[attr-defined]


class IsolationLevel(FromName, IntEnum):
    """Whether records of open and aborted transactions are seen."""

    READ_UNCOMMITTED = 0
    READ_COMMITTED = 1


class OffsetSpec(FromName, IntEnum):
    """An offset by its meaning; a number from 0 on is a time in milliseconds instead."""

    LATEST = -1
    EARLIEST = -2
    MAX_TIMESTAMP = -3
    EARLIEST_LOCAL = -4
    LATEST_TIERED = -5


class OffsetTimestamp(int):
    """A time in milliseconds where a plain int would be an offset: the first record at or after it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"OffsetTimestamp({int(self)})"


class AlterConfigOp(FromName, IntEnum):
    """KIP-339."""

    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


class ConfigResourceType(FromName, IntEnum):
    UNKNOWN = 0
    TOPIC = 2
    BROKER = 4
    BROKER_LOGGER = 8
    CLIENT_METRICS = 16
    GROUP = 32


class ConfigType(FromName, IntEnum):
    UNKNOWN = 0
    BOOLEAN = 1
    STRING = 2
    INT = 3
    SHORT = 4
    LONG = 5
    DOUBLE = 6
    LIST = 7
    CLASS = 8
    PASSWORD = 9


class ConfigSourceType(FromName, IntEnum):
    UNKNOWN = 0
    DYNAMIC_TOPIC_CONFIG = 1
    DYNAMIC_BROKER_CONFIG = 2
    DYNAMIC_DEFAULT_BROKER_CONFIG = 3
    STATIC_BROKER_CONFIG = 4
    DEFAULT_CONFIG = 5
    DYNAMIC_BROKER_LOGGER_CONFIG = 6
    DYNAMIC_CLIENT_METRICS_CONFIG = 7
    DYNAMIC_GROUP_CONFIG = 8

    def is_modified(self) -> bool:
        """Whether somebody changed it while the broker ran."""
        return self not in (
            ConfigSourceType.DYNAMIC_DEFAULT_BROKER_CONFIG,
            ConfigSourceType.STATIC_BROKER_CONFIG,
            ConfigSourceType.DEFAULT_CONFIG,
        )


class ConfigFilterType(FromName, IntEnum):
    """Which settings ``describe_configs`` gives."""

    ALL = 0
    DYNAMIC = 1
    MODIFIED = 2
    DEFAULT = 3
    STATIC = 4

    def should_skip(self, config_source: ConfigSourceType) -> bool:
        if self is ConfigFilterType.MODIFIED:
            return not config_source.is_modified()
        if self is ConfigFilterType.DEFAULT:
            return config_source.is_modified()
        if self is ConfigFilterType.STATIC:
            return config_source is not ConfigSourceType.STATIC_BROKER_CONFIG
        return False


class ConfigResource:
    """A topic or broker whose settings are meant.

    Args:
        resource_type: a :class:`ConfigResourceType` or its name.
        name: the topic's name or the broker's id.
        configs: names of settings; to alter, a mapping of name to value or to ``(AlterConfigOp, value)``.
    """

    def __init__(
        self,
        resource_type: ConfigResourceType | str,
        name: str,
        configs: Mapping[str, Any] | Sequence[str] | None = None,
    ) -> None:
        if not isinstance(resource_type, ConfigResourceType):
            resource_type = ConfigResourceType[str(resource_type).upper()]
        self.resource_type = resource_type
        self.name = name
        self.configs = configs

    def __repr__(self) -> str:
        return f"ConfigResource({self.resource_type.name}, {self.name!r}, {self.configs!r})"


class NewTopic:
    """A topic to create; ``create_topics`` also takes plain names and a mapping.

    Args:
        name: its name.
        num_partitions: 1 or more; -1 is the broker's default.
        replication_factor: 1 or more; -1 is the broker's default.
        replica_assignments: broker ids by partition, instead of the two numbers.
        topic_configs: settings under Kafka's names.
    """

    def __init__(
        self,
        name: str,
        num_partitions: int = -1,
        replication_factor: int = -1,
        replica_assignments: Mapping[int, Sequence[int]] | None = None,
        topic_configs: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.num_partitions = num_partitions
        self.replication_factor = replication_factor
        self.replica_assignments = replica_assignments or {}
        self.topic_configs = topic_configs or {}


class NewPartitions:
    """How many partitions a topic should have; ``create_partitions`` also takes the plain number.

    Args:
        total_count: more than it has.
        new_assignments: broker ids for each new partition.
    """

    def __init__(self, total_count: int, new_assignments: Sequence[Sequence[int]] | None = None) -> None:
        self.total_count = total_count
        self.new_assignments = new_assignments


class MemberToRemove:
    """A member to take out of a group: a dynamic one by its id, a static one by its instance id."""

    __slots__ = ("group_instance_id", "member_id", "reason")

    def __init__(
        self, member_id: str | None = None, group_instance_id: str | None = None, reason: str | None = None
    ) -> None:
        self.member_id = member_id
        self.group_instance_id = group_instance_id
        self.reason = reason

    def _identity(self) -> tuple[str | None, str | None, str | None]:
        return self.member_id, self.group_instance_id, self.reason

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemberToRemove) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"MemberToRemove({self.member_id!r}, {self.group_instance_id!r}, {self.reason!r})"


class GroupState(FromName, str, Enum):
    """KIP-518, KIP-848, KIP-1071."""

    UNKNOWN = "Unknown"
    PREPARING_REBALANCE = "PreparingRebalance"
    COMPLETING_REBALANCE = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"
    EMPTY = "Empty"
    ASSIGNING = "Assigning"
    RECONCILING = "Reconciling"
    NOT_READY = "NotReady"


class GroupType(FromName, str, Enum):
    """KIP-848, KIP-932, KIP-1071."""

    UNKNOWN = "Unknown"
    CLASSIC = "classic"
    CONSUMER = "consumer"
    SHARE = "share"
    STREAMS = "streams"


class UpdateFeatureType(FromName, IntEnum):
    """KIP-584."""

    UNKNOWN = 0
    UPGRADE = 1
    SAFE_DOWNGRADE = 2
    UNSAFE_DOWNGRADE = 3
