"""Bad input of the kind that comes from outside the program: each has its own error, and nothing changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import embedkafka
from embedkafka import KafkaConsumer, KafkaProducer, TopicPartition
from embedkafka.clock import ManualClock

IS_FULL = os.environ.get("EMBEDKAFKA_FULL", "") not in ("", "0")
ONE = TopicPartition("t", 0)
COUNT = 80


def _fill(folder: Path, **topic_configs: str) -> None:
    with embedkafka.EmbeddedKafka(folder) as engine:
        admin = embedkafka.KafkaAdminClient(bootstrap_servers=engine)
        admin.create_topics({"t": {"num_partitions": 1, "configs": topic_configs}})
        admin.close()
        with KafkaProducer(bootstrap_servers=engine) as producer:
            for number in range(COUNT):
                producer.send("t", b"value-%d" % number).get(timeout=10)


def _reader(engine: Any, **configs: Any) -> Any:
    consumer = KafkaConsumer(bootstrap_servers=engine, group_id=None, auto_offset_reset="earliest", **configs)
    consumer.assign([ONE])
    return consumer


def _segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("broker-*/t-0/*.log"))


def _snapshot(folder: Path) -> dict[str, bytes]:
    """Names and bytes of all files below a folder."""
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


# -- a segment whose bytes changed ---


BATCHES_PER_SEGMENT = 26  # of one record each, with the segment size below
LEADER_EPOCH = range(12, 16)  # outside the checksum, and of no meaning to a reader of one broker's log
BASE_OFFSET = range(8)  # outside the checksum, too: Kafka patches both into a batch that it appends


def _read_all(folder: Path) -> tuple[list[int], str]:
    """Offsets that a reader gets, and what ended it."""
    with embedkafka.EmbeddedKafka(folder, clock=ManualClock()) as engine:
        consumer = _reader(engine)
        offsets: list[int] = []
        ended = "stuck"
        try:
            for _ in range(COUNT):
                for record in consumer.poll(timeout_ms=100).get(ONE, []):
                    assert record.value == b"value-%d" % record.offset
                    offsets.append(record.offset)
                if offsets and offsets[-1] == COUNT - 1:
                    ended = "at the end"
                    break
        except embedkafka.errors.CorruptRecordError:
            ended = f"CorruptRecordError at {consumer.position(ONE)}"
        consumer.close()
        return offsets, ended


def test_a_flipped_bit_in_a_closed_segment_is_an_error_at_its_record_and_not_before(tmp_path: Path) -> None:
    _fill(tmp_path / "data", **{"internal.segment.bytes": "2000"})
    broken = _segments(tmp_path / "data")[1]
    sound = broken.read_bytes()
    size_bytes = len(sound) // BATCHES_PER_SEGMENT
    offset = int(broken.stem) + 5
    expected = (list(range(offset)), f"CorruptRecordError at {offset}")
    wrong = {}
    for at in range(len(BASE_OFFSET), size_bytes, 1 if IS_FULL else 3):
        if at in LEADER_EPOCH:
            continue
        for bit in (0, 4, 7) if IS_FULL else (at % 8,):
            content = bytearray(sound)
            content[5 * size_bytes + at] ^= 1 << bit
            broken.write_bytes(content)
            found = _read_all(tmp_path / "data")
            if found != expected:
                wrong[at, bit] = (found[0][-1:], len(found[0]), found[1])
    assert not wrong
    broken.write_bytes(sound)
    assert _read_all(tmp_path / "data") == (list(range(COUNT)), "at the end")


def test_what_lies_behind_a_corrupt_batch_can_be_read(tmp_path: Path) -> None:
    _fill(tmp_path / "data", **{"internal.segment.bytes": "2000"})
    broken = _segments(tmp_path / "data")[1]
    content = bytearray(broken.read_bytes())
    content[-1] ^= 1
    broken.write_bytes(content)
    with embedkafka.EmbeddedKafka(tmp_path / "data") as engine:
        consumer = _reader(engine)
        behind = int(_segments(tmp_path / "data")[2].stem)
        consumer.seek(ONE, behind)
        assert consumer.poll(timeout_ms=1_000)[ONE][0].offset == behind
        consumer.close()


def test_log_verify_names_the_corrupt_file(tmp_path: Path) -> None:
    _fill(tmp_path / "data", **{"internal.segment.bytes": "2000"})
    verify = [sys.executable, "-m", "embedkafka", "log", "verify", "--data", str(tmp_path / "data")]
    assert subprocess.run(verify, capture_output=True, check=False).returncode == 0
    broken = _segments(tmp_path / "data")[1]
    content = bytearray(broken.read_bytes())
    content[len(content) // 2] ^= 0x10
    broken.write_bytes(content)
    done = subprocess.run(verify, capture_output=True, check=False)
    assert done.returncode not in (0, None)
    assert broken.name in (done.stdout + done.stderr).decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("clean", [True, False], ids=["closed cleanly", "after a crash"])
def test_a_missing_index_is_built_again(tmp_path: Path, clean: bool) -> None:
    _fill(tmp_path / "data", **{"internal.segment.bytes": "2000", "index.interval.bytes": "100"})
    if not clean:
        (marker,) = (tmp_path / "data").glob("broker-*/.kafka_cleanshutdown")
        marker.unlink()
    for index in (tmp_path / "data").glob("broker-*/t-0/*.*index"):
        index.unlink()
    with embedkafka.EmbeddedKafka(tmp_path / "data") as engine:
        consumer = _reader(engine)
        consumer.seek(ONE, COUNT // 2)
        assert consumer.poll(timeout_ms=1_000)[ONE][0].offset == COUNT // 2
        assert consumer.offsets_for_times({ONE: 0})[ONE].offset == 0
        consumer.close()


# -- folders that are not ours ---


@pytest.mark.parametrize("name", ["notes.txt", "meta.properties", "t-0"])
def test_a_foreign_folder_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / name).write_text("precious")
    before = _snapshot(folder)
    with pytest.raises(embedkafka.errors.ForeignDirectoryError) as raised:
        embedkafka.EmbeddedKafka(folder)
    assert str(folder) in str(raised.value)
    assert _snapshot(folder) == before


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(embedkafka.errors.ForeignDirectoryError) as raised:
        embedkafka.EmbeddedKafka(tmp_path / "file")
    assert str(tmp_path / "file") in str(raised.value)
    assert (tmp_path / "file").read_text() == "precious"


def test_a_folder_of_a_later_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    _fill(folder)
    (folder / "format").write_text((folder / "format").read_text().replace("1", "999"))
    before = _snapshot(folder)
    with pytest.raises(embedkafka.errors.ForeignDirectoryError) as raised:
        embedkafka.EmbeddedKafka(folder)
    assert "999" in str(raised.value)
    assert _snapshot(folder) == before


# -- two owners ---


def test_a_second_process_is_told_who_owns_the_directory(tmp_path: Path) -> None:
    program = (
        "import embedkafka, json, sys\n"
        "try:\n"
        "    embedkafka.EmbeddedKafka(sys.argv[1])\n"
        "except Exception as error:\n"
        "    print(json.dumps([type(error).__name__, str(error)]))\n"
    )
    with embedkafka.EmbeddedKafka(tmp_path / "data"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "data")], capture_output=True, check=True, timeout=60
        )
    name, message = json.loads(done.stdout)
    assert name == "DirectoryLockedError"
    assert str(os.getpid()) in message
    embedkafka.EmbeddedKafka(tmp_path / "data").close()


# -- records ---


def test_bytes_that_a_deserializer_refuses_are_an_error_that_says_where(tmp_path: Path) -> None:
    with embedkafka.EmbeddedKafka() as engine, KafkaProducer(bootstrap_servers=engine) as producer:
        values = [b'{"a": 1}', b"not json", b'{"b": 2}']
        for value in values:
            producer.send("t", value, partition=0)
        consumer = _reader(engine, value_deserializer=json.loads)
        assert [record.value for record in consumer.poll(timeout_ms=1_000)[ONE]] == [{"a": 1}]
        for _ in range(2):  # it does not go away by asking again
            with pytest.raises(embedkafka.errors.RecordDeserializationError) as raised:
                consumer.poll(timeout_ms=1_000)
            assert raised.value.offset == 1
            assert raised.value.topic_partition == ONE
            assert consumer.position(ONE) == 1
        consumer.seek(ONE, 2)
        assert [record.value for record in consumer.poll(timeout_ms=1_000)[ONE]] == [{"b": 2}]
        consumer.close()


@pytest.mark.parametrize(
    "configs", [{"max_request_size": 1_000}, {}], ids=["the producer's limit", "the topic's limit"]
)
def test_an_oversized_record_fails_alone(configs: dict[str, Any]) -> None:
    with embedkafka.EmbeddedKafka() as engine:
        admin = embedkafka.KafkaAdminClient(bootstrap_servers=engine)
        admin.create_topics({"t": {"num_partitions": 1, "configs": {"max.message.bytes": "1000"}}})
        admin.close()
        with KafkaProducer(bootstrap_servers=engine, **configs) as producer:
            producer.send("t", b"small").get(timeout=10)
            with pytest.raises(embedkafka.errors.MessageSizeTooLargeError):
                producer.send("t", b"x" * 2_000).get(timeout=10)
            assert producer.send("t", b"small again").get(timeout=10).offset == 1
        consumer = _reader(engine)
        assert [record.value for record in consumer.poll(timeout_ms=1_000)[ONE]] == [b"small", b"small again"]
        consumer.close()
