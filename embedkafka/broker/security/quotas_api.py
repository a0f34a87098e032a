"""Limits of clients in Kafka's APIs 48 and 49 as plain values (KIP-546).

They are part of :mod:`embedkafka.broker.api`, which everyone else imports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = [
    "DescribeClientQuotasReply",
    "QuotaAlteration",
    "QuotaChange",
    "QuotaEntity",
    "QuotaEntry",
    "QuotaFilter",
    "QuotaMatch",
    "QuotaResult",
]

QuotaEntity = tuple[tuple[str, str | None], ...]
"""Whose limits: pairs of ``user``, ``client-id`` or ``ip`` and a name, by type; None is the default of that type."""


class QuotaMatch:
    """How a component of a filter compares (org.apache.kafka.common.requests.DescribeClientQuotasRequest)."""

    EXACT = 0
    DEFAULT = 1
    SPECIFIED = 2


class QuotaFilter(NamedTuple):
    """``match`` is for EXACT only; SPECIFIED lets through every name, and the default."""

    entity_type: str
    match_type: int
    match: str | None = None


class QuotaEntry(NamedTuple):
    entity: QuotaEntity
    values: Mapping[str, float]


class DescribeClientQuotasReply(NamedTuple):
    error_code: int = 0
    error_message: str | None = None
    entries: Sequence[QuotaEntry] = ()


class QuotaChange(NamedTuple):
    """``value`` None removes."""

    key: str
    value: float | None


class QuotaAlteration(NamedTuple):
    entity: QuotaEntity
    changes: Sequence[QuotaChange]


class QuotaResult(NamedTuple):
    entity: QuotaEntity
    error_code: int = 0
    error_message: str | None = None
