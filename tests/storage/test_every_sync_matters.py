"""Leave out any one sync of the code, and a power cut at the wrong moment loses something that was promised.

A scenario does everything that syncs.  The power goes after each of its steps and, where a sync was left out, before
each of the next file operations too, in several ways; a check compares what is found with what had been promised.
With all syncs the check always passes.  Then every place in the code that syncs (two levels of callers tell one from
another) is left out in turn, one call at a time, and for one of its calls the check has to fail.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import pytest
from storage.builders import NOW_MS, TOPIC_ID, Directory, append, batch, read_all
from storage.producing import end, produced, send_in_transaction

from embedkafka.files.faulty import FaultyFiles, Unsynced
from embedkafka.model import TopicPartition
from embedkafka.record import EndTransactionMarker
from embedkafka.storage.checkpoints import read_offsets
from embedkafka.storage.compaction import CleaningStats, clean
from embedkafka.storage.config import LogConfig
from embedkafka.storage.log import Log
from embedkafka.storage.metadata import read_partition_metadata

PRODUCER, ABORTER = 7, 9  # of the records in PLAIN
PLAIN = TopicPartition("plain", 0)
KEYED = TopicPartition("keyed", 0)
CONFIGS = {
    PLAIN: LogConfig(segment_bytes=400, index_interval_bytes=100, tail_bytes=0, retention_bytes=1000),
    KEYED: LogConfig(
        segment_bytes=400,
        index_interval_bytes=100,
        tail_bytes=0,
        cleanup_policy=("compact",),
        min_cleanable_dirty_ratio=0.0,
    ),
}


@dataclass
class Promised:
    """What must be found after a power cut from now on."""

    values: dict[TopicPartition, list[bytes]] = field(default_factory=lambda: {PLAIN: [], KEYED: []})  # ever appended
    durable: dict[TopicPartition, int] = field(default_factory=lambda: {PLAIN: 0, KEYED: 0})  # of those, synced
    start: int = 0  # of PLAIN, once its checkpoint was written
    keys: dict[bytes, bytes] | None = None  # of KEYED, once it was flushed
    exists: bool = False
    epochs: list[int] = field(default_factory=list)  # of every record of PLAIN ever appended
    aborted: list[tuple[int, int, int]] = field(default_factory=list)  # in PLAIN: producer, first and last offset
    recovery_point: int = 0
    cleaned_offset: int = 0
    is_clean: bool = False
    deleted: bool = False


class Loss(AssertionError):
    """Something promised was not found."""


def append_next(log: Log, promised: Promised, *, epoch: int) -> bool:
    """Append a record that carries its own offset; True when a segment was rolled."""
    offset = log.end_offset
    entry = log.producer_state().entries.get(PRODUCER)
    sequence = 0 if entry is None else entry.last_sequence + 1
    records = produced(sequence, producer_id=PRODUCER, timestamp=NOW_MS + offset, value=b"%d" % offset)
    info = append(log, records, epoch=epoch)
    promised.values[PLAIN].append(b"%d" % offset)
    promised.epochs.append(epoch)
    return info.rolled


def abort_next(log: Log, promised: Promised) -> None:
    """A transaction of one record that is aborted, at epoch 0 like all that is written then.

    It takes several file operations.  What will be there is stated first: the check looks at what the log holds of it.
    """
    offset = log.end_offset
    promised.values[PLAIN] += [b"%d" % offset, EndTransactionMarker(False, 0).encode()[1]]
    promised.epochs += [0, 0]
    promised.aborted.append((ABORTER, offset, offset + 1))
    send_in_transaction(log, 0, producer_id=ABORTER, value=b"%d" % offset, timestamp=NOW_MS + offset)
    end(log, producer_id=ABORTER, commit=False, timestamp=NOW_MS + offset + 1)


def scenario(files: FaultyFiles, promised: Promised) -> Iterator[None]:
    """Do everything that syncs; after each ``yield`` the power may go."""
    directory = Directory(files)
    promised.exists = True
    yield
    plain, keyed = (directory.log(CONFIGS[name], name) for name in (PLAIN, KEYED))
    for _ in range(2):
        append_next(plain, promised, epoch=0)
        yield
    abort_next(plain, promised)
    for _ in range(4):
        append_next(plain, promised, epoch=0)
        yield
    plain.flush()
    promised.durable[PLAIN] = 8
    yield
    directory.broker.write_checkpoints()
    promised.recovery_point = plain.recovery_checkpoint
    yield
    while not append_next(plain, promised, epoch=2):
        yield
    plain.flush_closed()
    assert plain.active_segment is not None
    promised.durable[PLAIN] = plain.active_segment.base_offset
    yield
    directory.broker.write_checkpoints()
    promised.recovery_point = plain.recovery_checkpoint
    yield
    plain.advance_log_start(7)
    directory.broker.write_checkpoints()
    promised.start = 7
    yield
    for _ in range(20):
        append_next(plain, promised, epoch=2)
    plain.delete_old_segments(NOW_MS)
    assert plain.log_start_offset > 7
    promised.start = plain.log_start_offset
    yield
    for number in range(25):
        append(keyed, batch((NOW_MS + number, b"%d" % (number % 4), b"%d" % number)))
        promised.values[KEYED].append(b"%d" % number)
    keyed.roll(NOW_MS)
    keyed.flush()
    promised.durable[KEYED] = 25
    promised.keys = {b"%d" % (number % 4): b"%d" % number for number in range(25)}
    yield
    plain.flush()
    promised.durable[PLAIN] = plain.end_offset
    yield
    plan = keyed.plan_cleaning(None, NOW_MS)
    assert plan is not None
    stats = CleaningStats()
    for _ in clean(keyed, plan, now_ms=NOW_MS, lock=nullcontext(), stats=stats):
        yield
    directory.broker.cleaner_offsets[KEYED] = stats.end_offset
    directory.broker.write_cleaner_offsets()
    promised.cleaned_offset = stats.end_offset
    yield
    append_next(plain, promised, epoch=2)
    yield
    directory.close()
    promised.durable[PLAIN], promised.is_clean = plain.end_offset, True
    yield

    promised.is_clean = False
    directory = Directory(files)
    plain = directory.log(CONFIGS[PLAIN], PLAIN)
    for _ in range(12):
        append_next(plain, promised, epoch=3)
        yield
    files.locked.clear()  # the process is killed
    for name in files.list("/data/broker-0/plain-0"):
        if name.endswith(".log"):
            last = name
    file = files.open(f"/data/broker-0/plain-0/{last}")
    file.write_all(b"half a batch", file.size())
    yield
    directory = Directory(files)
    plain, keyed = (directory.log(CONFIGS[name], name) for name in (PLAIN, KEYED))
    yield
    directory.close()
    promised.durable[PLAIN], promised.is_clean = plain.end_offset, True
    yield

    promised.is_clean = False
    directory = Directory(files)
    plain = directory.log(CONFIGS[PLAIN], PLAIN)
    path = plain.segments[0].paths[1]
    directory.close()
    promised.is_clean = True
    files.unlink(path)  # somebody removes an index while the directory is closed
    promised.is_clean = False
    directory = Directory(files)
    plain = directory.log(CONFIGS[PLAIN], PLAIN)
    yield
    directory.close()
    promised.is_clean = True
    yield

    promised.is_clean, promised.keys = False, None
    directory = Directory(files)
    directory.broker.delete_log(KEYED)
    promised.deleted = True
    yield
    directory.close()
    promised.is_clean = True
    yield


def is_within(log: Log, offset: int) -> bool:
    return bool(log.segments) and log.segments[0].base_offset <= offset < log.end_offset


def check(found: FaultyFiles, promised: Promised) -> None:
    """Compare what a power cut has left with what was promised."""
    require(not promised.exists or found.exists("/data/broker-0"), "the directory is there")
    if not promised.exists:
        return
    require(found.read_bytes("/data/format") == b"embedkafka 1\n", "the format is readable")
    require(found.exists("/data/broker-0/meta.properties"), "the cluster's id is kept")
    for name in found.list("/data/broker-0"):
        if name.endswith("-checkpoint"):
            read_offsets(found, f"/data/broker-0/{name}")
    directory = Directory(found)
    broker = directory.broker
    require(broker.was_clean or not promised.is_clean, "a clean close is known as one")
    require(broker._recovery_points.get(PLAIN, 0) >= promised.recovery_point, "the recovery point is kept")
    require(broker.cleaner_offsets.get(KEYED, 0) >= promised.cleaned_offset or promised.deleted, "the cleaner's, too")
    require(not (promised.deleted and KEYED in broker.partitions()), "a deleted log stays deleted")
    for topic_partition in (PLAIN, KEYED):
        if topic_partition in broker.partitions():
            topic_id = read_partition_metadata(found, f"/data/broker-0/{topic_partition.topic}-0")
            require(not promised.durable[topic_partition] or topic_id == TOPIC_ID, "the topic's id is kept")
    plain = directory.log(CONFIGS[PLAIN], PLAIN)
    records = read_all(plain)
    require(plain.log_start_offset >= promised.start, "deleted records stay deleted")
    require(plain.end_offset >= promised.durable[PLAIN], "synced records are there")
    expected = promised.values[PLAIN][plain.log_start_offset : plain.end_offset]
    require([record.value for record in records] == expected, "records are those that were appended")
    if promised.is_clean or promised.durable[PLAIN] > plain.log_start_offset:
        last = plain.producer_state().entries[PRODUCER].batches[-1]
        require(last.last_offset == plain.end_offset - 1, "the producer's last batch is known")
    undone = [each[:3] for each in plain.aborted_transactions(0, plain.end_offset)]
    require(undone == [each for each in promised.aborted if is_within(plain, each[2])], "what was aborted is known")
    for record in records:
        require(read_all(plain, record.offset)[0].offset == record.offset, "the offset index leads to the record")
        by_time = plain.offset_for_timestamp(record.timestamp)
        require(by_time is not None and by_time.offset == record.offset, "the time index leads to the record")
    for offset in range(plain.log_start_offset, promised.durable[PLAIN]):
        require(plain.leader_epochs.epoch_at(offset) == promised.epochs[offset], "leader epochs are kept")
    if promised.keys is not None and not promised.deleted:
        # Not compacted any more, because then recovery takes gaps for losses.
        keyed = directory.log(replace(CONFIGS[KEYED], cleanup_policy=("delete",)), KEYED)
        records = read_all(keyed)
        require({record.key: record.value for record in records} == promised.keys, "every key has its last value")
        for record in records:
            require(read_all(keyed, record.offset)[0].offset == record.offset, "the offset index leads to the record")
            by_time = keyed.offset_for_timestamp(record.timestamp)
            require(by_time is not None and by_time.offset == record.offset, "the time index leads to the record")
        require(keyed.end_offset == 25, "offsets are not given twice")
    directory.close()


def require(condition: bool, what: str) -> None:
    if not condition:
        raise Loss(what)


WAYS = [
    {"unsynced_bytes": Unsynced.DROPPED, "unsynced_names": Unsynced.DROPPED},
    {"unsynced_bytes": Unsynced.DROPPED, "unsynced_names": Unsynced.KEPT},
    {"unsynced_bytes": Unsynced.ZEROS, "unsynced_names": Unsynced.KEPT},
    {"unsynced_bytes": Unsynced.GARBAGE, "unsynced_names": Unsynced.KEPT},
    {"unsynced_bytes": Unsynced.KEPT, "unsynced_names": Unsynced.DROPPED},
    {"unsynced_bytes": Unsynced.KEPT, "unsynced_names": Unsynced.FIRST},
]
ANY_ORDER = {"unsynced_bytes": Unsynced.KEPT, "unsynced_names": Unsynced.RANDOM}
OPERATIONS_LOOKED_AT = 40  # after the sync that was left out


Site = tuple[str, str, str]  # the operation, and where it was called from


class Run:
    """The scenario with one sync left out, or with all of them."""

    def __init__(self, skipped_sync: int | None, *, looks_at_every: int = 0) -> None:
        self.files = FaultyFiles()
        self.files.skipped_sync = skipped_sync
        self.files.before = self.look
        self.skipped_sync = skipped_sync
        self.promised = Promised()
        self.sites: list[Site] = []
        self.left = OPERATIONS_LOOKED_AT
        self.looks_at_every = looks_at_every
        self.operations = 0
        self.loss: str | None = None

    def go(self) -> Run:
        for step, _ in enumerate(scenario(self.files, self.promised)):
            if self.skipped_sync is None or len(self.files.syncs) > self.skipped_sync:
                self.cut(f"step {step}", step)
            if self.loss is not None:
                break
        return self

    def look(self, operation: str, path: str) -> None:
        self.operations += 1
        if operation in ("sync", "sync_dir"):
            self.sites.append(_site(operation))
        elif self.looks_at_every and self.operations % self.looks_at_every == 0:
            self.cut(f"before {operation} {path}", self.operations)
        elif self.skipped_sync is not None and len(self.files.syncs) > self.skipped_sync and self.left:
            self.left -= 1
            # Compaction does not even rely on names becoming durable in the order in which they were changed.
            ways = [*WAYS, *[ANY_ORDER] * 5] if "/keyed-0/" in path else WAYS
            self.cut(f"before {operation} {path}", self.left, ways)

    def cut(self, when: str, seed: int, ways: Sequence[dict[str, Unsynced]] = WAYS) -> None:
        for number, way in enumerate(ways):
            if self.loss is None:
                try:
                    check(self.files.power_cut(**way, seed=seed + 100 * number), self.promised)
                except Exception as error:  # a loss, or what is left cannot even be opened
                    self.loss = f"{when}, {way}: {error!r}"


def _site(operation: str) -> Site:
    callers = []
    frame = sys._getframe(1)
    while frame is not None and len(callers) < 2:
        path = frame.f_code.co_filename
        if "/embedkafka/storage/" in path:
            callers.append(f"{path.rsplit('/', 1)[1]}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back  # type: ignore[assignment]
    return operation, callers[0], callers[-1]


def test_nothing_promised_is_lost_when_the_power_goes_after_any_step() -> None:
    run = Run(None).go()
    assert run.loss is None
    assert len(run.sites) == len(run.files.syncs) > 50


def test_nothing_promised_is_lost_when_the_power_goes_between_two_operations() -> None:
    assert Run(None, looks_at_every=1 if os.environ.get("EMBEDKAFKA_FULL", "0") != "0" else 7).go().loss is None


def test_without_any_one_of_the_syncs_something_is_lost() -> None:
    calls: dict[Site, list[int]] = {}
    for number, site in enumerate(Run(None).go().sites):
        calls.setdefault(site, []).append(number)
    unnoticed = [site for site, numbers in calls.items() if all(Run(number).go().loss is None for number in numbers)]
    assert unnoticed == []
    assert len(calls) > 15


def test_the_check_itself_notices_a_lost_record() -> None:
    files = FaultyFiles()
    promised = Promised()
    for _ in scenario(files, promised):
        if promised.durable[PLAIN]:
            break
    promised.values[PLAIN][3] = b"another"
    with pytest.raises(Loss, match="those that were appended"):
        check(files.power_cut(), promised)
