"""Who may take part in share groups, and see or move where they are, where there is an authorizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from embedkafka.broker import api
from embedkafka.broker.port import ApiKey
from embedkafka.broker.security.acl_checks import GROUP_DENIED, GROUP_MESSAGE, TOPIC_DENIED
from embedkafka.broker.security.authorized_base import AuthorizedBase
from embedkafka.broker.share.fetching import ParkedShareFetch


class AuthorizedShareGroups(AuthorizedBase):
    def share_group_heartbeat(
        self, context: api.RequestContext, request: api.ShareGroupHeartbeatRequest
    ) -> api.ShareGroupHeartbeatReply:
        key = ApiKey.SHARE_GROUP_HEARTBEAT
        if not self._may_group(context, key, request.group_id):
            return api.ShareGroupHeartbeatReply(GROUP_DENIED)
        if self._denied_topics(context, key, request.subscribed_topic_names or ()):
            return api.ShareGroupHeartbeatReply(TOPIC_DENIED)
        return super().share_group_heartbeat(context, request)

    # Records ---------------------------------------------------------------------------------------------------------

    def share_fetch(
        self,
        context: api.RequestContext,
        request: api.ShareFetchRequest,
        complete: Callable[[api.ShareFetchReply], None],
    ) -> ParkedShareFetch | None:
        key = ApiKey.SHARE_FETCH
        if not self._may_group(context, key, request.group_id):
            complete(api.ShareFetchReply(GROUP_DENIED))
            return None
        in_session = self._engine.shares.session_partitions(request.group_id, request.member_id)
        asked = [each.partition for each in request.partitions]
        denied = self._denied_ids(context, key, [*asked, *in_session])
        if not denied:
            return super().share_fetch(context, request, complete)
        refused = [
            api.ShareFetchPartitionReply(
                each.partition, TOPIC_DENIED, None, TOPIC_DENIED if each.acknowledgements else 0
            )
            for each in request.partitions
            if each.partition in denied
        ]
        narrowed = request._replace(
            partitions=[each for each in request.partitions if each.partition not in denied],
            forgotten=[*request.forgotten, *(each for each in in_session if each in denied)],
        )
        return super().share_fetch(context, narrowed, lambda reply: complete(_with_refused(reply, refused)))

    def share_acknowledge(
        self, context: api.RequestContext, request: api.ShareAcknowledgeRequest
    ) -> api.ShareAcknowledgeReply:
        key = ApiKey.SHARE_ACKNOWLEDGE
        if not self._may_group(context, key, request.group_id):
            return api.ShareAcknowledgeReply(GROUP_DENIED)
        denied = self._denied_ids(context, key, [each.partition for each in request.partitions])
        allowed = [each for each in request.partitions if each.partition not in denied]
        reply = super().share_acknowledge(context, request._replace(partitions=allowed))
        refused = [api.ShareAcknowledgePartitionReply(each, TOPIC_DENIED) for each in denied]
        return reply if reply.error_code else reply._replace(partitions=[*reply.partitions, *refused])

    def _denied_ids(
        self, context: api.RequestContext, api_key: int, partitions: Sequence[api.TopicIdPartition]
    ) -> list[api.TopicIdPartition]:
        """The partitions of topics that the caller may not use; an unknown id is nobody's secret."""
        names = {each.topic_id: self._topics.name_of(each.topic_id) for each in partitions}
        denied = self._denied_topics(context, api_key, [name for name in names.values() if name is not None])
        return [each for each in dict.fromkeys(partitions) if names[each.topic_id] in denied]

    def close_share_session(self, context: api.RequestContext, group_id: str, member_id: str) -> None:
        if self._may_group(context, ApiKey.SHARE_FETCH, group_id):
            super().close_share_session(context, group_id, member_id)

    # Groups ----------------------------------------------------------------------------------------------------------

    def share_group_describe(
        self, context: api.RequestContext, group_ids: Sequence[str]
    ) -> Sequence[api.DescribedShareGroup]:
        describe, key = super().share_group_describe, ApiKey.SHARE_GROUP_DESCRIBE
        return self._describe(context, key, group_ids, describe, _topics_of, api.DescribedShareGroup)

    # Offsets ---------------------------------------------------------------------------------------------------------

    def describe_share_group_offsets(
        self, context: api.RequestContext, requests: Sequence[api.DescribeShareGroupOffsetsRequest]
    ) -> Sequence[api.DescribedShareGroupOffsets]:
        return [self._describe_offsets(context, request) for request in requests]

    def _describe_offsets(
        self, context: api.RequestContext, request: api.DescribeShareGroupOffsetsRequest
    ) -> api.DescribedShareGroupOffsets:
        key = ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS
        if not self._may_group(context, key, request.group_id):
            return api.DescribedShareGroupOffsets(request.group_id, GROUP_DENIED)
        if request.partitions is None:
            (described,) = super().describe_share_group_offsets(context, [request])
            hidden = self._denied_partitions(context, key, described.offsets)
            offsets = {each: offset for each, offset in described.offsets.items() if each not in hidden}
            return described._replace(offsets=offsets)
        denied = self._denied_partitions(context, key, request.partitions)
        asked = [each for each in request.partitions if each not in denied]
        (described,) = super().describe_share_group_offsets(context, [request._replace(partitions=asked)])
        refused = dict.fromkeys(denied, api.ShareGroupOffset(error_code=TOPIC_DENIED))
        return described if described.error_code else described._replace(offsets={**described.offsets, **refused})

    def alter_share_group_offsets(
        self, context: api.RequestContext, request: api.AlterShareGroupOffsetsRequest
    ) -> api.AlterShareGroupOffsetsReply:
        key = ApiKey.ALTER_SHARE_GROUP_OFFSETS
        if not self._may_group(context, key, request.group_id):
            return api.AlterShareGroupOffsetsReply(GROUP_DENIED, GROUP_MESSAGE)
        denied = self._denied_partitions(context, key, request.offsets)
        if not denied:
            return super().alter_share_group_offsets(context, request)
        offsets = {each: offset for each, offset in request.offsets.items() if each not in denied}
        reply = api.AlterShareGroupOffsetsReply()
        if offsets:
            reply = super().alter_share_group_offsets(context, request._replace(offsets=offsets))
        refused = dict.fromkeys(denied, api.AlteredShareGroupOffset(TOPIC_DENIED))
        return reply if reply.error_code else reply._replace(offsets={**reply.offsets, **refused})

    def delete_share_group_offsets(
        self, context: api.RequestContext, request: api.DeleteShareGroupOffsetsRequest
    ) -> api.DeleteShareGroupOffsetsReply:
        key = ApiKey.DELETE_SHARE_GROUP_OFFSETS
        if not self._may_group(context, key, request.group_id):
            return api.DeleteShareGroupOffsetsReply(GROUP_DENIED, GROUP_MESSAGE)
        denied = self._denied_topics(context, key, request.topics)
        if not denied:
            return super().delete_share_group_offsets(context, request)
        topics = [topic for topic in request.topics if topic not in denied]
        reply = api.DeleteShareGroupOffsetsReply()
        if topics:
            reply = super().delete_share_group_offsets(context, request._replace(topics=topics))
        refused = [api.DeletedShareGroupTopic(topic, TOPIC_DENIED) for topic in request.topics if topic in denied]
        return reply if reply.error_code else reply._replace(topics=[*reply.topics, *refused])


def _with_refused(reply: api.ShareFetchReply, refused: Sequence[api.ShareFetchPartitionReply]) -> api.ShareFetchReply:
    return reply if reply.error_code else reply._replace(partitions=[*reply.partitions, *refused])


def _topics_of(group: api.DescribedShareGroup) -> set[str]:
    """The topics that a group's members read or subscribe to."""
    return {
        topic
        for member in group.members
        for topic in (*member.subscribed_topic_names, *(each.topic_name for each in member.assignment))
    }
