"""Record batches: Kafka's record format v2, and the compiled hot path over it."""

from embedkafka.record.batch import decode_batch, encode_batch, records_of
from embedkafka.record.codec import (
    ConsumerRecord,
    FutureRecordMetadata,
    OpenBatch,
    Record,
    RecordCursor,
    SealedBatch,
    SendPath,
    TopicLanes,
    is_compiled,
    murmur2,
    survey_records,
)
from embedkafka.record.compression import compress, decompress
from embedkafka.record.control import EndTransactionMarker, control_type, decode_marker
from embedkafka.record.format import (
    HEADER_SIZE_BYTES,
    BatchHeader,
    Buffer,
    iter_headers,
    next_offset_after,
    patch_offsets,
    patch_producer,
    read_header,
    stamp_append_time,
    verify_checksum,
)

__all__ = [
    "HEADER_SIZE_BYTES",
    "BatchHeader",
    "Buffer",
    "ConsumerRecord",
    "EndTransactionMarker",
    "FutureRecordMetadata",
    "OpenBatch",
    "Record",
    "RecordCursor",
    "SealedBatch",
    "SendPath",
    "TopicLanes",
    "compress",
    "control_type",
    "decode_batch",
    "decode_marker",
    "decompress",
    "encode_batch",
    "is_compiled",
    "iter_headers",
    "murmur2",
    "next_offset_after",
    "patch_offsets",
    "patch_producer",
    "read_header",
    "records_of",
    "stamp_append_time",
    "survey_records",
    "verify_checksum",
]
