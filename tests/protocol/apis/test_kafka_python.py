"""kafka-python reads and writes the same bytes, for the APIs and versions that it knows."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol.apis.messages import FEW, KINDS, Kind

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import kafka.protocol.sasl  # noqa: F401 # registers its classes
    from kafka.protocol.api_message import ApiMessage

    for package in ("admin", "consumer", "metadata", "producer"):
        for module in pkgutil.walk_packages(
            importlib.import_module(f"kafka.protocol.{package}").__path__, f"kafka.protocol.{package}."
        ):
            importlib.import_module(module.name)


def known() -> Iterator[tuple[Kind, Any]]:
    classes = {(each.API_KEY, each.type): each for each in ApiMessage.__subclasses__()}
    for kind in KINDS:
        theirs = classes.get((kind.key, kind.direction))
        if theirs is not None and kind.version <= theirs.valid_versions[1]:
            yield kind, theirs


KNOWN = list(known())


def test_most_of_the_protocol_is_compared() -> None:
    assert len({kind.key for kind, _ in KNOWN}) >= 50


@pytest.mark.parametrize(("kind", "theirs"), KNOWN, ids=lambda value: str(value) if isinstance(value, Kind) else "")
@FEW
@given(st.data())
def test_bytes_are_the_same_both_ways(kind: Kind, theirs: Any, data: st.DataObject) -> None:
    message = data.draw(kind.messages())
    if (kind.key, kind.direction) == (18, "response"):
        message.error_code = 0  # with any error kafka-python reads it as version 0, which it is with this one alone
    encoded = kind.encode(message)
    decoded = theirs.decode(encoded, version=kind.version)
    decoded._header = None  # encoding asks for it, and decoding leaves it out
    assert bytes(decoded.encode(version=kind.version)) == encoded
