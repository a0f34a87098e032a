"""Settings as data: every topic and broker setting's name, type, default, bounds and meaning."""

from embedkafka.config.broker import BROKER_CONFIGS
from embedkafka.config.definition import ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, to_text
from embedkafka.config.effective import BrokerConfig, parse_topic_overrides, topic_settings
from embedkafka.config.synonyms import TOPIC_SYNONYMS, Synonym
from embedkafka.config.topic import TOPIC_CONFIGS

__all__ = [
    "BROKER_CONFIGS",
    "TOPIC_CONFIGS",
    "TOPIC_SYNONYMS",
    "BrokerConfig",
    "ConfigDef",
    "ConfigKey",
    "ConfigType",
    "ConfigValue",
    "Importance",
    "Synonym",
    "parse_topic_overrides",
    "to_text",
    "topic_settings",
]
