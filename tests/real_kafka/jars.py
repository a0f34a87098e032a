"""Apache Kafka's jars: where Maven puts them, and programs run out of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

JAVA_TIMEOUT_S = 120
_HERE = Path(__file__).parent
_MAVEN_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"
_MAVEN_TIMEOUT_S = 600


@dataclass(frozen=True)
class KafkaJars:
    """Runs programs out of Kafka's jars, and ours that are compiled against them."""

    class_path: str
    heap: str = "-Xmx512m"

    def command(self, main_class: str, *arguments: object) -> list[str]:
        return ["java", self.heap, "-XX:TieredStopAtLevel=1", "-cp", self.class_path, main_class, *map(str, arguments)]

    def run(self, main_class: str, *arguments: object, with_errors: bool = False) -> str:
        """Standard output (and, where asked for, error output) of a program; a failure carries all it said."""
        done = subprocess.run(
            self.command(main_class, *arguments), capture_output=True, timeout=JAVA_TIMEOUT_S, check=False
        )
        output, errors = done.stdout.decode(), done.stderr.decode(errors="replace")
        if done.returncode != 0:
            raise AssertionError(f"{main_class} ended with {done.returncode}:\n{output[-4000:]}\n{errors[-4000:]}")
        return output + errors if with_errors else output

    def run_json_lines(self, main_class: str, *arguments: object) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(main_class, *arguments).splitlines()]

    def dump(self, files: Sequence[Path], *options: str) -> str:
        """What DumpLogSegments prints about these files, keys and values in hexadecimal digits.

        It lists mismatches on standard error and ends with 0 all the same.
        """
        decoders = [] if "--offsets-decoder" in options else ["--key-decoder-class", "HexDecoder"]
        if decoders:
            decoders += ["--value-decoder-class", "HexDecoder"]
        return self.run(
            "org.apache.kafka.tools.DumpLogSegments",
            "--files",
            ",".join(map(str, files)),
            *options,
            *(decoders if "--print-data-log" in options else []),
            with_errors=True,
        )


def need_java() -> None:
    """Skip a test (in CI: fail it) on a machine without what the jars need."""
    missing = [tool for tool in ("java", "javac", "mvn") if shutil.which(tool) is None]
    if missing:
        reason = f"Apache Kafka's jars need {', '.join(missing)}, not found on this machine"
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


def compiled(sources: Sequence[Path], classes: Path, pom: Path = _HERE / "pom.xml") -> KafkaJars:
    """The jars that a pom names, Kafka's by default, and before them these programs compiled into a folder."""
    need_java()
    class_path = resolve_class_path(pom)
    command = ["javac", "-cp", class_path, "-d", str(classes), *map(str, sources)]
    subprocess.run(command, check=True, timeout=JAVA_TIMEOUT_S)
    return KafkaJars(f"{classes}{os.pathsep}{class_path}")


def resolve_class_path(pom: Path = _HERE / "pom.xml") -> str:
    """The class path Maven names, from the cache where every jar of it is still there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "embedkafka"
    kept = cache / f"real-kafka-{hashlib.sha256(pom.read_bytes()).hexdigest()[:16]}.classpath"
    if kept.is_file():
        class_path = kept.read_text()
        if all(Path(jar).is_file() for jar in class_path.split(os.pathsep)):
            return class_path
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = cache / f"{kept.name}.{os.getpid()}"
    subprocess.run(
        ["mvn", "-q", "-B", "-f", str(pom), _MAVEN_GOAL, f"-Dmdep.outputFile={unfinished}"],
        check=True,
        timeout=_MAVEN_TIMEOUT_S,
    )
    unfinished.replace(kept)
    return kept.read_text()
