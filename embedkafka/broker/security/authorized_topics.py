"""Who may see, create, change and delete topics and settings, where there is an authorizer.

A topic that the caller may not describe is answered alike whether it exists or not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from embedkafka.broker import api
from embedkafka.broker.api import CLUSTER_NAME, AclResourceType
from embedkafka.broker.describing import NO_TOPIC_ID
from embedkafka.broker.port import ApiKey
from embedkafka.broker.security.acl_checks import CLUSTER_DENIED, DENIED, RIGHTS, TOPIC_DENIED, TOPIC_MESSAGE
from embedkafka.broker.security.authorized_base import AuthorizedBase, woven
from embedkafka.broker.security.mutations import Mutations
from embedkafka.errors import ClusterAuthorizationFailedError
from embedkafka.model import TopicPartition

_Denied = dict[api.ConfigResourceKey, tuple[int, str]]


class AuthorizedTopics(AuthorizedBase):
    def metadata(
        self, context: api.RequestContext, topics: Sequence[str] | None, *, auto_create: bool = False
    ) -> api.MetadataReply:
        if context.in_process:
            return super().metadata(context, topics, auto_create=auto_create)
        if topics is None:
            reply = super().metadata(context, None)
            hidden = self._denied_topics(context, ApiKey.METADATA, [each.topic for each in reply.topics])
            return reply._replace(topics=[each for each in reply.topics if each.topic not in hidden])
        denied = self._denied_topics(context, ApiKey.METADATA, topics)
        if auto_create:
            missing = [topic for topic in topics if topic not in denied and self._topics.topic(topic) is None]
            denied |= self._not_to_create(context, missing)
        allowed = [topic for topic in topics if topic not in denied]
        reply = super().metadata(context, allowed, auto_create=auto_create)
        refused = {topic: api.TopicMetadata(topic, NO_TOPIC_ID, error_code=TOPIC_DENIED) for topic in denied}
        return reply._replace(topics=woven(topics, reply.topics, refused))

    def _not_to_create(self, context: api.RequestContext, topics: Sequence[str]) -> set[str]:
        """Those of the topics that the caller may not create: neither any topic nor this one."""
        if self._may_cluster(context, ApiKey.CREATE_TOPICS):
            return set()
        return self._denied_topics(context, ApiKey.CREATE_TOPICS, topics)

    def create_topics(
        self,
        context: api.RequestContext,
        specs: Sequence[api.NewTopicSpec],
        *,
        validate_only: bool = False,
        mutations: Mutations | None = None,
    ) -> Sequence[api.TopicResult]:
        denied = self._not_to_create(context, [spec.topic for spec in specs])
        allowed = [spec for spec in specs if spec.topic not in denied]
        results = super().create_topics(context, allowed, validate_only=validate_only, mutations=mutations)
        return _with_denied(results, [spec.topic for spec in specs], denied)

    def delete_topics(
        self, context: api.RequestContext, names: Sequence[str], *, mutations: Mutations | None = None
    ) -> Sequence[api.TopicResult]:
        key = ApiKey.DELETE_TOPICS
        denied = set() if self._may_cluster(context, key) else self._denied_topics(context, key, names)
        results = super().delete_topics(context, [name for name in names if name not in denied], mutations=mutations)
        return _with_denied(results, names, denied)

    def create_partitions(
        self,
        context: api.RequestContext,
        specs: Sequence[api.NewPartitionsSpec],
        *,
        validate_only: bool = False,
        mutations: Mutations | None = None,
    ) -> Sequence[api.TopicResult]:
        names = [spec.topic for spec in specs]
        denied = self._denied_topics(context, ApiKey.CREATE_PARTITIONS, names)
        allowed = [spec for spec in specs if spec.topic not in denied]
        results = super().create_partitions(context, allowed, validate_only=validate_only, mutations=mutations)
        return woven(names, results, {name: api.TopicResult(name, TOPIC_DENIED) for name in denied})

    # Settings --------------------------------------------------------------------------------------------------------

    def describe_configs(
        self,
        context: api.RequestContext,
        resources: Sequence[api.ConfigResourceKey],
        *,
        names: Mapping[api.ConfigResourceKey, Collection[str] | None] | None = None,
        include_synonyms: bool = False,
        include_documentation: bool = False,
    ) -> Sequence[api.ConfigResult]:
        denied = self._denied_settings(context, ApiKey.DESCRIBE_CONFIGS, resources)
        results = super().describe_configs(
            context,
            [each for each in resources if each not in denied],
            names=names,
            include_synonyms=include_synonyms,
            include_documentation=include_documentation,
        )
        return woven(resources, results, _refused(denied))

    def alter_configs(
        self,
        context: api.RequestContext,
        configs: Mapping[api.ConfigResourceKey, Mapping[str, str | None]],
        *,
        validate_only: bool = False,
    ) -> Sequence[api.ConfigResult]:
        denied = self._denied_settings(context, ApiKey.ALTER_CONFIGS, list(configs))
        allowed = {each: settings for each, settings in configs.items() if each not in denied}
        results = super().alter_configs(context, allowed, validate_only=validate_only)
        return woven(configs, results, _refused(denied))

    def incremental_alter_configs(
        self,
        context: api.RequestContext,
        changes: Mapping[api.ConfigResourceKey, Sequence[api.ConfigChange]],
        *,
        validate_only: bool = False,
    ) -> Sequence[api.ConfigResult]:
        denied = self._denied_settings(context, ApiKey.INCREMENTAL_ALTER_CONFIGS, list(changes))
        allowed = {each: own for each, own in changes.items() if each not in denied}
        results = super().incremental_alter_configs(context, allowed, validate_only=validate_only)
        return woven(changes, results, _refused(denied))

    def list_config_resources(
        self, context: api.RequestContext, resource_types: Collection[int] = ()
    ) -> Sequence[api.ConfigResourceKey]:
        """As the plain port's.

        Raises:
            ClusterAuthorizationFailedError: the caller may not.
        """
        if not self._may_cluster(context, ApiKey.LIST_CONFIG_RESOURCES):
            raise ClusterAuthorizationFailedError("Request is not authorized.")
        return super().list_config_resources(context, resource_types)

    def _denied_settings(
        self, context: api.RequestContext, api_key: int, resources: Sequence[api.ConfigResourceKey]
    ) -> _Denied:
        """The resources whose settings the caller may not use for this, with the error of each."""
        rights = RIGHTS[api_key]
        by_type = {
            api.ResourceType.TOPIC: (rights.topic, AclResourceType.TOPIC),
            api.ResourceType.GROUP: (rights.group, AclResourceType.GROUP),
        }
        denied = {}
        for resource in resources:
            operation, kind = by_type.get(resource.resource_type, (rights.cluster, AclResourceType.CLUSTER))
            assert operation is not None
            name = CLUSTER_NAME if kind is AclResourceType.CLUSTER else resource.name
            if not self._authorizer.allows(context, operation, kind, name):
                denied[resource] = DENIED[kind]
        return denied

    # The cluster -----------------------------------------------------------------------------------------------------

    def describe_log_dirs(
        self, context: api.RequestContext, topic_partitions: Collection[TopicPartition] | None
    ) -> Sequence[api.LogDirReply]:
        if not self._may_cluster(context, ApiKey.DESCRIBE_LOG_DIRS):
            return [api.LogDirReply(CLUSTER_DENIED, "", ())]
        return super().describe_log_dirs(context, topic_partitions)


def _with_denied(results: Sequence[api.TopicResult], names: Sequence[str], denied: set[str]) -> list[api.TopicResult]:
    return woven(names, results, {name: api.TopicResult(name, TOPIC_DENIED, TOPIC_MESSAGE) for name in denied})


def _refused(denied: _Denied) -> dict[api.ConfigResourceKey, api.ConfigResult]:
    return {resource: api.ConfigResult(resource, *error) for resource, error in denied.items()}
