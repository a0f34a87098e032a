"""Limits of clients: which one holds, and how long whoever uses more has to wait."""

from __future__ import annotations

from contextlib import closing
from functools import partial

import pytest
from broker.support import START_MS, Broker
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.broker import api
from embedkafka.broker.engine import Engine
from embedkafka.broker.security.quota_rate import Rate, TokenBucket
from embedkafka.broker.security.quota_rules import entity_of, limit_of
from embedkafka.clock import ManualClock
from embedkafka.errors import ThrottlingQuotaExceededError

PRODUCE, FETCH, API_VERSIONS, METADATA = 0, 1, 18, 3
ALICE = api.RequestContext("app", "User:alice", "/10.0.0.1", in_process=False)


def limit(broker: Broker, entity: dict[str, str | None], **limits: float) -> None:
    changes = [api.QuotaChange(key, value) for key, value in limits.items()]
    alteration = api.QuotaAlteration(tuple(entity.items()), changes)
    (result,) = broker.port.alter_client_quotas(broker.context, [alteration])
    assert result.error_code == 0, result


def charge(
    broker: Broker,
    context: api.RequestContext = ALICE,
    api_key: int = PRODUCE,
    *,
    request_bytes: int = 0,
    response_bytes: int = 0,
    busy_ms: float = 0,
) -> int:
    return broker.port.charge(
        context, api_key, request_bytes=request_bytes, response_bytes=response_bytes, busy_ms=busy_ms
    )


# Which limit holds ---------------------------------------------------------------------------------------------------

ORDER = [
    ({"user": "alice", "client-id": "app"}, ("alice", "app")),
    ({"user": "alice", "client-id": None}, ("alice", "app")),
    ({"user": "alice"}, ("alice", "")),
    ({"user": None, "client-id": "app"}, ("alice", "app")),
    ({"user": None, "client-id": None}, ("alice", "app")),
    ({"user": None}, ("alice", "")),
    ({"client-id": "app"}, ("", "app")),
    ({"client-id": None}, ("", "app")),
]


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_the_most_particular_limit_holds(first: int) -> None:
    limits = {entity_of(parts): {"producer_byte_rate": float(place)} for place, (parts, _) in enumerate(ORDER)}
    for parts, _ in ORDER[:first]:
        del limits[entity_of(parts)]
    assert limit_of(limits, "producer_byte_rate", "alice", "app") == (first, *ORDER[first][1])


def test_an_entity_without_this_limit_is_passed_over() -> None:
    limits = {
        entity_of({"user": "alice"}): {"consumer_byte_rate": 1.0},
        entity_of({"client-id": None}): {"producer_byte_rate": 2.0},
    }
    assert limit_of(limits, "producer_byte_rate", "alice", "app") == (2.0, "", "app")
    assert limit_of(limits, "request_percentage", "alice", "app") is None


# What is counted -----------------------------------------------------------------------------------------------------


def test_without_limits_nobody_waits(broker: Broker) -> None:
    assert charge(broker, request_bytes=1 << 40, busy_ms=1e9) == 0


def test_who_writes_no_more_than_allowed_does_not_wait(broker: Broker) -> None:
    limit(broker, {"user": "alice"}, producer_byte_rate=1000)
    assert charge(broker, request_bytes=10_000) == 0  # ten whole windows are taken for granted


def test_who_writes_more_waits_until_the_rate_is_right(broker: Broker) -> None:
    limit(broker, {"user": "alice"}, producer_byte_rate=1000)
    assert charge(broker, request_bytes=15_000) == 5_000  # 15,000 bytes in 10 + 5 seconds


def test_what_was_used_is_forgotten_with_its_window(broker: Broker, clock: ManualClock) -> None:
    limit(broker, {"user": "alice"}, producer_byte_rate=1000)
    assert charge(broker, request_bytes=15_000) > 0
    clock.advance(11_000)
    assert charge(broker, request_bytes=0) == 0


def test_a_client_that_keeps_to_what_it_is_told_gets_its_rate(broker: Broker, clock: ManualClock) -> None:
    limit(broker, {"user": "alice"}, producer_byte_rate=1000)
    written = 0
    start_ms = clock.now_ms()
    for _ in range(200):
        written += 5_000
        clock.advance(1 + charge(broker, request_bytes=5_000))
    seconds = (clock.now_ms() - start_ms) / 1000
    assert 0.9 < written / seconds / 1000 < 1.1


def test_fetches_count_what_is_sent_and_produces_what_is_received(broker: Broker) -> None:
    limit(broker, {"user": "alice"}, producer_byte_rate=1000, consumer_byte_rate=1000)
    assert charge(broker, api_key=METADATA, request_bytes=1 << 20, response_bytes=1 << 20) == 0
    assert charge(broker, api_key=PRODUCE, response_bytes=1 << 20) == 0
    assert charge(broker, api_key=FETCH, request_bytes=1 << 20) == 0
    assert charge(broker, api_key=PRODUCE, request_bytes=1 << 20) > 0
    assert charge(broker, api_key=FETCH, response_bytes=1 << 20) > 0


def test_keeping_the_broker_busy_counts_for_every_api_and_waits_one_window_at_most(broker: Broker) -> None:
    limit(broker, {"user": "alice"}, request_percentage=1)
    assert charge(broker, api_key=METADATA, busy_ms=100) == 0  # 1 % of ten seconds
    assert charge(broker, api_key=METADATA, busy_ms=2) == 200
    assert charge(broker, api_key=METADATA, busy_ms=60_000) == 1_000


def test_asking_for_versions_is_never_delayed(broker: Broker) -> None:
    limit(broker, {"user": "alice"}, request_percentage=0.01)
    assert charge(broker, api_key=API_VERSIONS, busy_ms=60_000) == 0


def test_the_engines_own_process_has_no_limits(broker: Broker) -> None:
    limit(broker, {"user": None}, producer_byte_rate=1)
    assert charge(broker, ALICE._replace(in_process=True), request_bytes=1 << 20) == 0


def test_a_users_limit_is_shared_by_its_clients(broker: Broker) -> None:
    limit(broker, {"user": "alice"}, producer_byte_rate=1000)
    assert charge(broker, ALICE._replace(client_id="one"), request_bytes=10_000) == 0
    assert charge(broker, ALICE._replace(client_id="two"), request_bytes=1_000) > 0


def test_a_default_limit_is_each_users_own(broker: Broker) -> None:
    limit(broker, {"user": None}, producer_byte_rate=1000)
    assert charge(broker, request_bytes=20_000) > 0
    assert charge(broker, ALICE._replace(principal="User:bob"), request_bytes=10_000) == 0


def test_a_limit_that_is_raised_or_removed_holds_at_once(broker: Broker) -> None:
    limit(broker, {"user": "alice"}, producer_byte_rate=1000)
    assert charge(broker, request_bytes=20_000) > 0
    limit(broker, {"user": "alice"}, producer_byte_rate=1_000_000)
    assert charge(broker, request_bytes=0) == 0


def test_creating_partitions_beyond_the_limit_makes_an_old_client_wait(broker: Broker, clock: ManualClock) -> None:
    limit(broker, {"user": "alice"}, controller_mutation_rate=1)
    mutations = partial(broker.port.mutations, ALICE, is_strict=False)
    # A burst of eleven seconds' worth.
    broker.port.create_topics(ALICE, [api.NewTopicSpec("a", 11)], mutations=(first := mutations()))
    assert first.throttle_ms == 0
    (made,) = broker.port.create_topics(ALICE, [api.NewTopicSpec("b", 3)], mutations=(second := mutations()))
    assert (made.error_code, second.throttle_ms) == (0, 3_000)
    clock.advance(3_000)
    broker.port.create_partitions(ALICE, [api.NewPartitionsSpec("b", 5)], mutations=(third := mutations()))
    assert third.throttle_ms == 2_000
    broker.port.delete_topics(ALICE, ["a"], mutations=(fourth := mutations()))
    assert fourth.throttle_ms == 13_000


def test_changing_topics_beyond_the_limit_is_refused_to_a_new_client(broker: Broker, clock: ManualClock) -> None:
    limit(broker, {"user": "alice"}, controller_mutation_rate=1)
    mutations = partial(broker.port.mutations, ALICE, is_strict=True)
    # It may exceed its burst once, and need not wait then.
    broker.port.create_topics(ALICE, [api.NewTopicSpec("a", 14)], mutations=(first := mutations()))
    assert first.throttle_ms == 0
    refused = [
        *broker.port.create_topics(ALICE, [api.NewTopicSpec("b", 1)], mutations=(second := mutations())),
        *broker.port.create_partitions(ALICE, [api.NewPartitionsSpec("a", 15)], mutations=mutations()),
        *broker.port.delete_topics(ALICE, ["a"], mutations=mutations()),
    ]
    assert [each.error_code for each in refused] == [ThrottlingQuotaExceededError.errno] * 3
    assert second.throttle_ms == 3_000
    clock.advance(3_000)
    (made,) = broker.port.create_topics(ALICE, [api.NewTopicSpec("b", 1)], mutations=mutations())
    assert made.error_code == 0


def test_what_cannot_be_changed_costs_nothing(broker: Broker) -> None:
    limit(broker, {"user": "alice"}, controller_mutation_rate=1)
    mutations = broker.port.mutations(ALICE, is_strict=False)
    broker.port.create_topics(ALICE, [api.NewTopicSpec("a", 11)], mutations=mutations)
    broker.port.create_topics(ALICE, [api.NewTopicSpec("a", 11), api.NewTopicSpec("/", 11)], mutations=mutations)
    broker.port.delete_topics(ALICE, ["b"], mutations=mutations)
    assert mutations.throttle_ms == 0


def test_connections_beyond_the_limit_wait(broker: Broker) -> None:
    limit(broker, {"ip": "10.0.0.1"}, connection_creation_rate=1)
    assert [broker.port.connected("/10.0.0.1") for _ in range(12)][-2:] == [1_000, 1_000]
    assert broker.port.connected("/10.0.0.2") == 0


def test_connections_of_all_addresses_together_have_a_limit() -> None:
    with closing(Engine.open(clock=ManualClock(START_MS), configs={"max.connection.creation.rate": 1})) as engine:
        port = next(iter(engine.ports.values()))
        assert [port.connected(f"/10.0.0.{number}") for number in range(12)][-2:] == [1_000, 1_000]


def test_a_default_address_is_every_address_of_its_own(broker: Broker) -> None:
    limit(broker, {"ip": None}, connection_creation_rate=1)
    for address in ("/10.0.0.1", "/10.0.0.2"):
        assert [broker.port.connected(address) for _ in range(10)] == [0] * 10


# Rates ---------------------------------------------------------------------------------------------------------------


def test_what_is_older_than_the_windows_does_not_count() -> None:
    rate = Rate(samples=11, window_ms=1000)
    rate.record(1_000_000, START_MS)
    assert rate.throttle_ms(1.0, START_MS + 10_999) > 0
    assert rate.throttle_ms(1.0, START_MS + 11_000) == 0


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 5000)), min_size=1, max_size=60))
def test_whoever_waits_as_told_gets_no_more_than_the_rate(steps: list[tuple[int, int]]) -> None:
    rate = Rate(samples=11, window_ms=1000)
    now_ms, used, largest = 0.0, 0, 0
    for pause_ms, amount in steps:
        now_ms += pause_ms
        used += amount
        largest = max(largest, amount)
        assert used - largest <= 1000 * (now_ms / 1000 + 11)
        rate.record(amount, now_ms)
        now_ms += rate.throttle_ms(1000.0, now_ms)


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 50)), min_size=1, max_size=60))
def test_a_bucket_gives_no_more_than_its_burst_and_its_rate(steps: list[tuple[int, int]]) -> None:
    bucket = TokenBucket(burst_s=11)
    now_ms, taken = 0.0, 0
    for pause_ms, amount in steps:
        now_ms += pause_ms
        bucket.record(amount, 2.0, now_ms)
        taken += amount
        now_ms += bucket.throttle_ms(2.0, now_ms) + 1
        assert taken <= 22 + 2.0 * now_ms / 1000 + 1
