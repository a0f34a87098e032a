"""Which leader epoch began where."""

from __future__ import annotations

from embedkafka.files import MemoryFiles
from embedkafka.storage.epochs import LeaderEpochs


def with_epochs(*entries: tuple[int, int]) -> LeaderEpochs:
    epochs = LeaderEpochs(MemoryFiles(), "/")
    for epoch, offset in entries:
        epochs.assign(epoch, offset)
    return epochs


def test_epochs_are_noted_once_in_order() -> None:
    epochs = with_epochs((0, 0), (0, 5), (2, 10), (2, 12))
    assert epochs.entries == [(0, 0), (2, 10)]
    assert epochs.latest == 2


def test_an_epoch_that_starts_before_others_replaces_them() -> None:
    assert with_epochs((0, 0), (1, 10), (2, 20), (3, 10)).entries == [(0, 0), (3, 10)]


def test_an_epoch_ends_where_the_next_begins() -> None:
    epochs = with_epochs((1, 0), (3, 10), (5, 20))
    assert epochs.end_offset_for(1, 30) == (1, 10)
    assert epochs.end_offset_for(2, 30) == (1, 10)
    assert epochs.end_offset_for(5, 30) == (5, 30)
    assert epochs.end_offset_for(0, 30) == (-1, -1)
    assert epochs.end_offset_for(6, 30) == (-1, -1)


def test_the_epoch_of_an_offset_is_the_one_in_force_there() -> None:
    epochs = with_epochs((1, 5), (3, 10))
    assert [epochs.epoch_at(offset) for offset in (4, 5, 9, 10, 99)] == [-1, 1, 1, 3, 3]


def test_cutting_the_log_forgets_epochs() -> None:
    epochs = with_epochs((1, 0), (3, 10), (5, 20))
    epochs.truncate_from_end(20)
    assert epochs.entries == [(1, 0), (3, 10)]
    epochs.truncate_from_start(12)
    assert epochs.entries == [(3, 12)]


def test_the_file_has_kafkas_format_and_is_read_back() -> None:
    files = MemoryFiles()
    epochs = LeaderEpochs(files, "/")
    epochs.assign(0, 0)
    epochs.assign(4, 17)
    assert epochs.write()
    assert not epochs.write(), "nothing has changed since"
    assert files.read_bytes("/leader-epoch-checkpoint") == b"0\n2\n0 0\n4 17\n"
    again = LeaderEpochs(files, "/")
    again.load()
    assert again.entries == [(0, 0), (4, 17)]


def test_a_damaged_file_counts_as_empty() -> None:
    files = MemoryFiles()
    files.open("/leader-epoch-checkpoint", create=True).write_all(b"\0\0\0garbage", 0)
    epochs = LeaderEpochs(files, "/")
    epochs.load()
    assert epochs.entries == []
