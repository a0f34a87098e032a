"""Where a share group begins in a partition that it has not read before: ``share.auto.offset.reset``."""

from __future__ import annotations

import re

from embedkafka.broker.share.host import READ_COMMITTED, ShareGroupSettings
from embedkafka.storage.log import Log

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d{0,9})?)S)?)?", re.IGNORECASE)


def reset_offset(log: Log, settings: ShareGroupSettings, now_ms: int) -> int:
    """The first offset: of the log, behind its end, or of what came since a while."""
    name, _, duration = settings.share_auto_offset_reset.partition(":")
    if name == "earliest":
        return log.log_start_offset
    is_committed = settings.share_isolation_level == READ_COMMITTED
    end_offset = log.last_stable_offset if is_committed else log.end_offset
    if name == "latest":
        return end_offset
    found = log.offset_for_timestamp(max(0, now_ms - duration_ms(duration)))
    return end_offset if found is None else found.offset


def duration_ms(text: str) -> int:
    """Milliseconds in an ISO-8601 duration of days, hours, minutes and seconds (``P1DT2H``).

    Raises:
        ValueError: it is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError(f"{text!r} is no ISO-8601 duration of days, hours, minutes and seconds")
    days, hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.groups())
    return int((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000)
