"""Topics: create, list, describe, wait for, delete."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from embedkafka.broker.api import (
    ConfigResourceKey,
    NewTopicSpec,
    PartitionMetadata,
    ResourceType,
    TopicMetadata,
    TopicResult,
)
from embedkafka.client.admin.base import AdminBase, raise_first
from embedkafka.client.admin.configs import config_dict
from embedkafka.client.admin.values import NewTopic
from embedkafka.errors import KafkaTimeoutError, UnknownTopicIdError

_T = TypeVar("_T")

TOPIC_OPERATIONS = ["READ", "WRITE", "CREATE", "DELETE", "ALTER", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"]


class TopicAdmin(AdminBase):
    def list_topics(self) -> list[str]:
        """The names of all topics, internal ones too."""
        return [topic.topic for topic in self._port().metadata(self._link.context, None).topics]

    def describe_topics(self, topics: Iterable[str | uuid.UUID] | None = None) -> list[dict[str, Any]]:
        """What topics look like, one dict each; an unknown one has an ``error_code``.

        Args:
            topics: names or topic ids; None is all.
        """
        if topics is None:
            return [_describe(topic) for topic in self._port().metadata(self._link.context, None).topics]
        wanted = _listed(topics)
        names = self._names(wanted)
        described = {
            topic.topic: _describe(topic)
            for topic in self._port().metadata(self._link.context, [name for name in names if name]).topics
        }
        return [described[name] if name else _unknown_id(asked) for asked, name in zip(wanted, names, strict=True)]

    def _names(self, wanted: Sequence[str | uuid.UUID]) -> list[str | None]:
        if not any(isinstance(asked, uuid.UUID) for asked in wanted):
            return [str(asked) for asked in wanted]
        by_id = {topic.topic_id: topic.topic for topic in self._link.topics()}
        return [by_id.get(asked) if isinstance(asked, uuid.UUID) else asked for asked in wanted]

    def create_topics(
        self,
        new_topics: Mapping[str, Mapping[str, Any]] | Sequence[str] | Sequence[NewTopic],
        timeout_ms: float | None = None,
        validate_only: bool = False,
        raise_errors: bool = True,
        wait_for_metadata: bool = False,
    ) -> dict[str, Any]:
        """Create topics.

        Args:
            new_topics: names; or options by name (``num_partitions``, ``replication_factor``, ``assignments``,
                ``configs``); or :class:`NewTopic` objects.
            validate_only: only say what would happen.
            raise_errors: raise the first topic's error; False leaves it in the result.
            wait_for_metadata: return once they can be used, which here is at once.

        Returns:
            ``{"topics": [{"name": ..., "topic_id": ..., "error_code": ..., "configs": {...}, ...}]}``.

        Raises:
            ValueError: nothing to create, or ``validate_only`` together with ``wait_for_metadata``.
            TopicAlreadyExistsError, InvalidTopicError, InvalidPartitionsError, InvalidReplicationFactorError,
            InvalidConfigurationError: as they say.
        """
        if validate_only and wait_for_metadata:
            raise ValueError("validate_only and wait_for_metadata exclude each other")
        self._timeout_ms(timeout_ms)
        specs = _specs(new_topics)
        results = self._port().create_topics(self._link.context, specs, validate_only=validate_only)
        if raise_errors:
            raise_first(results, name="topic")
        return {"topics": [self._created(result) for result in results]}

    def _created(self, result: TopicResult) -> dict[str, Any]:
        created: dict[str, Any] = {
            "name": result.topic,
            "topic_id": None if result.topic_id is None else str(result.topic_id),
            "error_code": result.error_code,
            "error_message": result.error_message,
            "topic_config_error_code": 0,
            "num_partitions": result.num_partitions,
            "replication_factor": result.replication_factor,
        }
        if not result.error_code:
            resource = ConfigResourceKey(ResourceType.TOPIC, result.topic)
            (described,) = self._port().describe_configs(self._link.context, [resource])
            if not described.error_code:  # none yet for a topic that was only validated
                wanted = ("value", "read_only", "config_source", "is_sensitive")
                created["configs"] = {
                    entry.name: {name: config_dict(entry)[name] for name in wanted} for entry in described.entries
                }
        return created

    def wait_for_topics(self, topic_names: Iterable[str], timeout_ms: float = 10_000) -> None:
        """Return once every topic exists and has leaders.

        Raises:
            KafkaTimeoutError: not within ``timeout_ms``.
        """
        clock = self._link.clock
        deadline_ms = clock.monotonic_ms() + timeout_ms
        self._link.check_usable()
        for name in topic_names:
            try:
                self._link.topic(name, timeout_ms=max(0.0, deadline_ms - clock.monotonic_ms()))
            except Exception as error:
                raise KafkaTimeoutError(f"topic {name!r} was not there within {timeout_ms} ms") from error

    def delete_topics(
        self, topics: Iterable[str | uuid.UUID], timeout_ms: float | None = None, raise_errors: bool = True
    ) -> dict[str, Any]:
        """Delete topics with their records.

        Args:
            topics: names or topic ids.
            raise_errors: raise the first topic's error; False leaves it in the result.

        Raises:
            UnknownTopicOrPartitionError: no such topic.
            TypeError: one name instead of a list of them.
        """
        self._timeout_ms(timeout_ms)
        wanted = _listed(topics)
        names = self._names(wanted)
        for asked, name in zip(wanted, names, strict=True):
            if name is None and raise_errors:
                raise UnknownTopicIdError(str(asked))
        results = self._port().delete_topics(self._link.context, [name for name in names if name])
        if raise_errors:
            raise_first(results, name="topic")
        return {
            "topics": [
                {
                    "name": result.topic,
                    "topic_id": None if result.topic_id is None else str(result.topic_id),
                    "error_code": result.error_code,
                    "error_message": result.error_message,
                }
                for result in results
            ]
        }


def _listed(topics: Iterable[_T]) -> list[_T]:
    """The topics, but not the letters of a single name: deleting those would be a surprise."""
    if isinstance(topics, str):
        raise TypeError(f"topics are a list, not one name: {topics!r}")
    return list(topics)


def _specs(new_topics: Any) -> list[NewTopicSpec]:
    if isinstance(new_topics, Mapping):
        specs = [_spec_from_options(name, options) for name, options in new_topics.items()]
    else:
        specs = [_spec(topic) for topic in _listed(new_topics)]
    if not specs:
        raise ValueError(f"no topics in {new_topics!r}")
    return specs


def _spec_from_options(name: str, options: Mapping[str, Any]) -> NewTopicSpec:
    known = {"num_partitions", "replication_factor", "assignments", "configs"}
    if unknown := set(options) - known:
        raise ValueError(f"topic {name!r}: no options {sorted(unknown)}; there are {sorted(known)}")
    return NewTopicSpec(
        name,
        options.get("num_partitions", -1),
        options.get("replication_factor", -1),
        dict(options.get("assignments", {})),
        _texts(options.get("configs", {})),
    )


def _spec(topic: Any) -> NewTopicSpec:
    if isinstance(topic, str):
        return NewTopicSpec(topic)
    if not all(hasattr(topic, name) for name in ("name", "num_partitions", "replication_factor", "topic_configs")):
        raise ValueError(f"a topic to create is a name or a NewTopic, not {topic!r}")
    return NewTopicSpec(
        topic.name,
        topic.num_partitions,
        topic.replication_factor,
        dict(topic.replica_assignments),
        _texts(topic.topic_configs),
    )


def _texts(configs: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: None if value is None else _text(value) for name, value in configs.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _describe(topic: TopicMetadata) -> dict[str, Any]:
    return {
        "error_code": topic.error_code,
        "name": topic.topic,
        "topic_id": None if topic.error_code else str(topic.topic_id),
        "is_internal": topic.is_internal,
        "partitions": [_describe_partition(partition) for partition in topic.partitions],
        "authorized_operations": list(TOPIC_OPERATIONS),
    }


def _describe_partition(partition: PartitionMetadata) -> dict[str, Any]:
    return {
        "error_code": partition.error_code,
        "partition_index": partition.partition,
        "leader_id": partition.leader_id,
        "leader_epoch": partition.leader_epoch,
        "replica_nodes": list(partition.replicas),
        "isr_nodes": list(partition.isr),
        "offline_replicas": [],
    }


def _unknown_id(topic_id: object) -> dict[str, Any]:
    return {
        "error_code": UnknownTopicIdError.errno,
        "name": None,
        "topic_id": str(topic_id),
        "is_internal": False,
        "partitions": [],
        "authorized_operations": [],
    }
