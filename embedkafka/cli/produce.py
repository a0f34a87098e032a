"""``embedkafka produce``: lines of a file or of stdin become records."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embedkafka.cli import text
from embedkafka.cli.engine import open_kafka
from embedkafka.cli.exits import CliError, ExitCode
from embedkafka.cli.session import DataOption, JsonOption, Session, command, parse_pairs

if TYPE_CHECKING:
    from embedkafka import EmbeddedKafka, KafkaProducer

COMPRESSION_TYPES = ("none", "gzip", "snappy", "lz4", "zstd")


def check_compression(name: str) -> str:
    """Refuse a compression that does not exist."""
    if name not in COMPRESSION_TYPES:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(COMPRESSION_TYPES)}")
    return name


CompressionOption = Annotated[
    str,
    typer.Option("--compression", metavar="NAME", help="none, gzip, snappy, lz4 or zstd.", callback=check_compression),
]


@command
def produce(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Where the records go; created when it is not there.")],
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="Read this instead of stdin.", show_default=False),
    ] = None,
    key_separator: Annotated[
        str | None,
        typer.Option(
            "--key-separator",
            "-K",
            metavar="TEXT",
            help="What stands between key and value in a line.",
            show_default=False,
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            "-H",
            metavar="NAME=VALUE",
            help="A header of every record; may be repeated.",
            show_default=False,
        ),
    ] = None,
    partition: Annotated[
        int | None,
        typer.Option("--partition", "-p", min=0, help="Instead of letting the key decide.", show_default=False),
    ] = None,
    null_value: Annotated[
        str | None,
        typer.Option(
            "--null-value", metavar="TEXT", help="A value to be sent as null (a tombstone).", show_default=False
        ),
    ] = None,
    compression: CompressionOption = "none",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send each line as a record and wait until it is written.

    Bytes go as they are, without the line's end. With --key-separator, a line without one is an error.
    """
    session = Session(data, as_json)
    headers = [(name, value.encode()) for name, value in parse_pairs(header, "--header").items()]
    source = file.open("rb") if file else nullcontext(sys.stdin.buffer)
    with source as lines, open_kafka(session, create=True) as kafka:
        from embedkafka import KafkaProducer

        if file is None and sys.stdin.isatty():
            session.out.note("type one record a line; Ctrl-D ends")
        producer = KafkaProducer(
            bootstrap_servers=kafka, compression_type=None if compression == "none" else compression
        )
        try:
            _look_at_topic(session, producer, kafka, topic, partition)
            options = {"headers": headers, "partition": partition}
            sent = _send(producer, topic, _split(lines, key_separator, null_value), options)
        finally:
            producer.close()
    if session.out.as_json:
        session.out.json({"topic": topic, "records": sent})
    else:
        session.out.note(f"{text.counted(sent, 'record')} to {topic}")


def _look_at_topic(
    session: Session, producer: KafkaProducer, kafka: EmbeddedKafka, topic: str, partition: int | None
) -> None:
    """Mention a topic that this makes, and refuse a partition that is not there."""
    from embedkafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        is_new = topic not in admin.list_topics()
    finally:
        admin.close()
    count = len(producer.partitions_for(topic) or ())
    if is_new:
        session.out.note(f"new topic {topic} with {text.counted(count, 'partition')}")
    if partition is not None and partition >= count:
        raise CliError(f"{topic} has no partition {partition}", f"it has 0 to {count - 1}", ExitCode.NOT_FOUND)


def _split(
    lines: Iterator[bytes] | Any, key_separator: str | None, null_value: str | None
) -> Iterator[tuple[bytes | None, bytes | None]]:
    separator = key_separator.encode() if key_separator else None
    null = null_value.encode() if null_value is not None else None
    for number, raw in enumerate(lines, 1):
        line = raw[:-1] if raw.endswith(b"\n") else raw
        line = line[:-1] if line.endswith(b"\r") else line
        key: bytes | None = None
        value: bytes | None = line
        if separator:
            key, found, value = line.partition(separator)
            if not found:
                shown = text.printable(line[:40])
                raise CliError(
                    f"line {number} has no key separator {key_separator!r}: {shown}", "the lines before it were sent"
                )
        yield key, None if value == null and null is not None else value


def _send(
    producer: KafkaProducer,
    topic: str,
    records: Iterator[tuple[bytes | None, bytes | None]],
    options: dict[str, Any],
) -> int:
    """Send all and count them; the first record that cannot be written stops it."""
    failures: list[BaseException] = []
    sent = 0
    try:
        for key, value in records:
            producer.send(topic, value=value, key=key, **options).add_errback(failures.append)
            sent += 1
            if failures:
                break
    finally:
        producer.flush()
    if failures:
        raise failures[0]
    return sent
