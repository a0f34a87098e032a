"""A Kafka of its own for each test, and a clock that only the test moves.  Run it, or `pytest` it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from embedkafka import EmbeddedKafka, KafkaConsumer, KafkaProducer, ManualClock


def to_json(value: object) -> bytes:
    return json.dumps(value).encode()


class Billing:
    """The code under test: turns orders into invoices, at least once."""

    def __init__(self, servers: object) -> None:
        self.orders = KafkaConsumer("orders", bootstrap_servers=servers, group_id="bills", auto_offset_reset="earliest")
        self.invoices = KafkaProducer(bootstrap_servers=servers, value_serializer=to_json)

    def run_once(self) -> int:
        polled = [order for orders in self.orders.poll(1000).values() for order in orders]
        for order in polled:
            self.invoices.send("invoices", {**json.loads(order.value), "due": "in 14 days"})
        self.invoices.flush()
        self.orders.commit()
        return len(polled)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def kafka(clock: ManualClock) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(clock=clock) as engine:
        yield engine


def order(kafka: EmbeddedKafka, customer: str, cents: int) -> None:
    kafka.producer(value_serializer=to_json).send("orders", {"customer": customer, "cents": cents}).get()


def invoices(kafka: EmbeddedKafka) -> list[dict[str, object]]:
    reader = kafka.consumer("invoices", auto_offset_reset="earliest", consumer_timeout_ms=100)
    return [json.loads(record.value) for record in reader]


def test_each_order_becomes_an_invoice(kafka: EmbeddedKafka) -> None:
    order(kafka, "ada", 1200)
    assert Billing(kafka).run_once() == 1
    assert invoices(kafka) == [{"customer": "ada", "cents": 1200, "due": "in 14 days"}]


def test_an_order_is_not_billed_again_after_a_restart(kafka: EmbeddedKafka) -> None:
    order(kafka, "ada", 1200)
    first = Billing(kafka)
    first.run_once()
    first.orders.close()
    assert Billing(kafka).run_once() == 0


def test_when_a_worker_dies_another_takes_over(kafka: EmbeddedKafka, clock: ManualClock) -> None:
    dead = Billing(kafka)
    dead.run_once()  # has the partition now
    kafka.kill(dead.orders)  # no goodbye, as if the process were gone
    order(kafka, "grace", 500)
    heir = Billing(kafka)
    clock.advance(45_000)  # the dead one's session runs out; no real second passes
    assert sum(heir.run_once() for _ in range(3)) == 1
    assert [invoice["customer"] for invoice in invoices(kafka)] == ["grace"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-v", "-p", "no:cacheprovider"]))
