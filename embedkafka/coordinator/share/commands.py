"""What a share group is told beside its clients' requests, and what it tells the shell.

The shell tells the share coordinator, with no lock held, and reports back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from embedkafka.coordinator.share.api import ShareGroupHeartbeatRequest
from embedkafka.model import TopicIdPartition


class ShareHeartbeat(NamedTuple):
    """A heartbeat of a share group's member with who sends it."""

    request: ShareGroupHeartbeatRequest
    client_id: str
    client_host: str


class OpenStates(NamedTuple):
    """Which states of a group are under way?  The reply is :class:`StatesUnderWay`."""

    group_id: str


class StatesUnderWay(NamedTuple):
    """``state_epoch`` is the group's; ``initializing`` and ``deleting`` wait for the share coordinator."""

    state_epoch: int = 0
    initializing: Collection[TopicIdPartition] = ()
    deleting: Collection[TopicIdPartition] = ()
    deleting_topics: Collection[UUID] = ()


class StatesInitialized(NamedTuple):
    """The share coordinator has initialized these states."""

    group_id: str
    partitions: Collection[TopicIdPartition]


class StatesNotInitialized(NamedTuple):
    """The share coordinator could not initialize these states."""

    group_id: str
    partitions: Collection[TopicIdPartition]


class StatesDeleted(NamedTuple):
    """The share coordinator has deleted the states of these topics."""

    group_id: str
    topic_ids: Collection[UUID]


class DeleteStates(NamedTuple):
    """Have all states of a group without members deleted, before the group is; the reply is an error code."""

    group_id: str


class ListStates(NamedTuple):
    """Of which partitions has the group a state?  The reply is :class:`ListedStates`."""

    group_id: str


class ListedStates(NamedTuple):
    """Topic names by id, and the partitions of each."""

    initialized: Mapping[TopicIdPartition, str] = {}


class ShareMemberGone(NamedTuple):
    """An event: whatever the member has acquired can be released at once."""

    group_id: str
    member_id: str
