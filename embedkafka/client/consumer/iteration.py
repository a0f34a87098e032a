"""Where a ``for record in consumer`` stands.

The loop runs over a plain list, in C; where it stands is read off the list iterator when somebody asks.  A record
counts as consumed once the loop has it, as in kafka-python.
"""

from __future__ import annotations

import operator

from embedkafka.client.consumer.subscription import PartitionState
from embedkafka.record import ConsumerRecord


class Iteration:
    """Args:
    state: the partition the records are from; its position is behind all of them.
    position: where it was before.
    records: at least one.
    """

    def __init__(self, state: PartitionState, position: int, records: list[ConsumerRecord]) -> None:
        self.state = state
        self.records = iter(records)
        self._list = records
        self._before = position
        self._after = state.position if state.position is not None else position

    @property
    def left(self) -> int:
        """How many records the loop has not got yet."""
        return operator.length_hint(self.records)

    @property
    def position(self) -> int:
        """The offset of the next record the loop gets."""
        left = self.left
        if not left:
            return self._after
        got = len(self._list) - left
        return self._list[got - 1].offset + 1 if got else self._before

    def note_position(self) -> None:
        """Make the partition's position what the loop has got."""
        if self.state.position is not None:
            self.state.position = self.position

    def stop(self) -> None:
        """End the loop's list; what it had not got comes again with the next fetch."""
        if self.left and self.state.position is not None:
            self.state.seek(self.position, self.state.leader_epoch)
        self._list.clear()
