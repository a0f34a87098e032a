"""Clients, groups, retention, compaction, reopening and time, compared with a plain model after each step."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from reliability.model import Model, ModelPartition, ModelRecord, Pending
from reliability.sabotage import forget_producers

import embedkafka
from embedkafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from embedkafka.client.assignors import ASSIGNORS, AbstractPartitionAssignor
from embedkafka.clock import ManualClock
from embedkafka.storage import retention
from embedkafka.storage.compaction import OffsetMap, _Cleaning
from embedkafka.storage.log import AppendInfo, Log

RETENTION_MS = 60_000
DELETE_RETENTION_MS = 30_000
TINY = {"internal.segment.bytes": "1200", "index.interval.bytes": "100", "segment.ms": "20000"}
TOPICS: dict[str, dict[str, str]] = {
    "kept": {**TINY, "retention.ms": "-1"},
    "aging": {**TINY, "retention.ms": str(RETENTION_MS)},
    "compacted": {
        **TINY,
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.01",
        "delete.retention.ms": str(DELETE_RETENTION_MS),
    },
}
PARTITIONS = 2
ALL = [TopicPartition(topic, partition) for topic in TOPICS for partition in range(PARTITIONS)]
GROUP = "group"
MAX_MEMBERS = 3
MAX_EXAMPLES = 500  # of 80 steps: about five minutes
UPKEEP_MS = 10_000  # both the cleaner and retention come round in this time
BROKER = {"log.retention.check.interval.ms": 5_000, "log.cleaner.backoff.ms": 5_000, "offsets.topic.num.partitions": 2}
PRODUCERS: list[dict[str, Any]] = [
    {"batch_size": 1_000},
    {"compression_type": "lz4", "linger_ms": 50, "batch_size": 200},
    {"compression_type": "gzip", "linger_ms": 5_000, "batch_size": 1_000},
]

partitions = st.sampled_from(ALL)
keys = st.sampled_from([b"a", b"b", b"c", b""])
values = st.one_of(st.none(), st.binary(max_size=40))
headers = st.lists(st.tuples(st.sampled_from(["h", "\u00e9"]), st.binary(max_size=3)), max_size=2)


class Member:
    """A consumer of the group, and what it must read next from each partition it was given."""

    def __init__(self, engine: Any, strategy: type) -> None:
        self.positions: dict[TopicPartition, int | None] = {}  # None: from the committed offset
        member = self

        class Listener(embedkafka.ConsumerRebalanceListener):
            def on_partitions_revoked(self, revoked: Any) -> None:
                for one in revoked:
                    member.positions.pop(one, None)

            def on_partitions_assigned(self, assigned: Any) -> None:
                for one in assigned:
                    member.positions[one] = None

        self.client = KafkaConsumer(
            bootstrap_servers=engine,
            group_id=GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=7,
            partition_assignment_strategy=[strategy],
        )
        self.client.subscribe(list(TOPICS), listener=Listener())


class Machine(RuleBasedStateMachine):
    """Every rule does one thing through the clients, does the same to the model, and compares."""

    parent: Path  # of the folders of all examples

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(dir=self.parent)
        self.clock = ManualClock()
        self.model = Model({one: ModelPartition() for one in ALL}, {GROUP: {}})
        self.is_open = False

    # -- opening and closing -----------------------------------------------------------------------------------------

    @initialize(strategy=st.sampled_from(sorted(ASSIGNORS)))
    def begin(self, strategy: str) -> None:
        self.strategy = ASSIGNORS[strategy]
        self.open()

    def open(self) -> None:
        self.engine = embedkafka.EmbeddedKafka(self.folder, clock=self.clock, **BROKER)
        self.admin = KafkaAdminClient(bootstrap_servers=self.engine)
        if not self.admin.list_topics():
            self.admin.create_topics(
                {topic: {"num_partitions": PARTITIONS, "configs": configs} for topic, configs in TOPICS.items()}
            )
        self.producers = [KafkaProducer(bootstrap_servers=self.engine, **configs) for configs in PRODUCERS]
        self.reader = KafkaConsumer(bootstrap_servers=self.engine, group_id=None, auto_offset_reset="earliest")
        self.reader.assign(ALL)
        self.members: list[Member] = []
        self.is_open = True

    @rule()
    def reopen(self) -> None:
        self.close()
        self.open()

    def close(self) -> None:
        self.is_open = False
        with ExitStack() as closing:
            closing.callback(self.engine.close)
            for member in self.members:
                closing.callback(member.client.close)
            closing.callback(self.reader.close)
            closing.callback(self.admin.close)
            for producer in self.producers:
                producer.close()
            self.model.settle()

    def teardown(self) -> None:
        if self.is_open:
            self.close()
        shutil.rmtree(self.folder)

    # -- writing -----------------------------------------------------------------------------------------------------

    @rule(
        producer=st.integers(0, len(PRODUCERS) - 1),
        partition=partitions,
        key=keys,
        value=values,
        headers=headers,
        age_ms=st.integers(0, 1_000),
    )
    def send(
        self, producer: int, partition: TopicPartition, key: bytes, value: bytes | None, headers: Any, age_ms: int
    ) -> None:
        record = ModelRecord(self.clock.now_ms() - age_ms, key, value, tuple(headers))
        future = self.producers[producer].send(
            partition.topic,
            key=key,
            value=value,
            headers=headers,
            partition=partition.partition,
            timestamp_ms=record.timestamp_ms,
        )
        self.model.partitions[partition].pending.append(Pending(producer, record, future))

    @rule(one=partitions, count=st.integers(10, 40), first=st.integers(0, len(PRODUCERS) - 1))
    def send_many(self, one: TopicPartition, count: int, first: int) -> None:
        """Enough for a segment or more, by all producers in turn."""
        for number in range(count):
            self.send(
                producer=(first + number // 3) % len(PRODUCERS),
                partition=one,
                key=b"key-%d" % (number % 7),
                value=b"value-%d" % number if number % 11 else None,
                headers=[],
                age_ms=0,
            )

    @rule(producer=st.integers(0, len(PRODUCERS) - 1))
    def flush(self, producer: int) -> None:
        self.producers[producer].flush()
        for partition in self.model.partitions.values():
            assert all(one.future.is_done for one in partition.pending if one.producer == producer)

    # -- reading without a group -------------------------------------------------------------------------------------

    def _bounds(self, one: TopicPartition) -> ModelPartition:
        """Read a partition's bounds, which makes everything sent before visible, and settle the model by them."""
        partition = self.model.partitions[one]
        end = self.reader.end_offsets([one])[one]
        partition.settle()
        assert end == partition.end
        start = self.reader.beginning_offsets([one])[one]
        assert partition.log_start <= start <= end
        if start > partition.log_start:
            self._check_retention(one, partition, start)
        partition.log_start = start
        return partition

    def _check_retention(self, one: TopicPartition, partition: ModelPartition, start: int) -> None:
        assert one.topic == "aging", f"{one} lost records that nothing may delete"
        oldest_kept_ms = self.clock.now_ms() - RETENTION_MS
        for offset in range(partition.log_start, start):
            assert partition.records[offset].timestamp_ms < oldest_kept_ms, f"offset {offset} of {one} went too early"

    def _check_record(self, record: Any, expected: ModelRecord) -> None:
        found = ModelRecord(record.timestamp, record.key, record.value, tuple(record.headers))
        assert found == expected, f"offset {record.offset} of {record.topic}-{record.partition}"

    @rule(one=partitions)
    def read_everything(self, one: TopicPartition) -> None:
        partition = self._bounds(one)
        self.reader.assign([one])
        self.reader.seek_to_beginning(one)
        found: dict[int, Any] = {}
        while (position := self.reader.position(one)) < partition.end:
            records = self.reader.poll(timeout_ms=1_000).get(one, ())
            # A poll may pass no more than batches that compaction has emptied.
            assert records or self.reader.position(one) > position, f"nothing to read at {position}"
            found.update({record.offset: record for record in records})
        assert list(found) == sorted(found)
        for offset, record in found.items():
            self._check_record(record, partition.records[offset])
        if one.topic == "compacted":
            self._check_compacted(partition, set(found))
        else:
            assert list(found) == list(range(partition.log_start, partition.end))

    def _check_compacted(self, partition: ModelPartition, found: set[int]) -> None:
        """Compaction may drop a record that a later one with its key replaces, and an old tombstone; nothing else."""
        last_offset = {partition.records[offset].key: offset for offset in range(partition.end)}
        for offset in range(partition.log_start, partition.end):
            record = partition.records[offset]
            if offset in found or offset < last_offset[record.key]:
                continue
            assert record.value is None, f"compaction dropped the last value of {record.key!r} at {offset}"
            age_ms = self.clock.now_ms() - record.timestamp_ms
            assert age_ms >= DELETE_RETENTION_MS, f"the tombstone at {offset} went after {age_ms} ms"

    @rule(one=partitions, where=st.floats(0, 1))
    def read_from_the_middle(self, one: TopicPartition, where: float) -> None:
        partition = self._bounds(one)
        position = partition.log_start + int(where * (partition.end - partition.log_start))
        self.reader.assign([one])
        self.reader.seek(one, position)
        records = self.reader.poll(timeout_ms=0, max_records=3).get(one, [])
        if one.topic != "compacted":
            assert [record.offset for record in records] == list(range(position, min(position + 3, partition.end)))[
                : len(records)
            ]
            assert bool(records) == (position < partition.end)
        for record in records:
            self._check_record(record, partition.records[record.offset])

    @rule(one=partitions, where=st.floats(0, 1), off_ms=st.integers(-1, 1))
    def search_by_time(self, one: TopicPartition, where: float, off_ms: int) -> None:
        """For a time that some record has, or that is just beside it."""
        partition = self._bounds(one)
        if one.topic == "compacted" or not partition.records:
            return  # the model does not know which records of a compacted log are left
        timestamp_ms = partition.records[int(where * (partition.end - 1))].timestamp_ms + off_ms
        found = self.reader.offsets_for_times({one: timestamp_ms})[one]
        assert (found and (found.offset, found.timestamp)) == partition.first_at_or_after(timestamp_ms)

    @rule(one=st.sampled_from([one for one in ALL if one.topic == "aging"]), where=st.floats(0, 1))
    def delete_records(self, one: TopicPartition, where: float) -> None:
        partition = self._bounds(one)
        offset = partition.log_start + int(where * (partition.end - partition.log_start))
        self.admin.delete_records({one: offset})
        partition.log_start = offset
        assert self.reader.beginning_offsets([one])[one] == offset

    # -- reading in a group ------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.members) < MAX_MEMBERS)
    @rule()
    def join(self) -> None:
        self.members.append(Member(self.engine, self.strategy))

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        member = self.members.pop(data.draw(st.integers(0, len(self.members) - 1)))
        member.client.close()

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def poll_member(self, data: st.DataObject) -> None:
        member = self.members[data.draw(st.integers(0, len(self.members) - 1))]
        for one, records in member.client.poll(timeout_ms=0).items():
            self._take(member, one, records)

    def _take(self, member: Member, one: TopicPartition, records: Any) -> None:
        partition = self._bounds(one)
        assert one in member.positions, f"{one} was not given to this member"
        position = member.positions[one]
        if position is None:
            position = self.model.committed[GROUP].get(one, 0)
        first = records[0].offset
        assert first >= position, f"{one}: read {first} again, expected {position}"
        if one.topic != "compacted":
            # Below the log's start there is nothing; the start may have moved since the records were fetched.
            assert first <= max(position, partition.log_start), f"{one}: skipped from {position} to {first}"
            assert [record.offset for record in records] == list(range(first, first + len(records)))
        for record in records:
            self._check_record(record, partition.records[record.offset])
        member.positions[one] = records[-1].offset + 1

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def commit_what_was_read(self, data: st.DataObject) -> None:
        self._commit(self.members[data.draw(st.integers(0, len(self.members) - 1))])

    def _commit(self, member: Member) -> None:
        offsets = {one: position for one, position in member.positions.items() if position is not None}
        if not offsets:
            return
        try:
            member.client.commit({one: OffsetAndMetadata(offset, "", -1) for one, offset in offsets.items()})
        except embedkafka.errors.CommitFailedError:
            assert len(self.members) > 1, "only another member's coming can refuse a commit"
            return
        self.model.committed[GROUP].update(offsets)
        for one, offset in offsets.items():
            assert member.client.committed(one) == offset

    @rule(newcomers=st.integers(1, 2), rounds=st.integers(1, 6))
    def work_as_a_group(self, newcomers: int, rounds: int) -> None:
        """Members come, read and commit in turn, as programs do."""
        for _ in range(min(newcomers, MAX_MEMBERS - len(self.members))):
            self.join()
        for _ in range(rounds):
            for member in self.members:
                for one, records in member.client.poll(timeout_ms=0).items():
                    self._take(member, one, records)
                self._commit(member)

    @precondition(lambda self: self.members)
    @rule()
    def let_the_group_settle(self) -> None:
        """Once everybody has polled long enough, each partition belongs to exactly one member."""
        for _ in range(4 * len(self.members)):
            for member in self.members:
                for one, records in member.client.poll(timeout_ms=0).items():
                    self._take(member, one, records)
        owned = [one for member in self.members for one in member.client.assignment()]
        assert sorted(owned) == sorted(ALL)
        for member in self.members:
            assert set(member.positions) == member.client.assignment()

    @rule(one=partitions)
    def look_up_a_commit(self, one: TopicPartition) -> None:
        offsets = self.admin.list_group_offsets({GROUP: None})[GROUP]
        found = offsets[one].offset if one in offsets else None
        assert found == self.model.committed[GROUP].get(one)

    # -- time --------------------------------------------------------------------------------------------------------

    @rule(delta_ms=st.sampled_from([0, 1, 100, 6_000, 25_000]))
    def wait(self, delta_ms: int) -> None:
        self.clock.advance(delta_ms)
        for partition in self.model.partitions.values():
            for one in partition.pending:
                linger_ms = PRODUCERS[one.producer].get("linger_ms", 0)
                assert linger_ms > delta_ms or one.future.is_done, f"not sealed after {delta_ms} ms"

    @rule(one=partitions)
    def watch_it_age(self, one: TopicPartition) -> None:
        """Fill a few segments, tombstones among them, and read everything while they grow old."""
        self.send_many(one=one, count=50, first=0)
        for producer in range(len(PRODUCERS)):
            self.flush(producer=producer)  # a lingering batch would come behind the tombstones
        for number in range(7):
            self.send(producer=0, partition=one, key=b"key-%d" % number, value=None, headers=[], age_ms=0)
        for _ in range(15):  # so that the tombstones' segment is closed
            self.send(producer=0, partition=one, key=b"filler", value=b"x" * 100, headers=[], age_ms=0)
        for _ in range(4):
            self.clock.advance(17_000)
            self.send(producer=0, partition=one, key=b"filler", value=b"x" * 100, headers=[], age_ms=0)
            self.read_everything(one)

    @rule()
    def wait_until_everything_is_old(self) -> None:
        """Without new records, retention takes everything, the active segment too."""
        for one in ALL:
            self._bounds(one)
        for _ in range(12):
            self.clock.advance(RETENTION_MS // 10)
        self.clock.advance(UPKEEP_MS)
        for one in ALL:
            partition = self._bounds(one)
            if one.topic == "aging":
                assert partition.log_start == partition.end

    @invariant()
    def futures_never_fail(self) -> None:
        for partition in self.model.partitions.values():
            for one in partition.pending:
                assert not one.future.is_done or one.future.succeeded()


@pytest.fixture(autouse=True)
def _folders_go_with_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "parent", tmp_path, raising=False)


def test_the_clients_agree_with_a_plain_model() -> None:
    profile = settings.default
    examples = min(profile.max_examples, MAX_EXAMPLES)
    steps = 80 if examples == MAX_EXAMPLES else 40
    run_state_machine_as_test(Machine, settings=settings(profile, max_examples=examples, stateful_step_count=steps))


# -- the model can fail ---


def _shift_time_search(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Log.offset_for_timestamp
    monkeypatch.setattr(Log, "offset_for_timestamp", lambda self, timestamp: original(self, timestamp + 1))


def _lose_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Log.append

    def append(self: Any, records: Any, **options: Any) -> Any:
        if self.topic_partition.topic == "kept" and self.end_offset > 20:
            forget_producers(self)  # the model has to find it, not the log
            return AppendInfo(self.end_offset, self.end_offset, -1, 0, len(records), False, False)
        return original(self, records, **options)

    monkeypatch.setattr(Log, "append", append)
    monkeypatch.setattr(Log, "append_plain", lambda *arguments, **options: None)  # every batch goes that way


def _double_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Log.append

    def append(self: Any, records: Any, **options: Any) -> Any:
        info = original(self, bytearray(records), **options)
        if self.topic_partition.topic == "kept" and self.end_offset > 20:
            forget_producers(self)  # else it knows the batch again
            original(self, records, **options)
        return info

    monkeypatch.setattr(Log, "append", append)
    monkeypatch.setattr(Log, "append_plain", lambda *arguments, **options: None)  # every batch goes that way


def _drop_last_values(monkeypatch: pytest.MonkeyPatch) -> None:
    original = OffsetMap.get
    monkeypatch.setattr(OffsetMap, "get", lambda self, key: original(self, key) + (key == b"key-3"))


def _forget_tombstones_early(monkeypatch: pytest.MonkeyPatch) -> None:
    original = _Cleaning._keeps

    def keeps(self: Any, header: Any, record: Any) -> bool:
        return record.value is not None and original(self, header, record)

    monkeypatch.setattr(_Cleaning, "_keeps", keeps)


def _keep_old_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "plan", lambda *arguments, **options: None)


def _delete_segments_early(monkeypatch: pytest.MonkeyPatch) -> None:
    original = retention.plan
    monkeypatch.setattr(
        retention,
        "plan",
        lambda *arguments, now_ms, **options: original(*arguments, now_ms=now_ms + RETENTION_MS // 2, **options),
    )


def _commit_one_further(monkeypatch: pytest.MonkeyPatch) -> None:
    original = KafkaConsumer.commit

    def commit(self: Any, offsets: Any = None, *arguments: Any, **options: Any) -> Any:
        further = {one: committed._replace(offset=committed.offset + 1) for one, committed in offsets.items()}
        return original(self, further, *arguments, **options)

    monkeypatch.setattr(KafkaConsumer, "commit", commit)


def _give_a_partition_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def plant(assignor: type[AbstractPartitionAssignor]) -> None:
        original = assignor.assign

        def assign(self: Any, cluster: Any, members: Any) -> Any:
            assigned = dict(original(self, cluster, members))
            return dict.fromkeys(assigned, max(assigned.values(), key=lambda one: len(one.partitions())))

        monkeypatch.setattr(assignor, "assign", assign)

    for assignor in ASSIGNORS.values():
        plant(assignor)


BUGS = [
    _shift_time_search,
    _lose_a_batch,
    _double_a_batch,
    _drop_last_values,
    _forget_tombstones_early,
    _keep_old_segments,
    _delete_segments_early,
    _commit_one_further,
    _give_a_partition_twice,
]


def tour() -> None:
    """Every rule, in a fixed order: quicker than chance, for a bug that is known."""
    machine = Machine()
    try:
        machine.begin(strategy="range")
        for one in ALL:
            machine.send_many(one=one, count=40, first=0)
            machine.read_everything(one=one)
            for off_ms in (-1, 0, 1):
                machine.search_by_time(one=one, where=0.5, off_ms=off_ms)
        machine.work_as_a_group(newcomers=2, rounds=6)
        machine.let_the_group_settle()
        for one in ALL:
            machine.look_up_a_commit(one=one)
            machine.watch_it_age(one=one)
        machine.reopen()
        for one in ALL:
            machine.read_everything(one=one)
        machine.wait_until_everything_is_old()
        machine.futures_never_fail()
    finally:
        machine.teardown()


def test_the_tour_without_a_bug_finds_nothing() -> None:
    tour()


@pytest.mark.parametrize("plant", BUGS, ids=lambda plant: plant.__name__.strip("_"))
def test_a_planted_bug_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):  # the model's own, not an error of a library that notices the bug itself
        tour()
