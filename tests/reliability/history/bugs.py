"""Bugs to plant in the engine, each with what the checker has to find."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from reliability.history.findings import Kind

from embedkafka.broker.api import PartitionProduceReply
from embedkafka.broker.fetching import Fetcher
from embedkafka.broker.producing import Producing
from embedkafka.broker.share.states_shard import ShareStateShard
from embedkafka.broker.transactions import markers
from embedkafka.client.assignors.range import RangePartitionAssignor
from embedkafka.coordinator import records
from embedkafka.coordinator.classic.group import Group as ClassicGroup
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.share_partition import machine
from embedkafka.coordinator.share_partition.standing import ACKNOWLEDGED
from embedkafka.coordinator.transaction import init_producer
from embedkafka.coordinator.transaction.decision import Decision, InitProducerReply
from embedkafka.coordinator.transaction.state import TransactionState
from embedkafka.model import TopicPartition
from embedkafka.storage.log import Log
from embedkafka.storage.producer_state import ProducerState

Patch = pytest.MonkeyPatch


def skip_the_fence(patch: Patch) -> None:
    """A new producer is given the epoch of the one before it, whose transaction goes on."""
    original = init_producer.init_producer

    def same_epoch(command: Any, known: Any, *rest: Any) -> Decision:
        if known is None or known.state.is_prepared:
            return original(command, known, *rest)
        return Decision(reply=InitProducerReply(0, known.producer_id, known.producer_epoch))

    patch.setattr(init_producer, "init_producer", same_epoch)


def commit_what_is_fenced(patch: Patch) -> None:
    """The transaction of a producer that was replaced is committed instead of aborted."""
    original = init_producer.fence_and_abort

    def commit(*arguments: Any) -> Decision:
        decision = original(*arguments)
        (record,) = decision.records
        assert record.transaction is not None
        committed = record.transaction._replace(state=TransactionState.PREPARE_COMMIT)
        return decision._replace(records=[record._replace(transaction=committed)])

    patch.setattr(init_producer, "fence_and_abort", commit)


def drop_markers(patch: Patch) -> None:
    """Some partitions of a committed transaction never hear of it."""
    original, source = markers._write, random.Random(1)

    def write(engine: Any, marker: Any, topic_partition: Any) -> int:
        return 0 if marker.committed and source.random() < 0.3 else original(engine, marker, topic_partition)

    patch.setattr(markers, "_write", write)


def forget_the_sequence_check(patch: Patch) -> None:
    """A batch that comes again is taken for a new one."""
    patch.setattr(ProducerState, "duplicate_of", lambda self, header: None)
    patch.setattr(ProducerState, "_check_sequence", lambda self, *arguments: None)


def show_what_is_not_stable(patch: Patch) -> None:
    """read_committed readers read on to the high watermark."""
    patch.setattr(Log, "last_stable_offset", property(lambda self: self.end_offset))


def forget_what_was_aborted(patch: Patch) -> None:
    """Fetch replies do not list aborted transactions."""
    patch.setattr(Log, "aborted_transactions", lambda self, start_offset, end_offset: [])


def forget_commits_on_reload(patch: Patch) -> None:
    """A coordinator that starts again does not read every offset in its log."""
    original, count = records.decode, itertools.count()

    def decode(key: Any, value: Any) -> Any:
        record = original(key, value)
        return None if isinstance(record, records.OffsetRecord) and next(count) % 3 == 0 else record

    patch.setattr(records, "decode", decode)


def lose_the_lock_of_a_partition(patch: Patch) -> None:
    """The coordinator gives partitions away while their owners still have them."""
    patch.setattr(ConsumerGroup, "is_free", lambda self, topic_id, partition: True)


def assign_a_partition_twice(patch: Patch) -> None:
    """The leader of a classic group gives each member everything."""

    def everything(self: Any, partitions: Any, members: Any) -> Any:
        every = [TopicPartition(topic, number) for topic, numbers in partitions.items() for number in numbers]
        return {member.member_id: every for member in members}

    patch.setattr(RangePartitionAssignor, "assign_partitions", everything)


def take_commits_of_any_generation(patch: Patch) -> None:
    """Members that a group has gone on without may still commit."""
    patch.setattr(ClassicGroup, "commit_errors", lambda self, command: {})
    patch.setattr(ConsumerGroup, "commit_errors", lambda self, command: {})


def answer_without_appending(patch: Patch) -> None:
    """Some batches are acknowledged and appended nowhere."""
    original, count = Producing.produce_sealed, itertools.count(1)

    def produce_sealed(self: Any, topic_partition: TopicPartition, *rest: Any) -> Any:
        if next(count) % 25 == 0:
            return PartitionProduceReply(topic_partition, base_offset=self._find(topic_partition).log.end_offset)
        return original(self, topic_partition, *rest)

    patch.setattr(Producing, "produce_sealed", produce_sealed)


def skip_batches_in_reads(patch: Patch) -> None:
    """Some reads leave out the first of several batches."""
    original, count = Log.read, itertools.count(1)

    def read(self: Any, *arguments: Any, **options: Any) -> Any:
        chunks = original(self, *arguments, **options)
        return chunks[1:] if len(chunks) > 1 and next(count) % 5 == 0 else chunks

    patch.setattr(Log, "read", read)


def overlook_what_is_new(patch: Patch) -> None:
    """Readers are told of nothing new for a while."""
    original, count = Fetcher.read, itertools.count(1)

    def read(self: Any, request: Any, **options: Any) -> Any:
        replies, enough = original(self, request, **options)
        if next(count) % 7 == 0:
            replies = [reply._replace(records=()) for reply in replies]
        return replies, enough

    patch.setattr(Fetcher, "read", read)


def lose_the_lock_of_a_record(patch: Patch) -> None:
    """Records of a share group that somebody has acquired are given to others at once."""
    original = machine.acquire

    def unlocked(known: Any, command: Any, settings: Any, now_ms: float) -> Any:
        return original(known, command, settings._replace(record_lock_duration_ms=1), now_ms)

    patch.setattr(machine, "acquire", unlocked)


def forget_acknowledgements(patch: Patch) -> None:
    """The share coordinator does not store what became of records; all is well until it starts again."""
    original = ShareStateShard.write

    def write(self: Any, key: Any, change: Any) -> int:
        return original(self, key, change._replace(start_offset=-1, batches=()))

    patch.setattr(ShareStateShard, "write", write)


def drop_what_is_released(patch: Patch) -> None:
    """What a share consumer holds when it goes is taken for done."""
    original = machine.release_member

    def drop(*arguments: Any) -> Any:
        decision = original(*arguments)
        if decision.change is None:
            return decision
        done = [batch._replace(delivery_state=ACKNOWLEDGED) for batch in decision.change.batches]
        return decision._replace(change=decision.change._replace(batches=done))

    patch.setattr(machine, "release_member", drop)


class Bug(NamedTuple):
    plant: Callable[[Patch], None]
    found_as: frozenset[Kind]


BUGS = {
    bug.plant.__name__: bug
    for bug in (
        Bug(skip_the_fence, frozenset({Kind.LOST, Kind.FOREIGN, Kind.UNCOMMITTED_VISIBLE})),
        Bug(commit_what_is_fenced, frozenset({Kind.UNCOMMITTED_VISIBLE})),
        Bug(drop_markers, frozenset({Kind.LOST})),
        Bug(forget_the_sequence_check, frozenset({Kind.DUPLICATED})),
        Bug(show_what_is_not_stable, frozenset({Kind.UNCOMMITTED_VISIBLE})),
        Bug(forget_what_was_aborted, frozenset({Kind.UNCOMMITTED_VISIBLE})),
        Bug(forget_commits_on_reload, frozenset({Kind.OFFSET_LOST})),
        Bug(lose_the_lock_of_a_partition, frozenset({Kind.DOUBLE_OWNERSHIP})),
        Bug(take_commits_of_any_generation, frozenset({Kind.ZOMBIE_COMMIT})),
        Bug(answer_without_appending, frozenset({Kind.LOST})),
        Bug(assign_a_partition_twice, frozenset({Kind.DOUBLE_OWNERSHIP})),
        Bug(skip_batches_in_reads, frozenset({Kind.MISREAD})),
        Bug(lose_the_lock_of_a_record, frozenset({Kind.DOUBLE_LOCK})),
        Bug(forget_acknowledgements, frozenset({Kind.DELIVERED_AGAIN})),
        Bug(drop_what_is_released, frozenset({Kind.UNDELIVERED})),
        Bug(overlook_what_is_new, frozenset({Kind.STALE})),
    )
}
