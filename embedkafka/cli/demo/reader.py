"""The demo's process that is killed: reads as a group, commits a part, says where it is, and waits for the end.

Run as ``python -m embedkafka.cli.demo.reader DATA TOPIC GROUP COMMIT_UNTIL STOP_AFTER``.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from embedkafka.cli.demo.source import Tally

if TYPE_CHECKING:
    from embedkafka import KafkaConsumer, TopicPartition

POLL_RECORDS = 500


def committed_offset(consumer: KafkaConsumer, partition: TopicPartition) -> int:
    """What the consumer's group has committed; 0 for nothing."""
    found = consumer.committed(partition)
    return found if isinstance(found, int) else 0


def main(data: str, topic: str, group: str, commit_until: int, stop_after: int) -> None:
    """Read ``stop_after`` records or a few more, committing after every poll until ``commit_until`` were read."""
    from embedkafka import EmbeddedKafka, KafkaConsumer

    kafka = EmbeddedKafka(data)
    consumer = KafkaConsumer(
        topic, bootstrap_servers=kafka, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False
    )
    read = Tally()
    committed = Tally()
    committed_offsets: dict[int, int] = {}
    while read.records < stop_after:
        for records in consumer.poll(timeout_ms=1000, max_records=POLL_RECORDS).values():
            for record in records:
                read.add(record.key, record.value)
        if read.records <= commit_until and consumer.assignment():
            consumer.commit()
            committed = Tally(read.records, read.checksum)
            for partition in consumer.assignment():
                committed_offsets[partition.partition] = committed_offset(consumer, partition)
    said = {
        "read": [read.records, read.checksum],
        "committed": [committed.records, committed.checksum],
        "committed_offsets": committed_offsets,
    }
    print(json.dumps(said), flush=True)
    sys.stdin.read()  # until the kill


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
