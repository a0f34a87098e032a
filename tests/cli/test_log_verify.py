"""``log verify``: every kind of damage is named with its place, and nothing else is."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.calls import Said, call
from cli.directories import Built, batch, build, write_segment

from embedkafka.cli import verify as verify_module
from embedkafka.cli.segments import ScanEnd, ScannedBatch


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return build(tmp_path / "data", partitions=2, segments=3)


def verify(built: Built) -> Said:
    return call("log", "verify", "--data", built.path, "--json")


def problems(built: Built) -> list[tuple[str, int | None, str]]:
    said = verify(built)
    (report,) = said.objects()
    assert said.exit_code == (1 if report["problems"] else 0)
    return [(Path(found["file"]).name, found["position"], found["problem"]) for found in report["problems"]]


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def test_a_sound_directory_has_no_problem(built: Built) -> None:
    (report,) = verify(built).objects()
    assert report["problems"] == report["unfinished"] == []
    assert (report["partitions"], report["segments"], report["batches"], report["records"]) == (2, 6, 18, 36)


def test_people_get_one_sentence(built: Built) -> None:
    said = call("log", "verify", "--data", built.path)
    assert said.stdout.startswith("no problem in 2 partitions, 6 segments, 18 batches, 36 records, ")


def test_a_flipped_bit_is_found_where_its_batch_begins(built: Built) -> None:
    size = len(batch(0, [b"value 0", b"value 1"]))
    flip(built.log(6), size + 70)
    ((file, position, problem),) = problems(built)
    assert (file, position) == (built.log(6).name, size)
    assert problem.startswith("batch of offsets 8 to 9: ")


def test_offsets_that_go_back_are_found(tmp_path: Path) -> None:
    built = build(tmp_path / "data")
    write_segment(built.log(), [batch(0, [b"a", b"b"]), batch(1, [b"c"])])
    assert "offset 1 follows offset 1" in [problem for _, _, problem in problems(built)]


def test_an_offset_below_the_files_name_is_found(tmp_path: Path) -> None:
    built = build(tmp_path / "data")
    built.log().unlink()
    write_segment(built.log(5), [batch(3, [b"a", b"b", b"c"])])
    assert "offset 3 is below the file's name" in [problem for _, _, problem in problems(built)]


def test_segments_that_overlap_are_found(built: Built) -> None:
    write_segment(built.log(6), [batch(6, [b"x"] * 9)])
    assert (built.log(12).name, None, "begins at offset 12, but the segment before goes up to 14") in problems(built)


def test_half_a_batch_at_the_end_of_a_closed_directory_is_damage(built: Built) -> None:
    path = built.log(12)
    path.write_bytes(path.read_bytes()[:-5])
    file, _, problem = problems(built)[0]
    assert (file, problem.split(":")[0]) == (path.name, "the batch is cut")


def test_half_a_batch_at_the_end_of_an_open_directory_is_work_in_progress(built: Built) -> None:
    (built.path / "broker-0" / ".kafka_cleanshutdown").unlink()
    path = built.log(12)
    path.write_bytes(path.read_bytes() + batch(18, [b"new"])[:40])
    said = verify(built)
    (report,) = said.objects()
    assert (said.exit_code, report["problems"], len(report["unfinished"])) == (0, [], 1)


def test_half_a_batch_inside_an_older_segment_is_damage_even_while_open(built: Built) -> None:
    (built.path / "broker-0" / ".kafka_cleanshutdown").unlink()
    path = built.log(6)
    path.write_bytes(path.read_bytes() + b"\0" * 7)
    assert problems(built) == [(path.name, path.stat().st_size - 7, "7 bytes are left, too few for a batch")]


def test_an_offset_index_that_points_between_batches_is_found(built: Built) -> None:
    index = built.log(6, suffix=".index")
    index.write_bytes(struct.pack(">ii", 1, 13))
    assert problems(built) == [(index.name, 0, "offset 7 is said to be at byte 13, where no batch begins")]


def test_an_offset_index_with_a_wrong_offset_is_found(built: Built) -> None:
    index = built.log(6, suffix=".index")
    index.write_bytes(struct.pack(">ii", 0, 0))
    assert problems(built) == [(index.name, 0, "offset 6 is said to be at byte 0, but that batch ends at 7")]


def test_index_entries_that_go_back_are_found(built: Built) -> None:
    index = built.log(6, suffix=".index")
    size = len(batch(6, [b"value 6", b"value 7"]))
    index.write_bytes(struct.pack(">iiii", 3, size, 1, 0))
    assert (index.name, 8, f"entry (7, 0) follows (9, {size})") in problems(built)


def test_half_an_index_entry_is_found(built: Built) -> None:
    index = built.log(6, suffix=".index")
    index.write_bytes(index.read_bytes() + b"abc")
    assert problems(built) == [(index.name, 24, "3 bytes are left over")]


def test_a_time_index_that_states_an_earlier_time_than_the_records_is_found(built: Built) -> None:
    index = built.log(6, suffix=".timeindex")
    index.write_bytes(struct.pack(">qi", 5, 3))
    ((file, position, problem),) = problems(built)
    assert (file, position) == (index.name, 0)
    assert problem.startswith("says 5 for offset 9, but a record up to there has ")


def test_a_time_index_beyond_its_segment_is_found(built: Built) -> None:
    index = built.log(6, suffix=".timeindex")
    index.write_bytes(struct.pack(">qi", 1_800_000_000_000, 99))
    assert problems(built) == [(index.name, 0, "names offset 105, which is not in this segment")]


def test_a_missing_index_is_found(built: Built) -> None:
    built.log(6, suffix=".index").unlink()
    assert problems(built) == [(built.log(6, suffix=".index").name, None, "is missing")]


def test_one_partition_can_be_verified_alone(built: Built) -> None:
    flip(built.log(6, partition=1), 70)
    assert call("log", "verify", "lines-0", "--data", built.path).exit_code == 0
    assert call("log", "verify", "lines-1", "--data", built.path).exit_code == 1


def test_an_unknown_topic_is_exit_code_4_and_names_the_nearest(built: Built) -> None:
    said = call("log", "verify", "line", "--data", built.path)
    assert said.exit_code == 4
    assert "did you mean 'lines'?" in said.stderr


def test_a_bad_checksum_in_the_very_last_batch_of_an_open_directory_is_work_in_progress(built: Built) -> None:
    (built.path / "broker-0" / ".kafka_cleanshutdown").unlink()
    flip(built.log(12), built.log(12).stat().st_size - 1)
    (report,) = verify(built).objects()
    assert (report["problems"], len(report["unfinished"])) == ([], 1)


def test_a_bad_checksum_before_the_last_batch_is_damage_even_while_open(built: Built) -> None:
    (built.path / "broker-0" / ".kafka_cleanshutdown").unlink()
    flip(built.log(12), 70)
    assert len(problems(built)) == 1


def test_what_the_owner_appends_meanwhile_is_no_problem(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    (built.path / "broker-0" / ".kafka_cleanshutdown").unlink()
    scan = verify_module.scan
    data = batch(18, [b"value 18", b"value 19"])

    def append_after_scanning(path: Path, end: ScanEnd) -> Iterator[ScannedBatch]:
        yield from scan(path, end)
        if path == built.log(12):  # the log, then its index, as an owner does
            position = path.stat().st_size
            path.write_bytes(path.read_bytes() + data)
            index = built.log(12, suffix=".index")
            index.write_bytes(index.read_bytes() + struct.pack(">ii", 7, position))

    monkeypatch.setattr(verify_module, "scan", append_after_scanning)
    assert problems(built) == []


def test_a_compaction_meanwhile_is_no_problem(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = verify_module.scan
    merged = [False]

    def merge_first(path: Path, end: ScanEnd) -> Iterator[ScannedBatch]:
        if path == built.log(0) and not merged[0]:
            merged[0] = True  # one segment now holds the offsets of two, and the second is not gone yet
            swap = path.with_suffix(".swap")
            swap.write_bytes(batch(0, [b"a", b"b"]) + batch(10, [b"c", b"d"]))
            os.replace(swap, path)
            built.log(0, suffix=".index").write_bytes(b"")
            built.log(0, suffix=".timeindex").write_bytes(b"")
            yield from scan(path, end)
            for suffix in (".log", ".index", ".timeindex"):
                built.log(6, suffix=suffix).rename(built.log(6, suffix=suffix + ".deleted"))
        else:
            yield from scan(path, end)

    monkeypatch.setattr(verify_module, "scan", merge_first)
    assert problems(built) == []
    assert merged[0]
