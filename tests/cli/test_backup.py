"""``backup``: whole batches only, consistent whatever the owner does meanwhile, verified."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from cli.calls import call
from cli.directories import Built, batch, build

from embedkafka.cli import backup
from embedkafka.cli.segments import Segment


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return build(tmp_path / "data", partitions=2, segments=3)


def files(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def test_every_log_is_copied_byte_for_byte(built: Built, tmp_path: Path) -> None:
    said = call("backup", tmp_path / "copy", "--data", built.path)
    assert said.exit_code == 0
    assert "2 partitions, 36 records" in said.stdout
    copy, original = files(tmp_path / "copy"), files(built.path)
    logs = {name: data for name, data in original.items() if name.endswith(".log")}
    assert {name: data for name, data in copy.items() if name.endswith(".log")} == logs


def test_the_source_is_not_changed(built: Built, tmp_path: Path) -> None:
    before = files(built.path)
    call("backup", tmp_path / "copy", "--data", built.path)
    assert files(built.path) == before


def test_the_copy_has_the_catalog(built: Built, tmp_path: Path) -> None:
    call("backup", tmp_path / "copy", "--data", built.path)
    (topic,) = call("topics", "list", "--data", tmp_path / "copy", "--json").objects()
    assert (topic["topic"], topic["partitions"], topic["records"]) == ("lines", 2, 36)


def test_the_copy_is_not_marked_as_cleanly_closed(built: Built, tmp_path: Path) -> None:
    call("backup", tmp_path / "copy", "--data", built.path)
    assert not (tmp_path / "copy" / "broker-0" / ".kafka_cleanshutdown").exists()


def test_half_a_batch_at_the_end_is_left_out(built: Built, tmp_path: Path) -> None:
    with built.log(12).open("ab") as log:
        log.write(batch(18, [b"new"])[:50])
    (report,) = call("backup", tmp_path / "copy", "--data", built.path, "--json").objects()
    assert (report["records"], report["verified"]) == (36, True)


def test_damage_in_the_middle_stops_it(built: Built, tmp_path: Path) -> None:
    data = bytearray(built.log(6).read_bytes())
    data[70] ^= 1
    built.log(6).write_bytes(data)
    said = call("backup", tmp_path / "copy", "--data", built.path)
    assert said.exit_code == 1
    assert built.log(6).name in said.stderr


def test_committed_offsets_are_copied_before_the_records_they_point_to(built: Built, tmp_path: Path) -> None:
    offsets = built.path / "broker-0" / "__consumer_offsets-0"
    offsets.mkdir()
    (offsets / "00000000000000000000.log").write_bytes(batch(0, [b"x"]))
    order: list[str] = []
    copy_segment = backup._copy_segment

    def watch(segment: Segment, destination: Path, *args: object, **options: object) -> None:
        order.append(destination.name)
        copy_segment(segment, destination, *args, **options)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup, "_copy_segment", watch)
        call("backup", tmp_path / "copy", "--data", built.path)
    assert order[0] == "__consumer_offsets-0"
    assert set(order[1:]) == {"lines-0", "lines-1"}


def during_first_copy(monkeypatch: pytest.MonkeyPatch, change: object) -> None:
    """Run ``change`` once, right after the first segment was copied."""
    copy_segment = backup._copy_segment
    changes = [change]

    def copy_then_change(segment: Segment, destination: Path, *args: object, **options: object) -> None:
        copy_segment(segment, destination, *args, **options)  # type: ignore[arg-type]
        if changes:
            changes.pop()()  # type: ignore[operator]

    monkeypatch.setattr(backup, "_copy_segment", copy_then_change)


def test_a_compaction_under_its_hands_makes_it_copy_the_partition_again(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compact() -> None:
        """Merge the first two segments into one, as a cleaner does."""
        swap = built.log(0).with_suffix(".swap")
        swap.write_bytes(batch(0, [b"value 0"]) + batch(10, [b"value 10", b"value 11"]))
        os.replace(swap, built.log(0))
        built.log(6).unlink()
        for suffix in (".index", ".timeindex"):
            built.log(6, suffix=suffix).unlink()
            built.log(0, suffix=suffix).write_bytes(b"")

    during_first_copy(monkeypatch, compact)
    assert call("backup", tmp_path / "copy", "--data", built.path).exit_code == 0
    values = call("consume", "lines", "-p", 0, "--data", tmp_path / "copy").stdout.splitlines()
    assert values == ["value 0", "value 10", "value 11", *(f"value {n}" for n in range(12, 18))]


def test_a_merge_whose_second_segment_is_not_gone_yet_is_not_copied_twice(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_segment = backup._copy_segment
    copied: list[str] = []

    def copy_between(segment: Segment, destination: Path, *args: object, **options: object) -> None:
        if not copied:  # the first two segments have become one; the second's removal is still to come
            swap = built.log(0).with_suffix(".swap")
            swap.write_bytes(batch(0, [b"value 0"]) + batch(10, [b"value 10", b"value 11"]))
            os.replace(swap, built.log(0))
        copied.append(segment.path.name)
        copy_segment(segment, destination, *args, **options)  # type: ignore[arg-type]
        if len(copied) == 2:
            for suffix in (".log", ".index", ".timeindex"):
                built.log(6, suffix=suffix).unlink()
                built.log(0, suffix=suffix).write_bytes(b"") if suffix != ".log" else None

    monkeypatch.setattr(backup, "_copy_segment", copy_between)
    assert call("backup", tmp_path / "copy", "--data", built.path).exit_code == 0
    assert copied[:5] == [built.log(n).name for n in (0, 6, 12, 0, 12)]


def test_retention_under_its_hands_does_no_harm(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    during_first_copy(monkeypatch, lambda: built.log(0).unlink())
    assert call("backup", tmp_path / "copy", "--data", built.path).exit_code == 0


def test_records_appended_under_its_hands_may_be_in_it_or_not(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append() -> None:
        with built.log(12).open("ab") as log:
            log.write(batch(18, [b"new"]))

    during_first_copy(monkeypatch, append)
    (report,) = call("backup", tmp_path / "copy", "--data", built.path, "--json").objects()
    assert report["records"] in (36, 37)


def test_a_destination_with_files_in_it_is_refused(built: Built, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mine.txt").write_text("keep")
    said = call("backup", tmp_path / "copy", "--data", built.path)
    assert said.exit_code == 2
    assert files(tmp_path / "copy") == {"mine.txt": b"keep"}


def test_a_destination_inside_the_source_is_refused(built: Built) -> None:
    assert call("backup", built.path / "copy", "--data", built.path).exit_code == 2


def test_the_catalog_is_a_database_of_its_own(built: Built, tmp_path: Path) -> None:
    call("backup", tmp_path / "copy", "--data", built.path)
    database = sqlite3.connect(tmp_path / "copy" / "catalog.sqlite")
    try:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    finally:
        database.close()
