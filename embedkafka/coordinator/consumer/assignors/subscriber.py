"""A member as an assignor sees it."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from embedkafka.coordinator.assignment import Assignment


class Subscriber(NamedTuple):
    """``topic_ids`` exist all; ``target`` is what the member was to own until now.

    Rack ids are kept with members, but no assignor here looks at them: one broker has no racks to choose from.
    """

    member_id: str
    instance_id: str | None
    topic_ids: frozenset[UUID]
    target: Assignment
