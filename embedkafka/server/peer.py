"""Who is at the other end of a connection."""

from __future__ import annotations


class Peer:
    """What is known of one peer; authentication changes it."""

    def __init__(self, client_host: str) -> None:
        """
        Args:
            client_host: its address as Kafka writes it, ``/127.0.0.1``.
        """
        self.client_host = client_host
        self.principal = "User:ANONYMOUS"
        self.software_name = ""
        self.software_version = ""

    def may_ask(self, api_key: int) -> bool:
        """Whether it is far enough for this API: before authentication only a few are open to it."""
        return True
