"""An API of the wire protocol: its key, both its schemas, and which header versions go with them."""

from __future__ import annotations

from typing import Any

from embedkafka.protocol.fields import VersionRange
from embedkafka.protocol.schema import Schema

_API_VERSIONS = 18


class Api:
    """A request and the response that answers it; both always have the same versions.

    Args:
        key: Kafka's number.
        advertised: what ApiVersions says where that is not the versions there are, in Kafka's notation.
    """

    def __init__(self, key: int, *, request: Schema[Any], response: Schema[Any], advertised: str | None = None) -> None:
        self.key = key
        self.request = request
        self.response = response
        self.advertised = self.versions if advertised is None else VersionRange.parse(advertised)

    def __repr__(self) -> str:
        return f"Api({self.key}, {self.name}, versions {self.versions.lowest}-{self.versions.highest})"

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
        lowest, highest = self.request.flexible
        return 2 if lowest <= version <= highest else 1

    def response_header_version(self, version: int) -> int:
        """1 for a flexible response, 0 for others and for ApiVersions always: its reader cannot know yet (KIP-511)."""
        lowest, highest = self.response.flexible
        return 1 if lowest <= version <= highest and self.key != _API_VERSIONS else 0
