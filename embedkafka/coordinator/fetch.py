"""OffsetFetch (9): what a group has committed, for some partitions or for all."""

from __future__ import annotations

from embedkafka.coordinator.api import CommittedOffset, OffsetFetchReply, OffsetFetchRequest
from embedkafka.coordinator.decision import Decision
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.state import DurableState
from embedkafka.errors import UnstableOffsetCommitError

_NOTHING = CommittedOffset()
_UNSTABLE = CommittedOffset(error_code=UnstableOffsetCommitError.errno)


def fetch_offsets(request: OffsetFetchRequest, group: AnyGroup | None, durable: DurableState) -> Decision:
    """A partition without a commit has offset -1; an unknown group has committed nothing.

    With ``require_stable`` (KIP-447) a partition whose offset is pending in a transaction has an error instead.
    """
    error_code = 0 if group is None else group.fetch_error(request)
    if error_code:
        return Decision(reply=OffsetFetchReply(error_code))
    committed = durable.offsets.get(request.group_id, {})
    pending = durable.pending.get(request.group_id, {}) if request.require_stable else {}
    partitions = committed if request.partitions is None else request.partitions
    found = {}
    for topic_partition in partitions:
        if topic_partition in pending:
            found[topic_partition] = _UNSTABLE
            continue
        value = committed.get(topic_partition)
        found[topic_partition] = (
            _NOTHING if value is None else CommittedOffset(value.offset, value.leader_epoch, value.metadata)
        )
    return Decision(reply=OffsetFetchReply(0, found))
