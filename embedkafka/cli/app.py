"""The command tree: every command, its group, and the options before the command's name."""

from __future__ import annotations

from typing import Annotated

import typer

from embedkafka.cli import acls, backup, consume, groups, log, perf, produce, quotas, serve, topics, users
from embedkafka.cli.demo.command import demo
from embedkafka.cli.session import DataOption, set_globals

EPILOG = (
    "Exit codes: 0 done; 1 failed, or a check found something wrong; 2 wrong usage; 3 another process owns the "
    "directory; 4 no such directory, topic, partition or group; 130 interrupted; 141 the reader of our output went "
    "away."
)

app = typer.Typer(
    name="embedkafka",
    help="Kafka in one process: topics, partitions, offsets and consumer groups in a directory. Start with `demo`.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if not wanted:
        return
    from embedkafka.cli.version import version_line

    typer.echo(version_line())
    raise typer.Exit


@app.callback()
def before_command(
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout and nothing else.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Version, codec, Python, platform.")
    ] = False,
) -> None:
    """Options that may also be given after the command's name."""
    set_globals(data, as_json)


app.command("demo")(demo)
app.add_typer(topics.app, name="topics")
app.command("produce")(produce.produce)
app.command("consume")(consume.consume)
app.command("serve")(serve.serve)
app.add_typer(groups.app, name="groups")
app.add_typer(users.app, name="users")
app.add_typer(acls.app, name="acls")
app.add_typer(quotas.app, name="quotas")
app.add_typer(log.app, name="log")
app.command("backup")(backup.backup)
app.add_typer(perf.app, name="perf")
