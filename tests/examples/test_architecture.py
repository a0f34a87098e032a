"""ARCHITECTURE.md speaks of what there is: its files, its folders, its locks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import embedkafka

ROOT = Path(__file__).parents[2]
PACKAGE = Path(embedkafka.__file__).parent  # the installed one, where that is what is tested
TEXT = (PACKAGE / "ARCHITECTURE.md").read_text()
MAP = TEXT.split("## Map")[1].split("\n## ")[0]
SOURCES = [path.read_text() for path in PACKAGE.rglob("*.py")]
LOCKS = TEXT.split("## Lock order")[1].split("\n## ")[0]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/]+\.(?:py|pyx))`", TEXT))))
def test_the_file_that_it_names_exists(name: str) -> None:
    places = [ROOT / name, *PACKAGE.glob(f"**/{name}")]
    assert any(place.is_file() for place in places)


def test_its_map_has_every_folder() -> None:
    cells = " ".join(re.findall(r"^\| ([^|]+) \|", MAP, re.MULTILINE))
    mapped = set(re.findall(r"`([\w/]+)/`", cells))
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders - mapped == set()
    assert [name for name in mapped if not (PACKAGE / name).is_dir()] == []


@pytest.mark.parametrize(("owner", "lock"), re.findall(r"`(\w+)\.(\w+)`", LOCKS.split("Threads:")[0]))
def test_the_lock_that_it_names_exists(owner: str, lock: str) -> None:
    assert any(re.search(rf"^(class )?{owner}\b", text, re.MULTILINE) for text in SOURCES)
    assert any(re.search(rf"\b{lock}\b.*= threading\.R?Lock\(\)", text) for text in SOURCES)
