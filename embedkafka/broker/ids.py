"""The one source of ids and random choices of an engine, so that a seed repeats a run."""

from __future__ import annotations

import random
from uuid import UUID

from embedkafka.model import id_text

_RESERVED = (UUID(int=0), UUID(int=1))  # org.apache.kafka.common.Uuid: ZERO_UUID, ONE_UUID


class Ids:
    """Random ids and choices from one seed.

    ``random`` is safe to call from any thread.
    """

    def __init__(self, seed: int | None) -> None:
        """
        Args:
            seed: repeats a run; None takes one from the operating system.
        """
        self.random = random.Random(seed)

    def uuid(self) -> UUID:
        """A new id as Kafka makes them: version 4, none of the reserved ones, and no leading dash in its text."""
        while True:
            found = UUID(int=self.random.getrandbits(128), version=4)
            if found not in _RESERVED and not id_text(found).startswith("-"):
                return found
