"""Chooses the codec: compiled where the module was built, else plain Python, as ``EMBEDKAFKA_PURE=1`` always does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from embedkafka.record._shared import Record

_compiled = False

if not TYPE_CHECKING and os.environ.get("EMBEDKAFKA_PURE", "") in ("", "0"):
    try:
        from embedkafka.record._codec import (
            ConsumerRecord,
            FutureRecordMetadata,
            OpenBatch,
            RecordCursor,
            SealedBatch,
            SendPath,
            TopicLanes,
            decode_records,
            encode_records,
            murmur2,
            survey_records,
        )

        _compiled = True
    except ImportError:  # there was no compiler when it was installed
        pass

if TYPE_CHECKING or not _compiled:
    from embedkafka.record._codec_py import ConsumerRecord, decode_records, encode_records, murmur2, survey_records
    from embedkafka.record._cursor_py import RecordCursor
    from embedkafka.record._send_py import FutureRecordMetadata, OpenBatch, SealedBatch, SendPath, TopicLanes

__all__ = [
    "ConsumerRecord",
    "FutureRecordMetadata",
    "OpenBatch",
    "Record",
    "RecordCursor",
    "SealedBatch",
    "SendPath",
    "TopicLanes",
    "decode_records",
    "encode_records",
    "is_compiled",
    "murmur2",
    "survey_records",
]


def is_compiled() -> bool:
    """Whether the compiled codec is in use."""
    return _compiled
