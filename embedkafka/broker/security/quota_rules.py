"""Which limit holds for whom, and which limits can be: pure rules over entities, as Kafka's quota managers have them.

An entity is a user, a client id, both, or an address; each may be the default (None).  For a client the first of these
that has the limit holds (``kafka.server.ClientQuotaManager``); the last two columns say with whom it is shared:

============  ===========  ================  =====================
user          client id    counted per user  counted per client id
============  ===========  ================  =====================
named         named        yes               yes
named         default      yes               yes
named                      yes               no
default       named        yes               yes
default       default      yes               yes
default                    yes               no
-             named        no                yes
-             default      no                yes
============  ===========  ================  =====================
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from embedkafka.broker.security.quotas_api import QuotaAlteration, QuotaEntity, QuotaFilter, QuotaMatch
from embedkafka.errors import BrokerResponseError, InvalidRequestError, UnsupportedVersionError

USER, CLIENT_ID, IP = "user", "client-id", "ip"
PRODUCER_BYTE_RATE = "producer_byte_rate"
CONSUMER_BYTE_RATE = "consumer_byte_rate"
REQUEST_PERCENTAGE = "request_percentage"
CONTROLLER_MUTATION_RATE = "controller_mutation_rate"
CONNECTION_CREATION_RATE = "connection_creation_rate"

# Whether a limit must be a whole number, by its key; SCRAM mechanisms are settings of users in Kafka, not limits.
_OF_CLIENTS = {
    PRODUCER_BYTE_RATE: True,
    CONSUMER_BYTE_RATE: True,
    REQUEST_PERCENTAGE: False,
    CONTROLLER_MUTATION_RATE: False,
}
_OF_ADDRESSES = {CONNECTION_CREATION_RATE: True}
_MAX = {CONNECTION_CREATION_RATE: 2**31 - 1}

Limits = Mapping[QuotaEntity, Mapping[str, float]]


def entity_of(parts: Mapping[str, str | None]) -> QuotaEntity:
    """An entity in the one form that is compared and stored: by type."""
    return tuple(sorted(parts.items()))


def limit_of(limits: Limits, key: str, user: str, client_id: str) -> tuple[float, str, str] | None:
    """The limit that holds for a client, and the user and client id that it is counted for (empty: not by these)."""
    for named_user in (user, None):
        for named_client in (client_id, None):
            found = _limit(limits, key, {USER: named_user, CLIENT_ID: named_client})
            if found is not None:
                return found, user, client_id
        found = _limit(limits, key, {USER: named_user})
        if found is not None:
            return found, user, ""
    for named_client in (client_id, None):
        found = _limit(limits, key, {CLIENT_ID: named_client})
        if found is not None:
            return found, "", client_id
    return None


def limit_of_address(limits: Limits, address: str) -> float | None:
    """How many connections an address may make a second."""
    for named in (address, None):
        found = _limit(limits, CONNECTION_CREATION_RATE, {IP: named})
        if found is not None:
            return found
    return None


def _limit(limits: Limits, key: str, parts: Mapping[str, str | None]) -> float | None:
    return limits.get(entity_of(parts), {}).get(key)


def altered(limits: Limits, alteration: QuotaAlteration) -> dict[str, float]:
    """An entity's limits after a change.

    Raises:
        BrokerResponseError: the entity or a limit cannot be.
    """
    keys = _keys_of(alteration.entity)
    after = dict(limits.get(entity_of(dict(alteration.entity)), {}))
    seen: set[str] = set()
    for change in alteration.changes:
        if change.key in seen:
            raise InvalidRequestError(f"Duplicate quota key {change.key} not updating quota for this entity")
        seen.add(change.key)
        if change.value is None:
            after.pop(change.key, None)
            continue
        _check(keys, change.key, change.value)
        after[change.key] = change.value
    return after


def _keys_of(entity: QuotaEntity) -> Mapping[str, bool]:
    types = [entity_type for entity_type, _ in entity]
    if not types:
        raise InvalidRequestError("Invalid empty client quota entity")
    for entity_type, name in entity:
        if entity_type not in (USER, CLIENT_ID, IP):
            raise InvalidRequestError(f"Unhandled client quota entity type: {entity_type}")
        if types.count(entity_type) > 1:
            raise InvalidRequestError(f"Invalid client quota entity, duplicate entity entry {entity_type}")
        if name == "":
            raise InvalidRequestError(f"Empty {entity_type} not supported")
    if IP not in types:
        return _OF_CLIENTS
    if len(types) > 1:
        raise InvalidRequestError(
            "Invalid quota entity combination, IP entity should not be combined with User or ClientId"
        )
    address = entity[0][1]
    if address is not None and not _is_address(address):
        raise InvalidRequestError(f"{address} is not a valid IP or resolvable host.")
    return _OF_ADDRESSES


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _check(keys: Mapping[str, bool], key: str, value: float) -> None:
    is_whole = keys.get(key)
    if is_whole is None:
        raise InvalidRequestError(f"Invalid configuration key {key}")
    if not value > 0:
        raise InvalidRequestError(f"Quota {key} must be greater than 0")
    if is_whole and value > _MAX.get(key, 2**63 - 1):
        raise InvalidRequestError(f"Proposed value for {key} is too large.")
    if is_whole and value % 1 > 1e-6:
        raise InvalidRequestError(f"{key} cannot be a fractional value.")


def matching(limits: Limits, filters: Sequence[QuotaFilter], *, strict: bool) -> list[QuotaEntity]:
    """The entities that have all of the filters' types and names, in order; ``strict``: and no other type.

    Raises:
        BrokerResponseError: the filters contradict each other.
    """
    _check_filters(filters)
    return sorted(
        (entity for entity in limits if _passes(dict(entity), filters, strict)),
        key=lambda entity: [(entity_type, name is None, name or "") for entity_type, name in entity],
    )


def _passes(parts: Mapping[str, str | None], filters: Sequence[QuotaFilter], strict: bool) -> bool:
    if strict and len(parts) != len(filters):
        return False
    for each in filters:
        if each.entity_type not in parts:
            return False
        if each.match_type != QuotaMatch.SPECIFIED and parts[each.entity_type] != each.match:
            return False
    return True


def _check_filters(filters: Sequence[QuotaFilter]) -> None:
    types = [each.entity_type for each in filters]
    for each in filters:
        if not each.entity_type:
            raise InvalidRequestError("Invalid empty entity type.")
        if types.count(each.entity_type) > 1:
            raise InvalidRequestError(f"Entity type {each.entity_type} cannot appear more than once in the filter.")
        if each.entity_type not in (USER, CLIENT_ID, IP):
            raise UnsupportedVersionError(f"Unsupported entity type {each.entity_type}")
        if each.match_type not in (QuotaMatch.EXACT, QuotaMatch.DEFAULT, QuotaMatch.SPECIFIED):
            raise InvalidRequestError(f"Unknown match type {each.match_type}")
        if each.match_type == QuotaMatch.EXACT and each.match is None:
            raise InvalidRequestError("Request specified MATCH_TYPE_EXACT, but set match string to null.")
        if each.match_type != QuotaMatch.EXACT and each.match is not None:
            kind = "MATCH_TYPE_DEFAULT" if each.match_type == QuotaMatch.DEFAULT else "MATCH_TYPE_SPECIFIED"
            raise InvalidRequestError(f"Request specified {kind}, but also specified a match string.")
    if IP in types and len(types) > 1:
        raise InvalidRequestError(
            "Invalid entity filter component combination. IP filter component should not be used with user or clientId "
            "filter component."
        )


def error_of(error: BrokerResponseError) -> tuple[int, str | None]:
    """An error's code and sentence."""
    return error.errno, str(error.args[0]) if error.args else None
