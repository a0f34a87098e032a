"""FindCoordinator (10): which broker looks after a group, a transactional id or a share partition."""

from __future__ import annotations

from embedkafka.broker import api
from embedkafka.protocol.apis.api_10_find_coordinator import (
    Coordinator,
    FindCoordinatorRequest,
    FindCoordinatorResponse,
)
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler


def find_coordinator(call: Call, request: FindCoordinatorRequest) -> FindCoordinatorResponse:
    """One key up to version 3, several from 4 on."""
    keys = [request.key] if call.version < 4 else request.coordinator_keys
    found = [_coordinator(call, each) for each in call.port.find_coordinator(call.context, request.key_type, keys)]
    if call.version >= 4:
        return FindCoordinatorResponse(coordinators=found)
    (one,) = found
    return FindCoordinatorResponse(
        error_code=one.error_code,
        error_message=one.error_message,
        node_id=one.node_id,
        host=one.host,
        port=one.port,
    )


def _coordinator(call: Call, found: api.FoundCoordinator) -> Coordinator:
    host, port = ("", -1) if found.error_code else call.endpoint(found.broker_id)
    return Coordinator(found.key, found.broker_id, host, port, found.error_code, found.error_message)


HANDLERS = (Handler(10, find_coordinator),)
