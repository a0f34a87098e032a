"""What lies on the disk: DeleteRecords (21), AlterReplicaLogDirs (34) and DescribeLogDirs (35)."""

from __future__ import annotations

from embedkafka.broker import api
from embedkafka.errors import ClusterAuthorizationFailedError
from embedkafka.model import TopicPartition
from embedkafka.protocol.apis.api_21_delete_records import (
    DeleteRecordsPartitionResult,
    DeleteRecordsRequest,
    DeleteRecordsResponse,
    DeleteRecordsTopicResult,
)
from embedkafka.protocol.apis.api_34_alter_replica_log_dirs import (
    AlterReplicaLogDirPartitionResult,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse,
    AlterReplicaLogDirTopicResult,
)
from embedkafka.protocol.apis.api_35_describe_log_dirs import (
    DescribeLogDirsPartition,
    DescribeLogDirsRequest,
    DescribeLogDirsResponse,
    DescribeLogDirsResult,
    DescribeLogDirsTopic,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler


def delete_records(call: Call, request: DeleteRecordsRequest) -> DeleteRecordsResponse:
    """Move log starts up."""
    offsets = {
        TopicPartition(topic.name, each.partition_index): each.offset
        for topic in request.topics
        for each in topic.partitions
    }
    found = {each.topic_partition: each for each in call.port.delete_records(call.context, offsets)}
    return DeleteRecordsResponse(
        topics=[
            DeleteRecordsTopicResult(
                topic.name,
                [_deleted(found[TopicPartition(topic.name, each.partition_index)]) for each in topic.partitions],
            )
            for topic in request.topics
        ]
    )


def _deleted(deleted: api.DeletedRecords) -> DeleteRecordsPartitionResult:
    return DeleteRecordsPartitionResult(deleted.topic_partition.partition, deleted.low_watermark, deleted.error_code)


def alter_replica_log_dirs(call: Call, request: AlterReplicaLogDirsRequest) -> AlterReplicaLogDirsResponse:
    """Move logs to other directories."""
    asked = {
        TopicPartition(topic.name, partition): log_dir.path
        for log_dir in request.dirs
        for topic in log_dir.topics
        for partition in topic.partitions
    }
    topics: dict[str, AlterReplicaLogDirTopicResult] = {}
    for each in call.port.alter_replica_log_dirs(call.context, asked).partitions:
        topic, partition = each.topic_partition
        topics.setdefault(topic, AlterReplicaLogDirTopicResult(topic)).partitions.append(
            AlterReplicaLogDirPartitionResult(partition, each.error_code)
        )
    return AlterReplicaLogDirsResponse(results=list(topics.values()))


def describe_log_dirs(call: Call, request: DescribeLogDirsRequest) -> DescribeLogDirsResponse:
    """Directories with the logs in them."""
    asked = request.topics
    found = call.port.describe_log_dirs(
        call.context,
        None if asked is None else [TopicPartition(topic.topic, each) for topic in asked for each in topic.partitions],
    )
    denied = ClusterAuthorizationFailedError.errno
    if any(each.error_code == denied for each in found):  # the caller's error, not a directory's
        return DescribeLogDirsResponse(error_code=denied)
    return DescribeLogDirsResponse(results=[_log_dir(each) for each in found])


def _log_dir(found: api.LogDirReply) -> DescribeLogDirsResult:
    topics: dict[str, DescribeLogDirsTopic] = {}
    for replica in found.replicas:
        topic, partition = replica.topic_partition
        topics.setdefault(topic, DescribeLogDirsTopic(topic)).partitions.append(
            DescribeLogDirsPartition(partition, replica.size_bytes, replica.offset_lag, replica.is_future)
        )
    return DescribeLogDirsResult(
        found.error_code, found.log_dir, list(topics.values()), found.total_bytes, found.usable_bytes
    )


HANDLERS = (Handler(21, delete_records), Handler(34, alter_replica_log_dirs), Handler(35, describe_log_dirs))
