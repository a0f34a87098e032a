"""StreamsGroupHeartbeat (88): a member joins with its topology, says which tasks it has, and learns which it may have.

Epoch 0 joins, a positive one goes on, -1 leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from embedkafka.coordinator.classic.group import Group as ClassicGroup
from embedkafka.coordinator.decision import REVOKE, Decision
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.streams.api import (
    MemberTasks,
    StreamsGroupHeartbeatReply,
    StreamsGroupHeartbeatRequest,
)
from embedkafka.coordinator.streams.commands import Soft, StreamsHeartbeat, StreamsHeartbeatResult
from embedkafka.coordinator.streams.configured import (
    ConfiguredTopology,
    Status,
    StatusCode,
    check_topology,
)
from embedkafka.coordinator.streams.endpoints import partitions_by_endpoint
from embedkafka.coordinator.streams.group import NOT_VALIDATED, StreamsGroup
from embedkafka.coordinator.streams.leave import leave
from embedkafka.coordinator.streams.member import (
    JOIN_EPOCH,
    LEAVE_EPOCH,
    STATIC_LEAVE_EPOCH,
    MemberState,
    StreamsMember,
)
from embedkafka.coordinator.streams.reconcile import Goal, reconcile
from embedkafka.coordinator.streams.serialized import assignment_record, epoch_record, member_record, topology_record
from embedkafka.coordinator.streams.target import update_target
from embedkafka.coordinator.streams.tasks import NO_TASKS, HeldTasks, TaskLists, Tasks, listed, task_set
from embedkafka.coordinator.streams.turn import StreamsTurn
from embedkafka.errors import (
    BrokerResponseError,
    FencedMemberEpochError,
    GroupIdNotFoundError,
    GroupMaxSizeReachedError,
    InvalidRequestError,
    StreamsInvalidTopologyError,
    UnknownMemberIdError,
)


def heartbeat(command: StreamsHeartbeat, group: AnyGroup | None, soft: Soft, moment: Moment) -> Decision:
    """Decide about a heartbeat; ``group`` is None where there is none yet, and may be of another type."""
    request = command.request
    try:
        _check(request)
        turn = _turn(request, group, soft, moment)
        if request.member_epoch == LEAVE_EPOCH:
            return leave(request, turn)
        return _go_on(command, turn)
    except BrokerResponseError as error:
        return Decision(reply=StreamsHeartbeatResult(StreamsGroupHeartbeatReply(error.errno, *error.args)))


def _turn(request: StreamsGroupHeartbeatRequest, group: AnyGroup | None, soft: Soft, moment: Moment) -> StreamsTurn:
    group_id = request.group_id
    if isinstance(group, StreamsGroup):
        return StreamsTurn(group, soft, moment)
    if request.member_epoch == JOIN_EPOCH and (group is None or (isinstance(group, ClassicGroup) and group.is_empty)):
        turn = StreamsTurn(StreamsGroup(group_id), soft, moment, is_new=True)
        if group is not None:
            turn.records += group.tombstones()
        return turn
    what = "there is no streams group" if group is None else f"a {group.group_type} group, no streams group, is"
    raise GroupIdNotFoundError(f"{what} {group_id!r}")


def _go_on(command: StreamsHeartbeat, turn: StreamsTurn) -> Decision:
    request = command.request
    joins = request.member_epoch == JOIN_EPOCH
    if joins:
        _check_size(turn)
    owned = _owned(request)
    member = _find(turn.group, request, owned)
    must_grow = _update_member(turn, member, _described(member, command))
    status = _stale(turn.group, turn.group.members[member.member_id])
    _update_topology(turn, request)
    configured = turn.group.configured(turn.moment.topics)
    assert configured is not None
    if owned is not None:
        _check_tasks(owned, configured)
    _update_epoch(turn, configured, must_grow=must_grow)
    delay_ms = turn.settings.streams_initial_rebalance_delay_ms
    if not turn.before.members and delay_ms > 0:
        turn.delay_assignment(delay_ms)
    status += update_target(turn, configured)
    updated = _step(turn, turn.group.members[member.member_id], owned)
    turn.start_session(updated.member_id)

    is_told = joins or updated.assigned != member.assigned
    soft = turn.soft
    if request.shutdown_application and soft.shutdown_by is None:
        soft = soft._replace(shutdown_by=updated.member_id)
    if is_told and updated.endpoint is not None:
        soft = soft._replace(endpoint_epoch=soft.endpoint_epoch + 1)
    if not turn.is_new:  # Kafka remembers nothing soft of a group that its records have not made yet
        turn.soft = soft
    if configured.problem is not None:
        status.append(configured.problem)
    if soft.shutdown_by is not None:
        status.append(
            Status(
                StatusCode.SHUTDOWN_APPLICATION, f"member {soft.shutdown_by} asked the whole application to shut down"
            )
        )
    reply = StreamsGroupHeartbeatReply(
        member_id=updated.member_id,
        member_epoch=updated.epoch,
        heartbeat_interval_ms=turn.settings.streams_heartbeat_interval_ms,
        status=status,
        tasks=_told(updated.assigned) if is_told else None,
        endpoint_information_epoch=turn.soft.endpoint_epoch,
        partitions_by_endpoint=(
            partitions_by_endpoint(turn.group.members.values(), configured, turn.moment.topics)
            if soft.endpoint_epoch != request.endpoint_information_epoch
            else None
        ),
    )
    return turn.decide(StreamsHeartbeatResult(reply, configured.missing))


def _told(held: HeldTasks) -> MemberTasks:
    return MemberTasks(*(listed(tasks) for tasks in held.tasks))


# Checks --------------------------------------------------------------------------------------------------------------


def _check(request: StreamsGroupHeartbeatRequest) -> None:
    epoch = request.member_epoch
    if request.instance_id is not None:
        raise InvalidRequestError("InstanceId is set, static members of streams groups are not supported yet")
    if request.task_offsets:
        raise InvalidRequestError("TaskOffsets or TaskEndOffsets is set, they are not supported yet")
    if request.warmup_tasks:
        raise InvalidRequestError("WarmupTasks is set, they are not supported yet")
    if request.topology is not None and any(each.source_topic_regex for each in request.topology.subtopologies):
        raise InvalidRequestError("SourceTopicRegex is set, it is not supported yet")
    for name, value in (("MemberId", request.member_id), ("GroupId", request.group_id), ("RackId", request.rack_id)):
        if value is not None and not value.strip():
            raise InvalidRequestError(f"{name} is empty")
    if epoch == STATIC_LEAVE_EPOCH:
        raise InvalidRequestError("InstanceId is missing, only a static member can leave for a while")
    if epoch < STATIC_LEAVE_EPOCH:
        raise InvalidRequestError(f"MemberEpoch is {epoch}")
    if epoch == JOIN_EPOCH:
        _check_join(request)
    elif request.topology is not None:
        raise InvalidRequestError("Topology comes with the first heartbeat only")
    roles = (request.active_tasks, request.standby_tasks, request.warmup_tasks)
    if any(each is not None for each in roles) and any(each is None for each in roles):
        raise InvalidRequestError("ActiveTasks, StandbyTasks and WarmupTasks come together")


def _check_join(request: StreamsGroupHeartbeatRequest) -> None:
    if request.rebalance_timeout_ms == -1:
        raise InvalidRequestError("RebalanceTimeoutMs is missing, it comes with the first heartbeat")
    if any(each is None or each for each in (request.active_tasks, request.standby_tasks, request.warmup_tasks)):
        raise InvalidRequestError("ActiveTasks, StandbyTasks, WarmupTasks must be there and empty when a member joins")
    if request.topology is None:
        raise InvalidRequestError("Topology is missing, it comes with the first heartbeat")
    if request.topology.epoch < 0:
        raise InvalidRequestError(f"the topology's epoch is {request.topology.epoch}")
    check_topology(request.topology)


def _check_size(turn: StreamsTurn) -> None:
    group, limit = turn.group, turn.moment.config.streams_max_size
    if len(group.members) >= limit:  # whoever joins again, too, as in Kafka
        raise GroupMaxSizeReachedError(
            f"streams group {group.group_id!r} has {len(group.members)} members, no more fit"
        )


def _check_epoch(member: StreamsMember, epoch: int, owned: Tasks | None) -> None:
    if epoch == member.epoch:
        return
    # The reply with the next epoch may have been lost; then the member has no more than it was given.
    is_repeated = epoch == member.previous_epoch and owned is not None and member.assigned.tasks.contains(owned)
    if epoch > member.epoch or not is_repeated:
        raise FencedMemberEpochError(
            f"member {member.member_id!r} is in epoch {member.epoch}, not {epoch}; "
            "it has to give up everything and join again"
        )


def _check_tasks(owned: Tasks, configured: ConfiguredTopology) -> None:
    if not configured.is_ready:
        return
    for task in sorted(frozenset().union(*owned)):
        subtopology = configured.subtopologies.get(task.subtopology_id)
        if subtopology is None or not 0 <= task.partition < subtopology.task_count:
            raise InvalidRequestError(f"the topology has no task {task.subtopology_id}_{task.partition}")


# Members -------------------------------------------------------------------------------------------------------------


def _owned(request: StreamsGroupHeartbeatRequest) -> Tasks | None:
    """The tasks that the member says it has; None where it did not say."""
    roles: Sequence[TaskLists | None] = (request.active_tasks, request.standby_tasks, request.warmup_tasks)
    return Tasks(*(task_set(each) for each in roles if each is not None)) if None not in roles else None


def _find(group: StreamsGroup, request: StreamsGroupHeartbeatRequest, owned: Tasks | None) -> StreamsMember:
    """The member that sends the heartbeat; a new one where it joins."""
    member = group.members.get(request.member_id)
    if request.member_epoch == JOIN_EPOCH:
        return member or StreamsMember(request.member_id)
    if member is None:
        raise UnknownMemberIdError(f"{request.member_id!r} is no member of streams group {request.group_id!r}")
    _check_epoch(member, request.member_epoch, owned)
    return member


def _described(member: StreamsMember, command: StreamsHeartbeat) -> StreamsMember:
    """The member with what its heartbeat says of it; what is not said is as it was."""
    request = command.request
    timeout_ms, topology, tags = request.rebalance_timeout_ms, request.topology, request.client_tags
    return replace(
        member,
        rack_id=member.rack_id if request.rack_id is None else request.rack_id,
        client_id=command.client_id,
        client_host=command.client_host,
        rebalance_timeout_ms=member.rebalance_timeout_ms if timeout_ms == -1 else timeout_ms,
        topology_epoch=member.topology_epoch if topology is None else topology.epoch,
        process_id=member.process_id if request.process_id is None else request.process_id,
        endpoint=member.endpoint if request.endpoint is None else request.endpoint,
        client_tags=member.client_tags if tags is None else _sorted(tags),
    )


def _sorted(tags: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(tags.items()))


def _update_member(turn: StreamsTurn, old: StreamsMember, new: StreamsMember) -> bool:
    """Write what a member says of itself; True if it is new."""
    if new == old and new.member_id in turn.group.members:
        return False
    turn.write(member_record(turn.group.group_id, new))
    return True


# The group -----------------------------------------------------------------------------------------------------------


def _stale(group: StreamsGroup, member: StreamsMember) -> list[Status]:
    if group.topology is None or member.topology_epoch >= group.topology.epoch:
        return []
    detail = f"the member's topology has epoch {member.topology_epoch}, the group's {group.topology.epoch}"
    return [Status(StatusCode.STALE_TOPOLOGY, detail)]


def _update_topology(turn: StreamsTurn, request: StreamsGroupHeartbeatRequest) -> None:
    """Take the first member's topology; nobody can change it afterwards, yet."""
    known, sent = turn.group.topology, request.topology
    if known is None:
        if sent is None:
            raise StreamsInvalidTopologyError(f"streams group {request.group_id!r} has no topology")
        turn.write(topology_record(request.group_id, sent))
    elif sent is not None and sent.epoch >= known.epoch and not sent.same_as(known):
        raise InvalidRequestError("the group has another topology, and updates of it are not supported yet")


def _update_epoch(turn: StreamsTurn, configured: ConfiguredTopology, *, must_grow: bool) -> None:
    """Bump the group's epoch where members, topics or settings have changed; a new assignment follows from that."""
    group = turn.group
    assert group.topology is not None
    metadata_hash = turn.moment.topics.hash_of(group.topology.required_topics())
    validated = configured.epoch if configured.is_ready else NOT_VALIDATED
    now = (metadata_hash, validated, turn.assignment_configs)
    if must_grow or now != (group.metadata_hash, group.validated_topology_epoch, group.configs):
        turn.write(epoch_record(group.group_id, group.epoch + 1, *now))


def _step(turn: StreamsTurn, member: StreamsMember, owned: Tasks | None) -> StreamsMember:
    """Bring a member one step towards its target, and write that."""
    group = turn.group
    if member.is_reconciled_to(group.assignment_epoch):
        return member
    target = NO_TASKS if turn.soft.is_delayed else group.target_of(member.member_id)
    updated = reconcile(member, Goal(group.assignment_epoch, target, group.holders(), owned))
    if updated == member:
        return member
    turn.write(assignment_record(group.group_id, updated))
    if updated.state is MemberState.UNREVOKED_TASKS:
        turn.expect_revocation(updated)
    else:
        turn.cancel(REVOKE, updated.member_id)
    return updated
