"""Settings: DescribeConfigs (32), AlterConfigs (33), IncrementalAlterConfigs (44) and ListConfigResources (74)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from embedkafka.broker import api
from embedkafka.errors import BrokerResponseError, InvalidRequestError
from embedkafka.protocol.apis import api_33_alter_configs as replacing
from embedkafka.protocol.apis import api_44_incremental_alter_configs as changing
from embedkafka.protocol.apis.api_32_describe_configs import (
    DescribeConfigsRequest,
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
    DescribeConfigsSynonym,
)
from embedkafka.protocol.apis.api_74_list_config_resources import (
    ConfigResource,
    ListConfigResourcesRequest,
    ListConfigResourcesResponse,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

A = TypeVar("A")


class _Resource(Protocol):
    """How every request names what has settings."""

    resource_type: int
    resource_name: str


def _key(resource: _Resource) -> api.ConfigResourceKey:
    return api.ConfigResourceKey(resource.resource_type, resource.resource_name)


# DescribeConfigs (32) ------------------------------------------------------------------------------------------------


def describe_configs(call: Call, request: DescribeConfigsRequest) -> DescribeConfigsResponse:
    """Settings with their sources; no keys, or null, asks for all."""
    results = call.port.describe_configs(
        call.context,
        [_key(resource) for resource in request.resources],
        names={_key(resource): resource.configuration_keys or None for resource in request.resources},
        include_synonyms=request.include_synonyms,
        include_documentation=request.include_documentation,
    )
    return DescribeConfigsResponse(
        results=[
            DescribeConfigsResult(
                result.error_code,
                result.error_message,
                result.resource.resource_type,
                result.resource.name,
                [_entry(entry) for entry in result.entries],
            )
            for result in results
        ]
    )


def _entry(entry: api.ConfigEntry) -> DescribeConfigsResourceResult:
    return DescribeConfigsResourceResult(
        name=entry.name,
        value=entry.value,
        read_only=entry.read_only,
        config_source=entry.source,
        is_sensitive=entry.is_sensitive,
        synonyms=[DescribeConfigsSynonym(*synonym) for synonym in entry.synonyms],
        config_type=entry.config_type,
        documentation=entry.documentation,
    )


# AlterConfigs (33), IncrementalAlterConfigs (44) ---------------------------------------------------------------------


def alter_configs(call: Call, request: replacing.AlterConfigsRequest) -> replacing.AlterConfigsResponse:
    """Replace all settings of each resource."""
    refused = _refused(request.resources)
    for resource in request.resources:
        nulls = [config.name for config in resource.configs if config.value is None]
        if nulls and _key(resource) not in refused:
            message = f"Null value not supported for : {','.join(nulls)}"
            refused[_key(resource)] = api.ConfigResult(_key(resource), InvalidRequestError.errno, message)
    results = call.port.alter_configs(
        call.context,
        {
            _key(resource): {config.name: config.value for config in resource.configs}
            for resource in request.resources
            if _key(resource) not in refused
        },
        validate_only=request.validate_only,
    )
    return replacing.AlterConfigsResponse(
        responses=_answers(replacing.AlterConfigsResourceResponse, request.resources, results, refused)
    )


def incremental_alter_configs(
    call: Call, request: changing.IncrementalAlterConfigsRequest
) -> changing.IncrementalAlterConfigsResponse:
    """Change single settings."""
    refused = _refused(request.resources)
    results = call.port.incremental_alter_configs(
        call.context,
        {
            _key(resource): [
                api.ConfigChange(config.name, config.config_operation, config.value) for config in resource.configs
            ]
            for resource in request.resources
            if _key(resource) not in refused
        },
        validate_only=request.validate_only,
    )
    return changing.IncrementalAlterConfigsResponse(
        responses=_answers(changing.AlterConfigsResourceResponse, request.resources, results, refused)
    )


_Results = dict[api.ConfigResourceKey, api.ConfigResult]


def _refused(resources: Iterable[_Resource]) -> _Results:
    """Resources that a request names more than once, of which the port could be told only the last."""
    message = "Each resource must appear at most once."
    counts = Counter(map(_key, resources))
    return {key: api.ConfigResult(key, InvalidRequestError.errno, message) for key, n in counts.items() if n > 1}


def _answers(
    answer: Callable[[int, str | None, int, str], A],
    resources: Iterable[_Resource],
    results: Iterable[api.ConfigResult],
    refused: _Results,
) -> list[A]:
    """One answer for each resource that was named, in that order."""
    by_resource = {result.resource: result for result in results} | refused
    ordered = [by_resource[_key(resource)] for resource in resources]
    return [answer(result.error_code, result.error_message, *result.resource) for result in ordered]


# ListConfigResources (74) --------------------------------------------------------------------------------------------


def list_config_resources(call: Call, request: ListConfigResourcesRequest) -> ListConfigResourcesResponse:
    """What can have settings; version 0 knows only clients' metrics."""
    types = request.resource_types if call.version >= 1 else [api.ResourceType.CLIENT_METRICS]
    try:
        found = call.port.list_config_resources(call.context, types)
    except BrokerResponseError as error:  # a type that is not listed, or a right that is missing
        return ListConfigResourcesResponse(error_code=error.errno)
    return ListConfigResourcesResponse(
        config_resources=[ConfigResource(resource.name, resource.resource_type) for resource in found]
    )


HANDLERS = (
    Handler(32, describe_configs),
    Handler(33, alter_configs),
    Handler(44, incremental_alter_configs),
    Handler(74, list_config_resources),
)
