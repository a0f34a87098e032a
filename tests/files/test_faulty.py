"""The power switch: what was synced stays, what was not is at the test's mercy."""

from __future__ import annotations

import errno

import pytest

from embedkafka.files.faulty import Fault, FaultyFiles, Unsynced


def synced_then_not() -> FaultyFiles:
    files = FaultyFiles()
    file = files.open("/a", create=True)
    files.sync_dir("/")
    file.write_all(b"safe", 0)
    file.sync()
    file.write_all(b"new", 4)
    return files


def test_synced_bytes_stay_and_others_are_dropped() -> None:
    assert synced_then_not().power_cut().read_bytes("/a") == b"safe"


def test_unsynced_bytes_may_stay_or_be_zeros_or_garbage() -> None:
    files = synced_then_not()
    assert files.power_cut(unsynced_bytes=Unsynced.KEPT).read_bytes("/a") == b"safenew"
    assert files.power_cut(unsynced_bytes=Unsynced.ZEROS).read_bytes("/a") == b"safe\0\0\0"
    garbage = files.power_cut(unsynced_bytes=Unsynced.GARBAGE, seed=1).read_bytes("/a")
    assert len(garbage) == 7
    assert garbage[:4] == b"safe"
    assert garbage != b"safenew"


def test_a_file_whose_name_was_not_synced_is_gone() -> None:
    files = FaultyFiles()
    file = files.open("/a", create=True)
    file.write_all(b"1", 0)
    file.sync()
    assert not files.power_cut().exists("/a")
    assert files.power_cut(unsynced_names=Unsynced.KEPT).read_bytes("/a") == b"1"


def test_a_removed_name_comes_back_unless_its_folder_was_synced() -> None:
    files = synced_then_not()
    files.unlink("/a")
    assert files.power_cut().read_bytes("/a") == b"safe"
    files.sync_dir("/")
    assert not files.power_cut().exists("/a")


def test_a_renamed_file_has_its_old_name_until_the_folder_is_synced() -> None:
    files = synced_then_not()
    files.rename("/a", "/b")
    assert files.power_cut().list("/") == ["a"]
    files.sync_dir("/")
    assert files.power_cut().list("/") == ["b"]


def test_the_names_in_a_new_folder_need_both_folders_synced() -> None:
    files = FaultyFiles()
    files.make_dir("/d")
    files.open("/d/a", create=True)
    files.sync_dir("/d")
    assert not files.power_cut().exists("/d")
    files.sync_dir("/")
    assert files.power_cut().exists("/d/a")


def test_writes_are_kept_up_to_a_chosen_one() -> None:
    files = synced_then_not()
    files.open("/a").write_all(b"er", 7)
    first, second = files.unsynced_numbers()[-2:]
    assert files.power_cut(last_number=first).read_bytes("/a") == b"safenew"
    assert files.power_cut(last_number=second).read_bytes("/a") == b"safenewer"


def test_a_skipped_sync_keeps_nothing() -> None:
    files = FaultyFiles()
    file = files.open("/a", create=True)
    files.sync_dir("/")
    files.skipped_sync = 1
    file.write_all(b"1", 0)
    file.sync()
    assert files.power_cut().read_bytes("/a") == b""
    assert [operation for operation, _ in files.syncs] == ["sync_dir", "sync"]


def test_a_rule_fails_the_calls_it_names() -> None:
    files = FaultyFiles()
    files.faults.append(Fault("write_at", errno.EIO, path_part="a", after=1, times=1))
    file = files.open("/a", create=True)
    file.write_all(b"1", 0)
    with pytest.raises(OSError, match="Input/output"):
        file.write_all(b"2", 1)
    file.write_all(b"3", 1)
    assert files.read_bytes("/a") == b"13"


def test_a_full_device_takes_what_fits_and_then_nothing() -> None:
    files = FaultyFiles()
    files.capacity_bytes = 10
    file = files.open("/a", create=True)
    assert file.write_at(b"x" * 8, 0) == 8
    assert file.write_at(b"y" * 8, 8) == 2
    with pytest.raises(OSError, match="No space"):
        file.write_at(b"z", 10)
    file.truncate(4)
    file.write_all(b"again!", 4)


def test_short_writes_are_continued() -> None:
    files = FaultyFiles()
    files.max_write_bytes = 3
    file = files.open("/a", create=True)
    file.write_all(b"0123456789", 0)
    assert files.read_bytes("/a") == b"0123456789"
