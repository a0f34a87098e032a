"""The straight way of a share state's update into the log, for a commit of one job after the other.

A batch of one update with one range of offsets has the same bytes for a share partition every time but for a few
numbers.  They are patched into a copy (``ShareUpdateValue`` version 0 behind its version, to the end of the record)::

    snapshot epoch, leader epoch  int32 each
    start offset                  int64
    number of ranges + 1          uvarint, 2
    first, last offset            int64 each
    delivery state, count         int8, int16
    tagged fields of the range    uvarint, 0
    tagged fields                 uvarint, 1: tag 0, 4 bytes, the delivery complete count as int32
    number of headers             varint, 0: it belongs to the record

A test holds the result against what schema and codec give.
"""

from __future__ import annotations

import struct

from embedkafka.coordinator.share_state import records
from embedkafka.coordinator.share_state.api import StateBatch
from embedkafka.coordinator.share_state.state import SharePartitionKey, Update
from embedkafka.record import encode_batch
from embedkafka.record.format import CHECKSUM_POSITION, CHECKSUMMED_FROM, crc32c

_UPDATE = struct.Struct(">iiqBqqbhBBBBiB")
_TIMESTAMPS = struct.Struct(">qq")
_TIMESTAMPS_POSITION = 27
_CHECKSUM = struct.Struct(">I")


class UpdateBatches:
    """Makes the batches of one share partition."""

    __slots__ = ("_position", "_template")

    def __init__(self, key: SharePartitionKey) -> None:
        update = Update(0, 0, 0, 0, (StateBatch(0, 0, 0, 0),))
        self._template = encode_batch([(0, *records.encode(records.ShareStateRecord(key, update)), ())])
        self._position = len(self._template) - _UPDATE.size

    def encode(self, update: Update, now_ms: int) -> bytearray:
        """A batch with this update, which has one range, and a delivery complete count."""
        batch = self._template.copy()
        first, last, delivery_state, delivery_count = update.batches[0]
        _TIMESTAMPS.pack_into(batch, _TIMESTAMPS_POSITION, now_ms, now_ms)
        _UPDATE.pack_into(
            batch,
            self._position,
            update.snapshot_epoch,
            update.leader_epoch,
            update.start_offset,
            2,
            first,
            last,
            delivery_state,
            delivery_count,
            0,
            1,
            0,
            4,
            update.delivery_complete_count,
            0,
        )
        _CHECKSUM.pack_into(batch, CHECKSUM_POSITION, crc32c(batch[CHECKSUMMED_FROM:]))
        return batch
