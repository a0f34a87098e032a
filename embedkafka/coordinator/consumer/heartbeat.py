"""ConsumerGroupHeartbeat (68): a member joins, says what it reads and owns, and learns what it may own.

Epoch 0 joins, a positive one goes on, -1 leaves, -2 leaves for a while (static members, KIP-345).
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from embedkafka.coordinator.api import ConsumerGroupHeartbeatReply, ConsumerGroupHeartbeatRequest
from embedkafka.coordinator.assignment import Partitions, contains, partitions_of
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.consumer.leave import held_by, leave, replace_static_member
from embedkafka.coordinator.consumer.member import JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH, Member, MemberState
from embedkafka.coordinator.consumer.migration import turn_for_join
from embedkafka.coordinator.consumer.reconcile import Goal, reconcile
from embedkafka.coordinator.consumer.serialized import current_record
from embedkafka.coordinator.consumer.subscription import check_regex, subscribed_ids, update_epoch, update_member
from embedkafka.coordinator.consumer.target import update_target
from embedkafka.coordinator.consumer.turn import Turn
from embedkafka.coordinator.decision import REVOKE, ConsumerHeartbeat, Decision
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.moment import Moment
from embedkafka.errors import (
    BrokerResponseError,
    FencedMemberEpochError,
    GroupIdNotFoundError,
    GroupMaxSizeReachedError,
    InvalidRequestError,
    UnknownMemberIdError,
    UnreleasedInstanceIdError,
    UnsupportedAssignorError,
)


def heartbeat(command: ConsumerHeartbeat, group: AnyGroup | None, moment: Moment) -> Decision:
    """Decide about a heartbeat; ``group`` is None where there is none yet, and may be of another type."""
    try:
        _check(command.request, moment.config)
        return _heartbeat(command, group, moment)
    except BrokerResponseError as error:
        return Decision(reply=ConsumerGroupHeartbeatReply(error.errno, *error.args))


def _heartbeat(command: ConsumerHeartbeat, group: AnyGroup | None, moment: Moment) -> Decision:
    request = command.request
    if request.member_epoch == JOIN_EPOCH:
        turn = turn_for_join(request.group_id, group, moment)
    elif isinstance(group, ConsumerGroup):
        turn = Turn(group, moment)
    else:
        raise GroupIdNotFoundError(f"there is no consumer group {request.group_id!r}")
    turn.hidden_topics = command.hidden_topics
    if request.member_epoch in (LEAVE_EPOCH, STATIC_LEAVE_EPOCH):
        return leave(request, turn)

    _check_size(turn.group, request.member_id, moment.config)
    member_id = request.member_id or command.fresh_id
    member = _find(turn, request, member_id)
    described = _described(member, command)
    subscription_changed = update_member(turn, member, described)
    update_epoch(turn, must_grow=subscription_changed)
    update_target(turn)
    updated = step(
        turn, turn.group.members[member_id], request.topic_partitions, subscription_changed=subscription_changed
    )
    turn.start_session(updated)
    is_full = request.member_epoch == JOIN_EPOCH or (
        request.rebalance_timeout_ms != -1
        and request.topic_partitions is not None
        and (request.subscribed_topic_names is not None or request.subscribed_topic_regex is not None)
    )
    changed = partitions_of(updated.assigned) != partitions_of(member.assigned)
    reply = ConsumerGroupHeartbeatReply(
        member_id=member_id,
        member_epoch=updated.epoch,
        heartbeat_interval_ms=turn.settings.consumer_heartbeat_interval_ms,
        assignment={topic_id: list(each) for topic_id, each in updated.assigned.items()}
        if is_full or changed
        else None,
    )
    return turn.decide(reply)


def _listed(owned: Partitions) -> dict[UUID, list[int]]:
    return {topic_id: list(partitions) for topic_id, partitions in owned.items()}


def step(turn: Turn, member: Member, owned: Partitions | None, *, subscription_changed: bool) -> Member:
    """Bring a member one step towards its target, and write that."""
    group = turn.group
    if member.is_reconciled_to(group.assignment_epoch) and not subscription_changed:
        return member
    updated = reconcile(
        member,
        Goal(
            epoch=group.assignment_epoch,
            target=group.target_of(member.member_id),
            subscribed=subscribed_ids(group, member, turn.moment.topics),
            subscription_changed=subscription_changed,
            is_free=group.is_free,
            owned=owned,
        ),
    )
    if updated == member:
        return member
    turn.write(current_record(group.group_id, updated))
    if updated.classic is None:  # others have timers for joining and syncing
        if updated.state is MemberState.UNREVOKED_PARTITIONS:
            turn.expect(REVOKE, updated, epoch=updated.epoch)
        else:
            turn.cancel(REVOKE, updated.member_id)
    return updated


# Checks --------------------------------------------------------------------------------------------------------------


def _check(request: ConsumerGroupHeartbeatRequest, config: GroupConfig) -> None:
    _check_not_blank("GroupId", request.group_id)
    _check_not_blank("InstanceId", request.instance_id)
    _check_not_blank("RackId", request.rack_id)
    epoch = request.member_epoch
    if epoch < STATIC_LEAVE_EPOCH:
        raise InvalidRequestError(f"MemberEpoch is {epoch}")
    if epoch != JOIN_EPOCH:
        _check_not_blank("MemberId", request.member_id)
    if epoch == STATIC_LEAVE_EPOCH and request.instance_id is None:
        raise InvalidRequestError("InstanceId is missing, only a static member can leave for a while")
    if epoch == JOIN_EPOCH:
        _check_join(request)
    if request.server_assignor is not None and request.server_assignor not in config.consumer_assignors:
        known = ", ".join(config.consumer_assignors)
        raise UnsupportedAssignorError(f"ServerAssignor is {request.server_assignor!r}; there are {known}")
    if request.subscribed_topic_regex:
        check_regex(request.subscribed_topic_regex)


def _check_join(request: ConsumerGroupHeartbeatRequest) -> None:
    if request.rebalance_timeout_ms == -1:
        raise InvalidRequestError("RebalanceTimeoutMs is missing, it comes with the first heartbeat")
    if request.topic_partitions is None or any(request.topic_partitions.values()):
        raise InvalidRequestError("TopicPartitions must be there and empty when a member joins")
    # Either may be empty: such a member reads nothing, yet.
    if request.subscribed_topic_names is None and request.subscribed_topic_regex is None:
        raise InvalidRequestError("SubscribedTopicNames or SubscribedTopicRegex comes with the first heartbeat")


def _check_not_blank(name: str, value: str | None) -> None:
    if value is not None and not value.strip():
        raise InvalidRequestError(f"{name} is empty")


def _check_size(group: ConsumerGroup, member_id: str, config: GroupConfig) -> None:
    if len(group.members) >= config.consumer_max_size and member_id not in group.members:
        raise GroupMaxSizeReachedError(f"group {group.group_id!r} has {len(group.members)} members, no more may join")


def _check_epoch(member: Member, request: ConsumerGroupHeartbeatRequest) -> None:
    epoch, owned = request.member_epoch, request.topic_partitions
    if epoch == member.epoch:
        return
    # The reply with the next epoch may have been lost; then the member owns no more than it was given.
    is_repeated = epoch == member.previous_epoch and owned is not None and contains(member.assigned, owned)
    if epoch > member.epoch or not is_repeated:
        raise FencedMemberEpochError(
            f"member {member.member_id!r} is in epoch {member.epoch}, not {epoch}; "
            "it has to give up everything and join again"
        )


# Members -------------------------------------------------------------------------------------------------------------


def _find(turn: Turn, request: ConsumerGroupHeartbeatRequest, member_id: str) -> Member:
    """The member that sends the heartbeat; a new one where it joins."""
    joins = request.member_epoch == JOIN_EPOCH
    if request.instance_id is not None:
        return _find_static(turn, request, member_id, request.instance_id)
    member = turn.group.members.get(member_id)
    if member is None:
        if not joins:
            raise UnknownMemberIdError(f"{member_id!r} is no member of group {request.group_id!r}")
        return Member(member_id)
    _check_epoch(member, request)
    return member


def _find_static(turn: Turn, request: ConsumerGroupHeartbeatRequest, member_id: str, instance_id: str) -> Member:
    holder = turn.group.static_member(instance_id)
    if request.member_epoch == JOIN_EPOCH:
        if holder is None:
            return turn.group.members.get(member_id) or Member(member_id)
        if holder.classic is None and holder.epoch != STATIC_LEAVE_EPOCH:
            raise UnreleasedInstanceIdError(f"instance id {instance_id!r} is held by member {holder.member_id!r}")
        return replace_static_member(turn, holder, member_id)
    member = held_by(holder, member_id, instance_id)
    _check_epoch(member, request)
    return member


def _described(member: Member, command: ConsumerHeartbeat) -> Member:
    """The member with what its heartbeat says of it; what is not said is as it was."""
    request = command.request
    names = request.subscribed_topic_names
    regex = request.subscribed_topic_regex
    return replace(
        member,
        instance_id=member.instance_id if request.instance_id is None else request.instance_id,
        rack_id=member.rack_id if request.rack_id is None else request.rack_id,
        client_id=command.client_id,
        client_host=command.client_host,
        subscribed_topics=member.subscribed_topics if names is None else frozenset(names),
        subscribed_regex=member.subscribed_regex if regex is None else regex,
        rebalance_timeout_ms=(
            member.rebalance_timeout_ms if request.rebalance_timeout_ms == -1 else request.rebalance_timeout_ms
        ),
        server_assignor=member.server_assignor if request.server_assignor is None else request.server_assignor,
        classic=None,
    )
