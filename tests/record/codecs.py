"""Both codecs under one roof, and records for Hypothesis to vary."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from embedkafka.record import _codec_py, _cursor_py, _send_py

try:
    from embedkafka.record import _codec as _compiled
except ImportError:  # no compiler here; .ci/run fails by itself when the module did not build
    _compiled = None

PURE: Any = SimpleNamespace(
    **{
        name: getattr(_codec_py, name)
        for name in ("ConsumerRecord", "decode_records", "encode_records", "murmur2", "survey_records")
    },
    **{name: getattr(_cursor_py, name) for name in ("RecordCursor",)},
    **{
        name: getattr(_send_py, name)
        for name in ("FutureRecordMetadata", "OpenBatch", "SealedBatch", "SendPath", "TopicLanes")
    },
)
CODECS: dict[str, Any] = {"pure": PURE} if _compiled is None else {"compiled": _compiled, "pure": PURE}

_parts = st.none() | st.binary(max_size=30) | st.binary(min_size=60, max_size=200)
_headers = st.lists(st.tuples(st.text(max_size=8), st.none() | st.binary(max_size=20)), max_size=3)
_timestamps = st.integers(min_value=0, max_value=2**42)

records = st.lists(st.tuples(_timestamps, _parts, _parts, _headers), min_size=1, max_size=20)
"""Lists of ``(timestamp_ms, key, value, headers)``."""
