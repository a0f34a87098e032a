"""Who may take part in groups, and see or change their offsets, where there is an authorizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from embedkafka.broker import api
from embedkafka.broker.port import ApiKey
from embedkafka.broker.security.acl_checks import (
    CLUSTER_DENIED,
    CLUSTER_MESSAGE,
    GROUP_DENIED,
    GROUP_MESSAGE,
    TOPIC_DENIED,
    TRANSACTIONAL_ID_DENIED,
)
from embedkafka.broker.security.authorized_base import AuthorizedBase, woven
from embedkafka.model import TopicPartition

_GROUP_KEY, _TRANSACTION_KEY = 0, 1  # FindCoordinator's types of keys


class AuthorizedGroups(AuthorizedBase):
    """A denied group refuses the request; partitions of denied topics are answered each for itself."""

    def find_coordinator(
        self, context: api.RequestContext, key_type: int, keys: Sequence[str]
    ) -> Sequence[api.FoundCoordinator]:
        def denied(key: str) -> tuple[int, str] | None:
            api_key = ApiKey.FIND_COORDINATOR
            if key_type == _GROUP_KEY:
                return None if self._may_group(context, api_key, key) else (GROUP_DENIED, GROUP_MESSAGE)
            if key_type == _TRANSACTION_KEY:
                refusal = (TRANSACTIONAL_ID_DENIED, "Transactional Id authorization failed.")
                return None if self._may_transact(context, api_key, key) else refusal
            return None if self._may_cluster(context, api_key) else (CLUSTER_DENIED, CLUSTER_MESSAGE)

        refused = {key: api.FoundCoordinator(key, *error) for key in keys if (error := denied(key))}
        found = super().find_coordinator(context, key_type, [key for key in keys if key not in refused])
        return woven(keys, found, refused)

    # Members ---------------------------------------------------------------------------------------------------------

    def join_group(
        self,
        context: api.RequestContext,
        request: api.JoinGroupRequest,
        complete: Callable[[api.JoinGroupReply], None],
    ) -> None:
        if not self._may_group(context, ApiKey.JOIN_GROUP, request.group_id):
            complete(api.JoinGroupReply(GROUP_DENIED, member_id=request.member_id))
        else:
            super().join_group(context, request, complete)

    def sync_group(
        self,
        context: api.RequestContext,
        request: api.SyncGroupRequest,
        complete: Callable[[api.SyncGroupReply], None],
    ) -> None:
        if not self._may_group(context, ApiKey.SYNC_GROUP, request.group_id):
            complete(api.SyncGroupReply(GROUP_DENIED))
        else:
            super().sync_group(context, request, complete)

    def heartbeat(self, context: api.RequestContext, request: api.HeartbeatRequest) -> int:
        if not self._may_group(context, ApiKey.HEARTBEAT, request.group_id):
            return GROUP_DENIED
        return super().heartbeat(context, request)

    def leave_group(
        self, context: api.RequestContext, group_id: str, members: Sequence[api.LeavingMember]
    ) -> api.LeaveGroupReply:
        if not self._may_group(context, ApiKey.LEAVE_GROUP, group_id):
            return api.LeaveGroupReply(GROUP_DENIED)
        return super().leave_group(context, group_id, members)

    def consumer_group_heartbeat(
        self, context: api.RequestContext, request: api.ConsumerGroupHeartbeatRequest
    ) -> api.ConsumerGroupHeartbeatReply:
        key = ApiKey.CONSUMER_GROUP_HEARTBEAT
        if not self._may_group(context, key, request.group_id):
            return api.ConsumerGroupHeartbeatReply(GROUP_DENIED)
        if self._denied_topics(context, key, request.subscribed_topic_names or ()):
            return api.ConsumerGroupHeartbeatReply(TOPIC_DENIED)
        return super().consumer_group_heartbeat(context, request)

    def watch_group(
        self, context: api.RequestContext, group_id: str, member_id: str, callback: Callable[[], None]
    ) -> Callable[[], None]:
        if not self._may_group(context, ApiKey.HEARTBEAT, group_id):
            return lambda: None  # the next heartbeat says why
        return super().watch_group(context, group_id, member_id, callback)

    # Offsets ---------------------------------------------------------------------------------------------------------

    def offset_commit(self, context: api.RequestContext, request: api.OffsetCommitRequest) -> api.OffsetCommitReply:
        if not self._may_group(context, ApiKey.OFFSET_COMMIT, request.group_id):
            return api.OffsetCommitReply(dict.fromkeys(request.offsets, GROUP_DENIED))
        denied = self._denied_partitions(context, ApiKey.OFFSET_COMMIT, request.offsets)
        if not denied:
            return super().offset_commit(context, request)
        offsets = {each: offset for each, offset in request.offsets.items() if each not in denied}
        refused = dict.fromkeys(denied, TOPIC_DENIED)
        if not offsets:
            return api.OffsetCommitReply(refused)
        reply = super().offset_commit(context, request._replace(offsets=offsets))
        return api.OffsetCommitReply({**reply.error_codes, **refused})

    def offset_fetch(self, context: api.RequestContext, request: api.OffsetFetchRequest) -> api.OffsetFetchReply:
        key = ApiKey.OFFSET_FETCH
        if not self._may_group(context, key, request.group_id):
            return api.OffsetFetchReply(GROUP_DENIED)
        if request.partitions is None:
            reply = super().offset_fetch(context, request)
            hidden = self._denied_partitions(context, key, reply.offsets)
            return reply._replace(offsets={each: at for each, at in reply.offsets.items() if each not in hidden})
        denied = self._denied_partitions(context, key, request.partitions)
        if not denied:
            return super().offset_fetch(context, request)
        asked = [each for each in request.partitions if each not in denied]
        reply = super().offset_fetch(context, request._replace(partitions=asked))
        if reply.error_code:
            return reply
        refused = dict.fromkeys(denied, api.CommittedOffset(error_code=TOPIC_DENIED))
        return reply._replace(offsets={**reply.offsets, **refused})

    def offset_delete(
        self, context: api.RequestContext, group_id: str, topic_partitions: Sequence[TopicPartition]
    ) -> api.OffsetDeleteReply:
        if not self._may_group(context, ApiKey.OFFSET_DELETE, group_id):
            return api.OffsetDeleteReply(GROUP_DENIED)
        denied = self._denied_partitions(context, ApiKey.OFFSET_DELETE, topic_partitions)
        if not denied:
            return super().offset_delete(context, group_id, topic_partitions)
        asked = [each for each in topic_partitions if each not in denied]
        refused = dict.fromkeys(denied, TOPIC_DENIED)
        if not asked:
            return api.OffsetDeleteReply(0, refused)
        reply = super().offset_delete(context, group_id, asked)
        return reply if reply.error_code else api.OffsetDeleteReply(0, {**reply.error_codes, **refused})

    # Groups ----------------------------------------------------------------------------------------------------------

    def list_groups(
        self, context: api.RequestContext, *, states: Sequence[str] = (), types: Sequence[str] = ()
    ) -> Sequence[api.ListedGroup]:
        groups = super().list_groups(context, states=states, types=types)
        if self._may_cluster(context, ApiKey.LIST_GROUPS):
            return groups
        return [each for each in groups if self._may_group(context, ApiKey.LIST_GROUPS, each.group_id)]

    def describe_groups(self, context: api.RequestContext, group_ids: Sequence[str]) -> Sequence[api.DescribedGroup]:
        denied = self._denied_groups(context, ApiKey.DESCRIBE_GROUPS, group_ids)
        described = super().describe_groups(context, [each for each in group_ids if each not in denied])
        return woven(group_ids, described, {each: api.DescribedGroup(each, GROUP_DENIED) for each in denied})

    def consumer_group_describe(
        self, context: api.RequestContext, group_ids: Sequence[str]
    ) -> Sequence[api.DescribedConsumerGroup]:
        describe, key = super().consumer_group_describe, ApiKey.CONSUMER_GROUP_DESCRIBE
        return self._describe(context, key, group_ids, describe, _topics_of, api.DescribedConsumerGroup)

    def delete_groups(self, context: api.RequestContext, group_ids: Sequence[str]) -> Sequence[api.GroupResult]:
        denied = self._denied_groups(context, ApiKey.DELETE_GROUPS, group_ids)
        deleted = super().delete_groups(context, [each for each in group_ids if each not in denied])
        return woven(group_ids, deleted, {each: api.GroupResult(each, GROUP_DENIED) for each in denied})


def _topics_of(group: api.DescribedConsumerGroup) -> set[str]:
    """The topics that a group's members read or subscribe to."""
    return {
        topic
        for member in group.members
        for topic in (
            *member.subscribed_topic_names,
            *(each.topic_name for each in member.assignment),
            *(each.topic_name for each in member.target_assignment),
        )
    }
