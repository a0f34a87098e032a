"""The import contracts of pyproject.toml hold, and each of them can fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache", "--config", str(directory / "pyproject.toml")],
        cwd=directory,
        env={"PYTHONPATH": str(directory), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This repository's package and contracts, free to be broken."""
    shutil.copytree(ROOT / "embedkafka", tmp_path / "embedkafka", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_packages_keep_the_contracts(copy: Path) -> None:
    result = lint_imports(copy)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("package", "statement", "contract"),
    [
        ("storage", "import embedkafka.broker", "Imports point downwards only"),
        ("record", "import embedkafka.protocol", "Imports point downwards only"),
        ("coordinator", "import embedkafka.storage", "Imports point downwards only"),
        ("client", "import embedkafka.storage", "through the broker only"),
        ("coordinator", "import time", "know no clock"),
        ("record", "import embedkafka.clock", "Batches are made of what they are given"),
        ("broker", "import time", "Only the clock asks"),
    ],
    ids=lambda value: value.replace("import ", "") if isinstance(value, str) else None,
)
def test_a_violating_import_breaks_its_contract(copy: Path, package: str, statement: str, contract: str) -> None:
    (copy / "embedkafka" / package / "violator.py").write_text(statement + "\n")
    result = lint_imports(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    broken = [line for line in result.stdout.splitlines() if " BROKEN" in line]
    assert any(contract in line for line in broken), result.stdout


def test_a_module_without_a_place_in_the_layers_is_refused(copy: Path) -> None:
    (copy / "embedkafka" / "elsewhere.py").write_text("")
    result = lint_imports(copy)
    assert result.returncode == 1
    assert "elsewhere" in result.stdout
