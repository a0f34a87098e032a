"""SaslHandshake (17) and SaslAuthenticate (36): a peer says who it is."""

from __future__ import annotations

import logging

from embedkafka.errors import BrokerResponseError, IllegalSaslStateError, UnsupportedSaslMechanismError
from embedkafka.protocol.apis.api_17_sasl_handshake import SaslHandshakeRequest, SaslHandshakeResponse
from embedkafka.protocol.apis.api_36_sasl_authenticate import SaslAuthenticateRequest, SaslAuthenticateResponse
from embedkafka.server.call import Call
from embedkafka.server.handler import Handler

_log = logging.getLogger(__name__)


def sasl_handshake(call: Call, request: SaslHandshakeRequest) -> SaslHandshakeResponse | None:
    """Choose a mechanism; one that is not there ends the connection, after the answer that tells which are."""
    try:
        mechanisms = call.peer.handshake(request.mechanism, call.version)
    except IllegalSaslStateError as error:
        return SaslHandshakeResponse(error.errno)
    except UnsupportedSaslMechanismError as error:
        _log.info("%s: %s", call.peer.client_host, error.args[0])
        call.dismiss(SaslHandshakeResponse(error.errno, list(call.peer.mechanisms)))
        return None
    return SaslHandshakeResponse(0, list(mechanisms))


def sasl_authenticate(call: Call, request: SaslAuthenticateRequest) -> SaslAuthenticateResponse | None:
    """One round; a failure is answered after ``connection.failed.authentication.delay.ms`` and ends the connection."""
    try:
        answer, session_lifetime_ms = call.peer.authenticate(request.auth_bytes)
    except IllegalSaslStateError as error:
        return SaslAuthenticateResponse(error.errno, str(error.args[0]))
    except BrokerResponseError as error:
        _log.info("%s: %s", call.peer.client_host, error.args[0])
        call.dismiss(SaslAuthenticateResponse(error.errno, str(error.args[0])))
        return None
    return SaslAuthenticateResponse(0, None, answer, session_lifetime_ms)


HANDLERS = (Handler(17, sasl_handshake, on_loop=True), Handler(36, sasl_authenticate))
