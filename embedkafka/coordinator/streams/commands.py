"""What a streams group is told beside its clients' requests, and what it tells the shell and the machine."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from embedkafka.coordinator.streams.api import StreamsGroupHeartbeatReply, StreamsGroupHeartbeatRequest
from embedkafka.coordinator.streams.topology import TopicInfo


class StreamsHeartbeat(NamedTuple):
    """A heartbeat of a streams group's member with who sends it; the reply is a :class:`StreamsHeartbeatResult`."""

    request: StreamsGroupHeartbeatRequest
    client_id: str
    client_host: str


class StreamsHeartbeatResult(NamedTuple):
    """The reply, and the internal topics that have to be created before tasks can be assigned."""

    reply: StreamsGroupHeartbeatReply
    missing_topics: Collection[TopicInfo] = ()


class StreamsDelayOver(NamedTuple):
    """A new group has waited long enough for more members."""

    group_id: str


class Soft(NamedTuple):
    """What a new coordinator may forget of a streams group.

    ``is_delayed`` while it waits for its first members; ``shutdown_by`` is the member that wants the application to
    end; ``endpoint_epoch`` numbers the news about who serves which partitions.
    """

    is_delayed: bool = False
    shutdown_by: str | None = None
    endpoint_epoch: int = 0


NOTHING_SOFT = Soft()


class SoftChanged(NamedTuple):
    """An event: the soft state of a streams group is now ``soft``."""

    group_id: str
    soft: Soft
