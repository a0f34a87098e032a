"""Limits of clients: how much they may write, read, keep the broker busy and create (KIP-546)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedkafka.broker import api
from embedkafka.client.admin.base import AdminBase
from embedkafka.errors import KafkaError, for_code


class QuotaAdmin(AdminBase):
    """Limits hold for who connects to a listener; programs in the engine's own process have none."""

    def describe_client_quotas(
        self, entity: Mapping[str, Any] | None = None, *, strict: bool = False
    ) -> list[tuple[dict[str, str | None], dict[str, float]]]:
        """Limits, as pairs of whose and what: ``[({"user": "alice"}, {"producer_byte_rate": 1048576.0})]``.

        Args:
            entity: names by type (``user``, ``client-id``, ``ip``) that are asked for: a text, None for the default of
                that type, or ``...`` for every name.
            strict: leave out who is named by further types.
        """
        filters = [_filter(kind, name) for kind, name in (entity or {}).items()]
        reply = self._port().describe_client_quotas(self._link.context, filters, strict=strict)
        if reply.error_code:
            raise for_code(reply.error_code)(reply.error_message or "")
        return [(dict(entry.entity), dict(entry.values)) for entry in reply.entries]

    def alter_client_quotas(
        self, entity: Mapping[str, str | None], limits: Mapping[str, float | None], *, validate_only: bool = False
    ) -> None:
        """Set and (with None) remove limits.

        Args:
            entity: names by type, ``{"user": "alice", "client-id": None}``; None is the default of that type.
            limits: ``producer_byte_rate`` and ``consumer_byte_rate`` in bytes a second, ``request_percentage`` of one
                thread's time, ``controller_mutation_rate`` in partitions a second; for an ``ip``
                ``connection_creation_rate`` in connections a second.
            validate_only: only say what would happen.

        Raises:
            InvalidRequestError: there is no such limit, or not for this entity.
        """
        changes = [api.QuotaChange(key, None if value is None else float(value)) for key, value in limits.items()]
        alteration = api.QuotaAlteration(tuple(entity.items()), changes)
        (result,) = self._port().alter_client_quotas(self._link.context, [alteration], validate_only=validate_only)
        if result.error_code:
            error: type[KafkaError] = for_code(result.error_code)
            raise error(result.error_message or "")


def _filter(kind: str, name: Any) -> api.QuotaFilter:
    if name is ...:
        return api.QuotaFilter(kind, api.QuotaMatch.SPECIFIED)
    if name is None:
        return api.QuotaFilter(kind, api.QuotaMatch.DEFAULT)
    return api.QuotaFilter(kind, api.QuotaMatch.EXACT, name)
