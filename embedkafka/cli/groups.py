"""``embedkafka groups``: list, describe with lag, delete; ``reset-offsets`` is in :mod:`embedkafka.cli.reset`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from embedkafka.cli.engine import open_admin
from embedkafka.cli.exits import CliError, check_known
from embedkafka.cli.reset import SHARE, reset_offsets
from embedkafka.cli.session import DataOption, JsonOption, Session, command, confirm_deletion
from embedkafka.model import TopicPartition

if TYPE_CHECKING:
    from embedkafka import KafkaAdminClient

_STREAMS = "streams"  # a group's type

app = typer.Typer(help="List consumer groups, show their lag, move or delete them.", no_args_is_help=True)


@app.command("list")
@command
def list_groups(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Groups with their state; works beside a live owner."""
    session = Session(data, as_json)
    with open_admin(session, read_only=True) as admin:
        groups = sorted(admin.list_groups(), key=lambda group: group["group_id"])
    session.out.rows(
        ("Group", "State", "Protocol type"),
        [(group["group_id"], group["group_state"], group["protocol_type"]) for group in groups],
    )
    if not groups:
        session.out.note("no groups yet; `embedkafka consume TOPIC --group NAME` makes one")


@app.command("describe")
@command
def describe(
    groups: Annotated[list[str] | None, typer.Argument(metavar="GROUP", help="All if left out.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Committed offset, end of log and lag of each partition, and who has it; works beside a live owner.

    A share group has a start offset instead: everything before it is done; its lag is what is not.
    """
    session = Session(data, as_json)
    rows = []
    with open_admin(session, read_only=True) as admin:
        types = {group["group_id"]: group["group_type"] for group in admin.list_groups()}
        known = sorted(types)
        check_known("group", groups or [], known)
        for group in groups or known:
            is_share = types[group] == SHARE
            rows += _share_rows(admin, group) if is_share else _lag_rows(admin, group, types[group])
    session.out.rows(
        ("Group", "Topic", "Partition", "Committed", "Log end", "Lag", "Consumer"),
        rows,
        right=("Partition", "Committed", "Log end", "Lag"),
    )
    if not rows:
        session.out.note("nothing committed yet" if known else "no groups yet")


def _lag_rows(admin: KafkaAdminClient, group: str, group_type: str) -> list[tuple[Any, ...]]:
    committed = admin.list_group_offsets(group)[group]
    members = _members(admin, group, group_type)
    topics = set(admin.list_topics())
    known = {partition for partition in committed if partition.topic in topics}
    # A task has the same number in all topics that it reads, of which one may have fewer partitions.
    partitions = sorted(known if group_type == _STREAMS else known | set(members))
    ends = admin.list_partition_offsets(dict.fromkeys(partitions, -1)) if partitions else {}
    rows = []
    for partition in partitions:
        offset = committed[partition].offset if partition in committed else None
        end = ends[partition].offset
        lag = None if offset is None else end - offset
        rows.append((group, *partition, offset, end, lag, members.get(partition)))
    return rows


def _share_rows(admin: KafkaAdminClient, group: str) -> list[tuple[Any, ...]]:
    offsets = admin.list_share_group_offsets(group)[group]
    ends = admin.list_partition_offsets(dict.fromkeys(offsets, -1)) if offsets else {}
    readers: dict[TopicPartition, list[str]] = {}
    for member in admin.describe_share_groups([group])[group]["members"]:
        for topic in (member["member_assignment"] or {}).get("assigned_partitions", ()):
            for number in topic["partitions"]:
                readers.setdefault(TopicPartition(topic["topic"], number), []).append(member["member_id"])
    return [
        (group, *each, found.start_offset, ends[each].offset, found.lag, ", ".join(readers.get(each, ())) or None)
        for each, found in sorted(offsets.items())
    ]


def _members(admin: KafkaAdminClient, group: str, group_type: str) -> dict[TopicPartition, str]:
    """Which member has each partition; empty for a group without members."""
    found: dict[TopicPartition, str] = {}
    describe = admin.describe_streams_groups if group_type == _STREAMS else admin.describe_groups
    for member in describe([group])[group]["members"]:
        assignment = member["member_assignment"]
        for topic in (assignment or {}).get("assigned_partitions", ()):
            for number in topic["partitions"]:
                found[TopicPartition(topic["topic"], number)] = member["member_id"]
    return found


@app.command("delete")
@command
def delete(
    groups: Annotated[list[str], typer.Argument(metavar="GROUP", help="Ids of groups.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget groups and what they committed."""
    session = Session(data, as_json)
    with open_admin(session) as admin:
        known = [group["group_id"] for group in admin.list_groups()]
        check_known("group", groups, known)
        if not yes:
            confirm_deletion(groups, "the offsets they committed")
        for group, outcome in admin.delete_groups(groups).items():
            if outcome != "OK":
                raise CliError(f"group {group!r}: {outcome}", "a group with members cannot be deleted")
    for group in groups:
        if session.out.as_json:
            session.out.json({"group": group, "deleted": True})
        else:
            session.out.line(f"deleted {group}")


app.command("reset-offsets")(reset_offsets)
