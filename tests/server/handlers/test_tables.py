"""Which file answers what is known without importing it."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from embedkafka.protocol.apis import api
from embedkafka.server import handlers as package
from embedkafka.server.handlers import FAMILIES, SERVED, Handlers, Served

_WHAT_A_LISTENER_IMPORTS = """
import sys
import embedkafka.server.listener
print(*(name.rpartition(".")[2] for name in sys.modules if name.startswith("embedkafka.protocol.apis.")))
"""


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_answers_the_keys_that_the_table_says(family: str) -> None:
    module = import_module(f"{package.__name__}.{family}")
    assert tuple(handler.api_key for handler in module.HANDLERS) == FAMILIES[family]


def test_handlers_and_apis_are_there_when_they_are_asked_for() -> None:
    handlers, served = Handlers(), Served()
    assert [handlers[key].api_key for key in SERVED] == SERVED
    assert [served[key] for key in SERVED] == [api(key) for key in SERVED]


def test_an_api_that_is_not_answered_is_not_there() -> None:
    with pytest.raises(KeyError):
        Served()[71]


def test_a_listener_begins_without_the_messages_of_its_apis() -> None:
    """Making their hundreds of data classes takes a tenth of a second."""
    ran = subprocess.run([sys.executable, "-c", _WHAT_A_LISTENER_IMPORTS], capture_output=True, text=True, check=True)
    assert not ran.stdout.split()
