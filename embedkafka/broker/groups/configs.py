"""The settings that groups have of their own: kept in the catalog, read once, handed out as one immutable mapping."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from embedkafka.broker.catalog import Catalog
from embedkafka.config import BrokerConfig, ConfigValue, to_text
from embedkafka.config.group import GROUP_CONFIGS, check_group_configs, group_settings
from embedkafka.coordinator.config import GroupSettings

_GROUP_CONFIG = "group-config/"


class GroupConfigs:
    """Safe to read from any thread.

    Args:
        catalog: holds what is set, as text by group id.
        config: what holds for groups without settings of their own.
    """

    def __init__(self, catalog: Catalog, config: BrokerConfig) -> None:
        self._catalog = catalog
        self._config = config
        self._defaults = effective_settings(group_settings(config, {}))
        self.settings: Mapping[str, GroupSettings] = self._read()
        """Of groups that have settings of their own; replaced as a whole when one changes."""

    def of(self, group_id: str) -> GroupSettings:
        """What holds for a group; costs two look-ups."""
        return self.settings.get(group_id, self._defaults)

    def own(self, group_id: str) -> dict[str, str]:
        """What is set for a group, as text."""
        return dict(self._catalog.section(_GROUP_CONFIG).get(group_id, {}))

    def group_ids(self) -> list[str]:
        """The groups with settings of their own, by id; they need not exist."""
        return list(self._catalog.section(_GROUP_CONFIG))

    def put(self, group_id: str, configs: Mapping[str, str], *, validate_only: bool = False) -> None:
        """Set all that a group has of its own; nothing removes them.

        Raises:
            KafkaConfigurationError: an unknown name, or a value that the group may not have.
            KafkaStorageError: the catalog cannot be written.
        """
        check_group_configs(self._config, configs)
        if validate_only:
            return
        tidy = {name: to_text(GROUP_CONFIGS[name].parse(value)) for name, value in configs.items()}
        try:
            self._catalog.change_section(_GROUP_CONFIG, {group_id: tidy or None})
        finally:
            self.settings = self._read()

    def _read(self) -> Mapping[str, GroupSettings]:
        return MappingProxyType(
            {
                group_id: effective_settings(group_settings(self._config, own))
                for group_id, own in self._catalog.section(_GROUP_CONFIG).items()
            }
        )


_FIELDS = tuple(each.name for each in dataclasses.fields(GroupSettings))


def effective_settings(values: Mapping[str, ConfigValue]) -> GroupSettings:
    """Settings by Kafka's dotted names as those that the coordinators obey."""
    by_field = {name.replace(".", "_"): value for name, value in values.items()}
    return GroupSettings(**{name: by_field[name] for name in _FIELDS})  # type: ignore[arg-type] # parsed as declared
