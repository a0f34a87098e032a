"""Leave out any one sync, and a power cut at the wrong moment loses something that was promised.

A scenario does everything that syncs, and after each of its steps the power goes, in several ways; a check then
compares what is found with what had been promised by then.  With all syncs the check passes everywhere.  Then the scenario is
repeated once for every sync it makes, with that one left out, and each time the check has to fail somewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest
from storage.builders import NOW_MS, TOPIC_ID, Directory, append, batch, read_all, values

from embedkafka.files.faulty import FaultyFiles, Unsynced
from embedkafka.model import TopicPartition
from embedkafka.storage.compaction import CleaningStats, clean
from embedkafka.storage.config import LogConfig
from embedkafka.storage.log import Log
from embedkafka.storage.metadata import read_partition_metadata

PLAIN = TopicPartition("plain", 0)
KEYED = TopicPartition("keyed", 0)
CONFIGS = {
    PLAIN: LogConfig(segment_bytes=400, index_interval_bytes=100, tail_bytes=0),
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
    recovery_point: int = 0
    cleaned_offset: int = 0
    is_clean: bool = False
    deleted: bool = False


class Loss(AssertionError):
    """Something promised was not found."""


def append_next(log: Log, promised: Promised, *, epoch: int) -> bool:
    """Append a record that carries its own offset; True when a segment was rolled."""
    offset = log.end_offset
    info = append(log, values(f"{offset}", timestamp=NOW_MS + offset), epoch=epoch)
    promised.values[PLAIN].append(b"%d" % offset)
    promised.epochs.append(epoch)
    return info.rolled


def scenario(files: FaultyFiles, promised: Promised) -> Iterator[None]:
    """Do everything that syncs; after each ``yield`` the power may go."""
    directory = Directory(files)
    promised.exists = True
    yield
    plain, keyed = (directory.log(CONFIGS[name], name) for name in (PLAIN, KEYED))
    for _ in range(8):
        append_next(plain, promised, epoch=0)
        yield
    plain.flush()
    promised.durable[PLAIN] = 8
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
    plain.delete_old_segments(NOW_MS)
    yield
    for number in range(25):
        append(keyed, batch((NOW_MS, b"%d" % (number % 4), b"%d" % number)))
        promised.values[KEYED].append(b"%d" % number)
    keyed.roll(NOW_MS)
    keyed.flush()
    promised.durable[KEYED] = 25
    promised.keys = {b"%d" % (number % 4): b"%d" % number for number in range(25)}
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

    directory = Directory(files)
    plain = directory.log(CONFIGS[PLAIN], PLAIN)
    promised.is_clean = False
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

    directory = Directory(files)
    plain = directory.log(CONFIGS[PLAIN], PLAIN)
    promised.is_clean = False
    path = plain.segments[0].paths[1]
    directory.close()
    promised.is_clean = True
    files.unlink(path)  # somebody removes an index while the directory is closed
    directory = Directory(files)
    plain = directory.log(CONFIGS[PLAIN], PLAIN)
    promised.is_clean = False
    yield
    directory.close()
    promised.is_clean = True
    yield

    directory = Directory(files)
    promised.is_clean = False
    directory.broker.delete_log(KEYED)
    promised.deleted = True
    yield
    directory.close()
    promised.is_clean = True
    yield


def check(found: FaultyFiles, promised: Promised) -> None:
    """Compare what a power cut has left with what was promised."""
    require(not promised.exists or found.exists("/data/broker-0"), "the directory is there")
    if not promised.exists:
        return
    require(found.read_bytes("/data/format") == b"embedkafka 1\n", "the format is readable")
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
    for record in records:
        require(read_all(plain, record.offset)[0].offset == record.offset, "the offset index leads to the record")
        by_time = plain.offset_for_timestamp(record.timestamp)
        require(by_time is not None and by_time.offset == record.offset, "the time index leads to the record")
    for offset in range(plain.log_start_offset, promised.durable[PLAIN]):
        require(plain.leader_epochs.epoch_at(offset) == promised.epochs[offset], "leader epochs are kept")
    if promised.keys is not None and not promised.deleted:
        keyed = directory.log(CONFIGS[KEYED], KEYED)
        records = read_all(keyed)
        require({record.key: record.value for record in records} == promised.keys, "every key has its last value")
        for record in records:
            require(read_all(keyed, record.offset)[0].offset == record.offset, "the offset index leads to the record")
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


def first_loss(skipped_sync: int | None) -> tuple[str | None, list[tuple[str, str]]]:
    """Run the scenario with a power cut after every step; what was lost first, if anything, and the syncs made."""
    files = FaultyFiles()
    files.skipped_sync = skipped_sync
    promised = Promised()
    for step, _ in enumerate(scenario(files, promised)):
        if skipped_sync is not None and len(files.syncs) <= skipped_sync:
            continue  # so far this run is like the one without an omission
        for way in WAYS:
            found = files.power_cut(**way, seed=step)
            try:
                check(found, promised)
            except Exception as error:  # a loss, or what is left cannot even be opened
                return f"step {step}, {way}: {error!r}", files.syncs
    return None, files.syncs


def test_nothing_promised_is_lost_when_the_power_goes_after_any_step() -> None:
    loss, syncs = first_loss(None)
    assert loss is None
    assert len(syncs) > 30


def test_without_any_one_of_the_syncs_something_is_lost() -> None:
    _, syncs = first_loss(None)
    unnoticed = [
        f"{number}: {operation} {path}"
        for number, (operation, path) in enumerate(syncs)
        if first_loss(number)[0] is None
    ]
    assert unnoticed == []


def test_the_check_itself_notices_a_lost_record() -> None:
    files = FaultyFiles()
    promised = Promised()
    for _ in scenario(files, promised):
        if promised.durable[PLAIN]:
            break
    promised.values[PLAIN][3] = b"another"
    with pytest.raises(Loss, match="those that were appended"):
        check(files.power_cut(), promised)
