"""A log behaves like a list of records, whatever is done to it in whatever order.

Limits are tiny instead of mocked, so that rolls, index entries and tail evictions happen all the time.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from storage.builders import NOW_MS, append, batch, open_log, read_all

from embedkafka.files import HandleCache, MemoryFiles
from embedkafka.storage.config import LogConfig
from embedkafka.storage.log import Log


class LogMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.files = MemoryFiles()
        self.rows: dict[int, tuple[int, bytes]] = {}  # offset: timestamp, value
        self.end_offset = 0
        self.start_offset = 0
        self.now_ms = NOW_MS
        self.flushed = 0

    @initialize(
        segment_bytes=st.integers(150, 600),
        interval_bytes=st.integers(0, 200),
        tail_bytes=st.sampled_from([0, 100, 400, 100_000]),
        index_bytes=st.integers(36, 200),
    )
    def open(self, segment_bytes: int, interval_bytes: int, tail_bytes: int, index_bytes: int) -> None:
        self.config = LogConfig(
            segment_bytes=segment_bytes,
            index_interval_bytes=interval_bytes,
            tail_bytes=tail_bytes,
            segment_index_bytes=index_bytes,
            segment_ms=5_000,
            retention_ms=60_000,
            retention_bytes=2_000,
        )
        self.log = self._open(clean=False, recovery_point=0)

    def _open(self, *, clean: bool, recovery_point: int) -> Log:
        return open_log(
            handles=HandleCache(self.files, 4),
            config=self.config,
            clean=clean,
            recovery_point=recovery_point,
            log_start_offset=self.start_offset,
            now_ms=self.now_ms,
        )

    @rule(count=st.integers(1, 4), jump_ms=st.integers(-3_000, 3_000), codec=st.sampled_from([0, 1]))
    def append(self, count: int, jump_ms: int, codec: int) -> None:
        rows = [(self.now_ms + jump_ms + number, b"%d" % (self.end_offset + number)) for number in range(count)]
        info = append(
            self.log, batch(*((time, b"k", value) for time, value in rows), compression_type=codec), self.now_ms
        )
        assert info.base_offset == self.end_offset
        for number, row in enumerate(rows):
            self.rows[self.end_offset + number] = row
        self.end_offset += count

    @rule(delta_ms=st.integers(0, 20_000))
    def time_passes(self, delta_ms: int) -> None:
        self.now_ms += delta_ms

    @rule()
    def roll(self) -> None:
        self.log.roll(self.now_ms)

    @rule()
    def flush(self) -> None:
        self.flushed = self.log.flush()
        assert self.flushed == self.end_offset or self.log.active_segment is None

    @rule()
    def retention(self) -> None:
        self.log.delete_old_segments(self.now_ms)
        assert self.log.log_start_offset >= self.start_offset
        self.start_offset = self.log.log_start_offset

    @rule(share=st.floats(0, 1))
    def delete_records(self, share: float) -> None:
        offset = self.start_offset + round(share * (self.end_offset - self.start_offset))
        self.log.advance_log_start(offset)
        self.start_offset = offset

    @rule(share=st.floats(0, 1))
    def truncate(self, share: float) -> None:
        offset = self.start_offset + round(share * (self.end_offset - self.start_offset))
        self.log.truncate_to(offset)
        assert self.start_offset <= self.log.end_offset <= offset or self.log.end_offset <= self.start_offset
        self.end_offset = self.log.end_offset
        self.start_offset = min(self.start_offset, self.end_offset)
        self.flushed = min(self.flushed, self.end_offset)

    @rule(clean=st.booleans())
    def reopen(self, clean: bool) -> None:
        if clean:
            self.log.close()
        self.log = self._open(clean=clean, recovery_point=self.log.recovery_point)

    @rule(share=st.floats(0, 1.1), max_bytes=st.integers(1, 700))
    def read(self, share: float, max_bytes: int) -> None:
        offset = self.start_offset + round(share * (self.end_offset - self.start_offset))
        offset = min(offset, self.end_offset)
        found = [
            (record.offset, record.timestamp, record.value)
            for record in read_all(self.log, offset, max_bytes=max_bytes)
        ]
        assert found == [(at, *self.rows[at]) for at in range(offset, self.end_offset)]

    @rule(delta_ms=st.integers(-10_000, 10_000))
    def search_by_time(self, delta_ms: int) -> None:
        target = self.now_ms + delta_ms
        expected = next((at for at in range(self.start_offset, self.end_offset) if self.rows[at][0] >= target), None)
        found = self.log.offset_for_timestamp(target)
        assert (found.offset if found else None) == expected

    @invariant()
    def ends_agree(self) -> None:
        if hasattr(self, "log"):
            assert self.log.end_offset == self.end_offset
            assert self.log.log_start_offset == self.start_offset
            assert self.log.size_bytes == sum(segment.size_bytes for segment in self.log.segments)
            assert self.log.usage.used_bytes == 0 or self.log.usage.limit_bytes >= 0

    def teardown(self) -> None:
        if hasattr(self, "log"):
            self.log.close()


TestLog = LogMachine.TestCase
TestLog.settings = settings(stateful_step_count=40)
