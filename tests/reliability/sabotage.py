"""Bugs to play in a child process, so that a test can show that the check would find them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any


def install(bug: str) -> None:
    """Install one of :data:`BUGS` in this process."""
    BUGS[bug]()


def _skip_writes(is_meant: Callable[[str], bool], every: int) -> None:
    """Pretend that every n-th write to such files was done."""
    from embedkafka.files.posix import PosixFile, SystemFile

    original = PosixFile.write_at
    count = itertools.count(1)

    def write_at(self: Any, data: Any, position: int) -> int:
        if is_meant(self.path) and next(count) % every == 0:
            return len(data)
        return original(self, data, position)

    PosixFile.write_at = write_at  # type: ignore[method-assign]
    PosixFile.write_together = SystemFile.write_together  # type: ignore[method-assign]  # part by part, through write_at


def forget_producers(log: Any) -> None:
    """Let a log take any sequence number next, as if it had never checked any: what a bug does must reach the file."""
    log.producer_state().entries.clear()


def _change_append(change: Callable[[Callable[..., Any], Any, Any, dict[str, Any]], Any]) -> None:
    from embedkafka.storage.log import Log

    original = Log.append

    def append(self: Any, records: Any, **options: Any) -> Any:
        if self.topic_partition.topic != "load":
            return original(self, records, **options)
        return change(original, self, records, options)

    Log.append = append  # type: ignore[method-assign]
    Log.append_plain = lambda *arguments, **options: None  # type: ignore[method-assign]  # every batch goes that way


def _lose_batches() -> None:
    _skip_writes(lambda path: "load-" in path and path.endswith(".log"), every=40)


def _double_batches() -> None:
    def twice(original: Callable[..., Any], log: Any, records: Any, options: dict[str, Any]) -> Any:
        original(log, bytearray(records), **options)
        forget_producers(log)
        return original(log, records, **options)

    _change_append(twice)


def _reorder_records() -> None:
    from embedkafka.record import decode_batch, encode_batch, read_header

    def backwards(original: Callable[..., Any], log: Any, records: Any, options: dict[str, Any]) -> Any:
        header = read_header(records, 0)
        found = [(one.timestamp, one.key, one.value, one.headers) for one in decode_batch(records, 0, header)]
        turned = encode_batch(
            found[::-1],
            producer_id=header.producer_id,
            producer_epoch=header.producer_epoch,
            base_sequence=header.base_sequence,
        )
        return original(log, turned, **options)

    _change_append(backwards)


def _answer_wrong_offsets() -> None:
    def shifted(original: Callable[..., Any], log: Any, records: Any, options: dict[str, Any]) -> Any:
        info = original(log, records, **options)
        return info._replace(base_offset=info.base_offset + 1, last_offset=info.last_offset + 1)

    _change_append(shifted)


def _lose_commits() -> None:
    _skip_writes(lambda path: "__consumer_offsets-" in path and path.endswith(".log"), every=1)


def _commit_ahead() -> None:
    import embedkafka

    original = embedkafka.KafkaConsumer.commit

    def commit(self: Any, offsets: Any = None, *arguments: Any) -> Any:
        ahead = {one: committed._replace(offset=committed.offset + 1) for one, committed in offsets.items()}
        return original(self, ahead, *arguments)

    embedkafka.KafkaConsumer.commit = commit  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "batches are not written": _lose_batches,
    "batches are written twice": _double_batches,
    "records of a batch are written backwards": _reorder_records,
    "offsets of acknowledgements are off by one": _answer_wrong_offsets,
    "commits are not written": _lose_commits,
    "commits are ahead": _commit_ahead,
}
