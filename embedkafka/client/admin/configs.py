"""Settings of topics and brokers: describe, alter, reset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from embedkafka.broker.api import ConfigChange, ConfigEntry, ConfigResourceKey, ConfigResult
from embedkafka.client.admin.base import AdminBase
from embedkafka.client.admin.values import (
    AlterConfigOp,
    ConfigFilterType,
    ConfigResource,
    ConfigResourceType,
    ConfigSourceType,
    ConfigType,
)
from embedkafka.errors import for_code

_Described = dict[str, dict[str, dict[str, Any]]]


class ConfigAdmin(AdminBase):
    def describe_configs(
        self,
        config_resources: Sequence[ConfigResource],
        include_synonyms: bool = False,
        config_filter: ConfigFilterType | str = "modified",
    ) -> dict[str, _Described]:
        """Settings, as ``{"topic": {name: {setting: {...}}}}``.

        Args:
            config_resources: what to describe; their ``configs`` narrow it to some settings, None is all.
            include_synonyms: say where else the value could come from.
            config_filter: ``modified``, ``dynamic`` (those that can be changed), ``static``, ``default`` or ``all``.
        """
        chosen = ConfigFilterType.build_from(config_filter)
        described: dict[str, _Described] = defaultdict(dict)
        for resource, result in zip(config_resources, self._describe(config_resources, include_synonyms), strict=True):
            described[resource.resource_type.name.lower()][resource.name] = {
                entry.name: config_dict(entry) for entry in result.entries if not _skips(chosen, entry)
            }
        return dict(described)

    def _describe(self, resources: Sequence[ConfigResource], include_synonyms: bool = False) -> Sequence[ConfigResult]:
        keys = [_key(resource) for resource in resources]
        names = {
            key: None if resource.configs is None else list(resource.configs)
            for key, resource in zip(keys, resources, strict=True)
        }
        return self._port().describe_configs(self._link.context, keys, names=names, include_synonyms=include_synonyms)

    def list_config_resources(
        self, resource_types: Iterable[ConfigResourceType | str] | None = None
    ) -> dict[str, list[str]]:
        """What has settings, as ``{"topic": [names], "broker": [ids], "group": [ids]}``.

        Raises:
            UnsupportedVersionError: resources of one of the types cannot be listed.
        """
        wanted = [ConfigResourceType.build_from(kind) for kind in resource_types or ()]
        found: dict[str, list[str]] = defaultdict(list)
        for resource in self._port().list_config_resources(self._link.context, wanted):
            found[ConfigResourceType(resource.resource_type).name.lower()].append(resource.name)
        return dict(found)

    def alter_configs(
        self,
        config_resources: Sequence[ConfigResource],
        validate_only: bool = False,
        raise_on_unknown: bool = True,
        incremental: bool | None = None,
    ) -> dict[str, dict[str, str]]:
        """Change settings.

        Args:
            config_resources: their ``configs`` map a setting to its value, or to ``(AlterConfigOp, value)``.
            validate_only: only say what would happen.
            raise_on_unknown: raise for a setting that cannot be changed; False leaves that to the broker.
            incremental: False is the older way, which cannot append or subtract; its result is the same.

        Returns:
            ``{"topic": {name: "OK"}}``, or the error's text in the place of ``"OK"``.

        Raises:
            ValueError: an unknown setting, or an operation that is not incremental's opposite.
            TypeError: ``configs`` is not a mapping.
        """
        if raise_on_unknown:
            self._check_known(config_resources)
        changes = {_key(resource): _changes(resource.configs, incremental) for resource in config_resources}
        return self._alter(changes, validate_only)

    def reset_configs(
        self,
        config_resources: Sequence[ConfigResource],
        validate_only: bool = False,
        raise_on_unknown: bool = True,
        incremental: bool | None = None,
    ) -> dict[str, dict[str, str]]:
        """Set settings back to their defaults; without names, all that were changed.  Otherwise as alter_configs."""
        if raise_on_unknown:
            self._check_known(config_resources)
        changes: dict[ConfigResourceKey, list[ConfigChange]] = {}
        for resource in config_resources:
            names = list(resource.configs or self._modified(resource))
            changes[_key(resource)] = [ConfigChange(name, AlterConfigOp.DELETE) for name in names]
        return self._alter(changes, validate_only)

    def _modified(self, resource: ConfigResource) -> list[str]:
        (result,) = self._describe([ConfigResource(resource.resource_type, resource.name)])
        return [entry.name for entry in result.entries if not _skips(ConfigFilterType.MODIFIED, entry)]

    def _check_known(self, resources: Sequence[ConfigResource]) -> None:
        bare = [ConfigResource(resource.resource_type, resource.name) for resource in resources]
        for resource, result in zip(resources, self._describe(bare), strict=True):
            dynamic = {entry.name for entry in result.entries if not entry.read_only}
            unknown = set(resource.configs or ()) - dynamic
            if unknown and result.error_code:
                raise for_code(result.error_code)(result.error_message or resource.name)
            if unknown:
                raise ValueError(f"{resource.name}: no settings that can be changed: {sorted(unknown)}")

    def _alter(
        self, changes: Mapping[ConfigResourceKey, Sequence[ConfigChange]], validate_only: bool
    ) -> dict[str, dict[str, str]]:
        results = self._port().incremental_alter_configs(self._link.context, changes, validate_only=validate_only)
        outcome: dict[str, dict[str, str]] = defaultdict(dict)
        for result in results:
            kind = ConfigResourceType(result.resource.resource_type).name.lower()
            error = str(for_code(result.error_code)(result.error_message)) if result.error_code else "OK"
            outcome[kind][result.resource.name] = error
        return dict(outcome)


def _key(resource: ConfigResource) -> ConfigResourceKey:
    if resource.resource_type in (ConfigResourceType.BROKER, ConfigResourceType.BROKER_LOGGER):
        try:
            int(resource.name)
        except ValueError:
            raise ValueError(f"a broker is named by its id, not {resource.name!r}") from None
    return ConfigResourceKey(int(resource.resource_type), str(resource.name))


def _changes(configs: Any, incremental: bool | None) -> list[ConfigChange]:
    if not configs:
        return []
    if not isinstance(configs, Mapping):
        raise TypeError(f"to alter, configs maps settings to values; it is {configs!r}")
    changes = []
    for name, given in configs.items():
        operation, value = given if isinstance(given, tuple) else (AlterConfigOp.SET, given)
        operation = AlterConfigOp.build_from(operation)
        if incremental is False and operation is not AlterConfigOp.SET:
            raise ValueError(f"{name}: {operation.name} needs incremental alter_configs")
        text = None if operation is AlterConfigOp.DELETE or value is None else _text(value)
        changes.append(ConfigChange(name, int(operation), text))
    return changes


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _skips(chosen: ConfigFilterType, entry: ConfigEntry) -> bool:
    if chosen is ConfigFilterType.DYNAMIC and entry.read_only:
        return True
    return chosen.should_skip(ConfigSourceType(entry.source))


def config_dict(entry: ConfigEntry) -> dict[str, Any]:
    """A setting in kafka-python's form."""
    return {
        "value": entry.value,
        "read_only": entry.read_only,
        "config_source": ConfigSourceType(entry.source).name,
        "is_sensitive": entry.is_sensitive,
        "synonyms": [
            {"name": synonym.name, "value": synonym.value, "source": ConfigSourceType(synonym.source).name}
            for synonym in entry.synonyms
        ],
        "config_type": ConfigType(entry.config_type).name,
        "documentation": entry.documentation,
    }
