"""What answers each API, one file per family.  An API that has no handler is not advertised."""

from __future__ import annotations

from importlib import import_module

from embedkafka.protocol.api import Api
from embedkafka.protocol.apis import api
from embedkafka.server.handler import Handler

FAMILIES = {
    "api_versions": (18,),
    "authentication": (17, 36),
    "cluster": (43, 45, 46, 55, 57, 64, 75, 80, 81),
    "configs": (32, 33, 44, 74),
    "coordinators": (10,),
    "fetch": (1,),
    "group_admin": (15, 16, 42, 69),
    "group_offsets": (8, 9, 47),
    "groups": (11, 12, 13, 14, 68),
    "offsets": (2, 23),
    "produce": (0,),
    "security": (29, 30, 31, 38, 39, 40, 41, 48, 49, 50, 51),
    "share_groups": (76, 77, 90, 91, 92),
    "share_records": (78, 79),
    "share_states": (83, 84, 85, 86, 87),
    "storage": (21, 34, 35),
    "streams_groups": (88, 89),
    "topics": (3, 19, 20, 37, 60),
    "transactions": (22, 24, 25, 26, 28),
    "transactions_admin": (27, 61, 65, 66),
}
"""The files and the keys that each answers."""

SERVED = sorted(key for keys in FAMILIES.values() for key in keys)
"""The keys that are answered."""


class Handlers(dict[int, Handler]):
    """Handlers by API key; a family's file is imported when one of them is asked for."""

    def __missing__(self, key: int) -> Handler:
        family = next(name for name, keys in FAMILIES.items() if key in keys)
        self.update((handler.api_key, handler) for handler in import_module(f"{__name__}.{family}").HANDLERS)
        return self[key]


class Served(dict[int, Api]):
    """The APIs that are answered by key; an API's file is imported when it is asked for."""

    def __missing__(self, key: int) -> Api:
        if key not in SERVED:
            raise KeyError(key)
        found = self[key] = api(key)
        return found


def handlers() -> dict[int, Handler]:
    """The handlers of all families by API key, in its order."""
    found = Handlers()
    return {key: found[key] for key in SERVED}
