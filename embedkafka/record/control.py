"""Control batches: the markers that end a transaction.

A control batch holds one record.  Its key is a version and a type, both int16; the value of an end-of-transaction
marker is a version (int16) and the coordinator's epoch (int32).  A consumer never sees one, but it takes an offset
(``org.apache.kafka.common.record.EndTransactionMarker``).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from embedkafka.errors import CorruptRecordError

ABORT = 0
COMMIT = 1

_KEY = struct.Struct(">hh")
_VALUE = struct.Struct(">hi")


class EndTransactionMarker(NamedTuple):
    """What the key and the value of a marker say."""

    commit: bool
    coordinator_epoch: int

    def encode(self) -> tuple[bytes, bytes]:
        """Key and value of the marker's record, version 0."""
        return _KEY.pack(0, COMMIT if self.commit else ABORT), _VALUE.pack(0, self.coordinator_epoch)


def control_type(key: bytes | None) -> int:
    """The type in a control record's key: 0 abort, 1 commit; others belong to the KRaft quorum.

    Raises:
        CorruptRecordError: the key is missing, too short, or of a negative version.
    """
    if key is None or len(key) < _KEY.size:
        raise CorruptRecordError(f"a control record's key takes {_KEY.size} bytes, found {key!r}")
    version, marker_type = _KEY.unpack_from(key)
    if version < 0:
        raise CorruptRecordError(f"a control record's key has version {version}")
    return int(marker_type)


def decode_marker(key: bytes | None, value: bytes | None) -> EndTransactionMarker:
    """Read an end-of-transaction marker.

    Raises:
        CorruptRecordError: another type of control record, or a value that is too short.
    """
    marker_type = control_type(key)
    if marker_type not in (ABORT, COMMIT):
        raise CorruptRecordError(f"control record of type {marker_type} does not end a transaction")
    if value is None or len(value) < _VALUE.size:
        raise CorruptRecordError(f"an end-of-transaction marker's value takes {_VALUE.size} bytes, found {value!r}")
    _, coordinator_epoch = _VALUE.unpack_from(value)
    return EndTransactionMarker(commit=marker_type == COMMIT, coordinator_epoch=coordinator_epoch)
