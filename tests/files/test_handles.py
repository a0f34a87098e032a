"""The cache of open files: bounded, and never in the way of who is reading or writing."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

import pytest

from embedkafka.files import HandleCache, MemoryFiles, system_files

LARGE = 100_000  # more than is read by copying


def make_files(folder: Path, count: int, size_bytes: int = 10) -> list[str]:
    paths = []
    for number in range(count):
        path = folder / f"file-{number}"
        path.write_bytes(bytes([number % 256]) * size_bytes)
        paths.append(str(path))
    return paths


def open_descriptors(folder: Path) -> int:
    found = 0
    for number in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{number}").startswith(str(folder))
        except FileNotFoundError:
            continue
    return found


def test_no_more_files_are_open_than_allowed(tmp_path: Path) -> None:
    cache = HandleCache(system_files(), 8)
    handles = [cache.handle(path) for path in make_files(tmp_path, 100)]
    for _ in range(3):
        for number, handle in enumerate(handles):
            assert bytes(handle.file().read_at(0, 10)) == bytes([number]) * 10
            assert cache.open_count <= 8
    assert open_descriptors(tmp_path) <= 8
    cache.close()
    assert open_descriptors(tmp_path) == 0


def test_a_file_in_use_is_not_closed_by_the_cache(tmp_path: Path) -> None:
    cache = HandleCache(system_files(), 4)
    handles = [cache.handle(path) for path in make_files(tmp_path, 20)]
    held = handles[0].file()
    for handle in handles[1:]:
        handle.file()
    assert bytes(held.read_at(0, 10)) == bytes(10)
    cache.close()
    assert bytes(held.read_at(0, 10)) == bytes(10)


def test_a_file_that_is_used_often_stays_open(tmp_path: Path) -> None:
    cache = HandleCache(system_files(), 4)
    handles = [cache.handle(path) for path in make_files(tmp_path, 50)]
    favourite = handles[0].file()
    for handle in handles[1:]:
        handle.file()
        assert handles[0].file() is favourite
    cache.close()


def test_a_large_range_is_mapped_and_a_small_one_is_not(tmp_path: Path) -> None:
    cache = HandleCache(system_files(), 8)
    (path,) = make_files(tmp_path, 1, LARGE)
    handle = cache.handle(path)
    handle.view(0, 1000, file_bytes=LARGE)
    assert not handle.is_mapped
    view = handle.view(0, LARGE, file_bytes=LARGE)
    assert handle.is_mapped
    del view
    cache.close()


def test_a_mapping_stays_valid_for_its_reader_after_release_and_removal(tmp_path: Path) -> None:
    cache = HandleCache(system_files(), 8)
    (path,) = make_files(tmp_path, 1, LARGE)
    handle = cache.handle(path)
    view = handle.view(0, LARGE, file_bytes=LARGE)
    handle.retire()
    os.unlink(path)
    cache.close()
    assert bytes(view) == bytes(LARGE)
    assert cache.open_count == 1
    del view
    assert cache.open_count == 0


def test_a_file_that_has_grown_is_mapped_anew(tmp_path: Path) -> None:
    cache = HandleCache(system_files(), 8)
    (path,) = make_files(tmp_path, 1, LARGE)
    handle = cache.handle(path)
    old = handle.view(0, LARGE, file_bytes=LARGE)
    handle.write_all(b"x" * LARGE, LARGE)
    new = handle.view(0, 2 * LARGE, file_bytes=2 * LARGE)
    assert bytes(new[-3:]) == b"xxx"
    assert len(old) == LARGE
    del old, new
    cache.close()


def test_while_readers_hold_too_many_mappings_bytes_are_copied(tmp_path: Path) -> None:
    cache = HandleCache(system_files(), 8)
    handles = [cache.handle(path) for path in make_files(tmp_path, 30, LARGE)]
    views = [handle.view(0, LARGE, file_bytes=LARGE) for handle in handles]
    assert open_descriptors(tmp_path) <= 8
    assert [view[0] for view in views] == list(range(30))
    del views
    gc.collect()
    cache.close()


def test_pread_mode_maps_nothing(tmp_path: Path) -> None:
    cache = HandleCache(system_files(), 8, read_mode="pread")
    (path,) = make_files(tmp_path, 1, LARGE)
    handle = cache.handle(path)
    view = handle.view(0, LARGE, file_bytes=LARGE)
    assert not handle.is_mapped
    assert len(view) == LARGE
    cache.close()


def test_an_unknown_read_mode_is_refused() -> None:
    with pytest.raises(ValueError, match=r"log\.read\.mode"):
        HandleCache(MemoryFiles(), read_mode="telepathy")


def test_a_retired_file_is_not_opened_even_when_its_name_means_another(tmp_path: Path) -> None:
    cache = HandleCache(system_files(), 8)
    (path,) = make_files(tmp_path, 1)
    handle = cache.handle(path)
    handle.file()
    handle.retire()
    with pytest.raises(FileNotFoundError):
        handle.file()
    cache.close()


def test_when_the_process_has_no_descriptor_left_the_cache_gives_some_of_its_own(tmp_path: Path) -> None:
    import resource

    cache = HandleCache(system_files(), 1000)
    handles = [cache.handle(path) for path in make_files(tmp_path, 60)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    in_use = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (in_use + 30, limits[1]))
    try:
        for number, handle in enumerate(handles):
            assert bytes(handle.file().read_at(0, 1)) == bytes([number])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    cache.close()


def test_many_threads_share_a_small_cache(tmp_path: Path) -> None:
    cache = HandleCache(system_files(), 4)
    handles = [cache.handle(path) for path in make_files(tmp_path, 16, LARGE)]
    errors: list[BaseException] = []

    def read_all() -> None:
        try:
            for _ in range(30):
                for number, handle in enumerate(handles):
                    assert handle.view(0, LARGE, file_bytes=LARGE)[0] == number
                    handle.file().write_at(bytes([number]), 0)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert cache.open_count <= 4
    cache.close()
