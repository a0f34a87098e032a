"""Topics' names by their ids, for members whose group speaks of ids."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from embedkafka.errors import UnknownTopicOrPartitionError

if TYPE_CHECKING:
    from embedkafka.client.link import EmbeddedLink


class TopicIds:
    """What is known of topics' ids; an id stays its topic's."""

    def __init__(self, link: EmbeddedLink) -> None:
        self._link = link
        self._names: dict[UUID, str] = {}

    def learn(self, names: Iterable[str]) -> None:
        """Look topics up by name: those that a member asks for it need not look for among all."""
        for name in names:
            with suppress(UnknownTopicOrPartitionError):
                self._names[self._link.topic(name).topic_id] = name

    def name_of(self, topic_id: UUID) -> str | None:
        """The topic's name; None where it was deleted a moment ago."""
        if topic_id not in self._names:
            self._names.update({topic.topic_id: topic.topic for topic in self._link.topics()})
        return self._names.get(topic_id)

    def by_name(self) -> dict[str, UUID]:
        """The id of each topic that is known; of two of one name the younger."""
        return {name: topic_id for topic_id, name in self._names.items()}
