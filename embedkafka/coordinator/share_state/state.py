"""The state of one share partition as the share coordinator keeps it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from embedkafka.coordinator.runs import Runs
from embedkafka.coordinator.share_state.api import NO_OFFSET, StateBatch
from embedkafka.model import id_text, parse_id

_KEY = re.compile(r"(?=\s*[^\s:])(.+):([\w-]{22})(?:==)?:([+-]?\d{1,10})", re.ASCII | re.DOTALL)


class SharePartitionKey(NamedTuple):
    """A group's view of a partition (``org.apache.kafka.server.share.SharePartitionKey``)."""

    group_id: str
    topic_id: UUID
    partition: int

    @property
    def text(self) -> str:
        """The key as Kafka writes it, also to find the share coordinator (``asCoordinatorKey``)."""
        return f"{self.group_id}:{id_text(self.topic_id)}:{self.partition}"

    @classmethod
    def parse(cls, text: str) -> SharePartitionKey:
        """The key that says so: FindCoordinator's of type 2.  A group's name may hold colons.

        Raises:
            ValueError: it does not say that.
        """
        named = _KEY.fullmatch(text)
        if named is None:
            raise ValueError(f"not group:topic id:partition: {text!r}")
        group_id, topic_id, partition = named.groups()
        return cls(group_id, parse_id(topic_id), int(partition))


class Snapshot(NamedTuple):
    """The whole state at a moment; times are milliseconds since the epoch."""

    snapshot_epoch: int
    state_epoch: int
    leader_epoch: int
    start_offset: int
    delivery_complete_count: int
    created_ms: int
    written_ms: int
    batches: Sequence[StateBatch] = ()


class Update(NamedTuple):
    """What has changed since the snapshot of this epoch; ``start_offset`` -1 leaves it as it was."""

    snapshot_epoch: int
    leader_epoch: int
    start_offset: int
    delivery_complete_count: int
    batches: Sequence[StateBatch] = ()


class StoredState:
    """A snapshot and the updates since, as one.  Changed by records only."""

    __slots__ = (
        "created_ms",
        "delivery_complete_count",
        "leader_epoch",
        "runs",
        "snapshot_epoch",
        "start_offset",
        "state_epoch",
        "updates",
        "written_ms",
    )

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot_epoch = snapshot.snapshot_epoch
        self.state_epoch = snapshot.state_epoch
        self.leader_epoch = snapshot.leader_epoch
        self.start_offset = snapshot.start_offset
        self.delivery_complete_count = snapshot.delivery_complete_count
        self.created_ms = snapshot.created_ms
        self.written_ms = snapshot.written_ms
        self.updates = 0
        self.runs: Runs[tuple[int, int]] = Runs()
        self._put(snapshot.batches)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StoredState):
            return NotImplemented
        return self.as_snapshot() == other.as_snapshot() and self.updates == other.updates

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"{self.as_snapshot()} after {self.updates} updates"

    @property
    def batches(self) -> list[StateBatch]:
        return [StateBatch(first, last, *value) for first, last, value in self.runs]

    def update(self, update: Update) -> None:
        """Let an update take effect."""
        self.updates += 1
        self.leader_epoch = update.leader_epoch
        self.delivery_complete_count = update.delivery_complete_count
        if update.start_offset != NO_OFFSET:
            self.start_offset = update.start_offset
        self._put(update.batches)

    def as_snapshot(self) -> Snapshot:
        """This state as one record; the same epochs and times."""
        return Snapshot(
            self.snapshot_epoch,
            self.state_epoch,
            self.leader_epoch,
            self.start_offset,
            self.delivery_complete_count,
            self.created_ms,
            self.written_ms,
            self.batches,
        )

    def _put(self, batches: Sequence[StateBatch]) -> None:
        runs = self.runs
        start_offset = self.start_offset
        for first, last, delivery_state, delivery_count in batches:
            if last >= start_offset:
                runs.put(first, last, (delivery_state, delivery_count))
        if runs.firsts and runs.firsts[0] < start_offset:
            runs.drop_before(start_offset)
