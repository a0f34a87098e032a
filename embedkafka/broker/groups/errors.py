"""Replies that carry an error of the shell: the coordinator is closed, its log cannot be written or read."""

from __future__ import annotations

from typing import Any

from embedkafka.broker.api import (
    AlterShareGroupOffsetsReply,
    AlterShareGroupOffsetsRequest,
    ConsumerGroupHeartbeatReply,
    DeleteGroupsRequest,
    DeleteShareGroupOffsetsReply,
    DeleteShareGroupOffsetsRequest,
    DescribeConsumerGroupsRequest,
    DescribedConsumerGroup,
    DescribedGroup,
    DescribedShareGroup,
    DescribedStreamsGroup,
    DescribeGroupsRequest,
    DescribeShareGroupsRequest,
    DescribeStreamsGroupsRequest,
    GroupResult,
    HeartbeatRequest,
    JoinGroupReply,
    LeaveGroupReply,
    LeaveGroupRequest,
    OffsetCommitReply,
    OffsetDeleteReply,
    OffsetDeleteRequest,
    OffsetFetchReply,
    OffsetFetchRequest,
    ShareGroupHeartbeatReply,
    StreamsGroupHeartbeatReply,
    SyncGroupReply,
    SyncGroupRequest,
)
from embedkafka.coordinator.decision import JOIN, Command, CommitOffsets, ConsumerHeartbeat, JoinGroup, ParkKey
from embedkafka.coordinator.share.commands import DeleteStates, ListStates, OpenStates, ShareHeartbeat
from embedkafka.coordinator.streams.commands import StreamsHeartbeat, StreamsHeartbeatResult


def error_reply(command: Command, error_code: int) -> Any:
    """The command's own reply with this error in it, or the code alone; None for what nobody waits for."""
    if isinstance(command, JoinGroup):
        return JoinGroupReply(error_code, member_id=command.request.member_id)
    if isinstance(command, ConsumerHeartbeat):
        return ConsumerGroupHeartbeatReply(error_code)
    if isinstance(command, SyncGroupRequest):
        return SyncGroupReply(error_code)
    if isinstance(command, HeartbeatRequest):
        return error_code
    if isinstance(command, LeaveGroupRequest):
        return LeaveGroupReply(error_code)
    if isinstance(command, CommitOffsets):
        return OffsetCommitReply(dict.fromkeys(command.request.offsets, error_code))
    if isinstance(command, OffsetFetchRequest):
        return OffsetFetchReply(error_code)
    if isinstance(command, OffsetDeleteRequest):
        return OffsetDeleteReply(error_code)
    if isinstance(command, DescribeGroupsRequest):
        return [DescribedGroup(group_id, error_code) for group_id in command.group_ids]
    if isinstance(command, DescribeConsumerGroupsRequest):
        return [DescribedConsumerGroup(group_id, error_code) for group_id in command.group_ids]
    if isinstance(command, ShareHeartbeat):
        return ShareGroupHeartbeatReply(error_code)
    if isinstance(command, DescribeShareGroupsRequest):
        return [DescribedShareGroup(group_id, error_code) for group_id in command.group_ids]
    if isinstance(command, StreamsHeartbeat):
        return StreamsHeartbeatResult(StreamsGroupHeartbeatReply(error_code))
    if isinstance(command, DescribeStreamsGroupsRequest):
        return [DescribedStreamsGroup(group_id, error_code) for group_id in command.group_ids]
    if isinstance(command, AlterShareGroupOffsetsRequest):
        return AlterShareGroupOffsetsReply(error_code)
    if isinstance(command, DeleteShareGroupOffsetsRequest):
        return DeleteShareGroupOffsetsReply(error_code)
    if isinstance(command, (OpenStates, ListStates, DeleteStates)):
        return error_code
    if isinstance(command, DeleteGroupsRequest):
        return [GroupResult(group_id, error_code) for group_id in command.group_ids]
    return None


def parked_error_reply(key: ParkKey, error_code: int) -> Any:
    """The reply of a parked join or sync with this error in it."""
    if key.kind == JOIN:
        return JoinGroupReply(error_code, member_id=key.member_id)
    return SyncGroupReply(error_code)
