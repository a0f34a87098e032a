"""The levels of the engine's loggers, seen and set by administrators."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from broker.support import Broker

from embedkafka.broker import api
from embedkafka.broker.api import AlterConfigOp, ResourceType

LOGGER = ResourceType.BROKER_LOGGER
NAME = "embedkafka.server.calls"


@pytest.fixture(autouse=True)
def _levels_stay() -> Iterator[None]:
    named = [logging.getLogger(name) for name in ("embedkafka", NAME)]
    before = [each.level for each in named]
    yield
    for each, level in zip(named, before, strict=True):
        each.setLevel(level)


def levels(broker: Broker) -> dict[str, str | None]:
    (result,) = broker.port.describe_configs(broker.context, [api.ConfigResourceKey(LOGGER, "0")])
    return {entry.name: entry.value for entry in result.entries}


def alter(broker: Broker, *changes: api.ConfigChange, name: str = "0", validate_only: bool = False) -> int:
    asked = {api.ConfigResourceKey(LOGGER, name): changes}
    (result,) = broker.port.incremental_alter_configs(broker.context, asked, validate_only=validate_only)
    return result.error_code


def to(level: str | None, logger: str = NAME, operation: int = AlterConfigOp.SET) -> api.ConfigChange:
    return api.ConfigChange(logger, operation, level)


def test_a_level_that_is_set_holds_until_it_is_deleted(broker: Broker) -> None:
    assert alter(broker, to("ERROR", "root"), to("TRACE")) == 0
    assert (levels(broker)["root"], levels(broker)[NAME]) == ("ERROR", "TRACE")
    assert logging.getLogger(NAME).isEnabledFor(logging.DEBUG)
    assert alter(broker, to(None, operation=AlterConfigOp.DELETE)) == 0
    assert levels(broker)[NAME] == "ERROR"


def test_only_the_engines_loggers_are_told_and_set(broker: Broker) -> None:
    logging.getLogger("somebody.elses")
    assert {name.partition(".")[0] for name in levels(broker)} == {"root", "embedkafka"}
    assert alter(broker, to("DEBUG", "somebody.elses")) == 40


def test_levels_off_the_scale_go_by_the_nearest_name_below(broker: Broker) -> None:
    logging.getLogger(NAME).setLevel(logging.WARNING + 5)
    assert levels(broker)[NAME] == "WARN"
    assert alter(broker, to("OFF")) == 0
    assert not logging.getLogger(NAME).isEnabledFor(logging.CRITICAL)


@pytest.mark.parametrize(
    ("change", "error_code"),
    [
        (to("LOUD"), 40),
        (to(None), 40),
        (to("INFO", "embedkafka.nowhere"), 40),
        (to("INFO", operation=AlterConfigOp.APPEND), 42),
        (to(None, "root", AlterConfigOp.DELETE), 42),
    ],
)
def test_a_bad_change_is_refused_and_nothing_changes(broker: Broker, change: api.ConfigChange, error_code: int) -> None:
    before = levels(broker)
    assert alter(broker, to("FATAL"), change) == error_code
    assert levels(broker) == before


def test_a_change_that_is_only_tried_changes_nothing(broker: Broker) -> None:
    before = levels(broker)
    assert alter(broker, to("FATAL"), validate_only=True) == 0
    assert levels(broker) == before


@pytest.mark.parametrize("name", ["", "7"])
def test_loggers_are_a_certain_brokers(broker: Broker, name: str) -> None:
    assert alter(broker, to("FATAL"), name=name) == 42
    (result,) = broker.port.describe_configs(broker.context, [api.ConfigResourceKey(LOGGER, name)])
    assert result.error_code == 42
