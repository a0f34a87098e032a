"""Describing and changing settings of topics and brokers, with Kafka's sources and synonyms
(``org.apache.kafka.server.config.ConfigHelper``, ``ConfigurationControlManager``)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from embedkafka.broker import loggers
from embedkafka.broker.api import (
    AlterConfigOp,
    ConfigChange,
    ConfigEntry,
    ConfigResourceKey,
    ConfigResult,
    ConfigSource,
    ConfigSynonym,
    ResourceType,
)
from embedkafka.broker.groups.configs import GroupConfigs
from embedkafka.broker.topic import Topic
from embedkafka.broker.topics import Topics
from embedkafka.config import (
    BROKER_CONFIGS,
    TOPIC_CONFIGS,
    TOPIC_SYNONYMS,
    BrokerConfig,
    ConfigDef,
    ConfigKey,
    ConfigType,
    to_text,
)
from embedkafka.config.group import GROUP_CONFIGS, GROUP_SYNONYMS
from embedkafka.config.synonyms import broker_family
from embedkafka.errors import (
    BrokerResponseError,
    InvalidConfigurationError,
    InvalidRequestError,
    KafkaConfigurationError,
    UnknownTopicOrPartitionError,
    UnsupportedVersionError,
)
from embedkafka.model import validate_topic_name

_DYNAMIC_DEFAULT_BROKER_CONFIG = 3
_MIN_IN_SYNC = "min.insync.replicas"
_TABLES: Mapping[int, ConfigDef] = {
    ResourceType.TOPIC: TOPIC_CONFIGS,
    ResourceType.BROKER: BROKER_CONFIGS,
    ResourceType.GROUP: GROUP_CONFIGS,
}
_LISTED = (
    ResourceType.TOPIC,
    ResourceType.BROKER,
    ResourceType.BROKER_LOGGER,
    ResourceType.CLIENT_METRICS,
    ResourceType.GROUP,
)


class Configs:
    """Answers for one broker."""

    def __init__(self, topics: Topics, broker_id: int, groups: GroupConfigs) -> None:
        self._topics = topics
        self._broker_id = broker_id
        self._groups = groups

    @property
    def _config(self) -> BrokerConfig:
        return self._topics.config

    # Describe --------------------------------------------------------------------------------------------------------

    def describe(
        self,
        resources: Sequence[ConfigResourceKey],
        names: Mapping[ConfigResourceKey, Collection[str] | None],
        *,
        include_synonyms: bool,
        include_documentation: bool,
    ) -> list[ConfigResult]:
        """The settings of topics and brokers; of each those in ``names``, or all."""
        results = []
        for resource in resources:
            try:
                wanted = names.get(resource)
                entries = [
                    _shaped(entry, key, include_synonyms, include_documentation)
                    for key, entry in self._entries(resource)
                    if wanted is None or key.name in wanted
                ]
                results.append(ConfigResult(resource, entries=entries))
            except BrokerResponseError as error:
                results.append(_failed(resource, error))
        return results

    def _entries(self, resource: ConfigResourceKey) -> list[tuple[ConfigKey, ConfigEntry]]:
        if resource.resource_type == ResourceType.TOPIC:
            topic = self._topic(resource.name)
            return [
                (key, self._topic_entry(topic, key))
                for name, key in sorted(TOPIC_CONFIGS.items())
                if not key.is_internal or name in topic.entry.configs
            ]
        if resource.resource_type == ResourceType.BROKER:
            broker_id = self._checked_broker(resource.name)
            if broker_id is None:
                changed = self._for_all_brokers()
                return [
                    (BROKER_CONFIGS[name], _dynamic_entry(BROKER_CONFIGS[name], value))
                    for name, value in sorted(changed.items())
                ]
            return [
                (key, self._broker_entry(key))
                for name, key in sorted(BROKER_CONFIGS.items())
                if not key.is_internal or name in self._config.dynamic
            ]
        if resource.resource_type == ResourceType.GROUP:
            if not resource.name:
                raise InvalidRequestError("Group name must not be empty")
            own = self._groups.own(resource.name)
            return [(key, self._group_entry(key, own.get(name))) for name, key in sorted(GROUP_CONFIGS.items())]
        if resource.resource_type == ResourceType.BROKER_LOGGER:
            self._check_logging_broker(resource.name)
            return [(_logger_key(entry.name), entry) for entry in loggers.described()]
        raise InvalidRequestError(f"there are no settings for resource type {resource.resource_type}")

    def _check_logging_broker(self, name: str) -> None:
        if self._checked_broker(name) is None:
            raise InvalidRequestError("a logger is a certain broker's")

    def resources(self, resource_types: Collection[int]) -> list[ConfigResourceKey]:
        """What can have settings: every topic and broker, and groups that have some."""
        unknown = sorted(set(resource_types) - set(_LISTED))
        if unknown:
            raise UnsupportedVersionError(f"resources of type {unknown[0]} cannot be listed")
        names = {
            ResourceType.TOPIC: lambda: [topic.name for topic in self._topics.all()],
            ResourceType.BROKER: lambda: [str(self._broker_id)],
            ResourceType.BROKER_LOGGER: lambda: [str(self._broker_id)],
            ResourceType.CLIENT_METRICS: list[str],
            ResourceType.GROUP: self._groups.group_ids,
        }
        return [
            ConfigResourceKey(each, name)
            for each in (sorted(set(resource_types)) or _LISTED)
            for name in sorted(names[each]())
        ]

    def _group_entry(self, key: ConfigKey, own: str | None) -> ConfigEntry:
        synonym = GROUP_SYNONYMS.get(key.name)
        if synonym is None:
            synonyms = [ConfigSynonym(key.name, to_text(key.default), ConfigSource.DEFAULT_CONFIG)]
        else:
            synonyms = self._broker_synonyms(synonym)
        if own is not None:
            synonyms = [ConfigSynonym(key.name, own, ConfigSource.DYNAMIC_GROUP_CONFIG), *synonyms]
        first = synonyms[0]
        return ConfigEntry(key.name, first.value, first.source, False, False, synonyms, int(key.type))

    def _topic(self, name: str) -> Topic:
        validate_topic_name(name)
        topic = self._topics.topic(name)
        if topic is None:
            raise UnknownTopicOrPartitionError(f"The topic '{name}' does not exist.")
        return topic

    def _topic_entry(self, topic: Topic, key: ConfigKey) -> ConfigEntry:
        synonyms = self._topic_default_synonyms(key.name)
        own = topic.entry.configs.get(key.name)
        if own is not None:
            synonyms = [ConfigSynonym(key.name, own, ConfigSource.DYNAMIC_TOPIC_CONFIG), *synonyms]
            value: str | None = own
        else:
            value = to_text(self._config.topic_default(key.name))
        source = synonyms[0].source if synonyms else ConfigSource.DEFAULT_CONFIG
        return ConfigEntry(key.name, value, source, False, False, synonyms, int(key.type))

    def _topic_default_synonyms(self, name: str) -> list[ConfigSynonym]:
        family = TOPIC_SYNONYMS.get(name, ())
        return self._broker_synonyms(family[0].name) if family else []

    def _broker_entry(self, key: ConfigKey) -> ConfigEntry:
        synonyms = self._broker_synonyms(key.name)
        value = to_text(self._config[key.name])
        own = [synonym for synonym in synonyms if synonym.name == key.name]
        source = own[0].source if own else ConfigSource.DEFAULT_CONFIG
        sensitive = key.type is ConfigType.PASSWORD
        shown = None if sensitive else value
        return ConfigEntry(key.name, shown, source, not key.is_dynamic, sensitive, synonyms, int(key.type))

    def _for_all_brokers(self) -> dict[str, str]:
        """What was set for all brokers; min.insync.replicas Kafka sets itself when a cluster begins (KIP-966)."""
        least = self._config.static.get(_MIN_IN_SYNC, BROKER_CONFIGS[_MIN_IN_SYNC].default)
        return {_MIN_IN_SYNC: str(least), **self._topics.catalog.broker_configs(None)}

    def _broker_synonyms(self, name: str) -> list[ConfigSynonym]:
        """Where a broker setting can get its value from, what holds first."""
        per_broker, everywhere = self._topics.catalog.broker_configs(self._broker_id), self._for_all_brokers()
        found = []
        for member in broker_family(name):
            if member in per_broker:
                found.append(ConfigSynonym(member, per_broker[member], ConfigSource.DYNAMIC_BROKER_CONFIG))
            if member in everywhere:
                found.append(ConfigSynonym(member, everywhere[member], _DYNAMIC_DEFAULT_BROKER_CONFIG))
            if member in self._config.static:
                text = to_text(self._config.static[member])
                found.append(ConfigSynonym(member, text, ConfigSource.STATIC_BROKER_CONFIG))
            default = BROKER_CONFIGS[member].default
            if default is not None and (member == name or found):
                found.append(ConfigSynonym(member, to_text(default), ConfigSource.DEFAULT_CONFIG))
        return found

    # Alter -----------------------------------------------------------------------------------------------------------

    def alter_incrementally(
        self, changes: Mapping[ConfigResourceKey, Sequence[ConfigChange]], *, validate_only: bool
    ) -> list[ConfigResult]:
        """Change some settings of each resource (KIP-339); all of a resource's or none."""
        return [
            self._logger_altered(resource, ops, validate_only)
            if resource.resource_type == ResourceType.BROKER_LOGGER
            else self._altered(resource, partial(_applied, resource, ops), validate_only)
            for resource, ops in changes.items()
        ]

    def _logger_altered(
        self, resource: ConfigResourceKey, changes: Sequence[ConfigChange], validate_only: bool
    ) -> ConfigResult:
        try:
            self._check_logging_broker(resource.name)
            loggers.alter(changes, validate_only=validate_only)
        except BrokerResponseError as error:
            return _failed(resource, error)
        return ConfigResult(resource)

    def replace(
        self, configs: Mapping[ConfigResourceKey, Mapping[str, str | None]], *, validate_only: bool
    ) -> list[ConfigResult]:
        """Replace all settings of each resource, as Kafka's older AlterConfigs does."""
        return [self._altered(resource, partial(_replaced, own), validate_only) for resource, own in configs.items()]

    def _altered(
        self,
        resource: ConfigResourceKey,
        change: Callable[[dict[str, str]], dict[str, str]],
        validate_only: bool,
    ) -> ConfigResult:
        try:
            with self._topics.lock:
                if resource.resource_type == ResourceType.TOPIC:
                    topic = self._topic(resource.name)
                    self._topics.configure(
                        resource.name, change(dict(topic.entry.configs)), validate_only=validate_only
                    )
                elif resource.resource_type == ResourceType.BROKER:
                    self._alter_broker(self._checked_broker(resource.name), change, validate_only)
                elif resource.resource_type == ResourceType.GROUP:
                    if not resource.name:
                        raise InvalidRequestError("Default group resources are not allowed.")
                    own = change(self._groups.own(resource.name))
                    self._groups.put(resource.name, own, validate_only=validate_only)
                else:
                    raise InvalidRequestError(f"there are no settings for resource type {resource.resource_type}")
        except KafkaConfigurationError as error:
            return _failed(resource, InvalidConfigurationError(*error.args))
        except BrokerResponseError as error:
            return _failed(resource, error)
        return ConfigResult(resource)

    def _checked_broker(self, name: str) -> int | None:
        if not name:
            return None
        if name != str(self._broker_id):
            raise InvalidRequestError(f"Unexpected broker id, expected {self._broker_id} or empty, but received {name}")
        return self._broker_id

    def _alter_broker(
        self, broker_id: int | None, change: Callable[[dict[str, str]], dict[str, str]], validate_only: bool
    ) -> None:
        catalog = self._topics.catalog
        before = catalog.broker_configs(broker_id)
        after = change(before.copy())
        for name in after:
            if name not in BROKER_CONFIGS:
                raise BROKER_CONFIGS.unknown(name)
        fixed = sorted(
            name for name in after if after[name] != before.get(name) and not BROKER_CONFIGS[name].is_dynamic
        )
        if fixed:
            raise InvalidRequestError(f"Cannot update these configs dynamically: [{', '.join(fixed)}]")
        try:
            BROKER_CONFIGS.parse(after)
        except KafkaConfigurationError as error:
            raise InvalidRequestError(*error.args) from error  # not INVALID_CONFIG, as for topics
        if not validate_only:
            try:
                catalog.put_broker_configs(broker_id, after)
            finally:
                self._topics.take_broker_configs()


def _applied(resource: ConfigResourceKey, changes: Sequence[ConfigChange], configs: dict[str, str]) -> dict[str, str]:
    table = _TABLES[resource.resource_type]
    names = [change.name for change in changes]
    for change in changes:
        name = change.name
        if names.count(name) > 1:
            raise InvalidRequestError(f"Error due to duplicate config keys: {name}")
        if change.operation == AlterConfigOp.DELETE:
            configs.pop(name, None)  # also of a name that no release has any more
            continue
        if name not in table:
            raise table.unknown(name)
        if change.value is None:
            raise InvalidRequestError(f"Null value not supported for : {name}")
        if change.operation == AlterConfigOp.SET:
            configs[name] = change.value
        elif change.operation in (AlterConfigOp.APPEND, AlterConfigOp.SUBTRACT):
            configs[name] = _edited(table[name], configs.get(name), change)
        else:
            raise InvalidRequestError(f"Unknown operation {change.operation} for {name}")
    return configs


def _replaced(own: Mapping[str, str | None], _: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in own.items() if value is not None}


def _edited(key: ConfigKey, current: str | None, change: ConfigChange) -> str:
    appending = change.operation == AlterConfigOp.APPEND
    if key.type is not ConfigType.LIST:
        verb = "APPEND" if appending else "SUBTRACT"
        raise InvalidConfigurationError(f"Can't {verb} to key {key.name} because its type is not LIST.")
    text = to_text(key.default) if current is None else current
    items = [item for item in (text or "").split(",") if item]
    edits = [item.strip() for item in (change.value or "").split(",")]
    items = (
        [*items, *(item for item in edits if item not in items)] if appending else [i for i in items if i not in edits]
    )
    return ",".join(items)


def _dynamic_entry(key: ConfigKey, value: str) -> ConfigEntry:
    synonym = ConfigSynonym(key.name, value, _DYNAMIC_DEFAULT_BROKER_CONFIG)
    return ConfigEntry(key.name, value, _DYNAMIC_DEFAULT_BROKER_CONFIG, False, False, [synonym], int(key.type))


def _logger_key(name: str) -> ConfigKey:
    return ConfigKey(name, ConfigType.STRING, None, "The level of a logger; what holds for those below it, too.")


def _shaped(entry: ConfigEntry, key: ConfigKey, synonyms: bool, documentation: bool) -> ConfigEntry:
    if synonyms and not documentation:
        return entry
    doc = key.doc
    if key.inert_because:
        doc += f" Changes nothing here: {key.inert_because}."
    return entry._replace(synonyms=entry.synonyms if synonyms else (), documentation=doc if documentation else None)


def _failed(resource: ConfigResourceKey, error: BrokerResponseError) -> ConfigResult:
    return ConfigResult(resource, error.errno, str(error.args[0]) if error.args else None)
