"""Looking offsets up by time, at the leaders, and resetting positions that have none."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from embedkafka.broker.api import EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, ListOffsetsRequest, PartitionOffset
from embedkafka.errors import KafkaConfigurationError, KafkaTimeoutError, RetriableError, for_code
from embedkafka.model import TopicPartition

if TYPE_CHECKING:
    from embedkafka.broker.port import BrokerPort
    from embedkafka.client.link import EmbeddedLink

_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


class ResetPolicy:
    """``auto_offset_reset``: where to read from when nothing is committed or the position is gone.

    ``earliest``, ``latest``, ``none``, or ``by_duration:PT1H`` (KIP-1106): the first record of the last hour.
    """

    def __init__(self, text: str) -> None:
        name, _, duration = str(text).partition(":")
        name = {"smallest": "earliest", "largest": "latest"}.get(name.lower(), name.lower())
        if name not in ("earliest", "latest", "none", "by_duration") or bool(duration) != (name == "by_duration"):
            raise KafkaConfigurationError(
                f"auto_offset_reset is {text!r}; it is earliest, latest, none, or by_duration:PT1H and the like"
            )
        self.name = name
        self._duration_ms = _duration_ms(duration) if duration else 0

    def __bool__(self) -> bool:
        return self.name != "none"

    def timestamp(self, now_ms: int) -> int:
        """What to ask list-offsets for; only where there is a policy."""
        if self.name == "earliest":
            return EARLIEST_TIMESTAMP
        if self.name == "latest":
            return LATEST_TIMESTAMP
        return max(0, now_ms - self._duration_ms)


def _duration_ms(text: str) -> int:
    match = _DURATION.fullmatch(text.upper())
    if match is None or text.upper() in ("P", "PT"):
        raise KafkaConfigurationError(f"{text!r} is no ISO-8601 duration of days, hours, minutes and seconds (P1DT2H)")
    part = {name: float(value or 0) for name, value in match.groupdict().items()}
    seconds = ((part["days"] * 24 + part["hours"]) * 60 + part["minutes"]) * 60 + part["seconds"]
    return int(seconds * 1000)


def list_offsets(
    link: EmbeddedLink,
    timestamps: Mapping[TopicPartition, int],
    isolation_level: int,
    timeout_ms: float,
    retry_backoff_ms: float,
) -> dict[TopicPartition, PartitionOffset]:
    """Ask the partitions' leaders; what can be retried is, until ``timeout_ms`` have passed.

    Raises:
        KafkaTimeoutError: not answered in time.
        UnknownTopicOrPartitionError: no such topic or partition.
    """
    deadline_ms = link.clock.monotonic_ms() + timeout_ms
    found: dict[TopicPartition, PartitionOffset] = {}
    missing = dict(timestamps)
    while missing:
        error: Exception | None = None
        for port, asked in _by_leader(link, missing).items():
            for answer in port.list_offsets(link.context, ListOffsetsRequest(asked, isolation_level)):
                if not answer.error_code:
                    found[answer.topic_partition] = answer
                    del missing[answer.topic_partition]
                    continue
                error = for_code(answer.error_code)(_name(answer.topic_partition))
                if not isinstance(error, RetriableError):
                    raise error
                link.refresh()
        if missing and not link.pause(retry_backoff_ms, deadline_ms):
            raise KafkaTimeoutError(f"no offsets for {sorted(missing)} within {timeout_ms} ms: {error}")
    return found


def _by_leader(
    link: EmbeddedLink, timestamps: Mapping[TopicPartition, int]
) -> dict[BrokerPort, dict[TopicPartition, int]]:
    by_leader: dict[BrokerPort, dict[TopicPartition, int]] = defaultdict(dict)
    for topic_partition, timestamp in timestamps.items():
        by_leader[link.leader_port(topic_partition)][topic_partition] = timestamp
    return by_leader


def _name(topic_partition: TopicPartition) -> str:
    return f"partition {topic_partition.topic}-{topic_partition.partition}"
