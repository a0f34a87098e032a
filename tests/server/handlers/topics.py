"""Topics for the handlers' tests."""

from __future__ import annotations

from uuid import UUID

from server.peers import WirePeer

from embedkafka import EmbeddedKafka
from embedkafka.protocol.apis.api_03_metadata import MetadataRequest, MetadataRequestTopic


def create(kafka: EmbeddedKafka, peer: WirePeer, name: str, partitions: int = 1) -> UUID:
    """A new topic's id."""
    kafka.create_topic(name, partitions)
    topic_id: UUID = peer.ask(3, 12, MetadataRequest([MetadataRequestTopic(name=name)])).topics[0].topic_id
    return topic_id
