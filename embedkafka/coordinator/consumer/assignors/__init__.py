"""Server-side assignors, by the names that members ask for (``group.remote.assignor``).

Pure functions: who subscribes to what and has which target now, and how many partitions topics have; back come new
targets, for every member.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from embedkafka.coordinator.assignment import Assignment
from embedkafka.coordinator.consumer.assignors.range import assign_ranges
from embedkafka.coordinator.consumer.assignors.subscriber import Subscriber
from embedkafka.coordinator.consumer.assignors.uniform import assign_uniformly

__all__ = ["ASSIGNORS", "Assignor", "Subscriber"]

Assignor = Callable[[Sequence[Subscriber], Mapping[UUID, int]], dict[str, Assignment]]

ASSIGNORS: Mapping[str, Assignor] = {"uniform": assign_uniformly, "range": assign_ranges}
