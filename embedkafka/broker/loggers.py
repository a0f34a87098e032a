"""The engine's loggers as settings of a broker (``ConfigResource`` BROKER_LOGGER, KIP-412).

What Kafka calls ``root`` is the logger above all of the engine's, ``embedkafka``: the program's own loggers are
nobody's business.  As in Kafka, a change holds until the process ends.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from embedkafka.broker.api import AlterConfigOp, ConfigChange, ConfigEntry
from embedkafka.errors import InvalidConfigurationError, InvalidRequestError

ROOT = "root"

_PACKAGE = "embedkafka"
_DYNAMIC_BROKER_LOGGER_CONFIG = 6
_LEVELS = {  # Kafka's names; Python has neither the first nor the last
    "TRACE": logging.DEBUG - 5,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
    "OFF": logging.CRITICAL + 10,
}


def described() -> list[ConfigEntry]:
    """Every logger of the engine with the level that holds for it."""
    return [
        ConfigEntry(name, _level_name(logger.getEffectiveLevel()), _DYNAMIC_BROKER_LOGGER_CONFIG)
        for name, logger in sorted(_loggers().items())
    ]


def alter(changes: Sequence[ConfigChange], *, validate_only: bool) -> None:
    """Set levels, or delete them, so that the logger above decides; all or none.

    Raises:
        InvalidConfigurationError: there is no such logger or level.
        InvalidRequestError: the change is of another kind, or takes the highest logger's level away.
    """
    loggers = _loggers()
    levels = [(_logger(loggers, change.name), _wanted(change)) for change in changes]
    if not validate_only:
        for logger, level in levels:
            logger.setLevel(level)


def _loggers() -> dict[str, logging.Logger]:
    known = dict(logging.root.manager.loggerDict)
    found = {name: each for name, each in known.items() if isinstance(each, logging.Logger)}
    return {
        ROOT: logging.getLogger(_PACKAGE),
        **{name: each for name, each in found.items() if name.startswith(f"{_PACKAGE}.")},
    }


def _logger(loggers: dict[str, logging.Logger], name: str) -> logging.Logger:
    if name not in loggers:
        raise InvalidConfigurationError(f"there is no logger {name!r}")
    return loggers[name]


def _wanted(change: ConfigChange) -> int:
    if change.operation == AlterConfigOp.DELETE:
        if change.name == ROOT:
            raise InvalidRequestError("the highest logger needs a level")
        return logging.NOTSET
    if change.operation != AlterConfigOp.SET:
        raise InvalidRequestError(f"the level of logger {change.name!r} is set or deleted")
    if change.value not in _LEVELS:
        raise InvalidConfigurationError(f"{change.value!r} is none of {', '.join(_LEVELS)}")
    return _LEVELS[change.value]


def _level_name(level: int) -> str:
    """Kafka's name of a level; one in between goes by the lower name."""
    return next((name for name, number in reversed(_LEVELS.items()) if number <= level), "TRACE")
