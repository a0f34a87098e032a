"""A consumed record behaves like kafka-python's named tuple, in both codecs."""

from __future__ import annotations

import copy
import pickle
import sys
from typing import Any

import pytest
from kafka.consumer.fetcher import ConsumerRecord as NamedTupleRecord
from record.codecs import CODECS

from embedkafka.record import encode_batch

FIELDS = ("topic", 3, 1, 42, 1700000000000, 0, b"key", b"value", [("h", b"x")], None, 3, 5, 2)


def test_it_has_kafka_pythons_fields_in_its_order(codec: Any) -> None:
    assert codec.ConsumerRecord._fields == NamedTupleRecord._fields
    record = codec.ConsumerRecord(*FIELDS)
    for name, value in zip(NamedTupleRecord._fields, FIELDS, strict=True):
        assert getattr(record, name) == value, name


def test_it_is_built_by_position_and_by_name(codec: Any) -> None:
    by_name = codec.ConsumerRecord(**dict(zip(NamedTupleRecord._fields, FIELDS, strict=True)))
    assert by_name == codec.ConsumerRecord(*FIELDS) == codec.ConsumerRecord._make(FIELDS)
    with pytest.raises(TypeError):
        codec.ConsumerRecord(*FIELDS[:-1])


def test_it_unpacks_indexes_and_slices(codec: Any) -> None:
    record = codec.ConsumerRecord(*FIELDS)
    topic, partition, *_, header_size = record
    assert (topic, partition, header_size) == ("topic", 3, 2)
    assert len(record) == 13
    assert (record[3], record[-1], tuple(record[6:8])) == (42, 2, (b"key", b"value"))
    with pytest.raises(IndexError):
        record[13]
    assert 42 in record
    assert record.index(42) == 3
    assert record.count(3) == 2


def test_it_equals_and_orders_like_the_tuple(codec: Any) -> None:
    record = codec.ConsumerRecord(*FIELDS)
    later = record._replace(offset=43)
    assert record == FIELDS == NamedTupleRecord(*FIELDS)
    assert NamedTupleRecord(*FIELDS) == record
    assert record != later
    assert record < later
    assert record <= later
    assert later > record
    assert later >= record
    assert (record == "something else") is False


def test_it_hashes_like_the_tuple_where_its_fields_can(codec: Any) -> None:
    fields = (*FIELDS[:8], (), *FIELDS[9:])
    assert hash(codec.ConsumerRecord(*fields)) == hash(fields)
    with pytest.raises(TypeError):
        hash(codec.ConsumerRecord(*FIELDS))  # a list of headers has no hash, as in kafka-python


def test_it_pickles_and_copies(codec: Any) -> None:
    record = codec.ConsumerRecord(*FIELDS)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(record, protocol)) == record
    assert copy.copy(record) == copy.deepcopy(record) == record


def test_it_prints_its_fields(codec: Any) -> None:
    assert repr(codec.ConsumerRecord(*FIELDS)) == repr(NamedTupleRecord(*FIELDS))


def test_it_replaces_and_becomes_a_dict(codec: Any) -> None:
    record = codec.ConsumerRecord(*FIELDS)
    assert record._asdict() == NamedTupleRecord(*FIELDS)._asdict()
    assert record._replace(value=b"other").value == b"other"
    assert record.value == b"value"
    with pytest.raises((ValueError, TypeError), match="colour"):  # TypeError for a named tuple since Python 3.13
        record._replace(colour="red")


def test_it_matches_in_a_match_statement(codec: Any) -> None:
    match codec.ConsumerRecord(*FIELDS):
        case codec.ConsumerRecord(topic="topic", value=value):
            assert value == b"value"
        case _:
            pytest.fail("did not match")


def test_it_does_not_change(codec: Any) -> None:
    record = codec.ConsumerRecord(*FIELDS)
    for name in NamedTupleRecord._fields:
        with pytest.raises(AttributeError):
            setattr(record, name, 1)
    with pytest.raises(AttributeError):
        record.colour = "red"


def test_each_record_has_its_own_headers(codec: Any) -> None:
    from embedkafka.record import encode_batch

    batch = encode_batch([(0, None, b"a", ()), (0, None, b"b", ())])
    one, two = codec.RecordCursor([batch], "t", 0, 0).take(2)
    one.headers.append(("mine", b""))
    assert one.headers == [("mine", b"")]
    assert two.headers == []


@pytest.mark.skipif("compiled" not in CODECS, reason="the compiled module is not built")
def test_the_compiled_record_keeps_its_references_straight() -> None:
    from embedkafka.record import encode_batch

    batch = encode_batch([(0, b"k", b"v", [("h", b"x")])] * 50)
    topic = "".join(["a topic", " of its own"])
    before = sys.getrefcount(topic)
    for _ in range(50):
        for record in CODECS["compiled"].RecordCursor([batch], topic, 0, 0).take(100):
            assert record.topic is topic
            tuple(record)
            del record
    assert sys.getrefcount(topic) == before


def test_the_delivery_count_of_a_share_groups_record_survives_pickling_and_is_no_field(codec: Any) -> None:
    batch = encode_batch([(0, b"key", b"value", ())])
    (delivered,) = codec.RecordCursor([batch], "t", 0, 0).take_acquired(1, 0, 0, 4)
    (plain,) = codec.RecordCursor([batch], "t", 0, 0).take(1)
    assert (delivered.delivery_count, plain.delivery_count) == (4, None)
    assert delivered == plain
    assert len(delivered) == 13
    copied = pickle.loads(pickle.dumps(delivered))
    assert copied == delivered
    assert copied.delivery_count == 4
