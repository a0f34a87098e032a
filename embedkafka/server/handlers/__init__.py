"""What answers each API, one file per family.  An API that has no handler is not advertised."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from embedkafka.server.handler import Handler

FAMILIES = (
    "api_versions",
    "authentication",
    "cluster",
    "configs",
    "coordinators",
    "fetch",
    "group_admin",
    "group_offsets",
    "groups",
    "offsets",
    "produce",
    "security",
    "share_groups",
    "share_records",
    "share_states",
    "storage",
    "topics",
    "transactions",
    "transactions_admin",
)


@cache
def handlers() -> dict[int, Handler]:
    """The handlers of all families by API key, in its order."""
    found = [handler for family in FAMILIES for handler in import_module(f"{__name__}.{family}").HANDLERS]
    return {handler.api_key: handler for handler in sorted(found, key=lambda handler: handler.api_key)}
