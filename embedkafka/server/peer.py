"""Who is at the other end of a connection."""

from __future__ import annotations

from embedkafka.errors import IllegalSaslStateError


class Peer:
    """What is known of one peer; authentication changes it."""

    mechanisms: tuple[str, ...] = ()
    """The SASL mechanisms that it may choose from."""

    failure_delay_ms = 0
    """How long the answer to a failed authentication is held back."""

    def __init__(self, client_host: str) -> None:
        """
        Args:
            client_host: its address as Kafka writes it, ``/127.0.0.1``.
        """
        self.client_host = client_host
        self.principal = "User:ANONYMOUS"
        self.software_name = ""
        self.software_version = ""

    def show_certificate(self, distinguished_name: str) -> None:
        """The peer has a certificate that was checked; it is whom that names.

        Raises:
            SaslAuthenticationFailedError: that is nobody.
        """
        self.principal = f"User:{distinguished_name}"

    @property
    def frame_limit_bytes(self) -> int | None:
        """The largest frame that is taken from it now; None: as large as from anybody."""
        return None

    @property
    def speaks_raw(self) -> bool:
        """Whether its frames are a mechanism's bytes without a header (after SaslHandshake 0)."""
        return False

    def may_ask(self, api_key: int) -> bool:
        """Whether it is far enough for this API: before authentication only a few are open to it."""
        return True

    def handshake(self, mechanism: str, version: int) -> tuple[str, ...]:
        """It chooses a SASL mechanism; returns those that there are.

        Raises:
            IllegalSaslStateError: nobody asked who it is.
        """
        raise IllegalSaslStateError("SaslHandshake request received after successful authentication")

    def authenticate(self, token: bytes) -> tuple[bytes, int]:
        """It proves who it is; returns the answer, and how long that holds, milliseconds (0: for ever).

        Raises:
            SaslAuthenticationFailedError: it could not.
            IllegalSaslStateError: nobody asked who it is.
        """
        raise IllegalSaslStateError("SaslAuthenticate request received after successful authentication")
