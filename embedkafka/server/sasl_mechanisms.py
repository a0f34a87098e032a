"""The server's side of PLAIN (RFC 4616) and SCRAM (RFC 5802): bytes in, bytes out, no socket and no clock.

::

    PLAIN   ->  [authorization id] NUL user NUL password
            <-  (empty)

    SCRAM   ->  n,[a=authorization id],n=user,r=client nonce                           client first
            <-  r=client nonce + server nonce,s=salt,i=iterations                      server first
            ->  c=base64 of what stood before "n=",r=both nonces,p=proof               client final
            <-  v=server signature                                                     server final

In a SCRAM user name "=2C" is a comma and "=3D" an equals sign.  An unknown user gets a salt, too, always the same one,
so that a peer cannot tell who exists.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Callable

from embedkafka.broker.security.scram import MIN_ITERATIONS, NAMES, ScramCredential
from embedkafka.broker.security.users_api import ScramMechanism
from embedkafka.errors import SaslAuthenticationFailedError

PLAIN = "PLAIN"
SCRAM = {name: mechanism for mechanism, name in NAMES.items()}

_CLIENT_FIRST = re.compile(r"(n,(?:a=([^,]+))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)")
_CLIENT_FINAL = re.compile(r"(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[^,]*)*?),p=([A-Za-z0-9+/=]+)")


class SaslExchange(ABC):
    """One authentication under way.

    Attributes:
        user: who it is; None until that is proven.
    """

    user: str | None = None

    @abstractmethod
    def respond(self, token: bytes) -> bytes:
        """The answer to the client's next bytes.  May take some milliseconds.

        Raises:
            SaslAuthenticationFailedError: the bytes make no sense, or prove nothing.
        """


class PlainExchange(SaslExchange):
    """A name and a password, in one message."""

    def __init__(self, is_password: Callable[[str, str], bool]) -> None:
        self._is_password = is_password

    def respond(self, token: bytes) -> bytes:
        parts = _text(token).split("\0")
        if len(parts) != 3:
            raise SaslAuthenticationFailedError(f"Invalid SASL/PLAIN response: expected 3 tokens, got {len(parts)}")
        authorization_id, user, password = parts
        if not user:
            raise SaslAuthenticationFailedError("Authentication failed: username not specified")
        if not password:
            raise SaslAuthenticationFailedError("Authentication failed: password not specified")
        if not self._is_password(user, password):
            raise SaslAuthenticationFailedError("Authentication failed: Invalid username or password")
        _check_authorization_id(authorization_id, user)
        self.user = user
        return b""


class ScramExchange(SaslExchange):
    """A proof that the client knows the password, and one that the server does.

    Args:
        credential: what is kept of a user's password; None for nobody.
        nonce: the server's part, printable and without a comma, never used before.
        secret: what the salts of unknown users are made of; the same for as long as the server runs.
    """

    def __init__(
        self,
        mechanism: ScramMechanism,
        credential: Callable[[str], ScramCredential | None],
        *,
        nonce: str,
        secret: bytes,
    ) -> None:
        self._mechanism = mechanism
        self._find = credential
        self._nonce = nonce
        self._secret = secret
        self._header = ""
        self._messages = ""  # the first two, as both sides sign them
        self._candidate = ""
        self._credential: ScramCredential | None = None

    def respond(self, token: bytes) -> bytes:
        return self._final(_text(token)) if self._messages else self._first(_text(token))

    def _first(self, message: str) -> bytes:
        found = _CLIENT_FIRST.fullmatch(message)
        if found is None:
            raise self._failed()
        self._header, authorization_id, bare, name, client_nonce = found.groups()
        self._candidate = _decoded_name(name)
        _check_authorization_id(_decoded_name(authorization_id or ""), self._candidate)
        self._credential = self._find(self._candidate)
        self._nonce = client_nonce + self._nonce
        known = self._credential
        salt = known.salt if known else hmac.digest(self._secret, name.encode(), "sha256")
        iterations = known.iterations if known else MIN_ITERATIONS
        answer = f"r={self._nonce},s={base64.b64encode(salt).decode()},i={iterations}"
        self._messages = f"{bare},{answer}"
        return answer.encode()

    def _final(self, message: str) -> bytes:
        found = _CLIENT_FINAL.fullmatch(message)
        if found is None:
            raise self._failed()
        without_proof, header, nonce, proof = found.groups()
        # librdkafka before 2.6 writes its own part twice; Kafka looks at the end only, too.
        if not nonce.endswith(self._nonce) or _decoded(header) != self._header.encode():
            raise self._failed()
        signed = f"{self._messages},{without_proof}".encode()
        if self._credential is None or not self._credential.verify_proof(_decoded(proof), signed):
            raise self._failed()
        self.user = self._candidate
        return b"v=" + base64.b64encode(self._credential.server_signature(signed))

    def _failed(self) -> SaslAuthenticationFailedError:
        return SaslAuthenticationFailedError(
            "Authentication failed during authentication due to invalid credentials with SASL mechanism "
            f"{NAMES[self._mechanism]}"
        )


def _check_authorization_id(authorization_id: str, user: str) -> None:
    if authorization_id not in ("", user):
        raise SaslAuthenticationFailedError(
            "Authentication failed: Client requested an authorization id that is different from username"
        )


def _text(token: bytes) -> str:
    try:
        return bytes(token).decode()
    except UnicodeDecodeError:
        raise SaslAuthenticationFailedError("Authentication failed: not UTF-8") from None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _decoded_name(name: str) -> str:
    return name.replace("=2C", ",").replace("=3D", "=")
