"""Java's generated classes read our bytes of every message in every version, and write the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from protocol.apis.messages import FEW, KINDS, Kind

from embedkafka.protocol.apis import api


def some_messages(kind: Kind) -> list[bytes]:
    """Encoded messages of a kind, as many as a property here tries."""
    found: list[bytes] = []

    @settings(max_examples=FEW.max_examples, database=None, phases=(Phase.generate,))
    @given(kind.messages())
    def collect(message: Any) -> None:
        found.append(kind.encode(message))

    collect()
    return found


def header_version(kind: Kind) -> int:
    found = api(kind.key)
    if kind.direction == "request":
        return found.request_header_version(kind.version)
    return found.response_header_version(kind.version)


def test_every_message_has_javas_bytes(kafka_jars: Any, scratch: Path) -> None:
    sent = [(kind, data) for kind in KINDS for data in some_messages(kind)]
    lines = [f"{kind.key} {kind.direction} {kind.version} {data.hex()}" for kind, data in sent]
    (scratch / "messages").write_text("\n".join(lines))
    echoed = kafka_jars.run("EchoMessages", scratch / "messages").splitlines()
    assert len(echoed) == len(sent)
    differing = [
        (str(kind), data.hex(), answer)
        for (kind, data), answer in zip(sent, echoed, strict=True)
        if answer != f"{header_version(kind)} 0 {data.hex()}"
    ]
    assert differing == []
