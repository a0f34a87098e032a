"""The commands of the share state machine, and what it answers to any."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from embedkafka.coordinator.share_state.api import ShareStateWrite
from embedkafka.coordinator.share_state.records import ShareStateRecord
from embedkafka.coordinator.share_state.state import SharePartitionKey


class InitializeStates(NamedTuple):
    """InitializeShareGroupState (83): begin, or begin anew.  The reply maps each key to an error code."""

    start_offsets: Mapping[SharePartitionKey, int]
    state_epoch: int


class ReadState(NamedTuple):
    """ReadShareGroupState (84) by the partition's leader, who fences those before it.  Replies a ``ShareState``."""

    key: SharePartitionKey
    leader_epoch: int


class WriteState(NamedTuple):
    """WriteShareGroupState (85).  The reply is an error code."""

    key: SharePartitionKey
    change: ShareStateWrite


class DeleteStates(NamedTuple):
    """DeleteShareGroupState (86).  The reply maps each key to an error code."""

    keys: Collection[SharePartitionKey]


class ReadSummaries(NamedTuple):
    """ReadShareGroupStateSummary (87).  The reply maps each key to a ``ShareStateSummary``."""

    keys: Collection[SharePartitionKey]


class ForgetTopics(NamedTuple):
    """Topics were deleted."""

    topic_ids: Collection[UUID]


class SnapshotCold(NamedTuple):
    """Write anew what has not changed for long, so that the log before it can go.

    ``before_offset``: and what was last written as a whole before this offset of the log.
    """

    before_offset: int = -1


Command = InitializeStates | ReadState | WriteState | DeleteStates | ReadSummaries | ForgetTopics | SnapshotCold


class Decision(NamedTuple):
    """Append and apply ``records``, then answer."""

    reply: object = None
    records: Sequence[ShareStateRecord] = ()
