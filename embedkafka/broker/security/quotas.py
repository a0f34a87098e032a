"""Limits of clients: kept in the catalog, counted in memory, told as a time to wait.

``quota/[["client-id", "app"], ["user", null]]`` holds ``{key: limit}``; null is the default of that type.  A client
that has used too much is told so (``throttle_time_ms``) and not listened to for that long; what it asks is refused only
where it would change topics (:mod:`mutations`).  Programs in this process are not limited.

Kafka sends an empty reply to a fetch that would go beyond the limit and waits; here the records go out and the wait
comes after them, which is the same rate.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from embedkafka.broker.api import RequestContext
from embedkafka.broker.catalog import Catalog
from embedkafka.broker.catalog_view import CatalogView
from embedkafka.broker.security.mutations import Mutations
from embedkafka.broker.security.quota_rate import Rate, TokenBucket
from embedkafka.broker.security.quota_rules import (
    CONSUMER_BYTE_RATE,
    CONTROLLER_MUTATION_RATE,
    PRODUCER_BYTE_RATE,
    REQUEST_PERCENTAGE,
    Limits,
    altered,
    entity_of,
    error_of,
    limit_of,
    limit_of_address,
    matching,
)
from embedkafka.broker.security.quotas_api import (
    DescribeClientQuotasReply,
    QuotaAlteration,
    QuotaEntity,
    QuotaEntry,
    QuotaFilter,
    QuotaResult,
)
from embedkafka.clock import Clock
from embedkafka.config import BrokerConfig
from embedkafka.config.definition import MAX_INT
from embedkafka.errors import BrokerResponseError, InvalidRequestError

_PRODUCE, _FETCH, _SHARE_FETCH = 0, 1, 78
_EXEMPT = frozenset((7, 17, 18, 36))  # answered at once, whatever was used: clients need them to begin
_IDLE_MS = 3_600_000  # org.apache.kafka.server.quota.ClientQuotaManager: how long unused counters are kept
_MANY = 10_000
_EVERYBODY = ""  # in the place of an address
K = TypeVar("K", bound=tuple[str, ...])


class Quotas:
    """All limits and what was used.  Safe to call from any thread."""

    def __init__(self, catalog: Catalog, config: BrokerConfig, clock: Clock) -> None:
        self._kept = CatalogView(catalog, "quota/", _read)
        self._clock = clock
        self._samples = config.integer("quota.window.num")
        self._window_ms = config.integer("quota.window.size.seconds") * 1000
        self._burst_s = config.integer("controller.quota.window.num") * config.integer(
            "controller.quota.window.size.seconds"
        )
        connections_per_s = config.integer("max.connection.creation.rate")
        self._connections_per_s = None if connections_per_s == MAX_INT else max(0.001, connections_per_s)
        self._lock = threading.Lock()  # of the counters
        self._used: dict[tuple[str, str, str], Rate] = {}
        self._mutations: dict[tuple[str, str], TokenBucket] = {}

    @property
    def _limits(self) -> Limits:
        return self._kept.value

    # Counting --------------------------------------------------------------------------------------------------------

    def charge(
        self, context: RequestContext, api_key: int, *, request_bytes: int, response_bytes: int, busy_ms: float
    ) -> int:
        """Count one request; returns how long its client has to be kept waiting, milliseconds.

        Args:
            request_bytes: the request's frame; counts as produced for Produce.
            response_bytes: the reply's frame; counts as consumed for Fetch and ShareFetch.
            busy_ms: how long it kept the broker's thread busy.
        """
        if not self._limits or context.in_process or api_key in _EXEMPT:
            return 0
        now_ms = self._clock.monotonic_ms()
        with self._lock:
            throttle_ms = min(
                self._count(context, REQUEST_PERCENTAGE, busy_ms / 10.0, now_ms),  # a second's 1 % is 10 ms
                self._window_ms,
            )
            if api_key == _PRODUCE:
                return max(throttle_ms, self._count(context, PRODUCER_BYTE_RATE, request_bytes, now_ms))
            if api_key in (_FETCH, _SHARE_FETCH):
                return max(throttle_ms, self._count(context, CONSUMER_BYTE_RATE, response_bytes, now_ms))
            return throttle_ms

    def mutations(self, context: RequestContext, *, is_strict: bool) -> Mutations:
        """What counts the partitions that a request creates and deletes."""
        return Mutations(partial(self._mutate, context), is_strict=is_strict)

    def connected(self, address: str) -> int:
        """Count a connection from an address; returns how long it has to wait before it is served, milliseconds."""
        own = limit_of_address(self._limits, address) if self._limits else None
        limits = {address: own, _EVERYBODY: self._connections_per_s}
        now_ms = self._clock.monotonic_ms()
        throttle_ms = 0
        with self._lock:
            for whose, limit in limits.items():
                if limit is not None:
                    rate = self._rate(("", "", whose))
                    rate.record(1, now_ms)
                    throttle_ms = max(throttle_ms, min(rate.throttle_ms(limit, now_ms), self._window_ms))
        return throttle_ms

    def _count(self, context: RequestContext, key: str, amount: float, now_ms: float) -> int:
        found = limit_of(self._limits, key, _user(context), context.client_id)
        if found is None:
            return 0
        limit, user, client_id = found
        rate = self._rate((key, user, client_id))
        rate.record(amount, now_ms)
        return rate.throttle_ms(limit, now_ms)

    def _mutate(self, context: RequestContext, partitions: int, is_strict: bool) -> int:
        """Count partitions; a strict request's only while the limit is not exceeded, and then it need not wait."""
        if not self._limits or context.in_process:
            return 0
        found = limit_of(self._limits, CONTROLLER_MUTATION_RATE, _user(context), context.client_id)
        if found is None:
            return 0
        limit, user, client_id = found
        now_ms = self._clock.monotonic_ms()
        with self._lock:
            bucket = self._mutations.get((user, client_id))
            if bucket is None:
                _forget_idle(self._mutations, now_ms)
                bucket = self._mutations[user, client_id] = TokenBucket(self._burst_s)
            exceeded_ms = bucket.throttle_ms(limit, now_ms)
            if is_strict and exceeded_ms:
                return exceeded_ms
            bucket.record(partitions, limit, now_ms)
            return 0 if is_strict else bucket.throttle_ms(limit, now_ms)

    def _rate(self, key: tuple[str, str, str]) -> Rate:
        rate = self._used.get(key)
        if rate is None:
            _forget_idle(self._used, self._clock.monotonic_ms())
            rate = self._used[key] = Rate(self._samples, self._window_ms)
        return rate

    # Limits ----------------------------------------------------------------------------------------------------------

    def describe(self, filters: Sequence[QuotaFilter], *, strict: bool) -> DescribeClientQuotasReply:
        """The limits of the entities that pass the filters; without filters (and not ``strict``) all."""
        limits = self._limits
        try:
            entities = matching(limits, filters, strict=strict)
        except BrokerResponseError as error:
            return DescribeClientQuotasReply(*error_of(error))
        return DescribeClientQuotasReply(entries=[QuotaEntry(entity, limits[entity]) for entity in entities])

    def alter(self, alterations: Sequence[QuotaAlteration], *, validate_only: bool) -> list[QuotaResult]:
        """Change limits, each entity's for itself, in one commit."""
        errors: dict[QuotaEntity, BrokerResponseError] = {}

        def decide(limits: Limits) -> dict[str, Any]:
            after: dict[QuotaEntity, dict[str, float]] = {}
            for each in alterations:
                try:
                    entity = entity_of(dict(each.entity))
                    if entity in after or each.entity in errors:
                        raise InvalidRequestError(f"Ignoring duplicate entity {dict(entity)}")
                    after[entity] = altered(limits, each)
                except BrokerResponseError as error:
                    errors[each.entity] = error
            if validate_only:
                return {}
            return {json.dumps(entity, ensure_ascii=False): own or None for entity, own in after.items()}

        try:
            self._kept.change(decide)
        except BrokerResponseError as error:
            errors = {**{each.entity: error for each in alterations}, **errors}
        return [
            QuotaResult(each.entity, *error_of(errors[each.entity]))
            if each.entity in errors
            else QuotaResult(each.entity)
            for each in alterations
        ]


def _user(context: RequestContext) -> str:
    return context.principal.partition(":")[2]


def _forget_idle(used: dict[K, Rate] | dict[K, TokenBucket], now_ms: float) -> None:
    if len(used) >= _MANY:
        for key in [key for key, counter in used.items() if now_ms - counter.last_ms > _IDLE_MS]:
            del used[key]


def _read(section: Mapping[str, Any]) -> Limits:
    return {
        tuple((entity_type, name) for entity_type, name in json.loads(key)): dict(value)
        for key, value in section.items()
    }
