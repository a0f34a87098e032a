"""AlterShareGroupOffsets (91) and DeleteShareGroupOffsets (92): an operator's hand on a group without members.

What they want is written here; the shell carries it out with the share coordinator.
"""

from __future__ import annotations

from uuid import UUID

from embedkafka.coordinator.decision import Decision
from embedkafka.coordinator.group_type import AnyGroup
from embedkafka.coordinator.moment import Moment
from embedkafka.coordinator.share.api import (
    AlteredShareGroupOffset,
    AlterShareGroupOffsetsReply,
    AlterShareGroupOffsetsRequest,
    DeletedShareGroupTopic,
    DeleteShareGroupOffsetsReply,
    DeleteShareGroupOffsetsRequest,
)
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.share.serialized import states_record
from embedkafka.coordinator.share.states import TopicState
from embedkafka.coordinator.share.turn import ShareTurn
from embedkafka.coordinator.topics import Topics
from embedkafka.errors import (
    BrokerResponseError,
    GroupIdNotFoundError,
    InvalidGroupIdError,
    NonEmptyGroupError,
    UnknownTopicOrPartitionError,
)
from embedkafka.model import TopicPartition


def alter_offsets(command: AlterShareGroupOffsetsRequest, group: AnyGroup | None, moment: Moment) -> Decision:
    """Want states initialized with new start offsets; a group that is not there comes into being, as in Kafka."""
    try:
        turn = ShareTurn(_without_members(command.group_id, group, create=True), moment)
    except BrokerResponseError as error:
        return Decision(reply=AlterShareGroupOffsetsReply(error.errno, *error.args))
    results = {each: _altered(each, moment.topics) for each in command.offsets}
    wanted: dict[UUID, TopicState] = {}
    for topic_partition, result in results.items():
        if not result.error_code:
            known = wanted.get(result.topic_id)
            partitions = (known.partitions if known else frozenset()) | {topic_partition.partition}
            wanted[result.topic_id] = TopicState(topic_partition.topic, partitions)
    if wanted:
        turn.write(states_record(command.group_id, turn.group.states.asked_for(wanted)))
    return turn.decide(AlterShareGroupOffsetsReply(offsets=results))


def _altered(topic_partition: TopicPartition, topics: Topics) -> AlteredShareGroupOffset:
    topic = topics.named(topic_partition.topic)
    if topic is None or not 0 <= topic_partition.partition < topic.partition_count:
        message = f"there is no partition {topic_partition.topic}-{topic_partition.partition}"
        return AlteredShareGroupOffset(UnknownTopicOrPartitionError.errno, message)
    return AlteredShareGroupOffset(topic_id=topic.topic_id)


def delete_offsets(command: DeleteShareGroupOffsetsRequest, group: AnyGroup | None, moment: Moment) -> Decision:
    """Want the states of whole topics deleted; what an earlier attempt left is wanted again."""
    try:
        turn = ShareTurn(_without_members(command.group_id, group, create=False), moment)
    except BrokerResponseError as error:
        return Decision(reply=DeleteShareGroupOffsetsReply(error.errno, *error.args))
    states = turn.group.states
    results = [_deleted(name, moment.topics, states.topic_ids()) for name in dict.fromkeys(command.topics)]
    after = states.deleting_topics([each.topic_id for each in results if not each.error_code])
    if after != states:
        turn.write(states_record(command.group_id, after))
    return turn.decide(DeleteShareGroupOffsetsReply(topics=results))


def _deleted(name: str, topics: Topics, with_state: set[UUID]) -> DeletedShareGroupTopic:
    topic = topics.named(name)
    if topic is None:
        return DeletedShareGroupTopic(name, UnknownTopicOrPartitionError.errno, f"there is no topic {name!r}")
    if topic.topic_id not in with_state:
        message = "There is no offset information to delete."
        return DeletedShareGroupTopic(name, UnknownTopicOrPartitionError.errno, message)
    return DeletedShareGroupTopic(name, topic_id=topic.topic_id)


def _without_members(group_id: str, group: AnyGroup | None, *, create: bool) -> ShareGroup:
    if not group_id:
        raise InvalidGroupIdError("a group id may not be empty")
    if group is None and create:
        return ShareGroup(group_id)
    if not isinstance(group, ShareGroup):
        raise GroupIdNotFoundError(f"there is no share group {group_id!r}")
    if group.members:
        raise NonEmptyGroupError(f"share group {group_id!r} has {len(group.members)} members")
    return group
