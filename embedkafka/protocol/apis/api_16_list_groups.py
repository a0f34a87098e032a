"""ListGroups (16): the groups a broker coordinates, of every type.

4 filters by state (KIP-518) and 5 by type (KIP-848); both come back from then on.  An empty filter means all.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.api import Api
from embedkafka.protocol.fields import INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class ListGroupsRequest:
    states_filter: list[str] = wire(array(STRING), "4+")
    types_filter: list[str] = wire(array(STRING), "5+")


@dataclass(slots=True)
class ListedGroup:
    group_id: str = wire(STRING)
    protocol_type: str = wire(STRING)
    group_state: str = wire(STRING, "4+", ignorable=True)
    group_type: str = wire(STRING, "5+", ignorable=True)


@dataclass(slots=True)
class ListGroupsResponse:
    throttle_time_ms: int = wire(INT32, "1+", ignorable=True)
    error_code: int = wire(INT16)
    groups: list[ListedGroup] = wire(array(ListedGroup))


API = Api(
    16,
    request=Schema(ListGroupsRequest, versions="0-5", flexible="3+"),
    response=Schema(ListGroupsResponse, versions="0-5", flexible="3+"),
)
