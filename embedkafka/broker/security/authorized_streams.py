"""Who may take part in streams groups, and see them, where there is an authorizer.

Internal topics are created with the rights of the member that lacks them (``broker/coordinator_host.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from embedkafka.broker import api
from embedkafka.broker.groups.streams_groups import topology_refusal
from embedkafka.broker.port import ApiKey
from embedkafka.broker.security.acl_checks import GROUP_DENIED, TOPIC_DENIED
from embedkafka.broker.security.authorized_base import AuthorizedBase


class AuthorizedStreamsGroups(AuthorizedBase):
    def streams_group_heartbeat(
        self, context: api.RequestContext, request: api.StreamsGroupHeartbeatRequest
    ) -> api.StreamsGroupHeartbeatReply:
        key = ApiKey.STREAMS_GROUP_HEARTBEAT
        if not self._may_group(context, key, request.group_id):
            return api.StreamsGroupHeartbeatReply(GROUP_DENIED)
        names = () if request.topology is None else request.topology.named_topics()
        if self._denied_topics(context, key, names) and topology_refusal(request) is None:
            return api.StreamsGroupHeartbeatReply(TOPIC_DENIED)
        return super().streams_group_heartbeat(context, request)

    def streams_group_describe(
        self, context: api.RequestContext, group_ids: Sequence[str]
    ) -> Sequence[api.DescribedStreamsGroup]:
        describe, key = super().streams_group_describe, ApiKey.STREAMS_GROUP_DESCRIBE
        return self._describe(
            context, key, group_ids, describe, lambda group: set(_topics_of(group)), api.DescribedStreamsGroup
        )


def _topics_of(group: api.DescribedStreamsGroup) -> Iterator[str]:
    """The topics that a group's topology names."""
    for each in () if group.topology is None else group.topology.subtopologies:
        yield from each.source_topics
        yield from each.repartition_sink_topics
        for topic in (*each.repartition_source_topics, *each.state_changelog_topics):
            yield topic.name
