"""Ctrl-C at every line: nothing is lost, nothing happens twice, nothing hangs."""

from __future__ import annotations

from pathlib import Path

from broker.interrupts import every_line, interrupted_at
from broker.support import START_MS, TOPIC, Broker, batch, records_in, running

from embedkafka.broker import api
from embedkafka.broker.api import FetchReply
from embedkafka.clock import ManualClock
from embedkafka.model import TopicPartition


def check_partition_works(broker: Broker, before: list[bytes | None], tried: bytes) -> list[bytes | None]:
    """What was there is there, what was tried is there once or not at all, and the partition takes the next record."""
    broker.send(b"next")
    found = broker.values()
    assert found in ([*before, b"next"], [*before, tried, b"next"])
    assert broker.offset(-1) == len(found)
    return found


def test_an_interrupted_produce_appends_its_batch_once_or_not_at_all() -> None:
    with running() as broker:
        broker.create(internal_segment_bytes="300", flush_messages="2")
        expected: list[bytes | None] = []
        for line in every_line():
            tried = b"tried %d" % line
            records = batch(tried)
            went_through = not interrupted_at(line, lambda records=records: broker.produce(records))  # type: ignore[misc]
            expected = check_partition_works(broker, expected, tried)
            if went_through:
                assert tried in expected
                break


def test_a_waiting_reader_hears_of_a_record_whose_produce_was_interrupted() -> None:
    with running() as broker:
        broker.create()
        for line in every_line():
            offset = broker.offset(-1)
            replies, _ = broker.start_fetch({TOPIC: offset}, max_wait_ms=-1)
            went_through = not interrupted_at(line, lambda: broker.produce(batch(b"v")))
            broker.engine.clock.run_tasks()  # type: ignore[attr-defined]  # a ManualClock's
            broker.send(b"next")
            broker.engine.clock.run_tasks()  # type: ignore[attr-defined]
            assert replies, f"nobody told the reader, line {line}"
            first = replies[0]
            assert all(reply == first for reply in replies)
            assert records_in(first.partitions[0].records)[0].offset == offset
            if went_through:
                assert len(replies) == 1
                break


def test_an_interrupted_fetch_leaves_nobody_waiting_for_it() -> None:
    with running() as broker:
        broker.create()
        partition = broker.engine.topics.partition(TOPIC)
        assert partition is not None
        for line in every_line():
            replies: list[FetchReply] = []
            request = api.FetchRequest([api.PartitionFetch(TOPIC, broker.offset(-1))], max_wait_ms=1000)
            went_through = not interrupted_at(
                line,
                lambda request=request, replies=replies: broker.port.fetch(broker.context, request, replies.append),  # type: ignore[misc]
            )
            broker.send(b"v")
            broker.engine.clock.advance(1000)  # type: ignore[attr-defined]
            assert partition.parked == {}
            assert len(replies) <= 1
            if went_through:
                assert len(replies) == 1
                break


def test_an_interrupted_creation_has_happened_or_not_and_memory_agrees_with_the_file(fast_path: Path) -> None:
    for line in every_line(usual_step=9):
        with running(fast_path) as broker:
            went_through = not interrupted_at(line, lambda broker=broker: broker.create("t", 2))  # type: ignore[misc]
            there = broker.topic_names()
            (described,) = broker.port.metadata(broker.context, ["t"], auto_create=True).topics
            assert described.error_code == 0
            assert len(described.partitions) == (2 if there else 1)
            broker.send(b"v")
        with running(fast_path) as broker:
            assert broker.topic_names() == ["t"]
            assert broker.values() == [b"v"]
            broker.port.delete_topics(broker.context, ["t"])
        if went_through:
            assert there == ["t"]
            break


def test_an_interrupted_deletion_has_happened_or_not_and_a_new_topic_is_empty(fast_path: Path) -> None:
    clock = ManualClock(START_MS)
    with running(fast_path, clock=clock) as broker:
        for line in every_line(usual_step=9):
            broker.create("t", 2)
            broker.send(b"old")
            went_through = not interrupted_at(line, lambda: broker.port.delete_topics(broker.context, ["t"]))
            if "t" in broker.topic_names():
                assert not went_through
                assert broker.values() == [b"old"]
                assert broker.port.delete_topics(broker.context, ["t"])[0].error_code == 0
            assert broker.create("t", 2).error_code == 0
            assert broker.values() == []
            broker.send(b"new")
            assert broker.values() == [b"new"]
            broker.port.delete_topics(broker.context, ["t"])
            if went_through:
                break
        clock.advance(60_000)
    assert not list(fast_path.glob("broker-0/t-*"))


def test_an_interrupted_growth_has_happened_or_not(fast_path: Path) -> None:
    with running(fast_path) as broker:
        for line in every_line(usual_step=9):
            broker.create("t", 1)
            spec = api.NewPartitionsSpec("t", 3)
            went_through = not interrupted_at(
                line,
                lambda spec=spec: broker.port.create_partitions(broker.context, [spec]),  # type: ignore[misc]
            )
            topic = broker.engine.topics.topic("t")
            assert topic is not None
            assert len(topic.partitions) == len(topic.entry.replicas) in (1, 3)
            broker.send(b"v", to=TopicPartition("t", len(topic.partitions) - 1))
            broker.port.delete_topics(broker.context, ["t"])
            if went_through:
                assert len(topic.partitions) == 3
                break


def test_an_interrupted_change_of_settings_has_happened_or_not(fast_path: Path) -> None:
    with running(fast_path) as broker:
        broker.create()
        for line in every_line(usual_step=9):
            value = str(1000 + line)
            went_through = not interrupted_at(line, lambda value=value: broker.set_config(retention_ms=value))  # type: ignore[misc]
            shown = broker.config("retention.ms").value
            topic = broker.engine.topics.topic("t")
            assert topic is not None
            assert str(topic.log_config.retention_ms) == shown
            if went_through:
                assert shown == value
                break
    with running(fast_path) as broker:
        assert broker.config("retention.ms").value == shown


def test_an_interrupted_commit_of_an_offset_has_happened_or_not(fast_path: Path) -> None:
    def commit(offset: int) -> api.OffsetCommitReply:
        request = api.OffsetCommitRequest("g", {TOPIC: api.OffsetToCommit(offset)})
        return broker.port.offset_commit(broker.context, request)

    def committed() -> int:
        reply = broker.port.offset_fetch(broker.context, api.OffsetFetchRequest("g", [TOPIC]))
        return reply.offsets[TOPIC].offset

    with running(fast_path) as broker:
        broker.create()
        before = -1
        for line in every_line(usual_step=9):
            went_through = not interrupted_at(line, lambda line=line: commit(line))  # type: ignore[misc]
            assert committed() in (before, line)
            if went_through:
                assert committed() == line
                break
            commit(line)
            before = committed()
            assert before == line
    with running(fast_path) as broker:
        assert committed() == line


def test_an_interrupted_closing_can_be_done_again(fast_path: Path) -> None:
    for line in every_line(usual_step=9):
        with running(fast_path) as broker:
            broker.create()
            broker.send(b"%d" % line)
            count = broker.offset(-1)
            went_through = not interrupted_at(line, broker.engine.close)
        with running(fast_path) as broker:
            assert broker.offset(-1) == count
            assert broker.values()[-1] == b"%d" % line
        if went_through:
            break
