"""The process that gets killed while it consumes, transforms and produces in transactions.

Run as a program with one argument, a JSON object (see :class:`Life`).  It never ends by itself: it kills itself in its
target phase, before or after it or in the middle of a write, or its parent does at any moment.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from reliability.dying import Killer

PARTITIONS = 2
GROUP = "workers"
TRANSACTIONAL_ID = "worker"
RECORDS_PER_TRANSACTION = 10
BROKER = {
    "offsets.topic.num.partitions": 3,
    "transaction.state.log.num.partitions": 3,
    "log.cleaner.enable": "false",
}
PHASES = ("idle", "produce", "offsets", "prepare", "markers", "complete")
_METHODS = {
    "produce": "embedkafka.broker.producing:Producing.produce_sealed",
    "offsets": "embedkafka.broker.groups.groups:Groups.txn_offset_commit",
    "prepare": "embedkafka.broker.transactions.shard:TransactionShard._decide",
    "markers": "embedkafka.broker.transactions.shard:TransactionShard._write_markers",
    "complete": "embedkafka.broker.transactions.shard:TransactionShard._decide",
}
_COMMANDS = {"prepare": "EndTransaction", "complete": "MarkersWritten"}  # one method, told apart by what it is asked


@dataclass(frozen=True)
class Life:
    """What the parent asks of one life."""

    directory: str
    board: str  # one byte: the phase under way
    seed: int
    target: str | None = None  # the phase to die in; None: the parent kills
    after_transactions: int = 5
    sabotage: str | None = None  # a bug to play, which the checker must find


def work(kafka: Any, engine: Any, *, seed: int, until: Callable[[Any], bool] = lambda consumer: False) -> None:
    """Consume, transform, produce; each step in one transaction, some of which are aborted."""
    source = random.Random(seed)
    producer = kafka.KafkaProducer(bootstrap_servers=engine, transactional_id=TRANSACTIONAL_ID)
    producer.init_transactions()
    consumer = kafka.KafkaConsumer(
        "input",
        bootstrap_servers=engine,
        group_id=GROUP,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=RECORDS_PER_TRANSACTION,
    )
    try:
        while not until(consumer):
            polled = consumer.poll(timeout_ms=100)
            if not polled:
                continue
            producer.begin_transaction()
            for partition, records in polled.items():
                for record in records:
                    producer.send("output", b"done:" + record.value, partition=partition.partition)
                    if source.random() < 0.2:
                        producer.flush()
            offsets = {
                partition: kafka.OffsetAndMetadata(records[-1].offset + 1, "", -1)
                for partition, records in polled.items()
            }
            producer.send_offsets_to_transaction(offsets, consumer.group_metadata())
            if source.random() < 0.15:
                producer.abort_transaction()
                for partition, records in polled.items():
                    consumer.seek(partition, records[0].offset)
            else:
                producer.commit_transaction()
    finally:
        consumer.close()
        producer.close()


# -- bugs to play, so that a test can show that the check would find them ---


def _commit_what_is_left_open() -> None:
    """A new producer commits the transaction of the one before it, instead of aborting it."""
    from embedkafka.coordinator.transaction import init_producer
    from embedkafka.coordinator.transaction.state import TransactionState

    original = init_producer.fence_and_abort

    def commit(*arguments: Any) -> Any:
        decision = original(*arguments)
        record = decision.records[0]
        assert record.transaction is not None
        committed = record.transaction._replace(state=TransactionState.PREPARE_COMMIT)
        return decision._replace(records=[record._replace(transaction=committed)])

    init_producer.fence_and_abort = commit


def _drop_the_marker() -> None:
    """Some partitions of a committed transaction never hear of it."""
    from embedkafka.broker.transactions import markers

    original = markers._write
    source = random.Random(1)

    def write(engine: Any, marker: Any, topic_partition: Any) -> int:
        if marker.committed and topic_partition.topic == "output" and source.random() < 0.5:
            return 0
        return original(engine, marker, topic_partition)

    markers._write = write


def _commit_offsets_at_once() -> None:
    """Offsets do not wait for the transaction's end."""
    from embedkafka.broker.groups.groups import Groups

    def at_once(self: Any, context: Any, request: Any) -> Any:
        from embedkafka.broker.api import OffsetCommitRequest

        return self.offset_commit(
            context,
            OffsetCommitRequest(request.group_id, request.offsets, request.generation_id, request.member_id),
        )

    Groups.txn_offset_commit = at_once  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "what is left open is committed": _commit_what_is_left_open,
    "markers are dropped": _drop_the_marker,
    "offsets are committed outside the transaction": _commit_offsets_at_once,
}


def _concerns(phase: str, arguments: Sequence[Any]) -> bool:
    command = _COMMANDS.get(phase)
    return command is None or type(arguments[1]).__name__ == command  # the first one is the shard


def main(life: Life) -> None:
    import embedkafka

    if life.sabotage is not None:
        BUGS[life.sabotage]()
    engine = embedkafka.EmbeddedKafka(life.directory, **BROKER)
    Killer(
        PHASES,
        _METHODS,
        board=life.board,
        seed=life.seed,
        target=life.target,
        after_calls=life.after_transactions,
        concerns=_concerns,
    ).install()
    work(embedkafka, engine, seed=life.seed)


if __name__ == "__main__":
    main(Life(**json.loads(sys.argv[1])))
