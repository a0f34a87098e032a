"""``embedkafka consume``: print a topic's records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embedkafka.cli import text
from embedkafka.cli.beside import Start, parse_start, read_beside
from embedkafka.cli.engine import open_kafka
from embedkafka.cli.exits import check_known
from embedkafka.cli.printer import FIELDS, Printer
from embedkafka.cli.session import DataOption, JsonOption, Session, command, require

if TYPE_CHECKING:
    from embedkafka import KafkaConsumer

POLL_RECORDS = 500
POLL_MS = 500


@command
def consume(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="What to read.")],
    partition: Annotated[
        int | None, typer.Option("--partition", "-p", min=0, help="Only this one.", show_default=False)
    ] = None,
    from_beginning: Annotated[
        bool,
        typer.Option(
            "--from-beginning/--from-end", help="Where to start, for a group only where it has no offset yet."
        ),
    ] = True,
    offset: Annotated[
        str | None,
        typer.Option("--offset", "-o", metavar="N", help="Start here; -N counts from the end.", show_default=False),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group", "-g", metavar="GROUP", help="Read as this group; commits what it printed.", show_default=False
        ),
    ] = None,
    max_messages: Annotated[
        int | None, typer.Option("--max-messages", "-n", min=1, help="Stop after so many.", show_default=False)
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-F", help="Wait for more instead of ending at the end.")] = False,
    timeout_ms: Annotated[
        int | None,
        typer.Option("--timeout-ms", min=0, help="Wait for more, but at most so long for each.", show_default=False),
    ] = None,
    output_format: Annotated[
        str, typer.Option("--format", help="Fields in braces: " + " ".join(f"{{{field}}}" for field in FIELDS))
    ] = "{value}",
    raw: Annotated[bool, typer.Option("--raw", help="Values byte for byte, not made safe for a terminal.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print records, one a line, and end at the end of the topic.

    Without --group it changes nothing and works beside a live owner. Unprintable bytes are shown as \\xNN.
    """
    session = Session(data, as_json)
    require(
        offset is None or group is None,
        "--offset and --group exclude each other",
        "`embedkafka groups reset-offsets` moves a group",
    )
    require(partition is None or group is None, "--partition and --group exclude each other")
    printer = Printer(session.out, output_format, raw=raw)
    wait_ms = float("inf") if follow else 0.0
    if timeout_ms is not None:
        wait_ms = timeout_ms
    if group is None:
        start = parse_start(offset) if offset is not None else Start(from_end=not from_beginning)
        records: Iterable[Any] = read_beside(session, topic, partition, start=start, wait_ms=wait_ms)
        printed = _print(records, printer, max_messages)
    else:
        printed = _as_group(session, topic, group, printer, from_beginning, max_messages, wait_ms)
    session.out.note(text.counted(printed, "record"))


def _print(records: Iterable[Any], printer: Printer, max_messages: int | None) -> int:
    printed = 0
    for record in records:
        printer.record(record)
        printed += 1
        if printed == max_messages:
            break
    return printed


def _as_group(
    session: Session,
    topic: str,
    group: str,
    printer: Printer,
    from_beginning: bool,
    max_messages: int | None,
    wait_ms: float,
) -> int:
    from embedkafka import KafkaConsumer

    with open_kafka(session) as kafka:
        consumer = KafkaConsumer(
            bootstrap_servers=kafka,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest" if from_beginning else "latest",
        )
        try:
            check_known("topic", [topic], consumer.topics())
            consumer.subscribe([topic])
            printed = 0
            for records in _polls(consumer, max_messages, wait_ms):
                printed += _print(records, printer, None)
                printer.flush()
                consumer.commit()
            return printed
        finally:
            consumer.close(autocommit=False)


def _polls(consumer: KafkaConsumer, max_messages: int | None, wait_ms: float) -> Iterator[list[Any]]:
    """What each poll brings, until the end that was there when the group got its partitions, or the wait is over."""
    end_offsets: dict[Any, int] | None = None
    left = max_messages
    idle_ms = 0.0
    while left != 0 and idle_ms <= wait_ms:
        limit = POLL_RECORDS if left is None else min(POLL_RECORDS, left)
        pause_ms = min(POLL_MS, wait_ms - idle_ms) if end_offsets is not None else POLL_MS
        polled = consumer.poll(timeout_ms=int(pause_ms), max_records=limit)
        records = [record for batch in polled.values() for record in batch]
        if records:
            left = None if left is None else left - len(records)
            idle_ms = 0.0
            yield records
        if end_offsets is None and consumer.assignment():
            end_offsets = consumer.end_offsets(list(consumer.assignment()))
        if end_offsets is None:
            continue
        at_end = all((consumer.position(partition) or 0) >= offset for partition, offset in end_offsets.items())
        if at_end and wait_ms == 0:
            return
        if not records and at_end:
            idle_ms += max(pause_ms, 1.0)
