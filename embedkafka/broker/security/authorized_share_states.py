"""Who may speak as a broker about the state of share groups, where there is an authorizer."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from embedkafka.broker import api
from embedkafka.broker.port import ApiKey
from embedkafka.broker.security.acl_checks import CLUSTER_DENIED, CLUSTER_MESSAGE
from embedkafka.broker.security.authorized_base import AuthorizedBase
from embedkafka.model import TopicIdPartition


class AuthorizedShareStates(AuthorizedBase):
    def initialize_share_group_state(
        self, context: api.RequestContext, group_id: str, starts: Mapping[TopicIdPartition, api.ShareStateStart]
    ) -> Mapping[TopicIdPartition, int]:
        if not self._may_cluster(context, ApiKey.INITIALIZE_SHARE_GROUP_STATE):
            return dict.fromkeys(starts, CLUSTER_DENIED)
        return super().initialize_share_group_state(context, group_id, starts)

    def read_share_group_state(
        self, context: api.RequestContext, group_id: str, leader_epochs: Mapping[TopicIdPartition, int]
    ) -> Mapping[TopicIdPartition, api.ShareState]:
        if not self._may_cluster(context, ApiKey.READ_SHARE_GROUP_STATE):
            return dict.fromkeys(leader_epochs, api.ShareState(CLUSTER_DENIED, CLUSTER_MESSAGE))
        return super().read_share_group_state(context, group_id, leader_epochs)

    def write_share_group_state(
        self, context: api.RequestContext, group_id: str, changes: Mapping[TopicIdPartition, api.ShareStateWrite]
    ) -> Mapping[TopicIdPartition, int]:
        if not self._may_cluster(context, ApiKey.WRITE_SHARE_GROUP_STATE):
            return dict.fromkeys(changes, CLUSTER_DENIED)
        return super().write_share_group_state(context, group_id, changes)

    def delete_share_group_state(
        self, context: api.RequestContext, group_id: str, partitions: Collection[TopicIdPartition]
    ) -> Mapping[TopicIdPartition, int]:
        if not self._may_cluster(context, ApiKey.DELETE_SHARE_GROUP_STATE):
            return dict.fromkeys(partitions, CLUSTER_DENIED)
        return super().delete_share_group_state(context, group_id, partitions)

    def read_share_group_state_summary(
        self, context: api.RequestContext, group_id: str, partitions: Collection[TopicIdPartition]
    ) -> Mapping[TopicIdPartition, api.ShareStateSummary]:
        if not self._may_cluster(context, ApiKey.READ_SHARE_GROUP_STATE_SUMMARY):
            return dict.fromkeys(partitions, api.ShareStateSummary(CLUSTER_DENIED, CLUSTER_MESSAGE))
        return super().read_share_group_state_summary(context, group_id, partitions)
