"""The file system interface: every implementation keeps the same promises."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedkafka.files import Files, MemoryFiles, system_files
from embedkafka.files.faulty import FaultyFiles


@pytest.fixture(params=["system", "memory", "faulty"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Files, str]]:
    """A file system and an empty folder in it."""
    if request.param == "system":
        yield system_files(), str(tmp_path)
        return
    files = MemoryFiles() if request.param == "memory" else FaultyFiles()
    files.make_dir("/work")
    yield files, "/work"


def test_a_file_that_is_not_there_is_made_only_on_request(place: tuple[Files, str]) -> None:
    files, folder = place
    path = files.join(folder, "a")
    with pytest.raises(FileNotFoundError):
        files.open(path)
    files.open(path, create=True)
    assert files.size(path) == 0


def test_bytes_are_read_where_they_were_written(place: tuple[Files, str]) -> None:
    files, folder = place
    file = files.open(files.join(folder, "a"), create=True)
    file.write_all(b"hello world", 0)
    file.write_all(b"W", 6)
    assert bytes(file.read_at(0, 100)) == b"hello World"
    assert bytes(file.read_at(6, 5)) == b"World"
    assert bytes(file.read_at(11, 5)) == b""
    assert file.size() == 11


def test_a_large_file_is_read_across_its_blocks(place: tuple[Files, str]) -> None:
    files, folder = place
    file = files.open(files.join(folder, "a"), create=True)
    expected = bytearray()
    for number in range(300):
        chunk = bytes([number % 251]) * (1000 + 37 * number)
        file.write_all(chunk, len(expected))
        expected += chunk
    for position in range(0, len(expected), 77_777):
        assert bytes(file.read_at(position, 200_000)) == expected[position : position + 200_000]


def test_a_gap_reads_as_zeros(place: tuple[Files, str]) -> None:
    files, folder = place
    file = files.open(files.join(folder, "a"), create=True)
    file.write_all(b"x", 10_000)
    assert bytes(file.read_at(0, 20_000)) == bytes(10_000) + b"x"


def test_what_a_cut_removed_does_not_come_back(place: tuple[Files, str]) -> None:
    files, folder = place
    file = files.open(files.join(folder, "a"), create=True)
    file.write_all(b"abcdef", 0)
    file.truncate(2)
    file.truncate(4)
    assert bytes(file.read_at(0, 10)) == b"ab\0\0"


def test_a_view_keeps_its_bytes_when_the_file_is_cut_and_written_again(place: tuple[Files, str]) -> None:
    files, folder = place
    file = files.open(files.join(folder, "a"), create=True)
    file.write_all(b"abcdef", 0)
    view = file.read_at(0, 6)
    file.truncate(3)
    file.write_all(b"XYZ", 3)
    assert bytes(view) == b"abcdef"
    assert bytes(file.read_at(0, 6)) == b"abcXYZ"


def test_a_mapping_outlives_the_file_and_its_name(place: tuple[Files, str]) -> None:
    files, folder = place
    path = files.join(folder, "a")
    file = files.open(path, create=True)
    file.write_all(b"abcdef", 0)
    mapping = file.map(6)
    files.unlink(path)
    del file
    assert bytes(mapping) == b"abcdef"


def test_renaming_replaces_a_file_in_one_step(place: tuple[Files, str]) -> None:
    files, folder = place
    old, new = files.join(folder, "old"), files.join(folder, "new")
    files.open(old, create=True).write_all(b"1", 0)
    files.open(new, create=True).write_all(b"22", 0)
    files.rename(old, new)
    assert files.list(folder) == ["new"]
    assert files.read_bytes(new) == b"1"


def test_renaming_a_folder_takes_its_files_along(place: tuple[Files, str]) -> None:
    files, folder = place
    files.make_dir(files.join(folder, "a"))
    files.open(files.join(folder, "a", "file"), create=True).write_all(b"1", 0)
    files.rename(files.join(folder, "a"), files.join(folder, "b"))
    assert files.read_bytes(files.join(folder, "b", "file")) == b"1"
    assert not files.exists(files.join(folder, "a"))


def test_listing_names_files_with_their_sizes_and_leaves_folders_out(place: tuple[Files, str]) -> None:
    files, folder = place
    files.make_dir(files.join(folder, "sub"))
    files.open(files.join(folder, "b"), create=True).write_all(b"22", 0)
    files.open(files.join(folder, "a"), create=True)
    assert files.list(folder) == ["a", "b", "sub"]
    assert files.list_sizes(folder) == {"a": 0, "b": 2}
    assert files.list(files.join(folder, "nowhere")) == []
    assert files.list_sizes(files.join(folder, "nowhere")) == {}


def test_a_folder_that_is_not_empty_is_not_removed(place: tuple[Files, str]) -> None:
    files, folder = place
    files.make_dirs(files.join(folder, "a", "b"))
    with pytest.raises(OSError, match="not empty"):
        files.remove_dir(files.join(folder, "a"))
    files.remove_tree(files.join(folder, "a"))
    assert files.list(folder) == []


def test_a_file_is_replaced_as_a_whole(place: tuple[Files, str]) -> None:
    files, folder = place
    path = files.join(folder, "a")
    files.write_atomically(path, b"first")
    files.write_atomically(path, b"2")
    assert files.read_bytes(path) == b"2"
    assert files.list(folder) == ["a"]


def test_a_lock_has_one_owner_and_names_it(place: tuple[Files, str]) -> None:
    files, folder = place
    path = files.join(folder, ".lock")
    lock = files.lock(path, "4711")
    with pytest.raises(BlockingIOError):
        files.lock(path, "4712")
    assert files.read_bytes(path) == b"4711"
    lock.release()
    files.lock(path, "4712").release()
    assert files.read_bytes(path) == b"4712"


def test_free_space_is_known(place: tuple[Files, str]) -> None:
    files, folder = place
    assert files.free_bytes(folder) > 0


def test_parts_lie_one_behind_the_other(place: tuple[Files, str]) -> None:
    files, folder = place
    file = files.open(files.join(folder, "a"), create=True)
    file.write_all(b"head", 0)
    file.write_together([b"one", bytearray(b"two"), memoryview(b"three")], 2)
    assert bytes(file.read_at(0, 100)) == b"heonetwothree"


def test_parts_that_the_system_takes_only_half_of_are_written_all_the_same(
    place: tuple[Files, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, folder = place
    file = files.open(files.join(folder, "a"), create=True)
    if hasattr(os, "pwritev"):
        monkeypatch.setattr(os, "pwritev", lambda fd, parts, position: os.pwrite(fd, b"".join(parts)[:4], position))
    file.write_together([b"one", b"two", b"three"], 0)
    assert bytes(file.read_at(0, 100)) == b"onetwothree"
