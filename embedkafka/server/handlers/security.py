"""Rules (29-31), delegation tokens (38-41), which are refused, limits (48, 49) and users (50, 51)."""

from __future__ import annotations

from collections.abc import Iterable

from embedkafka.broker import api
from embedkafka.protocol.apis import (
    api_29_describe_acls as describe_29,
)
from embedkafka.protocol.apis import (
    api_30_create_acls as create_30,
)
from embedkafka.protocol.apis import (
    api_31_delete_acls as delete_31,
)
from embedkafka.protocol.apis import (
    api_38_create_delegation_token as create_38,
)
from embedkafka.protocol.apis import (
    api_39_renew_delegation_token as renew_39,
)
from embedkafka.protocol.apis import (
    api_40_expire_delegation_token as expire_40,
)
from embedkafka.protocol.apis import (
    api_41_describe_delegation_token as describe_41,
)
from embedkafka.protocol.apis import (
    api_48_describe_client_quotas as describe_48,
)
from embedkafka.protocol.apis import (
    api_49_alter_client_quotas as alter_49,
)
from embedkafka.protocol.apis import (
    api_50_describe_user_scram_credentials as describe_50,
)
from embedkafka.protocol.apis import (
    api_51_alter_user_scram_credentials as alter_51,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

# Rules ---------------------------------------------------------------------------------------------------------------


def describe_acls(call: Call, request: describe_29.DescribeAclsRequest) -> describe_29.DescribeAclsResponse:
    """The rules that a filter lets through, by what they are about."""
    reply = call.port.describe_acls(call.context, _filter(request))
    resources: dict[tuple[int, str, int], describe_29.DescribeAclsResource] = {}
    for acl in reply.acls:
        key = (acl.resource_type, acl.resource_name, acl.pattern_type)
        resource = resources.setdefault(key, describe_29.DescribeAclsResource(*key, []))
        resource.acls.append(describe_29.AclDescription(acl.principal, acl.host, acl.operation, acl.permission_type))
    return describe_29.DescribeAclsResponse(
        error_code=reply.error_code, error_message=reply.error_message or "", resources=list(resources.values())
    )


def create_acls(call: Call, request: create_30.CreateAclsRequest) -> create_30.CreateAclsResponse:
    """Add rules, each for itself."""
    bindings = [
        api.AclBinding(
            each.resource_type,
            each.resource_name,
            each.resource_pattern_type,
            each.principal,
            each.host,
            each.operation,
            each.permission_type,
        )
        for each in request.creations
    ]
    results = call.port.create_acls(call.context, bindings)
    return create_30.CreateAclsResponse(results=[create_30.AclCreationResult(*each) for each in results])


def delete_acls(call: Call, request: delete_31.DeleteAclsRequest) -> delete_31.DeleteAclsResponse:
    """Delete what filters let through, and tell what that was."""
    results = call.port.delete_acls(call.context, [_filter(each) for each in request.filters])
    return delete_31.DeleteAclsResponse(
        filter_results=[
            delete_31.DeleteAclsFilterResult(
                each.error_code,
                each.error_message,
                [delete_31.DeleteAclsMatchingAcl(0, None, *acl) for acl in each.acls],
            )
            for each in results
        ]
    )


def _filter(given: describe_29.DescribeAclsRequest | delete_31.DeleteAclsFilter) -> api.AclBindingFilter:
    return api.AclBindingFilter(
        given.resource_type_filter,
        given.resource_name_filter,
        given.pattern_type_filter,
        given.principal_filter,
        given.host_filter,
        given.operation,
        given.permission_type,
    )


# Delegation tokens ---------------------------------------------------------------------------------------------------

_UNKNOWN_MS = -1


def create_delegation_token(
    call: Call, request: create_38.CreateDelegationTokenRequest
) -> create_38.CreateDelegationTokenResponse:
    """Refused, in the caller's name as in Kafka."""
    kind, _, name = call.context.principal.partition(":")
    has_requester = call.version >= 3
    return create_38.CreateDelegationTokenResponse(
        error_code=call.port.delegation_token_refusal(call.context, 38),
        principal_type=kind,
        principal_name=name,
        token_requester_principal_type=kind if has_requester else "",
        token_requester_principal_name=name if has_requester else "",
        issue_timestamp_ms=_UNKNOWN_MS,
        expiry_timestamp_ms=_UNKNOWN_MS,
        max_timestamp_ms=_UNKNOWN_MS,
    )


def renew_delegation_token(
    call: Call, request: renew_39.RenewDelegationTokenRequest
) -> renew_39.RenewDelegationTokenResponse:
    """Refused."""
    return renew_39.RenewDelegationTokenResponse(call.port.delegation_token_refusal(call.context, 39), _UNKNOWN_MS)


def expire_delegation_token(
    call: Call, request: expire_40.ExpireDelegationTokenRequest
) -> expire_40.ExpireDelegationTokenResponse:
    """Refused."""
    return expire_40.ExpireDelegationTokenResponse(call.port.delegation_token_refusal(call.context, 40), _UNKNOWN_MS)


def describe_delegation_tokens(
    call: Call, request: describe_41.DescribeDelegationTokenRequest
) -> describe_41.DescribeDelegationTokenResponse:
    """Refused."""
    return describe_41.DescribeDelegationTokenResponse(call.port.delegation_token_refusal(call.context, 41))


# Limits --------------------------------------------------------------------------------------------------------------


def describe_client_quotas(
    call: Call, request: describe_48.DescribeClientQuotasRequest
) -> describe_48.DescribeClientQuotasResponse:
    """The limits of the entities that pass the filters."""
    filters = [api.QuotaFilter(each.entity_type, each.match_type, each.match) for each in request.components]
    reply = call.port.describe_client_quotas(call.context, filters, strict=request.strict)
    if reply.error_code:
        return describe_48.DescribeClientQuotasResponse(
            error_code=reply.error_code, error_message=reply.error_message, entries=None
        )
    return describe_48.DescribeClientQuotasResponse(
        entries=[
            describe_48.EntryData(
                [describe_48.EntityData(*part) for part in entry.entity],
                [describe_48.ValueData(key, value) for key, value in entry.values.items()],
            )
            for entry in reply.entries
        ]
    )


def alter_client_quotas(call: Call, request: alter_49.AlterClientQuotasRequest) -> alter_49.AlterClientQuotasResponse:
    """Change limits, each entity's for itself."""
    alterations = [
        api.QuotaAlteration(
            _entity(each.entity),
            [api.QuotaChange(change.key, None if change.remove else change.value) for change in each.ops],
        )
        for each in request.entries
    ]
    results = call.port.alter_client_quotas(call.context, alterations, validate_only=request.validate_only)
    return alter_49.AlterClientQuotasResponse(
        entries=[alter_49.EntryResult(each.error_code, each.error_message, _told(each.entity)) for each in results]
    )


def _told(entity: api.QuotaEntity) -> list[alter_49.EntityData]:
    """An entity's parts by type, whatever their order was in the request, as Kafka's map has them."""
    return [alter_49.EntityData(*part) for part in sorted(entity, key=lambda part: part[0])]


def _entity(parts: Iterable[alter_49.EntityData]) -> api.QuotaEntity:
    return tuple((part.entity_type, part.entity_name) for part in parts)


# Users ---------------------------------------------------------------------------------------------------------------


def describe_users(
    call: Call, request: describe_50.DescribeUserScramCredentialsRequest
) -> describe_50.DescribeUserScramCredentialsResponse:
    """How users' passwords are kept; null or nothing asks for everyone."""
    users = None if request.users is None else [each.name for each in request.users]
    reply = call.port.describe_user_scram_credentials(call.context, users)
    return describe_50.DescribeUserScramCredentialsResponse(
        error_code=reply.error_code,
        error_message=reply.error_message,
        results=[
            describe_50.DescribeUserScramCredentialsResult(
                each.user,
                each.error_code,
                each.error_message,
                [describe_50.CredentialInfo(*info) for info in each.credential_infos],
            )
            for each in reply.users
        ],
    )


def alter_users(
    call: Call, request: alter_51.AlterUserScramCredentialsRequest
) -> alter_51.AlterUserScramCredentialsResponse:
    """Forget and set passwords; one answer a user."""
    results = call.port.alter_user_scram_credentials(
        call.context,
        [api.ScramDeletion(each.name, each.mechanism) for each in request.deletions],
        [
            api.ScramUpsertion(
                each.name, each.mechanism, each.iterations, bytes(each.salt), bytes(each.salted_password)
            )
            for each in request.upsertions
        ],
    )
    return alter_51.AlterUserScramCredentialsResponse(
        results=[alter_51.AlterUserScramCredentialsResult(*each) for each in results]
    )


HANDLERS = (
    Handler(29, describe_acls),
    Handler(30, create_acls),
    Handler(31, delete_acls),
    Handler(38, create_delegation_token),
    Handler(39, renew_delegation_token),
    Handler(40, expire_delegation_token),
    Handler(41, describe_delegation_tokens),
    Handler(48, describe_client_quotas),
    Handler(49, alter_client_quotas),
    Handler(50, describe_users),
    Handler(51, alter_users),
)
