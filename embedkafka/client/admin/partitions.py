"""Partitions: add, look offsets up, delete records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from embedkafka.broker.api import NewPartitionsSpec
from embedkafka.client.admin.base import AdminBase, raise_first
from embedkafka.client.admin.replies import CreatePartitionsResponse, CreatePartitionsTopicResult
from embedkafka.client.admin.values import IsolationLevel, OffsetSpec
from embedkafka.client.consumer.offsets import list_offsets
from embedkafka.errors import BrokerResponseError, UnknownTopicOrPartitionError, for_code
from embedkafka.model import OffsetAndTimestamp, TopicPartition


class PartitionAdmin(AdminBase):
    def create_partitions(
        self,
        topic_partitions: Mapping[str, Any],
        timeout_ms: float | None = None,
        validate_only: bool = False,
        raise_errors: bool = True,
    ) -> CreatePartitionsResponse:
        """Give topics more partitions.  Keys map to other partitions from then on, as everywhere in Kafka.

        Args:
            topic_partitions: by topic, the new total; or ``{"count": ..., "assignments": ...}``; or a
                :class:`NewPartitions`.
            validate_only: only say what would happen.
            raise_errors: raise the first topic's error; False leaves it in the result.

        Raises:
            InvalidPartitionsError: not more than there are.
            UnknownTopicOrPartitionError: no such topic.
        """
        self._timeout_ms(timeout_ms)
        specs = [_spec(topic, given) for topic, given in topic_partitions.items()]
        results = self._port().create_partitions(self._link.context, specs, validate_only=validate_only)
        if raise_errors:
            raise_first(results, name="topic")
        return CreatePartitionsResponse(
            [CreatePartitionsTopicResult(result.topic, result.error_code, result.error_message) for result in results]
        )

    def describe_topic_partitions(
        self,
        topics: Iterable[str],
        response_partition_limit: int = 2000,
        cursor: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Topics with their partitions, a page at a time (KIP-966).

        Args:
            response_partition_limit: partitions on a page, 1 or more.
            cursor: the last page's ``next_cursor``.

        Returns:
            ``{"topics": [...], "next_cursor": None or {"topic_name": ..., "partition_index": ...}}``.
        """
        left = response_partition_limit
        page: list[dict[str, Any]] = []
        start = (cursor["topic_name"], cursor["partition_index"]) if cursor else ("", 0)
        for name in sorted(set(topics)):
            if name < start[0]:
                continue
            (topic,) = self._port().metadata(self._link.context, [name]).topics
            first = start[1] if name == start[0] else 0
            partitions = [
                {
                    "error_code": partition.error_code,
                    "partition_index": partition.partition,
                    "leader_id": partition.leader_id,
                    "leader_epoch": partition.leader_epoch,
                    "replica_nodes": list(partition.replicas),
                    "isr_nodes": list(partition.isr),
                    "eligible_leader_replicas": None,
                    "last_known_elr": None,
                    "offline_replicas": [],
                }
                for partition in topic.partitions
                if partition.partition >= first
            ]
            if partitions and not left:
                return {"topics": page, "next_cursor": {"topic_name": name, "partition_index": first}}
            page.append(
                {
                    "error_code": topic.error_code,
                    "name": name,
                    "topic_id": None if topic.error_code else topic.topic_id,
                    "is_internal": topic.is_internal,
                    "partitions": partitions[:left],
                    "topic_authorized_operations": -(2**31),
                }
            )
            if len(partitions) > left:
                return {"topics": page, "next_cursor": {"topic_name": name, "partition_index": first + left}}
            left -= len(partitions)
        return {"topics": page, "next_cursor": None}

    def list_partition_offsets(
        self,
        topic_partition_specs: Mapping[TopicPartition, OffsetSpec | int],
        isolation_level: IsolationLevel | int | str = IsolationLevel.READ_UNCOMMITTED,
        timeout_ms: float | None = None,
    ) -> dict[TopicPartition, OffsetAndTimestamp]:
        """Offsets by :class:`OffsetSpec` or by time (milliseconds since the epoch).

        Raises:
            TypeError: neither of them.
            UnknownTopicOrPartitionError: no such topic or partition.
        """
        level = IsolationLevel.build_from(isolation_level)
        for partition, spec in topic_partition_specs.items():
            if isinstance(spec, bool) or not isinstance(spec, int):
                raise TypeError(f"{partition}: an OffsetSpec or a time is expected, not {spec!r}")
        self._link.check_usable()
        found = list_offsets(
            self._link,
            {partition: int(spec) for partition, spec in topic_partition_specs.items()},
            int(level),
            self._timeout_ms(timeout_ms),
            self.config["retry_backoff_ms"],
        )
        return {
            partition: OffsetAndTimestamp(
                found[partition].offset,
                found[partition].timestamp,
                found[partition].leader_epoch if found[partition].leader_epoch >= 0 else None,
            )
            for partition in topic_partition_specs
        }

    def delete_records(
        self,
        records_to_delete: Mapping[TopicPartition, int],
        timeout_ms: float | None = None,
        partition_leader_id: int | None = None,
    ) -> dict[TopicPartition, dict[str, int]]:
        """Delete the records below an offset, by partition; -1 is all there are.

        Args:
            partition_leader_id: ask this broker instead of each partition's leader.

        Returns:
            ``{partition: {"partition_index": ..., "low_watermark": ..., "error_code": 0}}``.

        Raises:
            OffsetOutOfRangeError: beyond the end.
            UnknownTopicOrPartitionError: no such topic or partition.
            BrokerResponseError: several partitions failed; it lists them.
        """
        self._timeout_ms(timeout_ms)
        self._link.check_usable()
        by_leader: dict[Any, dict[TopicPartition, int]] = defaultdict(dict)
        for partition, offset in records_to_delete.items():
            port = (
                self._link.leader_port(partition)
                if partition_leader_id is None
                else self._link.engine.ports[partition_leader_id]
            )
            by_leader[port][partition] = offset
        results = [
            result for port, offsets in by_leader.items() for result in port.delete_records(self._link.context, offsets)
        ]
        failed = [result for result in results if result.error_code]
        if len(failed) == 1:
            topic, number = failed[0].topic_partition
            raise for_code(failed[0].error_code)(f"{topic}-{number}: {failed[0].error_message or 'not deleted'}")
        if failed:
            listed = ", ".join(
                f"{result.topic_partition.topic}-{result.topic_partition.partition}: "
                f"{for_code(result.error_code).__name__}"
                for result in failed
            )
            raise BrokerResponseError(f"records were not deleted from {listed}")
        return {
            result.topic_partition: {
                "partition_index": result.topic_partition.partition,
                "low_watermark": result.low_watermark,
                "error_code": 0,
            }
            for result in results
        }

    def _partitions_of(self, wanted: Any) -> list[TopicPartition] | None:
        """Partitions out of ``{topic: [numbers]}``, of names of topics, or None for all."""
        if wanted is None:
            return None
        if isinstance(wanted, Mapping):
            return [TopicPartition(topic, number) for topic, numbers in wanted.items() for number in numbers]
        counts = self._link.partitions(wanted)
        for topic in wanted:
            if topic not in counts:
                raise UnknownTopicOrPartitionError(f"topic {topic!r}")
        return [TopicPartition(topic, number) for topic, count in counts.items() for number in range(count)]


def _spec(topic: str, given: Any) -> NewPartitionsSpec:
    if isinstance(given, int) and not isinstance(given, bool):
        return NewPartitionsSpec(topic, given)
    if isinstance(given, Mapping):
        return NewPartitionsSpec(topic, given["count"], given.get("assignments"))
    if hasattr(given, "total_count"):
        return NewPartitionsSpec(topic, given.total_count, given.new_assignments)
    raise TypeError(f"topic {topic!r}: the new total is an int, a dict or a NewPartitions, not {given!r}")
