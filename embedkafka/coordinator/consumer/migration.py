"""Groups change their type online (KIP-848): classic to consumer and back.

*Upgrade*: the first member of the consumer protocol that joins a classic group of consumers turns it into a consumer
group.  Who is in it goes on with the classic protocol (:mod:`~embedkafka.coordinator.consumer.classic_member`), keeps
its partitions, and learns of the rebalance by its next heartbeat.

*Downgrade*: when the last member of the consumer protocol goes, those that are left get their classic group back, which
rebalances.  If a member of the classic protocol takes that last one's place (a static member restarted with another
protocol), nothing has to move.

An empty group of either type is simply deleted by the first member that joins with the other protocol.
``group.consumer.migration.policy`` can forbid both directions.
"""

from __future__ import annotations

from embedkafka.coordinator.api import JoinGroupReply, SyncGroupReply
from embedkafka.coordinator.assignment import Owned, Partitions, partitions_of
from embedkafka.coordinator.classic import group as classic
from embedkafka.coordinator.classic.rebalance import prepare
from embedkafka.coordinator.classic.turn import Turn as ClassicTurn
from embedkafka.coordinator.config import GroupConfig
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.consumer.member import ClassicPart, Member
from embedkafka.coordinator.consumer.serialized import (
    current_record,
    epoch_record,
    member_record,
    target_epoch_record,
    target_record,
)
from embedkafka.coordinator.consumer.turn import MEMBER_TIMERS, Turn
from embedkafka.coordinator.decision import ASSIGN, JOIN, SESSION, SYNC, Decision, ParkKey, Timer, TimerKey
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.topics import Topics
from embedkafka.errors import GroupIdNotFoundError, KafkaProtocolError, RebalanceInProgressError
from embedkafka.protocol.consumer.assignment import ConsumerProtocolAssignment, decode_assignment, encode_assignment
from embedkafka.protocol.consumer.subscription import decode_subscription

# Classic to consumer -------------------------------------------------------------------------------------------------


def turn_for_join(group_id: str, group: AnyGroup | None, moment: Moment) -> Turn:
    """The turn of a member that joins with the consumer protocol, whatever there is under the group's id.

    Raises:
        GroupIdNotFoundError: there is a group that is not, and may not become, a consumer group.
    """
    if group is None:
        return Turn(ConsumerGroup(group_id), moment)
    if isinstance(group, ConsumerGroup):
        return Turn(group, moment)
    if not isinstance(group, classic.Group):
        raise GroupIdNotFoundError(f"group {group_id!r} is no consumer group")
    turn = Turn(ConsumerGroup(group_id), moment)
    turn.records += group.tombstones()
    for member_id in group.pending_members:
        turn.cancel(SESSION, member_id)
    if group.state is not classic.GroupState.EMPTY:
        _check_upgrade(group, moment.config)
        _upgrade(group, turn)
    return turn


def _check_upgrade(group: classic.Group, config: GroupConfig) -> None:
    if not config.consumer_migration_policy.allows_upgrade:
        reason = "group.consumer.migration.policy forbids it to become one"
    elif not group.is_consumer_group():
        reason = f"its members speak {group.protocol_type!r}"
    elif len(group.members) > config.consumer_max_size:
        reason = f"its {len(group.members)} members are too many for one"
    else:
        return
    raise GroupIdNotFoundError(f"group {group.group_id!r} is no consumer group: {reason}")


def _upgrade(group: classic.Group, turn: Turn) -> None:
    """Write the classic group's members as those of a consumer group, stable with the partitions they have."""
    group_id, epoch, moment = group.group_id, group.generation_id, turn.moment
    try:
        members = [_upgraded(each, group, moment.topics) for each in group.members.values()]
    except KafkaProtocolError as error:
        raise GroupIdNotFoundError(f"group {group_id!r} cannot become a consumer group: {error}") from None
    turn.write(
        *(member_record(group_id, member) for member in members),
        epoch_record(group_id, epoch, 0),
        *(target_record(group_id, member.member_id, partitions_of(member.assigned)) for member in members),
        target_epoch_record(group_id, epoch, 0),
        *(current_record(group_id, member) for member in members),
    )
    turn.cancel(JOIN)
    turn.cancel(SYNC)
    rebalancing = RebalanceInProgressError.errno
    for each in group.members.values():
        if each.awaiting_join:
            reply = JoinGroupReply(rebalancing, member_id=each.member_id)
            turn.completions.append((ParkKey(JOIN, group_id, each.member_id), reply))
        if each.awaiting_sync:
            turn.completions.append((ParkKey(SYNC, group_id, each.member_id), SyncGroupReply(rebalancing)))
    for member in members:
        turn.start_session(member)


def _upgraded(member: classic.Member, group: classic.Group, topics: Topics) -> Member:
    # A group that never finished a rebalance has no protocol yet; the member's first one is as good as any.
    metadata = member.metadata(group.protocol_name) or member.protocols[0][1]
    subscription = decode_subscription(metadata)
    owned = ids_of(decode_assignment(member.assignment), topics)
    return Member(
        member_id=member.member_id,
        instance_id=member.group_instance_id,
        rack_id=subscription.rack_id or None,
        client_id=member.client_id,
        client_host=member.client_host,
        subscribed_topics=frozenset(subscription.topics),
        rebalance_timeout_ms=member.rebalance_timeout_ms,
        classic=ClassicPart(member.session_timeout_ms, member.protocols),
        epoch=group.generation_id,
        previous_epoch=group.generation_id,
        assigned={topic_id: dict.fromkeys(partitions, group.generation_id) for topic_id, partitions in owned.items()},
    )


def ids_of(assignment: ConsumerProtocolAssignment, topics: Topics) -> Partitions:
    """Partitions by topic id; those of topics that do not exist are left out."""
    found: dict[object, list[int]] = {}
    for name, partitions in assignment.assigned_partitions:
        topic = topics.named(name)
        if topic is not None and partitions:
            found.setdefault(topic.topic_id, []).extend(partitions)
    return found  # type: ignore[return-value] # ids are UUIDs


# Consumer to classic -------------------------------------------------------------------------------------------------


def may_downgrade(group: ConsumerGroup, leaving_member_id: str, config: GroupConfig, *, stays: bool) -> bool:
    """Whether the group shall become a classic one.

    Args:
        leaving_member_id: who goes.
        stays: its place is taken by a member of the classic protocol, so that the group is no smaller.
    """
    leaving = group.members[leaving_member_id]
    only_classic_left = leaving.classic is None and group.classic_count == len(group.members) - 1
    return only_classic_left and _may_be_classic(len(group.members) - (not stays), config)


def only_classic_are_left(group: ConsumerGroup, before: ConsumerGroup, config: GroupConfig) -> bool:
    """Whether the group shall become a classic one, now that several members have gone."""
    has_changed = before.classic_count < len(before.members) and group.classic_count == len(group.members)
    return has_changed and _may_be_classic(len(group.members), config)


def _may_be_classic(size: int, config: GroupConfig) -> bool:
    return 0 < size <= config.max_size and config.consumer_migration_policy.allows_downgrade


def downgrade(turn: Turn, leaving_member_id: str, reply: object, *, joined: Member | None = None) -> Decision:
    """Write the group as a classic one.

    Args:
        turn: what it wants written is of a group that ends here, and is dropped.
        leaving_member_id: who is not in it any more; empty where the turn says that already.
        joined: who took that one's place; without, the group rebalances.
    """
    group, moment = turn.group, turn.moment
    group_id = group.group_id
    members = [member for member in group.members.values() if member.member_id != leaving_member_id]
    converted = _classic_group(group, members, moment)
    classic_turn = ClassicTurn(classic.Group(group_id), moment.config, moment.now_ms)
    classic_turn.group = converted
    classic_turn.store_group()
    for each in converted.members.values():
        classic_turn.start_session(each.member_id, each.session_timeout_ms)
    if joined is None:
        prepare(classic_turn)
    decision = classic_turn.decide(reply)
    ended = [
        Timer(TimerKey(kind, group_id, member_id))
        for member_id in group.members.keys() | turn.before.members.keys()
        for kind in MEMBER_TIMERS
    ]
    return decision._replace(
        records=[*turn.before.tombstones(), *decision.records],
        timers=[*ended, Timer(TimerKey(ASSIGN, group_id)), *decision.timers],
        completions=[*turn.completions, *decision.completions],
    )


def _classic_group(group: ConsumerGroup, members: list[Member], moment: Moment) -> classic.Group:
    converted = classic.Group(
        group.group_id,
        state=classic.GroupState.STABLE,
        generation_id=group.epoch,
        protocol_type=classic.CONSUMER_PROTOCOL_TYPE,
        leader=members[0].member_id,
        state_timestamp_ms=moment.now_ms,
        members={member.member_id: _downgraded(member, moment.topics) for member in members},
    )
    converted.protocol_name = converted.select_protocol()
    return converted


def _downgraded(member: Member, topics: Topics) -> classic.Member:
    assert member.classic is not None, f"{member.member_id} does not speak the classic protocol"
    return classic.Member(
        member_id=member.member_id,
        group_instance_id=member.instance_id,
        client_id=member.client_id,
        client_host=member.client_host,
        rebalance_timeout_ms=member.rebalance_timeout_ms,
        session_timeout_ms=member.classic.session_timeout_ms,
        protocols=member.classic.protocols,
        assignment=assignment_bytes(member.assigned, member.classic, topics),
    )


def assignment_bytes(owned: Owned, part: ClassicPart, topics: Topics) -> bytes:
    """Partitions as a member of the classic protocol is told them, in the version of its own subscription."""
    named = [(topics.with_id(topic_id), partitions) for topic_id, partitions in owned.items()]
    return encode_assignment(
        ConsumerProtocolAssignment(
            decode_subscription(part.protocols[0][1]).version,
            [(topic.name, sorted(partitions)) for topic, partitions in named if topic is not None],  # type: ignore[misc] # pairs are taken
        )
    )
