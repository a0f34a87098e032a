"""ApiVersions (18): what this listener serves."""

from __future__ import annotations

import re

from embedkafka.broker.features import FEATURES
from embedkafka.errors import InvalidRequestError, UnsupportedVersionError
from embedkafka.protocol.apis import advertised
from embedkafka.protocol.apis.api_18_api_versions import (
    ApiVersion,
    ApiVersionsRequest,
    ApiVersionsResponse,
    FinalizedFeatureKey,
    SupportedFeatureKey,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler
from embedkafka.server.handlers import SERVED

_KEY = 18
_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")


def api_versions(call: Call, request: ApiVersionsRequest | None) -> ApiVersionsResponse:
    """The table; a request from the future gets this API's range and an error in version 0 (KIP-511)."""
    if request is None:
        call.version = 0
        return ApiVersionsResponse(
            error_code=UnsupportedVersionError.errno,
            api_keys=[ApiVersion(_KEY, *advertised(_KEY))],
        )
    if call.version >= 3 and not (_is_name(request.client_software_name) and _is_name(request.client_software_version)):
        return ApiVersionsResponse(error_code=InvalidRequestError.errno)
    call.peer.software_name = request.client_software_name
    call.peer.software_version = request.client_software_version
    return ApiVersionsResponse(
        api_keys=[ApiVersion(key, *advertised(key)) for key in SERVED],
        # Clients of version 3 refuse features whose lowest level is 0; version 4 exists for that.
        supported_features=[
            SupportedFeatureKey(name, feature.lowest, feature.highest)
            for name, feature in FEATURES.items()
            if feature.lowest > 0 or call.version >= 4
        ],
        finalized_features_epoch=0,
        finalized_features=[
            FinalizedFeatureKey(name, feature.finalized, feature.finalized)
            for name, feature in FEATURES.items()
            if feature.finalized is not None
        ],
    )


def _is_name(text: str) -> bool:
    """Whether a client may call itself so (KIP-511)."""
    return _NAME.fullmatch(text) is not None


HANDLERS = (Handler(_KEY, api_versions, on_loop=True),)
