"""``meta.properties``: Java's properties format, as much of it as Kafka writes there."""

from __future__ import annotations

from collections.abc import Mapping

from embedkafka.files import Files


def write(files: Files, path: str, values: Mapping[str, str]) -> None:
    """Replace the file."""
    text = "".join(f"{name}={value}\n" for name, value in sorted(values.items()))
    files.write_atomically(path, text.encode())


def read(files: Files, path: str) -> dict[str, str]:
    """Names and values; comments and lines without a value are left out."""
    lines = files.read_bytes(path).decode("utf-8", "replace").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith(("#", "!")))
    return {name.strip(): value.strip() for name, value in pairs}
