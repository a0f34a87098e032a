"""What holds: a broker's settings with what changed at run time, and a topic's with its defaults from the broker."""

from __future__ import annotations

from collections.abc import Mapping

from embedkafka.config.broker import BROKER_CONFIGS
from embedkafka.config.definition import ConfigValue, to_text
from embedkafka.config.synonyms import TOPIC_SYNONYMS, Synonym
from embedkafka.config.topic import TOPIC_CONFIGS
from embedkafka.errors import KafkaConfigurationError


class BrokerConfig:
    """A broker's settings: given at opening (``static``), changed while running (``dynamic``), or Kafka's default.

    Not locked: it is changed under ``Topics.lock`` by replacing ``dynamic`` as a whole, so a reader sees old or new.
    """

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        """
        Args:
            settings: by dotted name or keyword (``num_partitions``), values as text or in their type.

        Raises:
            KafkaConfigurationError: an unknown name (the nearest is named) or a bad value.
        """
        self.static: dict[str, ConfigValue] = BROKER_CONFIGS.parse(settings or {})
        self.dynamic: Mapping[str, ConfigValue] = {}

    @property
    def inert(self) -> dict[str, str]:
        """The settings that were given and change nothing here, each with the reason."""
        return {name: why for name in self.static if (why := BROKER_CONFIGS[name].inert_because)}

    def __getitem__(self, name: str) -> ConfigValue:
        if name in self.dynamic:
            return self.dynamic[name]
        if name in self.static:
            return self.static[name]
        return BROKER_CONFIGS[name].default

    def integer(self, name: str) -> int:
        """The value of a setting that is a whole number and has a default."""
        value = self[name]
        assert isinstance(value, int), name
        return value

    def boolean(self, name: str) -> bool:
        """The value of a setting that is true or false."""
        return bool(self[name])

    def text(self, name: str) -> str:
        """The value of a setting as Kafka writes it; empty when it has none."""
        return to_text(self[name]) or ""

    def topic_default(self, name: str) -> ConfigValue:
        """What a topic that does not set ``name`` gets: the first synonym that has a value, else Kafka's default."""
        for synonym in TOPIC_SYNONYMS.get(name, ()):
            value = self[synonym.name]
            if value is not None:
                return scaled(synonym, value)
        return TOPIC_CONFIGS[name].default


def scaled(synonym: Synonym, value: ConfigValue) -> ConfigValue:
    """A broker setting's value in the topic setting's unit; negative values mean "no limit" in every unit."""
    if synonym.factor == 1 or not isinstance(value, int):
        return value
    return value * synonym.factor if value >= 0 else -1


def topic_settings(broker: BrokerConfig, overrides: Mapping[str, str]) -> dict[str, ConfigValue]:
    """Every topic setting with the value that holds for a topic.

    ``internal.segment.bytes``, where set, is already in the place of ``segment.bytes``.

    Raises:
        KafkaConfigurationError: an unknown name, a bad value, or values that contradict each other.
    """
    own = parse_topic_overrides(overrides)
    settings = {name: own[name] if name in own else broker.topic_default(name) for name in TOPIC_CONFIGS}
    check_topic_settings(settings)
    if settings["internal.segment.bytes"] is not None:
        settings["segment.bytes"] = settings["internal.segment.bytes"]
    return settings


def parse_topic_overrides(overrides: Mapping[str, object]) -> dict[str, ConfigValue]:
    """A topic's own settings in their types; only dotted names, as on the wire."""
    for name in overrides:
        if name not in TOPIC_CONFIGS:
            raise TOPIC_CONFIGS.unknown(name)
    return TOPIC_CONFIGS.parse(overrides)


def check_topic_settings(settings: Mapping[str, ConfigValue]) -> None:
    """Refuse values that are right alone and wrong together (``LogConfig.validateTopicLogConfigValues``)."""
    least, most = settings["min.compaction.lag.ms"], settings["max.compaction.lag.ms"]
    assert isinstance(least, int)
    assert isinstance(most, int)
    if least > most:
        raise KafkaConfigurationError(
            f"conflict topic config setting min.compaction.lag.ms ({least}) > max.compaction.lag.ms ({most})"
        )
    if settings["remote.storage.enable"]:
        raise KafkaConfigurationError(
            "Tiered Storage functionality is disabled in the broker. "
            "Topic cannot be configured with remote log storage."
        )
