"""The features of this cluster (KIP-584), at the levels of Kafka 4.3."""

from __future__ import annotations

from typing import NamedTuple


class Feature(NamedTuple):
    """A feature's lowest and highest level, and the one in force; None where Kafka does not tell."""

    lowest: int
    highest: int
    finalized: int | None


FEATURES = {
    "group.version": Feature(0, 1, 1),
    "kraft.version": Feature(0, 1, None),
    "metadata.version": Feature(7, 30, 30),
    "share.version": Feature(0, 1, 1),
    "streams.version": Feature(0, 1, 1),
    "transaction.version": Feature(0, 2, 2),
}
"""As a broker of release 4.3 has them, but for those that are not served (eligible leader replicas)."""
