"""What clients infer a release from: the APIs that the listener offers, with their versions."""

from __future__ import annotations

from server.peers import WirePeer

from embedkafka.protocol.apis import NAMES, api
from embedkafka.protocol.apis.api_18_api_versions import ApiVersionsRequest

TELEMETRY = {71, 72}  # offered by brokers that have a plugin for it (KIP-714)


def test_every_api_of_a_broker_of_kafka_4_3_is_offered(peer: WirePeer) -> None:
    response = peer.ask(18, 4, ApiVersionsRequest("test", "1"))
    offered = {each.api_key: (each.min_version, each.max_version) for each in response.api_keys}
    expected = {key: (api(key).advertised.lowest, api(key).advertised.highest) for key in NAMES}
    assert offered == {key: versions for key, versions in expected.items() if key not in TELEMETRY}
