from __future__ import annotations

import pytest
from broker.support import START_MS, TOPIC, Broker, batch, records_in, running

from embedkafka.broker import api
from embedkafka.clock import ManualClock
from embedkafka.errors import for_code
from embedkafka.model import TopicPartition
from embedkafka.record import encode_batch


def error_name(reply: api.PartitionProduceReply) -> str:
    return for_code(reply.error_code).__name__


def test_offsets_follow_each_other(broker: Broker) -> None:
    assert [broker.send(b"a", b"b").base_offset, broker.send(b"c").base_offset] == [0, 2]


def test_several_batches_in_one_request_follow_each_other(broker: Broker) -> None:
    reply = broker.produce(batch(b"a", b"b") + batch(b"c"))
    assert (reply.base_offset, broker.offset(-1)) == (0, 3)
    assert broker.values() == [b"a", b"b", b"c"]


def test_partitions_of_one_request_succeed_or_fail_each_for_itself(broker: Broker) -> None:
    replies: list[api.ProduceReply] = []
    batches = [api.PartitionBatches(TopicPartition(name, 0), batch(b"v")) for name in ("nowhere", "t")]
    broker.port.produce(broker.context, api.ProduceRequest(batches), replies.append)
    assert [reply.error_code for reply in replies[0].partitions] == [3, 0]


@pytest.mark.parametrize("acks", [-1, 0, 1])
def test_every_kind_of_acks_stores_the_record(broker: Broker, acks: int) -> None:
    assert broker.produce(batch(b"v"), acks=acks).error_code == 0
    assert broker.values() == [b"v"]


def test_any_other_acks_is_refused(broker: Broker) -> None:
    assert error_name(broker.produce(batch(b"v"), acks=2)) == "InvalidRequiredAcksError"
    assert broker.values() == []


def test_a_transactional_batch_without_a_transactional_id_is_refused(broker: Broker) -> None:
    records = encode_batch(
        [(0, b"k", b"v", ())], producer_id=1, producer_epoch=0, base_sequence=0, is_transactional=True
    )
    assert error_name(broker.produce(records)) == "TransactionalIdAuthorizationFailedError"
    assert broker.values() == []


def test_a_batch_over_max_message_bytes_is_refused_and_nothing_changes(broker: Broker) -> None:
    broker.set_config(max_message_bytes="100")
    assert error_name(broker.produce(batch(b"x" * 200))) == "MessageSizeTooLargeError"
    assert broker.values() == []
    broker.send(b"small")


def test_a_batch_whose_checksum_is_wrong_is_refused_from_outside(broker: Broker) -> None:
    broken = batch(b"v")
    broken[-1] ^= 1
    assert error_name(broker.produce(broken, trusted=False)) == "CorruptRecordError"
    assert broker.values() == []


@pytest.mark.parametrize("junk", [b"", b"\0" * 10, b"junk" * 40])
def test_what_is_no_batch_is_refused_from_outside(broker: Broker, junk: bytes) -> None:
    assert broker.produce(bytearray(junk), trusted=False).error_code != 0
    assert broker.values() == []


def test_a_null_key_is_refused_by_a_compacted_topic(broker: Broker) -> None:
    broker.set_config(cleanup_policy="compact")
    assert error_name(broker.produce(batch(b"v", key=None))) == "InvalidRecordError"
    broker.send(b"v", key=b"k")


def test_a_refusal_that_names_records_tells_where_the_log_starts(broker: Broker) -> None:
    broker.send(b"a", b"b")
    delete(broker, 1)
    broker.set_config(cleanup_policy="compact")
    replies = [broker.produce(batch(b"v", key=None)), broker.produce(batch(b"v"), acks=2)]
    assert [(reply.record_indexes, reply.log_start_offset) for reply in replies] == [((0,), 1), ((), -1)]


def test_a_timestamp_too_far_ahead_is_refused(broker: Broker) -> None:
    reply = broker.produce(batch(b"v", timestamp=START_MS + 3_600_001))
    assert error_name(reply) == "InvalidTimestampError"
    broker.send(b"v", timestamp=START_MS + 3_600_000)


def test_log_append_time_is_the_brokers_clock(broker: Broker, clock: ManualClock) -> None:
    broker.set_config(message_timestamp_type="LogAppendTime")
    clock.advance(777)
    assert broker.send(b"v", timestamp=5).log_append_time_ms == START_MS + 777
    assert [record.timestamp for record in records_in(broker.fetch().records)] == [START_MS + 777]


def test_records_that_do_not_fit_log_max_total_bytes_are_refused_and_deleting_makes_room() -> None:
    with running(log_max_total_bytes=1000) as broker:
        broker.create()
        broker.create("u")
        broker.send(b"x" * 600)
        reply = broker.produce(batch(b"x" * 600), TopicPartition("u", 0))
        assert error_name(reply) == "KafkaStorageError"
        assert reply.error_message is not None
        assert "log.max.total.bytes is 1000" in reply.error_message
        broker.port.delete_topics(broker.context, ["t"])
        broker.send(b"x" * 600, to=TopicPartition("u", 0))


def test_bytes_from_before_the_opening_count_against_log_max_total_bytes(path: object) -> None:
    with running(path) as broker:  # type: ignore[arg-type]
        broker.create()
        broker.send(b"x" * 600)
    with running(path, log_max_total_bytes=1000) as broker:  # type: ignore[arg-type]
        assert error_name(broker.produce(batch(b"x" * 600))) == "KafkaStorageError"


def test_a_closed_engine_refuses_everything_by_an_exception() -> None:
    from embedkafka.errors import IllegalStateError

    with running() as broker:
        broker.create()
    with pytest.raises(IllegalStateError, match="closed"):
        broker.produce(batch(b"v"))
    with pytest.raises(IllegalStateError, match="closed"):
        broker.port.metadata(broker.context, None)


def test_requests_are_counted_by_api(broker: Broker) -> None:
    before = broker.port.request_counts[0]
    broker.send(b"a")
    broker.send(b"b")
    assert broker.port.request_counts[0] == before + 2


# Offsets ------------------------------------------------------------------------------------------------------------


def test_the_ends_of_a_log_are_found_by_their_sentinels(broker: Broker) -> None:
    broker.send(b"a", b"b")
    assert [broker.offset(timestamp) for timestamp in (-2, -1)] == [0, 2]


def test_an_offset_is_found_by_time(broker: Broker) -> None:
    for number in range(5):
        broker.send(b"v", timestamp=START_MS + 10 * number)
    found = broker.port.list_offsets(broker.context, api.ListOffsetsRequest({TOPIC: START_MS + 15}))[0]
    assert (found.offset, found.timestamp) == (2, START_MS + 20)


def test_no_record_at_or_after_a_time_is_minus_one(broker: Broker) -> None:
    broker.send(b"v")
    assert broker.offset(START_MS + 1) == -1


def test_the_largest_timestamp_is_found(broker: Broker) -> None:
    for timestamp in (START_MS, START_MS + 30, START_MS + 10):
        broker.send(b"v", timestamp=timestamp)
    found = broker.port.list_offsets(broker.context, api.ListOffsetsRequest({TOPIC: -3}))[0]
    assert (found.offset, found.timestamp) == (1, START_MS + 30)


def test_an_unknown_sentinel_and_an_unknown_partition_are_answered_with_codes(broker: Broker) -> None:
    asked = {TOPIC: -77, TopicPartition("nowhere", 0): -1}
    codes = [found.error_code for found in broker.port.list_offsets(broker.context, api.ListOffsetsRequest(asked))]
    assert codes == [35, 3]


def test_the_current_epoch_ends_where_the_log_does(broker: Broker) -> None:
    broker.send(b"a")
    (found,) = broker.port.offset_for_leader_epoch(broker.context, {TOPIC: 0})
    assert (found.leader_epoch, found.end_offset) == (0, 1)
    (unknown,) = broker.port.offset_for_leader_epoch(broker.context, {TOPIC: 5})
    assert (unknown.leader_epoch, unknown.end_offset) == (-1, -1)
    (newer,) = broker.port.offset_for_leader_epoch(broker.context, {TOPIC: 0}, current={TOPIC: 1})
    assert newer.error_code == 75


# Deleting records ---------------------------------------------------------------------------------------------------


def delete(broker: Broker, offset: int, of: TopicPartition = TOPIC) -> api.DeletedRecords:
    (deleted,) = broker.port.delete_records(broker.context, {of: offset})
    return deleted


def test_deleted_records_are_not_read_any_more(broker: Broker) -> None:
    for value in (b"a", b"b", b"c"):
        broker.send(value)
    assert delete(broker, 2).low_watermark == 2
    assert broker.offset(-2) == 2
    assert broker.values() == [b"c"]
    assert broker.fetch(1).error_code == 1


def test_minus_one_deletes_everything(broker: Broker) -> None:
    broker.send(b"a", b"b")
    assert delete(broker, -1).low_watermark == 2
    assert broker.values() == []
    assert broker.send(b"c").base_offset == 2


def test_deleting_what_is_deleted_already_changes_nothing(broker: Broker) -> None:
    broker.send(b"a", b"b")
    delete(broker, 2)
    assert delete(broker, 1).low_watermark == 2


@pytest.mark.parametrize("offset", [3, -2])
def test_only_offsets_within_the_log_can_be_deleted_to(broker: Broker, offset: int) -> None:
    broker.send(b"a", b"b")
    assert delete(broker, offset).error_code == 1
    assert broker.values() == [b"a", b"b"]


def test_records_of_compacted_and_of_internal_topics_cannot_be_deleted(broker: Broker) -> None:
    broker.set_config(cleanup_policy="compact")
    broker.send(b"a")
    assert delete(broker, 1).error_code == 44
    broker.engine.topics.ensure_internal("__consumer_offsets")
    assert delete(broker, 0, TopicPartition("__consumer_offsets", 0)).error_code == 17
    assert delete(broker, 0, TopicPartition("nowhere", 0)).error_code == 3


def test_the_log_start_survives_a_reopening(path: object) -> None:
    with running(path) as broker:  # type: ignore[arg-type]
        broker.create()
        broker.send(b"a")
        broker.send(b"b")
        delete(broker, 1)
    with running(path) as broker:  # type: ignore[arg-type]
        assert broker.values() == [b"b"]


def test_a_batch_of_every_codec_is_stored_as_it_came(broker: Broker) -> None:
    for compression_type in range(5):
        broker.send(b"x" * 500, compression_type=compression_type)
    assert broker.values() == [b"x" * 500] * 5


def test_records_may_have_no_key_no_value_and_headers(broker: Broker) -> None:
    broker.produce(encode_batch([(START_MS, None, None, [("h", b"1"), ("h", None)])]))
    (record,) = records_in(broker.fetch().records)
    assert (record.key, record.value, list(record.headers)) == (None, None, [("h", b"1"), ("h", None)])


# Where nothing has to be waited for ----------------------------------------------------------------------------------


def promptly(broker: Broker, *records: bytearray) -> api.ProduceReply | None:
    batches = [api.PartitionBatches(TOPIC, memoryview(each)) for each in records]
    return broker.port.produce_promptly(broker.context, api.ProduceRequest(batches))


def test_a_small_batch_is_appended_promptly_once_its_log_is_in_use(broker: Broker) -> None:
    assert promptly(broker, batch(b"first")) is None
    broker.send(b"first")
    reply = promptly(broker, batch(b"second", b"third"))
    assert reply is not None
    assert [(each.error_code, each.base_offset) for each in reply.partitions] == [(0, 1)]
    assert broker.values() == [b"first", b"second", b"third"]


def test_what_is_wrong_with_a_batch_is_said_promptly(broker: Broker) -> None:
    broker.send(b"first")
    records = batch(b"second")
    records[-2] ^= 1
    reply = promptly(broker, records)
    assert reply is not None
    assert error_name(reply.partitions[0]) == "CorruptRecordError"
    assert broker.values() == [b"first"]


@pytest.mark.parametrize(
    "records",
    [
        [batch(b"one"), batch(b"two")],
        [batch(b"one") + batch(b"two")],
        [batch(b"x" * 70_000)],
        [encode_batch([(0, None, b"v", ())], compression_type=1)],
        [encode_batch([(0, None, b"v", ())], producer_id=1, producer_epoch=0, base_sequence=0, is_transactional=True)],
        [encode_batch([(0, None, b"v", ())], producer_id=1, producer_epoch=0, base_sequence=7)],
    ],
    ids=["two partitions", "two batches", "large", "compressed", "transactional", "a new producer"],
)
def test_what_may_have_to_wait_is_left_to_whoever_can_and_nothing_is_done(
    broker: Broker, records: list[bytearray]
) -> None:
    broker.send(b"first")
    assert promptly(broker, *records) is None
    assert broker.values() == [b"first"]


@pytest.mark.parametrize("config", [{"flush_messages": "1"}, {"cleanup_policy": "compact"}])
def test_a_topic_that_asks_for_more_is_never_prompt(broker: Broker, config: dict[str, str]) -> None:
    broker.set_config(**config)
    broker.produce(encode_batch([(0, b"k", b"first", ())]))
    assert promptly(broker, encode_batch([(0, b"k", b"second", ())])) is None


def test_a_partition_that_somebody_changes_is_not_waited_for(broker: Broker) -> None:
    broker.send(b"first")
    partition = broker.engine.topics.partition(TOPIC)
    assert partition is not None
    with partition.lock:
        assert promptly(broker, batch(b"second")) is None
