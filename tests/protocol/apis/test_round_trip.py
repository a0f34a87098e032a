"""Every message of every version comes back from its bytes, and the tables are those of Kafka 4.3."""

from __future__ import annotations

import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol.apis.messages import FEW, KINDS, Kind

from embedkafka.errors import UnsupportedVersionError
from embedkafka.protocol import apis
from embedkafka.protocol.apis import NAMES, advertised, api

# What Apache Kafka 4.3.1 answers on a broker's listener, with the two of KIP-714, which it offers where a telemetry
# plugin is configured.
OF_KAFKA_4_3 = {
    0: "0-13", 1: "4-18", 2: "1-11", 3: "0-13", 8: "2-10", 9: "1-10", 10: "0-6", 11: "0-9", 12: "0-4", 13: "0-5",
    14: "0-5", 15: "0-6", 16: "0-5", 17: "0-1", 18: "0-4", 19: "2-7", 20: "1-6", 21: "0-2", 22: "0-5", 23: "2-4",
    24: "0-5", 25: "0-4", 26: "0-5", 27: "1-2", 28: "0-5", 29: "1-3", 30: "1-3", 31: "1-3", 32: "1-4", 33: "0-2",
    34: "1-2", 35: "1-5", 36: "0-2", 37: "0-3", 38: "1-3", 39: "1-2", 40: "1-2", 41: "1-3", 42: "0-2", 43: "0-2",
    44: "0-1", 45: "0-1", 46: "0-0", 47: "0-0", 48: "0-1", 49: "0-1", 50: "0-0", 51: "0-0", 55: "0-2", 57: "0-2",
    60: "0-2", 61: "0-0", 64: "0-0", 65: "0-0", 66: "0-2", 68: "0-1", 69: "0-1", 71: "0-0", 72: "0-0", 74: "0-1",
    75: "0-0", 76: "1-1", 77: "1-1", 78: "1-2", 79: "1-2", 80: "0-1", 81: "0-0",
    83: "0-0", 84: "0-0", 85: "0-1", 86: "0-0", 87: "0-1", 88: "0-0", 89: "0-0", 90: "0-1", 91: "0-0", 92: "0-0",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=str)
@FEW
@given(st.data())
def test_what_is_encoded_is_decoded(kind: Kind, data: st.DataObject) -> None:
    message = data.draw(kind.messages())
    assert kind.decode(kind.encode(message)) == message


def test_the_advertised_versions_are_those_of_kafka_4_3() -> None:
    assert {key: f"{api(key).advertised.lowest}-{api(key).advertised.highest}" for key in NAMES} == OF_KAFKA_4_3


def test_the_versions_that_are_told_without_a_file_are_those_of_the_file() -> None:
    assert {key: advertised(key) for key in NAMES} == {key: api(key).advertised for key in NAMES}


@pytest.mark.parametrize("key", NAMES)
def test_request_and_response_have_the_same_versions(key: int) -> None:
    assert api(key).request.versions == api(key).response.versions
    assert api(key).key == key


def test_every_file_is_in_the_list() -> None:
    files = {module.name for module in pkgutil.iter_modules(apis.__path__)}
    assert files == {f"api_{key:02d}_{name}" for key, name in NAMES.items()}


@pytest.mark.parametrize("key", [4, 62, 93, -1])
def test_an_api_that_clients_do_not_have_is_refused(key: int) -> None:
    with pytest.raises(UnsupportedVersionError, match=f"no API {key}"):
        api(key)


def test_only_flexible_versions_have_flexible_headers() -> None:
    fetch = api(1)
    assert [fetch.request_header_version(version) for version in (4, 11, 12, 18, 99)] == [1, 1, 2, 2, 2]
    assert [fetch.response_header_version(version) for version in (4, 11, 12, 18)] == [0, 0, 1, 1]


def test_a_response_about_versions_has_the_header_that_every_client_reads() -> None:
    assert [api(18).request_header_version(version) for version in (0, 2, 3, 4, 99)] == [1, 1, 2, 2, 2]
    assert {api(18).response_header_version(version) for version in range(5)} == {0}


def test_a_sasl_handshake_is_never_flexible() -> None:
    assert {api(17).request_header_version(version) for version in (0, 1)} == {1}
