"""``embedkafka topics``: list, create, describe, alter, delete, add-partitions, configs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from embedkafka.cli.catalog import Topic, read_topics
from embedkafka.cli.engine import open_admin
from embedkafka.cli.exits import CliError, check_known
from embedkafka.cli.session import DataOption, JsonOption, Session, command, confirm_deletion, parse_pairs, require
from embedkafka.model import id_text

app = typer.Typer(help="List, create, describe, alter and delete topics.", no_args_is_help=True)

TopicArgument = Annotated[str, typer.Argument(metavar="TOPIC", help="The topic's name.")]
TopicsArgument = Annotated[list[str], typer.Argument(metavar="TOPIC", help="Names of topics.")]
ConfigOption = Annotated[
    list[str] | None,
    typer.Option(
        "--config",
        "-c",
        metavar="NAME=VALUE",
        help="A setting under Kafka's name; may be repeated.",
        show_default=False,
    ),
]


@app.command("list")
@command
def list_topics(
    internal: Annotated[bool, typer.Option("--internal", help="Kafka's own topics too.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Topics with partitions, records and size; works beside a live owner."""
    session = Session(data, as_json)
    topics = [topic for topic in read_topics(session.existing_data()) if internal or not topic.is_internal]
    session.out.rows(
        ("Topic", "Partitions", "Records", "Bytes"),
        [(topic.name, len(topic.partitions), topic.records, topic.size_bytes) for topic in topics],
        right=("Partitions", "Records", "Bytes"),
    )
    if not topics:
        session.out.note("no topics yet; `embedkafka topics create` or `embedkafka produce` makes one")


@app.command("create")
@command
def create(
    names: TopicsArgument,
    partitions: Annotated[int, typer.Option("--partitions", "-p", min=1, help="Number of partitions.")] = 1,
    config: ConfigOption = None,
    if_not_exists: Annotated[bool, typer.Option("--if-not-exists", help="Leave a topic alone that is there.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create topics; makes the data directory when there is none."""
    session = Session(data, as_json)
    configs = parse_pairs(config, "--config")
    with open_admin(session, create=True) as admin:
        there = set(admin.list_topics())
        for name in names:
            created = not (if_not_exists and name in there)
            if created:
                admin.create_topics({name: {"num_partitions": partitions, "configs": configs}})
            if session.out.as_json:
                session.out.json({"topic": name, "created": created, "partitions": partitions if created else None})
            elif created:
                session.out.line(f"created {name} with {partitions} partition{'s' * (partitions != 1)}")
            else:
                session.out.line(f"{name} is there already")


@app.command("describe")
@command
def describe(
    names: Annotated[list[str] | None, typer.Argument(metavar="TOPIC", help="All if left out.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Partitions with offsets, segments and size; works beside a live owner."""
    session = Session(data, as_json)
    topics = read_topics(session.existing_data())
    known = {topic.name: topic for topic in topics}
    check_known("topic", names or [], known)
    chosen = [known[name] for name in names] if names else [topic for topic in topics if not topic.is_internal]
    for number, topic in enumerate(chosen):
        if session.out.as_json:
            session.out.json(_as_json(topic))
            continue
        if number:
            session.out.line()
        _describe(session, topic)


def _as_json(topic: Topic) -> dict[str, Any]:
    return {
        "topic": topic.name,
        "topic_id": id_text(topic.topic_id),
        "internal": topic.is_internal,
        "configs": dict(topic.configs),
        "partitions": [
            {
                "partition": partition.number,
                "log_start_offset": partition.log_start_offset,
                "log_end_offset": partition.log_end_offset,
                "segments": partition.segments,
                "bytes": partition.size_bytes,
            }
            for partition in topic.partitions
        ],
    }


def _describe(session: Session, topic: Topic) -> None:
    configs = ", ".join(f"{name}={value}" for name, value in sorted(topic.configs.items()))
    session.out.line(f"{topic.name} (id {id_text(topic.topic_id)}): {configs or 'all settings at their defaults'}")
    session.out.rows(
        ("Partition", "Log start offset", "Log end offset", "Records", "Segments", "Bytes"),
        [
            (
                partition.number,
                partition.log_start_offset,
                partition.log_end_offset,
                partition.log_end_offset - partition.log_start_offset,
                partition.segments,
                partition.size_bytes,
            )
            for partition in topic.partitions
        ],
        right=("Partition", "Log start offset", "Log end offset", "Records", "Segments", "Bytes"),
    )


@app.command("alter")
@command
def alter(
    name: TopicArgument,
    config: ConfigOption = None,
    delete_config: Annotated[
        list[str] | None,
        typer.Option(
            "--delete-config", metavar="NAME", help="Back to the default; may be repeated.", show_default=False
        ),
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a topic's settings."""
    session = Session(data, as_json)
    changes: dict[str, Any] = dict(parse_pairs(config, "--config"))
    changes |= dict.fromkeys(delete_config or [], ("DELETE", None))
    require(changes, "nothing to change", "give --config NAME=VALUE or --delete-config NAME")
    with open_admin(session) as admin:
        from embedkafka import ConfigResource

        check_known("topic", [name], admin.list_topics())
        known = admin.describe_configs([ConfigResource("TOPIC", name)], config_filter="all")["topic"][name]
        check_known("topic setting", changes, known)
        result = admin.alter_configs([ConfigResource("TOPIC", name, changes)])["topic"][name]
        if result != "OK":
            raise CliError(str(result), f"`embedkafka topics configs {name} --all` lists the settings")
    if session.out.as_json:
        session.out.json({"topic": name, "changed": sorted(changes)})
    else:
        session.out.line(f"changed {', '.join(sorted(changes))} of {name}")


@app.command("configs")
@command
def configs(
    name: TopicArgument,
    show_all: Annotated[bool, typer.Option("--all", help="Defaults too, not only what was set.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """A topic's settings: value, and where the value comes from; works beside a live owner."""
    session = Session(data, as_json)
    with open_admin(session, read_only=True) as admin:
        from embedkafka import ConfigResource

        check_known("topic", [name], admin.list_topics())
        wanted = "all" if show_all else "modified"
        found = admin.describe_configs([ConfigResource("TOPIC", name)], config_filter=wanted)["topic"][name]
    session.out.rows(
        ("Setting", "Value", "Source"),
        [(setting, entry["value"], entry["config_source"]) for setting, entry in sorted(found.items())],
    )
    if not found:
        session.out.note("every setting has its default; --all lists them")


@app.command("add-partitions")
@command
def add_partitions(
    name: TopicArgument,
    total: Annotated[int, typer.Argument(min=1, metavar="TOTAL", help="How many there are afterwards.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Raise the number of partitions. Equal keys may go to another partition from then on."""
    session = Session(data, as_json)
    with open_admin(session) as admin:
        check_known("topic", [name], admin.list_topics())
        admin.create_partitions({name: total})
    if session.out.as_json:
        session.out.json({"topic": name, "partitions": total})
    else:
        session.out.line(f"{name} has {total} partitions; keys may map to other partitions now")


@app.command("delete")
@command
def delete(
    names: TopicsArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete topics and their records for good."""
    session = Session(data, as_json)
    with open_admin(session) as admin:
        check_known("topic", names, admin.list_topics())
        if not yes:
            confirm_deletion(names, "all records in them")
        admin.delete_topics(names)
    for name in names:
        if session.out.as_json:
            session.out.json({"topic": name, "deleted": True})
        else:
            session.out.line(f"deleted {name}")
