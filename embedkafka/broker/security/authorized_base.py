"""What the parts of the authorized port share: how they ask for the rights of each API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from embedkafka.broker import api
from embedkafka.broker.api import CLUSTER_NAME, AclOperation, AclResourceType
from embedkafka.broker.port import BrokerPort
from embedkafka.broker.security.acl_checks import GROUP_DENIED, RIGHTS, TOPIC_DENIED
from embedkafka.broker.security.acls import bit_field
from embedkafka.broker.security.authorizer import Authorizer
from embedkafka.model import TopicPartition

if TYPE_CHECKING:
    from embedkafka.broker.engine import Engine


HIDDEN_TOPICS = "The group has described topic(s) that the client is not authorized to describe."

G = TypeVar("G", api.DescribedConsumerGroup, api.DescribedShareGroup, api.DescribedStreamsGroup)
K = TypeVar("K")
R = TypeVar("R")


class AuthorizedBase(BrokerPort):
    """A port that asks an authorizer first."""

    def __init__(self, engine: Engine, broker_id: int, authorizer: Authorizer) -> None:
        super().__init__(engine, broker_id)
        self._authorizer = authorizer

    def is_authorized(self, context: api.RequestContext, operation: int, resource_type: int, name: str) -> bool:
        return self._authorizer.allows(context, operation, resource_type, name)

    def authorized_operations(self, context: api.RequestContext, resource_type: int, name: str) -> int:
        if resource_type == AclResourceType.CLUSTER and not self._authorizer.allows(
            context, AclOperation.DESCRIBE, resource_type, name
        ):
            return 0
        return bit_field(self._authorizer.allowed_operations(context, resource_type, name))

    def _may_cluster(self, context: api.RequestContext, api_key: int) -> bool:
        operation = RIGHTS[api_key].cluster
        assert operation is not None
        return self._authorizer.allows(context, operation, AclResourceType.CLUSTER, CLUSTER_NAME)

    def _may_group(self, context: api.RequestContext, api_key: int, group_id: str) -> bool:
        operation = RIGHTS[api_key].group
        assert operation is not None
        return self._authorizer.allows(context, operation, AclResourceType.GROUP, group_id)

    def _may_transact(self, context: api.RequestContext, api_key: int, transactional_id: str) -> bool:
        operation = RIGHTS[api_key].transactional_id
        assert operation is not None
        return self._authorizer.allows(context, operation, AclResourceType.TRANSACTIONAL_ID, transactional_id)

    def _denied_topics(self, context: api.RequestContext, api_key: int, topics: Iterable[str]) -> set[str]:
        """Those of the topics that the caller may not use for this."""
        operation = RIGHTS[api_key].topic
        assert operation is not None
        if context.in_process:
            return set()
        allows = self._authorizer.allows
        return {topic for topic in set(topics) if not allows(context, operation, AclResourceType.TOPIC, topic)}

    def _denied_partitions(
        self, context: api.RequestContext, api_key: int, partitions: Iterable[TopicPartition]
    ) -> list[TopicPartition]:
        """The partitions of such topics, in the order asked."""
        asked = list(partitions)
        denied = self._denied_topics(context, api_key, [each.topic for each in asked])
        return [each for each in asked if each.topic in denied]

    def _denied_groups(self, context: api.RequestContext, api_key: int, group_ids: Sequence[str]) -> list[str]:
        return [each for each in group_ids if not self._may_group(context, api_key, each)]

    def _describe(
        self,
        context: api.RequestContext,
        api_key: int,
        group_ids: Sequence[str],
        describe: Callable[[api.RequestContext, Sequence[str]], Sequence[G]],
        topics_of: Callable[[G], Iterable[str]],
        refused: Callable[..., G],
    ) -> list[G]:
        """Groups with their members, but those that are denied, or that read topics which are.

        Args:
            describe: describes groups without asking.
            topics_of: the topics that a group's members read or subscribe to.
            refused: makes an answer of group id, error code and message.
        """
        denied = self._denied_groups(context, api_key, group_ids)
        shown = [
            refused(group.group_id, TOPIC_DENIED, HIDDEN_TOPICS)
            if self._denied_topics(context, api_key, topics_of(group))
            else group
            for group in describe(context, [each for each in group_ids if each not in denied])
        ]
        return woven(group_ids, shown, {each: refused(each, GROUP_DENIED) for each in denied})


def woven(asked: Iterable[K], answers: Iterable[R], refused: Mapping[K, R]) -> list[R]:
    """Answers in the order asked: the refusals, and between them ``answers``, one for each of the others."""
    others = iter(answers)
    return [refused[each] if each in refused else next(others) for each in asked]
