"""Fetch sessions (KIP-227), by themselves and on the wire."""

from __future__ import annotations

import random

import pytest
from server.peers import WirePeer, fetch_request, produce_request

from embedkafka import EmbeddedKafka
from embedkafka.protocol.apis.api_01_fetch import ForgottenTopic
from embedkafka.server.fetch_sessions import Asked, FetchSessions, SessionKey, next_epoch


class Time:
    now_ms = 0.0

    def __call__(self) -> float:
        return self.now_ms


def asked(count: int, name: str = "t") -> dict[SessionKey, Asked]:
    return {SessionKey(name, number): Asked(0, 100) for number in range(count)}


def sessions(slots: int) -> tuple[FetchSessions, Time]:
    time = Time()
    return FetchSessions(slots, time, random.Random(0)), time


def test_an_epoch_never_becomes_one_with_a_meaning_of_its_own() -> None:
    assert next_epoch(1) == 2
    assert next_epoch(2**31 - 1) == 1


def test_without_room_there_is_no_session() -> None:
    found, _ = sessions(1)
    assert found.create(asked(1), uses_topic_ids=False) is not None
    assert found.create(asked(9), uses_topic_ids=False) is None
    assert sessions(0)[0].create(asked(1), uses_topic_ids=False) is None


def test_the_longest_unused_makes_room_after_two_minutes() -> None:
    found, time = sessions(2)
    one = found.create(asked(5), uses_topic_ids=False)
    two = found.create(asked(5), uses_topic_ids=False)
    assert one is not None
    assert two is not None
    time.now_ms = 60_000
    found.find(one.session_id)
    time.now_ms = 120_001
    assert found.create(asked(1), uses_topic_ids=False) is not None
    assert found.find(two.session_id) is None
    assert found.find(one.session_id) is one


def test_an_old_small_session_makes_room_for_a_larger_one_although_it_is_in_use() -> None:
    found, time = sessions(1)
    small = found.create(asked(2), uses_topic_ids=False)
    assert small is not None
    time.now_ms = 120_001
    found.find(small.session_id)
    assert found.create(asked(2), uses_topic_ids=False) is None
    assert found.create(asked(3), uses_topic_ids=False) is not None
    assert found.find(small.session_id) is None


def test_a_session_reads_round_robin_where_records_were_handed_out() -> None:
    found, _ = sessions(1)
    session = found.create(asked(3), uses_topic_ids=False)
    assert session is not None
    news = {"error_code": 0, "high_watermark": 5, "log_start_offset": 0}
    session.has_news(SessionKey("t", 0), has_records=True, **news)
    assert [key.partition for key in session.partitions] == [1, 2, 0]


# On the wire ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def filled(kafka: EmbeddedKafka, peer: WirePeer) -> WirePeer:
    kafka.create_topic("t", 2)
    for partition in range(2):
        peer.ask(0, 9, produce_request("t", [b"one"], partition=partition))
    return peer


def begin(peer: WirePeer) -> int:
    request = fetch_request("t", 0, session_epoch=0)
    request.topics[0].partitions.append(fetch_request("t", 0, partition=1).topics[0].partitions[0])
    response = peer.ask(1, 12, request)
    assert [each.partition_index for each in response.responses[0].partitions] == [0, 1]
    assert response.session_id > 0
    session_id: int = response.session_id
    return session_id


def incremental(session_id: int, epoch: int, **fields: object) -> object:
    request = fetch_request("t", 0, session_id=session_id, session_epoch=epoch, **fields)
    request.topics = []
    return request


def test_an_incremental_fetch_hears_only_of_what_is_new(filled: WirePeer) -> None:
    session_id = begin(filled)
    request = fetch_request("t", 1, session_id=session_id, session_epoch=1)
    request.topics[0].partitions.append(fetch_request("t", 1, partition=1).topics[0].partitions[0])
    assert filled.ask(1, 12, request).responses == []
    filled.ask(0, 9, produce_request("t", [b"two"], partition=1))
    (topic,) = filled.ask(1, 12, incremental(session_id, 2)).responses
    (partition,) = topic.partitions
    assert (partition.partition_index, partition.high_watermark) == (1, 2)


def test_a_forgotten_partition_is_not_read_any_more(filled: WirePeer) -> None:
    session_id = begin(filled)
    forget = incremental(session_id, 1, forgotten_topics_data=[ForgottenTopic("t", partitions=[0])])
    (topic,) = filled.ask(1, 12, forget).responses
    assert [each.partition_index for each in topic.partitions] == [1]


def test_an_error_is_told_again_and_again(kafka: EmbeddedKafka, filled: WirePeer) -> None:
    session_id = begin(filled)
    gone = fetch_request("t", 99, session_id=session_id, session_epoch=1)
    for epoch in (1, 2):
        gone.session_epoch = epoch
        response = filled.ask(1, 12, gone)
        assert [each.error_code for each in response.responses[0].partitions if each.partition_index == 0] == [1]


@pytest.mark.parametrize(("session_id_change", "epoch", "error_code"), [(1, 1, 70), (0, 2, 71), (0, 7, 71)])
def test_a_request_that_does_not_fit_its_session_is_told(
    filled: WirePeer, session_id_change: int, epoch: int, error_code: int
) -> None:
    session_id = begin(filled)
    response = filled.ask(1, 12, incremental(session_id + session_id_change, epoch))
    assert (response.error_code, response.responses, response.session_id) == (error_code, [], 0)


def test_a_session_of_names_cannot_be_used_with_topic_ids(filled: WirePeer) -> None:
    session_id = begin(filled)
    assert filled.ask(1, 13, incremental(session_id, 1)).error_code == 106


def test_the_last_epoch_ends_a_session(filled: WirePeer) -> None:
    session_id = begin(filled)
    filled.ask(1, 12, incremental(session_id, -1))
    assert filled.ask(1, 12, incremental(session_id, 1)).error_code == 70


def test_a_new_session_ends_the_one_before(filled: WirePeer) -> None:
    session_id = begin(filled)
    again = fetch_request("t", 0, session_id=session_id, session_epoch=0)
    assert filled.ask(1, 12, again).session_id not in (0, session_id)
    assert filled.ask(1, 12, incremental(session_id, 1)).error_code == 70


def test_a_session_may_be_used_from_another_connection(filled: WirePeer, connect: object) -> None:
    session_id = begin(filled)
    other: WirePeer = connect()  # type: ignore[operator]
    assert other.ask(1, 12, incremental(session_id, 1)).error_code == 0
