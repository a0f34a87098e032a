"""What every part of the admin client stands on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from embedkafka.errors import UnsupportedVersionError, for_code

if TYPE_CHECKING:
    from embedkafka.broker.port import BrokerPort
    from embedkafka.client.link import EmbeddedLink


class AdminBase:
    """The link, the settings, and the checks before and after a call."""

    config: dict[str, Any]
    _link: EmbeddedLink

    def _port(self) -> BrokerPort:
        """A broker to ask, where the client may be used.

        Raises:
            IllegalStateError: the client or the engine is closed.
        """
        self._link.check_usable()
        return self._link.any_port()

    def _coordinator(self, group_id: str) -> BrokerPort:
        self._link.check_usable()
        return self._link.coordinator_port(group_id)

    def _timeout_ms(self, timeout_ms: float | None) -> float:
        if timeout_ms is not None and timeout_ms < 0:
            raise ValueError(f"timeout_ms must not be negative: {timeout_ms}")
        limit_ms: float = timeout_ms or self.config["request_timeout_ms"]
        return limit_ms


def raise_first(results: Iterable[Any], *, name: str) -> None:
    """Raise the first result's error; ``name`` is the attribute that says whose it is."""
    for result in results:
        if result.error_code:
            raise for_code(result.error_code)(result.error_message or getattr(result, name))


def not_yet(what: str) -> UnsupportedVersionError:
    """The error of a method that stands for a later version."""
    return UnsupportedVersionError(f"{what}: not in this version of embedkafka")
