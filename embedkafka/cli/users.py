"""``embedkafka users``: list, add, remove: who may connect to a listener that asks (``embedkafka serve --sasl``)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from embedkafka.cli.engine import open_admin
from embedkafka.cli.exits import CliError, ExitCode, check_known
from embedkafka.cli.session import DataOption, JsonOption, Session, command, confirm_deletion, require

if TYPE_CHECKING:
    from embedkafka import KafkaAdminClient

MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")

app = typer.Typer(help="List, add and remove users of a listener that asks for them.", no_args_is_help=True)


@app.command("list")
@command
def list_users(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Users with the way their passwords are kept; works beside a live owner."""
    session = Session(data, as_json)
    with open_admin(session, read_only=True) as admin:
        users = admin.describe_user_scram_credentials()
    session.out.rows(
        ("User", "Mechanism", "Iterations"),
        [
            (user, info["mechanism"].name.replace("_", "-"), info["iterations"])
            for user, described in users.items()
            for info in described["credential_infos"]
        ],
        right=("Iterations",),
    )
    if not users:
        session.out.note("no users yet; `embedkafka users add NAME` makes one")


@app.command("add")
@command
def add(
    user: Annotated[str, typer.Argument(metavar="USER", help="The user's name.")],
    mechanism: Annotated[
        list[str] | None,
        typer.Option("--mechanism", metavar="NAME", help="SCRAM-SHA-256, SCRAM-SHA-512; both if left out."),
    ] = None,
    iterations: Annotated[int, typer.Option("--iterations", help="Hashes per try.", min=4096, max=16384)] = 4096,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a user, or give one a new password: asks for it, or reads a line from stdin. It is salted and hashed."""
    session = Session(data, as_json)
    password = read_password(user)
    with open_admin(session, create=True) as admin:
        store_password(admin, user, password, mechanisms=mechanism or MECHANISMS, iterations=iterations)
    if session.out.as_json:
        session.out.json({"user": user, "added": True})
    else:
        session.out.line(f"added {user}")


@app.command("remove")
@command
def remove(
    users: Annotated[list[str], typer.Argument(metavar="USER", help="Names of users.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget users' passwords; who is connected stays so."""
    from embedkafka.admin import UserScramCredentialDeletion

    session = Session(data, as_json)
    with open_admin(session) as admin:
        known = admin.describe_user_scram_credentials()
        check_known("user", users, list(known))
        if not yes:
            confirm_deletion(users, "their passwords")
        for user in users:
            for info in known[user]["credential_infos"]:
                admin.alter_user_scram_credentials([UserScramCredentialDeletion(user, info["mechanism"])])
    for user in users:
        if session.out.as_json:
            session.out.json({"user": user, "removed": True})
        else:
            session.out.line(f"removed {user}")


def read_password(user: str) -> str:
    """A password from the terminal, twice, or the first line of stdin."""
    if sys.stdin.isatty():
        password: str = typer.prompt(f"password of {user}", hide_input=True, confirmation_prompt=True, err=True)
        return password
    password = sys.stdin.readline().rstrip("\r\n")
    require(password, "no password on stdin", f"printf '%s\\n' \"$PASSWORD\" | embedkafka users add {user}")
    return password


def store_password(
    admin: KafkaAdminClient,
    user: str,
    password: str,
    *,
    mechanisms: tuple[str, ...] | list[str] = MECHANISMS,
    iterations: int = 4096,
) -> None:
    """Keep a password, salted and hashed for each mechanism."""
    from embedkafka.admin import UserScramCredentialUpsertion

    for mechanism in mechanisms:
        if mechanism.upper() not in MECHANISMS:
            raise CliError(f"no mechanism {mechanism!r}", f"it is one of {', '.join(MECHANISMS)}", ExitCode.USAGE)
    for mechanism in mechanisms:
        change = UserScramCredentialUpsertion(user, mechanism, password, iterations)
        error = admin.alter_user_scram_credentials([change])[user]
        if error:
            raise CliError(f"user {user!r}: {error}", "")
