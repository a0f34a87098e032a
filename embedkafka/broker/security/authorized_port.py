"""The port of an engine with an authorizer: what is not allowed is answered as Kafka's brokers do.

It is a :class:`~embedkafka.broker.port.BrokerPort` whose methods ask first, by family of APIs in the files beside this
one; an engine without an authorizer has the plain port and pays nothing.
``tests/broker/test_authorized_port.py`` fails when the plain port gets a method that does not ask here.
"""

from __future__ import annotations

from collections.abc import Sequence

from embedkafka.broker import api
from embedkafka.broker.security.acl_checks import CLUSTER_DENIED, CLUSTER_MESSAGE
from embedkafka.broker.security.authorized_cluster import AuthorizedCluster
from embedkafka.broker.security.authorized_groups import AuthorizedGroups
from embedkafka.broker.security.authorized_records import AuthorizedRecords
from embedkafka.broker.security.authorized_share import AuthorizedShareGroups
from embedkafka.broker.security.authorized_share_states import AuthorizedShareStates
from embedkafka.broker.security.authorized_streams import AuthorizedStreamsGroups
from embedkafka.broker.security.authorized_topics import AuthorizedTopics
from embedkafka.broker.security.authorized_transactions import AuthorizedTransactions


class AuthorizedPort(
    AuthorizedRecords,
    AuthorizedTopics,
    AuthorizedCluster,
    AuthorizedGroups,
    AuthorizedShareGroups,
    AuthorizedShareStates,
    AuthorizedStreamsGroups,
    AuthorizedTransactions,
):
    """Rules, users and limits are the cluster's; everything else is in the parts."""

    def describe_acls(self, context: api.RequestContext, wanted: api.AclBindingFilter) -> api.DescribeAclsReply:
        self._admit(29, context)
        if not self._may_cluster(context, 29):
            return api.DescribeAclsReply(CLUSTER_DENIED)
        return self._authorizer.describe(wanted)

    def create_acls(
        self, context: api.RequestContext, bindings: Sequence[api.AclBinding]
    ) -> Sequence[api.AclCreationResult]:
        self._admit(30, context)
        if not self._may_cluster(context, 30):
            return [api.AclCreationResult(CLUSTER_DENIED)] * len(bindings)
        return self._authorizer.create(bindings)

    def delete_acls(
        self, context: api.RequestContext, filters: Sequence[api.AclBindingFilter]
    ) -> Sequence[api.DeletedAcls]:
        self._admit(31, context)
        if not self._may_cluster(context, 31):
            return [api.DeletedAcls(CLUSTER_DENIED)] * len(filters)
        return self._authorizer.delete(filters)

    def describe_user_scram_credentials(
        self, context: api.RequestContext, users: Sequence[str] | None
    ) -> api.DescribeUsersReply:
        if not self._may_cluster(context, 50):
            nameless = [api.DescribedUser("", CLUSTER_DENIED)] * len(users or ())  # as Kafka
            return api.DescribeUsersReply(CLUSTER_DENIED, CLUSTER_MESSAGE, nameless)
        return super().describe_user_scram_credentials(context, users)

    def alter_user_scram_credentials(
        self,
        context: api.RequestContext,
        deletions: Sequence[api.ScramDeletion],
        upsertions: Sequence[api.ScramUpsertion],
    ) -> Sequence[api.UserResult]:
        if not self._may_cluster(context, 51):
            users = dict.fromkeys([*(each.user for each in deletions), *(each.user for each in upsertions)])
            return [api.UserResult(user, CLUSTER_DENIED) for user in users]
        return super().alter_user_scram_credentials(context, deletions, upsertions)

    def describe_client_quotas(
        self, context: api.RequestContext, filters: Sequence[api.QuotaFilter], *, strict: bool = False
    ) -> api.DescribeClientQuotasReply:
        if not self._may_cluster(context, 48):
            return api.DescribeClientQuotasReply(CLUSTER_DENIED)
        return super().describe_client_quotas(context, filters, strict=strict)

    def alter_client_quotas(
        self, context: api.RequestContext, alterations: Sequence[api.QuotaAlteration], *, validate_only: bool = False
    ) -> Sequence[api.QuotaResult]:
        if not self._may_cluster(context, 49):
            return [api.QuotaResult(each.entity, CLUSTER_DENIED) for each in alterations]
        return super().alter_client_quotas(context, alterations, validate_only=validate_only)
