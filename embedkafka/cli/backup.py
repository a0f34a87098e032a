"""``embedkafka backup``: a consistent copy of a data directory, also while its owner writes.

Order makes it consistent.  The catalog goes first, through SQLite's own backup, then ``__consumer_offsets``, then
everything else: so no group has committed past the records that were copied.  Of each partition only whole batches
whose checksum holds are taken.  Retention and compaction may replace files meanwhile; a partition whose older segments
changed while it was copied is copied again.

The copy has no indexes for its newest segments and no clean-shutdown marker: opening it is a recovery, which builds
what is missing and checks everything from the recovery point on.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from embedkafka.broker.catalog import FILE_NAME
from embedkafka.cli import text
from embedkafka.cli.exits import CliError, ExitCode
from embedkafka.cli.segments import PartitionFolder, ScanEnd, Segment, partition_folders, scan
from embedkafka.cli.session import DataOption, JsonOption, Session, command
from embedkafka.cli.verify import Verified, verify_partition
from embedkafka.errors import CorruptRecordError
from embedkafka.storage.broker_directory import META_PROPERTIES_FILE
from embedkafka.storage.checkpoints import LEADER_EPOCH_FILE, LOG_START_FILE
from embedkafka.storage.data_directory import FORMAT_FILE

MAX_ATTEMPTS = 10  # how often a partition may change under the copy before giving up
PARTITION_FILES = ("partition.metadata", LEADER_EPOCH_FILE)
BROKER_FILES = (META_PROPERTIES_FILE, LOG_START_FILE)


@dataclass
class Copied:
    """What a backup took."""

    partitions: int = 0
    batches: int = 0
    records: int = 0
    size_bytes: int = 0


@command
def backup(
    destination: Annotated[Path, typer.Argument(metavar="DESTINATION", help="A directory that is not there or empty.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy a data directory, also one that is in use, and verify the copy."""
    session = Session(data, as_json)
    source = session.existing_data()
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise CliError(
            f"{destination} is there and not empty", "name a directory that is not there yet", ExitCode.USAGE
        )
    if source.resolve() in (destination.resolve(), *destination.resolve().parents):
        raise CliError(f"{destination} is inside {source}", "name a directory outside of it", ExitCode.USAGE)
    total = sum(segment.path.stat().st_size for folder in partition_folders(source) for segment in folder.segments())
    with session.out.progress("copying", total, unit="bytes") as advance:
        copied = copy_directory(source, destination, advance)
    checked = Verified()
    with session.out.progress("verifying", copied.size_bytes, unit="bytes") as advance:
        for folder in partition_folders(destination):
            verify_partition(folder, checked, may_be_unfinished=False, advance=advance, indexes_may_be_missing=True)
    for finding in checked.findings:
        session.out.warn(f"{finding.file}: {finding.problem}")
    if session.out.as_json:
        session.out.json(
            {
                "source": str(source),
                "destination": str(destination),
                "partitions": copied.partitions,
                "batches": copied.batches,
                "records": copied.records,
                "bytes": copied.size_bytes,
                "verified": not checked.findings,
            }
        )
    else:
        parts = (text.counted(copied.partitions, "partition"), text.counted(copied.records, "record"))
        session.out.line(f"{', '.join(parts)}, {text.size(copied.size_bytes)} copied to {destination} and verified")
    if checked.findings or checked.records != copied.records:
        raise CliError("the copy is not what was read", "is the disk in order?")


def copy_directory(source: Path, destination: Path, advance: Callable[[float], None]) -> Copied:
    """Copy a data directory to one that is not there or empty.

    Args:
        source: the directory, owned by somebody or not.
        destination: made with its parents.
        advance: told the bytes copied.

    Raises:
        CorruptRecordError: a batch in the middle of a log is damaged.
        CliError: a partition kept changing.
    """
    destination.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / FORMAT_FILE, destination / FORMAT_FILE)
    _copy_catalog(source / FILE_NAME, destination / FILE_NAME)
    copied = Copied()
    folders = sorted(partition_folders(source), key=lambda folder: not folder.topic_partition.topic.startswith("__"))
    for broker in sorted(source.glob("broker-*")):
        (destination / broker.name).mkdir(exist_ok=True)
        for name in BROKER_FILES:
            _copy_if_there(broker / name, destination / broker.name / name)
    for folder in folders:
        _copy_partition(folder, destination / folder.path.parent.name / folder.path.name, copied, advance)
    for path in sorted(destination.rglob("*"), reverse=True):
        _sync(path)
    _sync(destination)
    return copied


def _copy_catalog(source: Path, destination: Path) -> None:
    if not source.is_file():
        return
    reader = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)
    writer = sqlite3.connect(destination)
    try:
        reader.backup(writer)
    finally:
        writer.close()
        reader.close()


def _copy_partition(
    folder: PartitionFolder, destination: Path, copied: Copied, advance: Callable[[float], None]
) -> None:
    for _ in range(MAX_ATTEMPTS):
        before = folder.identities()
        attempt = Copied()
        destination.mkdir(exist_ok=True)
        try:
            for name in PARTITION_FILES:
                _copy_if_there(folder.path / name, destination / name)
            segments = folder.segments()
            for segment in segments:
                _copy_segment(segment, destination, attempt, advance, newest=segment == segments[-1])
        except FileNotFoundError:
            pass  # replaced or dropped between listing and opening
        else:
            after = folder.identities()
            # New segments behind and fewer in front do no harm; anything else was a compaction under our hands.
            kept = {name: inode for name, inode in before.items() if not after or name >= min(after)}
            if all(after.get(name) == inode for name, inode in kept.items()):
                copied.partitions += 1
                copied.batches += attempt.batches
                copied.records += attempt.records
                copied.size_bytes += attempt.size_bytes
                return
        shutil.rmtree(destination, ignore_errors=True)
        if not folder.path.exists():
            return  # the topic was deleted
    raise CliError(f"{folder.path} changed each time it was copied", "try again when less is compacted")


def _copy_segment(
    segment: Segment, destination: Path, copied: Copied, advance: Callable[[float], None], *, newest: bool
) -> None:
    end = ScanEnd()
    with (destination / segment.path.name).open("xb") as copy:
        for batch in scan(segment.path, end):
            if batch.problem:
                if newest:
                    break  # being written at this moment
                raise CorruptRecordError(f"{segment.path}: byte {batch.position}: {batch.problem}")
            copy.write(batch.data)
            copied.batches += 1
            copied.records += batch.header.records_count
            copied.size_bytes += len(batch.data)
            advance(len(batch.data))
    if end.problem and not newest:
        raise CorruptRecordError(f"{segment.path}: byte {end.position}: {end.problem}")
    if not newest:  # the newest one's indexes may know more than was copied
        for path in (segment.offset_index, segment.time_index, segment.path.with_suffix(".txnindex")):
            _copy_if_there(path, destination / path.name)
        _copy_if_there(segment.path.with_suffix(".snapshot"), destination / segment.path.with_suffix(".snapshot").name)


def _copy_if_there(source: Path, destination: Path) -> None:
    try:
        shutil.copyfile(source, destination)
    except FileNotFoundError:
        destination.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows syncs no directories
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
