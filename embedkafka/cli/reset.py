"""``embedkafka groups reset-offsets``: move a group that has no members."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from embedkafka.cli.engine import open_admin
from embedkafka.cli.exits import CliError, ExitCode, not_found
from embedkafka.cli.session import DataOption, JsonOption, Session, command, require
from embedkafka.errors import NoError, NonEmptyGroupError
from embedkafka.model import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedkafka import KafkaAdminClient

SHARE = "share"
EARLIEST_TIMESTAMP = -2
LATEST_TIMESTAMP = -1

GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="The group's id.")]
TopicsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--topic",
        "-t",
        metavar="TOPIC[:P,P]",
        help="Only these; may be repeated. Otherwise all it has committed.",
        show_default=False,
    ),
]


@command
def reset_offsets(
    group: GroupArgument,
    topic: TopicsOption = None,
    to_earliest: Annotated[bool, typer.Option("--to-earliest", help="To the first record there is.")] = False,
    to_latest: Annotated[bool, typer.Option("--to-latest", help="To the end.")] = False,
    to_offset: Annotated[
        int | None, typer.Option("--to-offset", min=0, metavar="N", help="To this offset.", show_default=False)
    ] = None,
    to_datetime: Annotated[
        str | None,
        typer.Option(
            "--to-datetime",
            metavar="ISO",
            help="To the first record at or after, such as 2026-01-31T12:00:00Z.",
            show_default=False,
        ),
    ] = None,
    shift_by: Annotated[
        int | None,
        typer.Option("--shift-by", metavar="N", help="So many records on, or back if negative.", show_default=False),
    ] = None,
    execute: Annotated[
        bool, typer.Option("--execute", help="Do it; without this it only shows what it would do.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move a group that has no members. Offsets outside the log become its nearest end."""
    session = Session(data, as_json)
    ways = [to_earliest, to_latest, to_offset is not None, to_datetime is not None, shift_by is not None]
    require(
        sum(ways) == 1,
        "say where to in exactly one way",
        "--to-earliest, --to-latest, --to-offset N, --to-datetime ISO or --shift-by N",
    )
    timestamp_ms = _parse_datetime(to_datetime) if to_datetime is not None else None
    with open_admin(session) as admin:
        move = _Move(admin, group, topic)
        if to_earliest:
            after = move.to(lambda partition: move.first[partition])
        elif to_latest:
            after = move.to(lambda partition: move.end[partition])
        elif to_offset is not None:
            after = move.to(lambda _: to_offset)
        elif timestamp_ms is not None:
            found = _offsets(admin, move.partitions, timestamp_ms)
            after = move.to(lambda partition: found[partition] if found[partition] >= 0 else move.end[partition])
        else:
            after = move.to(lambda partition: move.current(partition) + (shift_by or 0))
        if execute:
            (_alter if move.is_share else _commit)(admin, group, after)
    session.out.rows(
        ("Group", "Topic", "Partition", "Before", "After"),
        [(group, *partition, move.before[partition], offset) for partition, offset in after.items()],
        right=("Partition", "Before", "After"),
    )
    if not execute:
        session.out.note("nothing was changed; add --execute to do it")


class _Move:
    """The partitions that a reset is about: what is committed, and what the log allows.

    Raises:
        CliError: no such group or topic, or nothing to move.
    """

    def __init__(self, admin: KafkaAdminClient, group: str, topics: list[str] | None) -> None:
        known = {found["group_id"]: found["group_type"] for found in admin.list_groups()}
        if group not in known and not topics:
            raise not_found("group", group, sorted(known))
        self.is_share = known.get(group) == SHARE
        committed = _positions(admin, group, share=self.is_share) if group in known else {}
        self.partitions = _parse_topics(admin, topics) if topics else sorted(committed)
        if not self.partitions:
            raise CliError(f"group {group!r} has committed nothing", "name topics with --topic", ExitCode.NOT_FOUND)
        self.before = {p: committed.get(p) for p in self.partitions}
        self.first = _offsets(admin, self.partitions, EARLIEST_TIMESTAMP)
        self.end = _offsets(admin, self.partitions, LATEST_TIMESTAMP)

    def current(self, partition: TopicPartition) -> int:
        """What is committed, or the first record there is."""
        offset: int | None = self.before[partition]
        return self.first[partition] if offset is None else offset

    def to(self, wanted: Callable[[TopicPartition], int]) -> dict[TopicPartition, int]:
        """The wanted offset of each partition, within its log."""
        return {p: min(max(wanted(p), self.first[p]), self.end[p]) for p in self.partitions}


def _positions(admin: KafkaAdminClient, group: str, *, share: bool) -> dict[TopicPartition, int | None]:
    if share:
        return {each: found.start_offset for each, found in admin.list_share_group_offsets(group)[group].items()}
    return {each: found.offset for each, found in admin.list_group_offsets(group)[group].items()}


def _offsets(admin: KafkaAdminClient, partitions: list[TopicPartition], timestamp_ms: int) -> dict[TopicPartition, int]:
    found = admin.list_partition_offsets(dict.fromkeys(partitions, timestamp_ms))
    return {partition: found[partition].offset for partition in partitions}


def _commit(admin: KafkaAdminClient, group: str, offsets: dict[TopicPartition, int]) -> None:
    for partition, result in admin.reset_group_offsets(group, offsets).items():
        error = result["error"]
        if getattr(error, "errno", 0):
            raise CliError(
                f"group {group!r}, {partition.topic}-{partition.partition}: {error.message}",
                "a group can be moved only while it has no members",
            )


def _alter(admin: KafkaAdminClient, group: str, offsets: dict[TopicPartition, int]) -> None:
    try:
        errors = admin.alter_share_group_offsets(group, offsets)
    except NonEmptyGroupError as error:
        raise CliError(f"group {group!r}: {error}", "a group can be moved only while it has no members") from None
    for partition, found in errors.items():
        if found is not NoError:
            raise CliError(f"group {group!r}, {partition.topic}-{partition.partition}: {found.__name__}", "")


def _parse_datetime(value: str) -> int:
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        hint = "such as 2026-01-31T12:00:00Z"
        raise CliError(f"--to-datetime: {value!r} is no ISO date", hint, ExitCode.USAGE) from None
    return int(moment.timestamp() * 1000)


def _parse_topics(admin: KafkaAdminClient, specs: list[str]) -> list[TopicPartition]:
    """``lines`` or ``lines:0,2`` as partitions."""
    known = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
    found: set[TopicPartition] = set()
    for spec in specs:
        name, _, numbers = spec.partition(":")
        if name not in known:
            raise not_found("topic", name, known)
        try:
            chosen = [int(number) for number in numbers.split(",")] if numbers else list(range(known[name]))
        except ValueError:
            raise CliError(f"--topic takes TOPIC or TOPIC:0,1, not {spec!r}", "", ExitCode.USAGE) from None
        for number in chosen:
            if not 0 <= number < known[name]:
                hint = f"it has 0 to {known[name] - 1}"
                raise CliError(f"{name} has no partition {number}", hint, ExitCode.NOT_FOUND)
            found.add(TopicPartition(name, number))
    return sorted(found)
