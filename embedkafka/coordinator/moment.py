"""What a decision may depend on beside the command and the state."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from embedkafka.coordinator.config import GroupConfig, GroupSettings
from embedkafka.coordinator.topics import Topics

NO_SETTINGS: Mapping[str, GroupSettings] = MappingProxyType({})


class Moment(NamedTuple):
    """``now_ms`` is the wall clock, milliseconds since the epoch; ``settings`` are those of groups that have any."""

    config: GroupConfig
    now_ms: int
    topics: Topics
    settings: Mapping[str, GroupSettings] = NO_SETTINGS

    def settings_of(self, group_id: str) -> GroupSettings:
        """What holds for a group."""
        return self.settings.get(group_id, self.config.defaults)
