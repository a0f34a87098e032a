"""``consume`` without a group: reads the files beside a live owner, changes nothing, shows everything safely."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from cli.calls import call
from cli.directories import FIRST_TIMESTAMP_MS, Built, batch, build, write_segment

from embedkafka.cli.beside import PartitionTail
from embedkafka.cli.segments import PartitionFolder
from embedkafka.errors import CorruptRecordError
from embedkafka.model import TopicPartition


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return build(tmp_path / "data", partitions=2, segments=3)


def consume(built: Built, *words: object) -> list[str]:
    said = call("consume", "lines", *words, "--data", built.path)
    assert said.exit_code == 0, said.stderr
    return said.stdout.splitlines()


def tail(built: Built, offset: int = 0) -> PartitionTail:
    return PartitionTail(PartitionFolder(built.log().parent, 0, TopicPartition("lines", 0)), offset)


def test_it_prints_every_record_over_all_segments(built: Built) -> None:
    assert consume(built, "--partition", 0) == [f"value {offset}" for offset in range(18)]


def test_without_a_partition_it_prints_all_of_them(built: Built) -> None:
    assert len(consume(built)) == 36


def test_it_changes_no_file(built: Built) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in built.path.rglob("*") if path.is_file()}
    consume(built)
    after = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in built.path.rglob("*") if path.is_file()}
    assert after == before


def test_an_offset_in_the_middle_of_a_batch_starts_there(built: Built) -> None:
    assert consume(built, "-p", 0, "--offset", 9)[0] == "value 9"


def test_a_negative_offset_counts_from_the_end(built: Built) -> None:
    assert consume(built, "-p", 0, "--offset", -2) == ["value 16", "value 17"]


def test_an_offset_beyond_the_end_prints_nothing(built: Built) -> None:
    assert consume(built, "-p", 0, "--offset", 99) == []


def test_from_end_prints_nothing_that_is_there_already(built: Built) -> None:
    assert consume(built, "--from-end") == []


def test_max_messages_stops_it(built: Built) -> None:
    assert len(consume(built, "-n", 5)) == 5


def test_a_format_shows_the_fields_it_names(built: Built) -> None:
    template = r"{topic}-{partition}@{offset}\t{key}={value} {headers} {timestamp}"
    assert consume(built, "-p", 1, "-n", 1, "--format", template) == [
        f"lines-1@0\tk0=value 0 source=test {FIRST_TIMESTAMP_MS}"
    ]


def test_a_format_can_show_the_time_in_words(built: Built) -> None:
    assert consume(built, "-p", 0, "-n", 1, "--format", "{time}") == ["2023-11-14T22:13:20.000Z"]


def test_an_unknown_field_is_wrong_usage_and_names_those_there_are(built: Built) -> None:
    said = call("consume", "lines", "--format", "{valeu}", "--data", built.path)
    assert said.exit_code == 2
    assert "topic, partition, offset" in said.stderr


def test_bytes_that_would_move_the_cursor_are_escaped(built: Built) -> None:
    write_segment(built.log(), [batch(0, [b"\x1b[2J", b"\xff\xfe", b"two\nlines", None])])
    assert consume(built, "-p", 0, "-n", 4) == [r"\x1b[2J", r"\xff\xfe", r"two\nlines", "null"]


def test_raw_prints_the_bytes_as_they_are(built: Built) -> None:
    write_segment(built.log(), [batch(0, ["é".encode(), b"b"])])
    said = call("consume", "lines", "-p", 0, "-n", 2, "--raw", "--data", built.path)
    assert said.stdout == "é\nb\n"


def test_json_is_one_object_a_line_and_nothing_else(built: Built) -> None:
    first, *rest = (json.loads(line) for line in consume(built, "-p", 0, "--json"))
    assert first == {
        "topic": "lines",
        "partition": 0,
        "offset": 0,
        "timestamp": FIRST_TIMESTAMP_MS,
        "key": "k0",
        "value": "value 0",
        "headers": [{"name": "source", "value": "test"}],
    }
    assert len(rest) == 17


def test_records_below_the_log_start_offset_are_gone(built: Built) -> None:
    (built.path / "broker-0" / "log-start-offset-checkpoint").write_text("0\n1\nlines 0 7\n")
    assert consume(built, "-p", 0)[0] == "value 7"


def test_half_a_batch_at_the_end_is_left_out_with_a_warning(built: Built) -> None:
    newest = built.log(12)
    newest.write_bytes(newest.read_bytes()[:-3])
    said = call("consume", "lines", "-p", 0, "--data", built.path)
    assert said.exit_code == 0
    assert len(said.stdout.splitlines()) == 16
    assert "being written, or left by a crash" in said.stderr


def test_damage_in_an_older_segment_is_an_error_that_says_where(built: Built) -> None:
    data = bytearray(built.log(6).read_bytes())
    data[70] ^= 1
    built.log(6).write_bytes(data)
    said = call("consume", "lines", "-p", 0, "--data", built.path)
    assert said.exit_code == 1
    assert f"{built.log(6).name}: byte 0: " in said.stderr
    assert "log verify" in said.stderr


def test_an_unknown_topic_is_exit_code_4_and_names_the_nearest(built: Built) -> None:
    said = call("consume", "linse", "--data", built.path)
    assert said.exit_code == 4
    assert "did you mean 'lines'?" in said.stderr


def test_an_unknown_partition_is_exit_code_4_and_says_which_there_are(built: Built) -> None:
    said = call("consume", "lines", "-p", 2, "--data", built.path)
    assert said.exit_code == 4
    assert "it has 0 to 1" in said.stderr


def test_a_tail_sees_what_is_appended_later(built: Built) -> None:
    reader = tail(built)
    assert len(list(reader.read())) == 18
    with built.log(12).open("ab") as log:
        log.write(batch(18, [b"new"]))
    assert [record.value for record in reader.read()] == [b"new"]


def test_a_tail_waits_for_the_other_half_of_a_batch(built: Built) -> None:
    reader = tail(built, 18)
    data = batch(18, [b"new"])
    with built.log(12).open("ab") as log:
        log.write(data[:50])
        log.flush()
        assert list(reader.read()) == []
        log.write(data[50:])
    assert [record.value for record in reader.read()] == [b"new"]


def test_a_tail_goes_on_in_the_next_segment(built: Built) -> None:
    reader = tail(built, 18)
    assert list(reader.read()) == []
    write_segment(built.log(18), [batch(18, [b"new"])])
    assert [record.value for record in reader.read()] == [b"new"]


def test_a_tail_survives_that_its_segment_is_dropped(built: Built) -> None:
    reader = tail(built)
    first = next(reader.read())
    assert first.offset == 0
    built.log(0).unlink()
    assert [record.offset for record in reader.read()] == list(range(6, 18))


def test_a_tail_survives_that_its_segment_is_replaced_by_a_compacted_one(built: Built) -> None:
    reader = tail(built, 16)
    assert len(list(reader.read())) == 2
    compacted = built.log(12).with_suffix(".cleaned")
    compacted.write_bytes(batch(17, [b"value 17"]))
    os.replace(compacted, built.log(12))
    built.log(12, suffix=".index").unlink()
    with built.log(12).open("ab") as log:
        log.write(batch(18, [b"new"]))
    assert [record.value for record in reader.read()] == [b"new"]


def test_a_tail_refuses_damage_that_is_not_at_the_end(built: Built) -> None:
    built.log(6).write_bytes(b"\0" * 100)
    with pytest.raises(CorruptRecordError, match=built.log(6).name):
        list(tail(built).read())


def test_waiting_ends_when_nothing_came_for_so_long(built: Built) -> None:
    assert len(consume(built, "-p", 0, "--timeout-ms", 1)) == 18


def test_following_prints_what_comes_while_it_waits(built: Built) -> None:
    def append() -> None:
        with built.log(12).open("ab") as log:
            log.write(batch(18, [b"new"]))

    writer = threading.Timer(0.05, append)
    writer.start()
    try:
        assert consume(built, "-p", 0, "--follow", "-n", 19)[-1] == "new"
    finally:
        writer.join()
