"""The port's part about users, rights and limits: Kafka's APIs 29-31, 38-41 and 48-51, and what every API asks of them.

Without an authorizer everything is allowed; :mod:`embedkafka.broker.security.authorized_port` is the port with one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from embedkafka.broker import api
from embedkafka.broker.security.mutations import Mutations
from embedkafka.errors import (
    DelegationTokenAuthDisabledError,
    DelegationTokenRequestNotAllowedError,
    SecurityDisabledError,
)

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine

_NO_AUTHORIZER = "No Authorizer is configured."


class SecurityPort(ABC):
    """A part of :class:`embedkafka.broker.port.BrokerPort`."""

    _engine: Engine

    @abstractmethod
    def _admit(self, api_key: int, context: api.RequestContext) -> None:
        """What every request passes through."""

    # Rights ----------------------------------------------------------------------------------------------------------

    def is_authorized(self, context: api.RequestContext, operation: int, resource_type: int, name: str) -> bool:
        """Whether the caller may do something to a resource: for what is answered without asking the port."""
        return True

    def authorized_operations(self, context: api.RequestContext, resource_type: int, name: str) -> int:
        """What the caller may do to a topic, a group or the cluster, as Kafka's bit field."""
        from embedkafka.broker.security.acls import SUPPORTED_OPERATIONS, bit_field

        return bit_field(SUPPORTED_OPERATIONS[resource_type])

    def describe_acls(self, context: api.RequestContext, wanted: api.AclBindingFilter) -> api.DescribeAclsReply:
        """The rules that a filter lets through."""
        self._admit(29, context)
        return api.DescribeAclsReply(SecurityDisabledError.errno, "No Authorizer is configured on the broker")

    def create_acls(
        self, context: api.RequestContext, bindings: Sequence[api.AclBinding]
    ) -> Sequence[api.AclCreationResult]:
        """Add rules, each for itself."""
        self._admit(30, context)
        return [api.AclCreationResult(SecurityDisabledError.errno, _NO_AUTHORIZER)] * len(bindings)

    def delete_acls(
        self, context: api.RequestContext, filters: Sequence[api.AclBindingFilter]
    ) -> Sequence[api.DeletedAcls]:
        """Delete what filters let through; one answer a filter."""
        self._admit(31, context)
        return [api.DeletedAcls(SecurityDisabledError.errno, _NO_AUTHORIZER)] * len(filters)

    # Users -----------------------------------------------------------------------------------------------------------

    def describe_user_scram_credentials(
        self, context: api.RequestContext, users: Sequence[str] | None
    ) -> api.DescribeUsersReply:
        """How users' passwords are kept; None asks for every user."""
        self._admit(50, context)
        return self._engine.users.describe(users)

    def alter_user_scram_credentials(
        self,
        context: api.RequestContext,
        deletions: Sequence[api.ScramDeletion],
        upsertions: Sequence[api.ScramUpsertion],
    ) -> Sequence[api.UserResult]:
        """Forget and set passwords; one answer a user."""
        self._admit(51, context)
        return self._engine.users.alter(deletions, upsertions)

    # Delegation tokens -----------------------------------------------------------------------------------------------

    def delegation_token_refusal(self, context: api.RequestContext, api_key: int) -> int:
        """Kafka's error code for APIs 38 to 41: there are no tokens, as in a broker without a secret key for them."""
        self._admit(api_key, context)
        if context.principal == api.RequestContext().principal:  # nobody, who cannot own one
            return DelegationTokenRequestNotAllowedError.errno
        return DelegationTokenAuthDisabledError.errno

    # Limits ----------------------------------------------------------------------------------------------------------

    def charge(
        self,
        context: api.RequestContext,
        api_key: int,
        *,
        request_bytes: int,
        response_bytes: int,
        busy_ms: float,
    ) -> int:
        """Count a request that was answered; returns how long its client has to be kept waiting, milliseconds.

        Args:
            request_bytes: the size of the request's frame.
            response_bytes: the size of the reply's frame.
            busy_ms: how long the broker was busy with it.
        """
        return self._engine.quotas.charge(
            context, api_key, request_bytes=request_bytes, response_bytes=response_bytes, busy_ms=busy_ms
        )

    def mutations(self, context: api.RequestContext, *, is_strict: bool) -> Mutations:
        """What counts the changes of one request to topics; give it along with that.

        Args:
            is_strict: refuse what is beyond the client's limit, instead of making it wait afterwards.
        """
        return self._engine.quotas.mutations(context, is_strict=is_strict)

    def connected(self, client_host: str) -> int:
        """Count a connection; returns how long it has to wait before it is served, milliseconds."""
        return self._engine.quotas.connected(client_host.removeprefix("/"))

    def describe_client_quotas(
        self, context: api.RequestContext, filters: Sequence[api.QuotaFilter], *, strict: bool = False
    ) -> api.DescribeClientQuotasReply:
        """The limits of what the filters let through."""
        self._admit(48, context)
        return self._engine.quotas.describe(filters, strict=strict)

    def alter_client_quotas(
        self, context: api.RequestContext, alterations: Sequence[api.QuotaAlteration], *, validate_only: bool = False
    ) -> Sequence[api.QuotaResult]:
        """Change limits, each entity's for itself."""
        self._admit(49, context)
        return self._engine.quotas.alter(alterations, validate_only=validate_only)
