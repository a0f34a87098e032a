"""What a decision may depend on beside the command and the state."""

from __future__ import annotations

from typing import NamedTuple

from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.topics import Topics


class Moment(NamedTuple):
    """``now_ms`` is the wall clock, milliseconds since the epoch."""

    config: GroupConfig
    now_ms: int
    topics: Topics
