"""Replies that kafka-python gives as objects: attributes, and ``to_dict()``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CreatePartitionsTopicResult:
    name: str
    error_code: int
    error_message: str | None


@dataclass(frozen=True, slots=True)
class CreatePartitionsResponse:
    results: Sequence[CreatePartitionsTopicResult]
    throttle_time_ms: int = 0

    def to_dict(self) -> dict[str, Any]:
        return {"throttle_time_ms": self.throttle_time_ms, "results": [asdict(result) for result in self.results]}
