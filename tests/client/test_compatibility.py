"""Is a program that changes its import from ``kafka`` to ``embedkafka`` still right?"""

from __future__ import annotations

import kafka.consumer.fetcher
import kafka.structs
import pytest
from client.shapes import Shape, shape_of
from kafka.producer.future import RecordMetadata

import embedkafka
from embedkafka.client.differences import DIFFERENCES, Difference


@pytest.fixture(scope="module")
def theirs() -> Shape:
    return shape_of(
        "kafka",
        record=kafka.consumer.fetcher.ConsumerRecord,
        record_metadata=RecordMetadata,
        offset_and_timestamp=kafka.structs.OffsetAndTimestamp,
    )


@pytest.fixture(scope="module")
def ours() -> Shape:
    return shape_of(
        "embedkafka",
        record=embedkafka.ConsumerRecord,
        record_metadata=embedkafka.RecordMetadata,
        offset_and_timestamp=embedkafka.OffsetAndTimestamp,
    )


def test_the_public_face_differs_from_kafka_python_only_where_listed(theirs: Shape, ours: Shape) -> None:
    different = {what for what in theirs.keys() | ours.keys() if theirs.get(what) != ours.get(what)}
    assert not [(what, theirs.get(what), ours.get(what)) for what in sorted(different - DIFFERENCES.keys())]


@pytest.mark.parametrize("what", sorted(DIFFERENCES))
def test_a_listed_difference_is_still_one(what: str, theirs: Shape, ours: Shape) -> None:
    listed: Difference = DIFFERENCES[what]
    assert (theirs.get(what), ours.get(what)) == (listed.theirs, listed.ours)
    assert listed.theirs != listed.ours


def test_the_comparison_sees_a_parameter_that_is_missing(theirs: Shape) -> None:
    assert theirs["KafkaConsumer.poll"] == "(timeout_ms=0, max_records=None, update_offsets=True)"
    assert len(theirs) > 400
