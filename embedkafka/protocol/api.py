"""An API of the wire protocol: its key, both its schemas, and which header versions go with them."""

from __future__ import annotations

import dataclasses
from typing import Any

from embedkafka.protocol.fields import VersionRange
from embedkafka.protocol.schema import Schema

_API_VERSIONS = 18


@dataclasses.dataclass(frozen=True)
class Api:
    """A request and the response that answers it; both always have the same versions."""

    key: int
    request: Schema[Any]
    response: Schema[Any]

    @property
    def name(self) -> str:
        """Kafka's name, as in ``ListOffsets``."""
        return self.request.message.__name__.removesuffix("Request")

    @property
    def versions(self) -> VersionRange:
        """The versions that can be encoded and decoded."""
        return self.request.versions

    def request_header_version(self, version: int) -> int:
        """2 for a flexible request, 1 for others; holds for versions above the highest, too."""
        return 2 if version in self.request.flexible else 1

    def response_header_version(self, version: int) -> int:
        """1 for a flexible response, 0 for others and for ApiVersions always: its reader cannot know yet (KIP-511)."""
        return 1 if version in self.response.flexible and self.key != _API_VERSIONS else 0
