"""Limits over the wire; the answers are those of Apache Kafka 4.3.1."""

from __future__ import annotations

from server.peers import WirePeer

from embedkafka.protocol.apis import api_49_alter_client_quotas as altering


def test_an_entitys_parts_are_told_by_type(peer: WirePeer) -> None:
    entity = [altering.EntityData("user", "u"), altering.EntityData("client-id", "c")]
    limit = altering.OpData("producer_byte_rate", 1000.0, False)
    request = altering.AlterClientQuotasRequest([altering.EntryData(entity, [limit])], validate_only=True)
    (result,) = peer.ask(49, 1, request).entries
    assert [part.entity_type for part in result.entity] == ["client-id", "user"]
