"""A coordinator's shards by the hash of a key."""

from __future__ import annotations

from typing import Any, cast

import pytest

from embedkafka.broker.shards import Shards


class Closable:
    def __init__(self, index: int) -> None:
        self.index = index
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def shards() -> Shards[Any]:
    return Shards(50, cast(Any, Closable))


def test_a_key_has_the_same_one_at_any_time(shards: Shards[Any]) -> None:
    assert shards.of("group") is shards.of("group")


def test_a_key_has_the_one_of_the_partition_that_kafka_says(shards: Shards[Any]) -> None:
    assert shards.of("polygenelubricants") is shards.at(0)  # its hashCode is Integer.MIN_VALUE


def test_only_what_was_used_is_in_use(shards: Shards[Any]) -> None:
    assert shards.in_use() == []
    used = shards.at(7)
    assert shards.in_use() == [used]


def test_all_are_in_order(shards: Shards[Any]) -> None:
    shards.at(7)
    assert [shard.index for shard in shards.all()] == list(range(50))


def test_closing_closes_what_is_in_use(shards: Shards[Any]) -> None:
    used = shards.at(7)
    shards.close()
    assert used.is_closed
