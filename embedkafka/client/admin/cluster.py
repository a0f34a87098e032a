"""The cluster: brokers, and where logs lie."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from embedkafka.client.admin.partitions import PartitionAdmin

CLUSTER_OPERATIONS = [
    "CREATE",
    "ALTER",
    "DESCRIBE",
    "CLUSTER_ACTION",
    "DESCRIBE_CONFIGS",
    "ALTER_CONFIGS",
    "IDEMPOTENT_WRITE",
]


class ClusterAdmin(PartitionAdmin):
    def describe_cluster(self) -> dict[str, Any]:
        """``cluster_id``, ``controller_id``, ``brokers`` and ``authorized_operations``."""
        reply = self._port().describe_cluster(self._link.context)
        return {
            "cluster_id": reply.cluster_id,
            "controller_id": reply.controller_id,
            "brokers": [
                {
                    "broker_id": broker.broker_id,
                    "host": broker.host,
                    "port": broker.port,
                    "rack": broker.rack,
                    "is_fenced": False,
                }
                for broker in reply.brokers
            ],
            "authorized_operations": list(CLUSTER_OPERATIONS),
        }

    def describe_log_dirs(self, topic_partitions: Any = None, brokers: list[int] | None = None) -> list[dict[str, Any]]:
        """Where partitions lie and how many bytes they take, by broker and directory.

        Args:
            topic_partitions: ``{topic: [partitions]}``, names of topics, or None for all.
            brokers: their ids; None is all.
        """
        self._link.check_usable()
        ports = self._link.engine.ports
        wanted = self._partitions_of(topic_partitions)
        described = []
        for broker_id in ports if brokers is None else brokers:
            log_dirs = []
            for reply in ports[broker_id].describe_log_dirs(self._link.context, wanted):
                topics: dict[str, list[dict[str, Any]]] = defaultdict(list)
                for replica in reply.replicas:
                    topics[replica.topic_partition.topic].append(
                        {
                            "partition_index": replica.topic_partition.partition,
                            "partition_size": replica.size_bytes,
                            "offset_lag": replica.offset_lag,
                            "is_future_key": replica.is_future,
                        }
                    )
                log_dirs.append(
                    {
                        "error_code": reply.error_code,
                        "log_dir": reply.log_dir,
                        "topics": [{"name": name, "partitions": parts} for name, parts in topics.items()],
                        "total_bytes": reply.total_bytes,
                        "usable_bytes": reply.usable_bytes,
                        "is_cordoned": False,
                    }
                )
            described.append({"broker": broker_id, "log_dirs": log_dirs})
        return described

    def list_partition_reassignments(
        self, topic_partitions: Any = None, timeout_ms: float | None = None
    ) -> dict[Any, dict[str, list[int]]]:
        """Partitions on their way to other brokers: none, with one broker."""
        self._port()
        return {}
