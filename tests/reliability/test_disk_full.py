"""A full disk: a clear error to the sender, nothing acknowledged is lost, and sending works again with room."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import embedkafka
from embedkafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from embedkafka.clock import ManualClock

ONE = TopicPartition("t", 0)
DISK_BYTES = 2 << 20
VALUE = b"x" * 10_000


class SmallDisk:
    """A folder on a device with little room, and ways to take away and give back the rest of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Leave about 100 KiB."""
        free = os.statvfs(self.folder)
        size_bytes = max(0, free.f_bavail * free.f_frsize - 100_000)
        (self.folder / "ballast").write_bytes(b"\0" * size_bytes)

    def free(self) -> None:
        (self.folder / "ballast").unlink()


class InjectedDisk(SmallDisk):
    """The same where nothing can be mounted: writes fail as they would, after a half-done one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        from embedkafka.files.posix import PosixFile

        original = PosixFile.write_at
        self.left_bytes: int | None = None
        disk = self

        def write_at(file: Any, data: Any, position: int) -> int:
            if disk.left_bytes is None or not file.path.startswith(str(disk.folder)):
                return original(file, data, position)
            if disk.left_bytes == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file.path)
            view = memoryview(data)[: disk.left_bytes]
            disk.left_bytes -= len(view)
            return original(file, view, position)

        monkeypatch.setattr(PosixFile, "write_at", write_at)

    def fill(self) -> None:
        self.left_bytes = 100_000

    def free(self) -> None:
        self.left_bytes = None


def _mounted(folder: Path) -> bool:
    """Mount a small tmpfs there, where this user may."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    return done.returncode == 0


@pytest.fixture(params=["mounted", "injected"])
def disk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "mounted" and _mounted(folder):
        try:
            yield SmallDisk(folder)
        finally:
            # Lazily, so that a test that fails with a file open does not leave the mount behind.
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    else:
        yield InjectedDisk(folder, monkeypatch)


def send_until_full(producer: Any) -> tuple[list[int], Exception]:
    """Offsets that were acknowledged before the first error, and that error."""
    offsets = []
    for _ in range(1_000):
        future = producer.send("t", VALUE, partition=0)
        try:
            offsets.append(future.get(timeout=10).offset)
        except Exception as error:
            return offsets, error
    raise AssertionError("the disk was never full")


def read_offsets(engine: Any) -> list[int]:
    consumer = KafkaConsumer(bootstrap_servers=engine, group_id=None, auto_offset_reset="earliest")
    consumer.assign([ONE])
    offsets: list[int] = []
    while consumer.position(ONE) < consumer.end_offsets([ONE])[ONE]:
        for record in consumer.poll(timeout_ms=1_000)[ONE]:
            assert record.value in (VALUE, b"again")
            offsets.append(record.offset)
    consumer.close()
    return offsets


def test_the_sender_is_told_and_sending_works_again(disk: SmallDisk) -> None:
    with (
        embedkafka.EmbeddedKafka(disk.folder / "data") as engine,
        KafkaProducer(bootstrap_servers=engine, retries=0) as producer,
    ):
        assert producer.send("t", VALUE, partition=0).get(timeout=10).offset == 0
        disk.fill()
        acknowledged, error = send_until_full(producer)
        assert isinstance(error, embedkafka.errors.KafkaStorageError)
        assert "no space" in str(error).lower()
        assert read_offsets(engine) == [0, *acknowledged]
        with pytest.raises(embedkafka.errors.KafkaStorageError):  # and no waiting for a topic that nobody can create
            producer.send("another", VALUE, partition=0).get(timeout=10)
        disk.free()
        after = producer.send("t", b"again", partition=0).get(timeout=10).offset
        assert after == len(acknowledged) + 1
        assert read_offsets(engine) == list(range(after + 1))


def test_what_was_acknowledged_is_there_after_reopening(disk: SmallDisk) -> None:
    engine = embedkafka.EmbeddedKafka(disk.folder / "data")
    with KafkaProducer(bootstrap_servers=engine, retries=0) as producer:
        producer.send("t", VALUE, partition=0).get(timeout=10)
        disk.fill()
        acknowledged, _ = send_until_full(producer)
    with contextlib.suppress(embedkafka.errors.KafkaStorageError):  # there is no room for a clean close either
        engine.close()
    disk.free()
    with embedkafka.EmbeddedKafka(disk.folder / "data") as engine:
        assert read_offsets(engine) == [0, *acknowledged]
        with KafkaProducer(bootstrap_servers=engine) as producer:
            assert producer.send("t", b"again", partition=0).get(timeout=10).offset == len(acknowledged) + 1


def test_a_commit_that_finds_no_room_fails_and_can_be_repeated(disk: SmallDisk) -> None:
    with (
        embedkafka.EmbeddedKafka(disk.folder / "data") as engine,
        KafkaProducer(bootstrap_servers=engine, retries=0) as producer,
    ):
        producer.send("t", VALUE, partition=0).get(timeout=10)
        consumer = KafkaConsumer("t", bootstrap_servers=engine, group_id="g", auto_offset_reset="earliest")
        assert consumer.poll(timeout_ms=10_000)
        consumer.commit()
        disk.fill()
        send_until_full(producer)
        refused = False
        for _ in range(3_000):
            try:
                consumer.commit({ONE: embedkafka.OffsetAndMetadata(0, "m" * 4_000, -1)}, timeout_ms=100)
            except embedkafka.errors.KafkaError:
                refused = True
                break
        assert refused
        disk.free()
        consumer.commit({ONE: embedkafka.OffsetAndMetadata(1, "again", -1)})
        assert consumer.committed(ONE) == 1
        consumer.close()
    with embedkafka.EmbeddedKafka(disk.folder / "data") as engine:
        admin = KafkaAdminClient(bootstrap_servers=engine)
        assert admin.list_group_offsets({"g": None})["g"][ONE].offset == 1
        admin.close()


def test_the_limit_of_a_directory_is_a_clear_error_too(tmp_path: Path) -> None:
    clock = ManualClock()
    with (
        embedkafka.EmbeddedKafka(tmp_path / "data", clock=clock, **{"log.max.total.bytes": 100_000}) as engine,
        KafkaProducer(bootstrap_servers=engine, retries=0) as producer,
    ):
        acknowledged, error = send_until_full(producer)
        assert isinstance(error, embedkafka.errors.KafkaStorageError)
        assert "log.max.total.bytes" in str(error)
        assert read_offsets(engine) == acknowledged
