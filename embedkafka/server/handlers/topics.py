"""Brokers, and what topics there are and how they change.

Metadata (3), CreateTopics (19), DeleteTopics (20), CreatePartitions (37) and DescribeCluster (60).
"""

from __future__ import annotations

from collections.abc import Sequence

from embedkafka.broker import api
from embedkafka.broker.security.mutations import Mutations
from embedkafka.errors import (
    InvalidRequestError,
    MismatchedEndpointTypeError,
    TopicAuthorizationFailedError,
    UnknownTopicIdError,
    UnsupportedEndpointTypeError,
)
from embedkafka.protocol.apis.api_03_metadata import (
    MetadataRequest,
    MetadataRequestTopic,
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)
from embedkafka.protocol.apis.api_19_create_topics import (
    CreatableTopic,
    CreatableTopicConfigs,
    CreatableTopicResult,
    CreateTopicsRequest,
    CreateTopicsResponse,
)
from embedkafka.protocol.apis.api_20_delete_topics import (
    DeletableTopicResult,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
    DeleteTopicState,
)
from embedkafka.protocol.apis.api_37_create_partitions import (
    CreatePartitionsRequest,
    CreatePartitionsResponse,
    CreatePartitionsTopicResult,
)
from embedkafka.protocol.apis.api_60_describe_cluster import (
    DescribeClusterBroker,
    DescribeClusterRequest,
    DescribeClusterResponse,
)
from embedkafka.protocol.fields import ZERO_UUID
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

# Resource types of authorized operations (KIP-430), and the answer to who did not ask for them.
_TOPIC = 2
_CLUSTER = 4
_CLUSTER_NAME = "kafka-cluster"
_UNASKED = -(2**31)

_DENIED = TopicAuthorizationFailedError.errno


# Metadata (3) --------------------------------------------------------------------------------------------------------


_ASKED_BY_ID = 12  # the first version of Metadata in which topics may be


def metadata(call: Call, request: MetadataRequest) -> MetadataResponse:
    """Topics by name or id; all of them where null (in version 0: nothing) is asked for."""
    asked = request.topics
    if asked is None or (call.version == 0 and not asked):
        reply = call.port.metadata(call.context, None)
        return _metadata_response(call, request, reply, [_topic(call, request, topic) for topic in reply.topics])
    if call.version < _ASKED_BY_ID and any(topic.name is None or topic.topic_id != ZERO_UUID for topic in asked):
        # Versions 10 and 11 have the fields, but only tell ids.
        code = InvalidRequestError.errno
        return MetadataResponse(
            topics=[MetadataResponseTopic(code, topic.name or "", topic.topic_id) for topic in asked]
        )
    names = [topic.name if topic.topic_id == ZERO_UUID else call.port.topic_name(topic.topic_id) for topic in asked]
    known = [name for name in names if name is not None]
    reply = call.port.metadata(call.context, known, auto_create=request.allow_auto_topic_creation)
    answers = iter(reply.topics)
    topics = []
    for topic, name in zip(asked, names, strict=True):
        if name is None:
            topics.append(_unnamed(topic, UnknownTopicIdError.errno))
            continue
        answer = next(answers)
        if topic.topic_id != ZERO_UUID and answer.error_code == _DENIED:
            topics.append(_unnamed(topic, _DENIED))  # an id is no secret, a name is
        else:
            topics.append(_topic(call, request, answer))
    return _metadata_response(call, request, reply, topics)


def _metadata_response(
    call: Call, request: MetadataRequest, reply: api.MetadataReply, topics: list[MetadataResponseTopic]
) -> MetadataResponse:
    operations = _UNASKED
    if request.include_cluster_authorized_operations:
        operations = call.port.authorized_operations(call.context, _CLUSTER, _CLUSTER_NAME)
    return MetadataResponse(
        brokers=[
            MetadataResponseBroker(broker.broker_id, *call.endpoint(broker.broker_id), broker.rack)
            for broker in reply.brokers
        ],
        cluster_id=reply.cluster_id,
        controller_id=reply.controller_id,
        topics=topics,
        cluster_authorized_operations=operations,
    )


def _topic(call: Call, request: MetadataRequest, topic: api.TopicMetadata) -> MetadataResponseTopic:
    operations = _UNASKED
    if request.include_topic_authorized_operations and topic.error_code != _DENIED:
        operations = call.port.authorized_operations(call.context, _TOPIC, topic.topic)
    return MetadataResponseTopic(
        error_code=topic.error_code,
        name=topic.topic,
        topic_id=topic.topic_id,
        is_internal=topic.is_internal,
        partitions=[
            MetadataResponsePartition(
                error_code=partition.error_code,
                partition_index=partition.partition,
                leader_id=partition.leader_id,
                leader_epoch=partition.leader_epoch,
                replica_nodes=list(partition.replicas),
                isr_nodes=list(partition.isr),
            )
            for partition in topic.partitions
        ],
        topic_authorized_operations=operations,
    )


def _unnamed(topic: MetadataRequestTopic, error_code: int) -> MetadataResponseTopic:
    return MetadataResponseTopic(error_code=error_code, name=None, topic_id=topic.topic_id)


_STRICT_SINCE = {19: 6, 20: 5, 37: 3}  # the version in which an API knows THROTTLING_QUOTA_EXCEEDED (KIP-599)


def _mutations(call: Call) -> Mutations:
    return call.port.mutations(call.context, is_strict=call.version >= _STRICT_SINCE[call.header.api.key])


# CreateTopics (19) ---------------------------------------------------------------------------------------------------


def create_topics(call: Call, request: CreateTopicsRequest) -> CreateTopicsResponse:
    """Create topics, and tell from version 5 what they came to be."""
    mutations = _mutations(call)
    results = call.port.create_topics(
        call.context,
        [_new_topic(topic) for topic in request.topics],
        validate_only=request.validate_only,
        mutations=mutations,
    )
    call.throttle_ms = mutations.throttle_ms
    configs = _configs_of(call, results) if call.version >= 5 and not request.validate_only else {}
    return CreateTopicsResponse(
        topics=[_created(call, result, configs.get(result.topic, [])) for result in _once(results)]
    )


def _once(results: Sequence[api.TopicResult]) -> list[api.TopicResult]:
    """One answer a topic: a topic that is named twice is refused, and that is said once."""
    return list({result.topic: result for result in results}.values())


def _created(call: Call, result: api.TopicResult, configs: list[CreatableTopicConfigs]) -> CreatableTopicResult:
    created = CreatableTopicResult(
        name=result.topic,
        topic_id=result.topic_id or ZERO_UUID,
        error_code=result.error_code,
        error_message=result.error_message,
    )
    if result.error_code:
        return created
    if call.port.is_authorized(call.context, api.AclOperation.DESCRIBE_CONFIGS, _TOPIC, result.topic):
        created.num_partitions = result.num_partitions
        created.replication_factor = result.replication_factor
        created.configs = configs
    else:
        created.topic_config_error_code = _DENIED
    return created


def _new_topic(topic: CreatableTopic) -> api.NewTopicSpec:
    return api.NewTopicSpec(
        topic.name,
        topic.num_partitions,
        topic.replication_factor,
        {each.partition_index: each.broker_ids for each in topic.assignments},
        {each.name: each.value for each in topic.configs},
    )


def _configs_of(call: Call, results: Sequence[api.TopicResult]) -> dict[str, list[CreatableTopicConfigs]]:
    created = [
        api.ConfigResourceKey(api.ResourceType.TOPIC, result.topic) for result in results if not result.error_code
    ]
    if not created:
        return {}
    return {
        result.resource.name: [
            CreatableTopicConfigs(entry.name, entry.value, entry.read_only, entry.source, entry.is_sensitive)
            for entry in result.entries
        ]
        for result in call.port.describe_configs(call.context, created)
    }


# DeleteTopics (20) ---------------------------------------------------------------------------------------------------


def delete_topics(call: Call, request: DeleteTopicsRequest) -> DeleteTopicsResponse:
    """Delete topics by name, from version 6 also by id."""
    mutations = _mutations(call)
    if call.version < 6:
        deleted = call.port.delete_topics(call.context, request.topic_names, mutations=mutations)
        call.throttle_ms = mutations.throttle_ms
        return DeleteTopicsResponse(responses=[_deleted(result) for result in _once(deleted)])
    names = [topic.name if topic.name is not None else call.port.topic_name(topic.topic_id) for topic in request.topics]
    known = [name for name in names if name is not None]
    results = {result.topic: result for result in call.port.delete_topics(call.context, known, mutations=mutations)}
    call.throttle_ms = mutations.throttle_ms
    responses = []
    for topic, name in zip(request.topics, names, strict=True):
        if name is None:
            responses.append(_undeleted(topic))
        elif name in results:
            deletion = _deleted(results.pop(name))
            if topic.name is None and not call.port.is_authorized(
                call.context, api.AclOperation.DESCRIBE, _TOPIC, name
            ):
                deletion.name = None  # an id is no secret, a name is
                deletion.topic_id = topic.topic_id
            responses.append(deletion)
    return DeleteTopicsResponse(responses=responses)


def _undeleted(topic: DeleteTopicState) -> DeletableTopicResult:
    if topic.topic_id == ZERO_UUID:
        error_code, message = InvalidRequestError.errno, "Neither topic name nor id were specified."
    else:
        error_code, message = UnknownTopicIdError.errno, "This server does not host this topic ID."
    return DeletableTopicResult(name=None, topic_id=topic.topic_id, error_code=error_code, error_message=message)


def _deleted(result: api.TopicResult) -> DeletableTopicResult:
    return DeletableTopicResult(
        name=result.topic,
        topic_id=result.topic_id or ZERO_UUID,
        error_code=result.error_code,
        error_message=result.error_message,
    )


# CreatePartitions (37) -----------------------------------------------------------------------------------------------


def create_partitions(call: Call, request: CreatePartitionsRequest) -> CreatePartitionsResponse:
    """Give topics more partitions."""
    specs = [
        api.NewPartitionsSpec(
            topic.name,
            topic.count,
            None if topic.assignments is None else [each.broker_ids for each in topic.assignments],
        )
        for topic in request.topics
    ]
    mutations = _mutations(call)
    results = call.port.create_partitions(call.context, specs, validate_only=request.validate_only, mutations=mutations)
    call.throttle_ms = mutations.throttle_ms
    return CreatePartitionsResponse(
        results=[
            CreatePartitionsTopicResult(result.topic, result.error_code, result.error_message)
            for result in _once(results)
        ]
    )


# DescribeCluster (60) ------------------------------------------------------------------------------------------------

_BROKERS, _CONTROLLERS = 1, 2  # endpoint types (KIP-919)


def describe_cluster(call: Call, request: DescribeClusterRequest) -> DescribeClusterResponse:
    """Brokers and controller; there are no controllers to be asked by themselves."""
    if request.endpoint_type != _BROKERS:
        if request.endpoint_type == _CONTROLLERS:
            return DescribeClusterResponse(
                error_code=MismatchedEndpointTypeError.errno,
                error_message="The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type "
                "CONTROLLER",
            )
        return DescribeClusterResponse(
            error_code=UnsupportedEndpointTypeError.errno,
            error_message=f"Unsupported endpoint type {request.endpoint_type}",
        )
    reply = call.port.describe_cluster(call.context)
    operations = _UNASKED
    if request.include_cluster_authorized_operations:
        operations = call.port.authorized_operations(call.context, _CLUSTER, _CLUSTER_NAME)
    return DescribeClusterResponse(
        cluster_id=reply.cluster_id,
        controller_id=reply.controller_id,
        brokers=[
            DescribeClusterBroker(broker.broker_id, *call.endpoint(broker.broker_id), broker.rack)
            for broker in reply.brokers
        ],
        cluster_authorized_operations=operations,
    )


HANDLERS = (
    Handler(3, metadata),
    Handler(19, create_topics),
    Handler(20, delete_topics),
    Handler(37, create_partitions),
    Handler(60, describe_cluster),
)
