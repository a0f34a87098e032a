from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from broker.support import running

from embedkafka.broker import catalog as catalog_module
from embedkafka.broker.catalog import Catalog, TopicEntry
from embedkafka.broker.ids import Ids
from embedkafka.errors import KafkaStorageError
from embedkafka.model import id_text, parse_id

IDS = Ids(1)
ENTRY = TopicEntry("t", IDS.uuid(), ((0,), (0,)), {"retention.ms": "5"})


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "catalog.sqlite")


def test_what_was_put_is_there_in_memory_and_after_reading_the_file_again(file: str) -> None:
    for where in (None, file):
        catalog = Catalog(where)
        catalog.put_topics(ENTRY)
        catalog.put_broker_configs(None, {"a": "b"})
        assert (catalog.topics(), catalog.topic("t")) == ([ENTRY], ENTRY)
    again = Catalog(file)
    assert again.topics() == [ENTRY]
    assert again.broker_configs(None) == {"a": "b"}
    assert again.broker_configs(0) == {}


def test_a_removed_topic_is_gone(file: str) -> None:
    catalog = Catalog(file)
    catalog.put_topics(ENTRY)
    catalog.remove_topic("t")
    assert catalog.topics() == Catalog(file).topics() == []


def test_removing_what_is_not_there_writes_nothing(file: str) -> None:
    Catalog(file).remove_topic("t")
    assert not Path(file).exists()


def test_the_file_is_plain_sqlite_with_msgpack_values(file: str) -> None:
    import msgpack

    Catalog(file).put_topics(ENTRY)
    connection = sqlite3.connect(file)
    ((key, value),) = connection.execute("SELECT key, value FROM catalog").fetchall()
    connection.close()
    assert key == "topic/t"
    assert msgpack.unpackb(value)["replicas"] == [[0], [0]]


def test_the_file_is_open_only_while_it_is_written(file: str) -> None:
    before = threading.active_count()
    catalog = Catalog(file)
    catalog.put_topics(ENTRY)
    assert threading.active_count() == before
    assert sorted(path.name for path in Path(file).parent.iterdir()) == ["catalog.sqlite"]


def test_a_commit_is_synced(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real_open = catalog_module._open

    def spying_open(path: str, journal_mode: str) -> Any:
        database = real_open(path, journal_mode)
        select_one = database.conn.select_one

        def spy(request: str, arg: Any = None) -> Any:
            if request == "COMMIT":
                seen.append(select_one("PRAGMA synchronous")[0])
            return select_one(request, arg)

        database.conn.select_one = spy
        return database

    monkeypatch.setattr(catalog_module, "_open", spying_open)
    catalog = Catalog(file)
    catalog.put_topics(ENTRY)
    catalog.remove_topic("t")
    assert seen == [2, 2]  # FULL


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"\x00" * 4096, b"SQLite format 3\x00" + b"\x01" * 5000])
def test_a_file_that_is_no_catalog_is_refused_by_name(file: str, content: bytes) -> None:
    Path(file).write_bytes(content)
    with pytest.raises(KafkaStorageError, match=r"catalog\.sqlite"):
        Catalog(file)
    assert Path(file).read_bytes() == content


def test_a_database_without_our_table_is_refused(file: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE other (x)")
    connection.commit()
    connection.close()
    with pytest.raises(KafkaStorageError, match="catalog"):
        Catalog(file)


def test_a_failed_commit_is_an_error_and_the_next_use_reads_the_file(file: str) -> None:
    catalog = Catalog(file)
    catalog.put_topics(ENTRY)
    blocker = sqlite3.connect(file)
    blocker.execute("PRAGMA journal_mode=DELETE")
    blocker.execute("CREATE TRIGGER no BEFORE INSERT ON catalog BEGIN SELECT RAISE(ABORT, 'refused'); END")
    blocker.commit()
    blocker.close()
    with pytest.raises(KafkaStorageError, match="refused"):
        catalog.put_topics(TopicEntry("u", IDS.uuid(), ((0,),)))
    assert catalog.is_stale
    assert [entry.name for entry in catalog.topics()] == ["t"]


def test_what_refused_a_change_is_said(file: str) -> None:
    catalog = Catalog(file)
    catalog.put_topics(ENTRY)
    with closing(sqlite3.connect(file)) as connection:
        # What a full disk does: the statement fails, and SQLite gives the whole transaction up.
        connection.execute(
            f"CREATE TRIGGER full BEFORE INSERT ON {catalog_module._TABLE} "
            "BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END"
        )
    with pytest.raises(KafkaStorageError, match="disk is full"):
        catalog.put_topics(TopicEntry("u", IDS.uuid(), ((0,),), {}))
    assert catalog.topics() == Catalog(file).topics() == [ENTRY]


def test_a_crash_while_the_file_is_made_leaves_none(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real_commit = catalog_module._commit

    def cut(path: str, changes: dict[str, Any], **options: Any) -> None:
        real_commit(path, changes, **options)
        Path(path).write_bytes(Path(path).read_bytes()[:5000])
        raise KafkaStorageError("and here the power goes")

    monkeypatch.setattr(catalog_module, "_commit", cut)
    with pytest.raises(KafkaStorageError):
        Catalog(file).put_topics(ENTRY)
    monkeypatch.setattr(catalog_module, "_commit", real_commit)
    again = Catalog(file)
    assert again.topics() == []
    again.put_topics(ENTRY)
    assert Catalog(file).topics() == [ENTRY]


def test_a_catalog_for_reading_writes_nothing(file: str) -> None:
    catalog = Catalog(file, read_only=True)
    with pytest.raises(KafkaStorageError, match="reading only"):
        catalog.put_topics(ENTRY)
    assert not Path(file).exists()


def test_creating_a_topic_is_one_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[list[str]] = []
    real_commit = catalog_module._commit

    def counting_commit(file: str, changes: dict[str, Any], **options: Any) -> None:
        commits.append(sorted(changes))
        real_commit(file, changes, **options)

    monkeypatch.setattr(catalog_module, "_commit", counting_commit)
    with running(path) as broker:
        broker.create("a")
        broker.engine.topics.ensure_internal("__consumer_offsets")
        broker.create("b")
    assert commits == [["topic/__consumer_offsets", "topic/a"], ["topic/b"]]


def test_ids_are_written_as_kafka_writes_them() -> None:
    for _ in range(100):
        found = IDS.uuid()
        text = id_text(found)
        assert len(text) == 22
        assert not text.startswith("-")
        assert parse_id(text) == found


def test_a_seed_repeats_ids() -> None:
    assert [Ids(7).uuid() for _ in range(3)] == [Ids(7).uuid() for _ in range(3)]
    assert Ids(7).uuid() != Ids(8).uuid()
