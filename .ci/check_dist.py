"""Look into a built sdist and wheel: everything that is needed is there, and nothing that a build left behind.

python .ci/check_dist.py DIRECTORY
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent

# What the installed package has to hold besides its Python files.
DATA = ["embedkafka/py.typed", "embedkafka/ARCHITECTURE.md", "embedkafka/record/_codec.pyx"]

# Nothing of this may be delivered: generated C, caches, other people's packages.
CLUTTER = (".c", ".pyc", ".o", ".html")
FOREIGN_FOLDERS = ("tests/", "benchmarks/", "examples/", ".ci/")


def main(directory: Path) -> int:
    (sdist,) = directory.glob("*.tar.gz")
    (wheel,) = directory.glob("*.whl")
    with tarfile.open(sdist) as archive:
        sdist_names = {name.partition("/")[2] for name in archive.getnames()}
    with zipfile.ZipFile(wheel) as archive:
        wheel_names = set(archive.namelist())
    modules = [path.relative_to(ROOT).as_posix() for path in (ROOT / "embedkafka").rglob("*.py")]

    needed = [*modules, *DATA, "LICENSE", "README.md", "pyproject.toml"]
    problems = [f"sdist lacks {name}" for name in needed if name not in sdist_names]
    problems += [f"wheel lacks {name}" for name in [*modules, *DATA] if name not in wheel_names]
    problems += [f"sdist delivers {name}" for name in sorted(sdist_names) if name.endswith(CLUTTER)]
    problems += [
        f"wheel delivers {name}"
        for name in sorted(wheel_names)
        if name.endswith(CLUTTER) or name.startswith(FOREIGN_FOLDERS)
    ]
    if not any(name.startswith("embedkafka/record/_codec.") and name.endswith((".so", ".pyd")) for name in wheel_names):
        problems.append("wheel has no compiled module")
    if not any(name.endswith("licenses/LICENSE") for name in wheel_names):
        problems.append("wheel lacks the LICENSE")

    for path, names in ((sdist, sdist_names), (wheel, wheel_names)):
        print(f"{path.name}: {len(names)} entries, {path.stat().st_size / 1024:.0f} KiB")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
