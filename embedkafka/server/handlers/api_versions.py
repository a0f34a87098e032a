"""ApiVersions (18): what this listener serves."""

from __future__ import annotations

from embedkafka.errors import UnsupportedVersionError
from embedkafka.protocol.apis.api_18_api_versions import (
    ApiVersion,
    ApiVersionsRequest,
    ApiVersionsResponse,
    FinalizedFeatureKey,
    SupportedFeatureKey,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

_KEY = 18
_PRODUCE = 0

FEATURES = {"transaction.version": (0, 2)}
"""Features with their lowest and highest level; the highest is in force (KIP-584)."""


def api_versions(call: Call, request: ApiVersionsRequest | None) -> ApiVersionsResponse:
    """The table; a request from the future gets this API's range and an error in version 0 (KIP-511)."""
    served = call.site.served
    if request is None:
        versions = served[_KEY].versions
        call.version = 0
        return ApiVersionsResponse(
            error_code=UnsupportedVersionError.errno,
            api_keys=[ApiVersion(_KEY, versions.lowest, versions.highest)],
        )
    call.peer.software_name = request.client_software_name
    call.peer.software_version = request.client_software_version
    # Older librdkafka compresses only where Produce goes down to 0, though nobody serves that (apache/kafka#18727).
    table = [
        ApiVersion(key, 0 if key == _PRODUCE else api.versions.lowest, api.versions.highest)
        for key, api in served.items()
    ]
    # Clients of version 3 refuse features whose lowest level is 0; version 4 exists for that.
    supported = [
        SupportedFeatureKey(name, lowest, highest)
        for name, (lowest, highest) in FEATURES.items()
        if lowest > 0 or call.version >= 4
    ]
    finalized = [FinalizedFeatureKey(name, highest, highest) for name, (_, highest) in FEATURES.items()]
    return ApiVersionsResponse(
        api_keys=table,
        supported_features=supported,
        finalized_features_epoch=0,
        finalized_features=finalized,
    )


HANDLERS = (Handler(_KEY, api_versions, on_loop=True),)
