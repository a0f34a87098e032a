"""``embedkafka quotas``: list, set, remove: how much clients of a listener may use."""

from __future__ import annotations

from typing import Annotated

import typer

from embedkafka.cli.engine import open_admin
from embedkafka.cli.exits import CliError, ExitCode
from embedkafka.cli.session import DataOption, JsonOption, Session, command, parse_pairs, require

_LIMITS = (
    "producer_byte_rate, consumer_byte_rate, request_percentage, controller_mutation_rate; of an address "
    "connection_creation_rate"
)

app = typer.Typer(
    help=f"List, set and remove limits of a listener's clients: {_LIMITS}.",
    no_args_is_help=True,
)

_DEFAULT = "default"
UserOption = Annotated[
    str | None, typer.Option("--user", metavar="NAME", help="Of this user; `default` is of each without its own.")
]
ClientOption = Annotated[
    str | None, typer.Option("--client-id", metavar="NAME", help="Of this client id; `default` as above.")
]
AddressOption = Annotated[str | None, typer.Option("--ip", metavar="ADDRESS", help="Of this address.")]


@app.command("list")
@command
def list_quotas(data: DataOption = None, as_json: JsonOption = False) -> None:
    """All limits; works beside a live owner."""
    session = Session(data, as_json)
    with open_admin(session, read_only=True) as admin:
        found = admin.describe_client_quotas()
    session.out.rows(
        ("User", "Client id", "Address", "Limit", "Value"),
        [
            (*(_shown(entity, kind) for kind in ("user", "client-id", "ip")), key, value)
            for entity, limits in found
            for key, value in sorted(limits.items())
        ],
        right=("Value",),
    )
    if not found:
        session.out.note("no limits; `embedkafka quotas set` makes one")


@app.command("set")
@command
def set_quotas(
    limits: Annotated[list[str], typer.Argument(metavar="NAME=VALUE", help="producer_byte_rate=1048576, ...")],
    user: UserOption = None,
    client_id: ClientOption = None,
    ip: AddressOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set limits of a user, a client id, both together, or an address."""
    values: dict[str, float | None] = {}
    for name, text in parse_pairs(limits, "quotas set").items():
        try:
            values[name] = float(text)
        except ValueError:
            raise CliError(f"{name} takes a number, not {text!r}", "", ExitCode.USAGE) from None
    _alter(Session(data, as_json), _entity(user, client_id, ip), values)


@app.command("remove")
@command
def remove_quotas(
    limits: Annotated[list[str], typer.Argument(metavar="NAME", help="producer_byte_rate, ...")],
    user: UserOption = None,
    client_id: ClientOption = None,
    ip: AddressOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove limits."""
    _alter(Session(data, as_json), _entity(user, client_id, ip), dict.fromkeys(limits))


def _alter(session: Session, entity: dict[str, str | None], limits: dict[str, float | None]) -> None:
    from embedkafka.errors import InvalidRequestError

    with open_admin(session, create=True) as admin:
        try:
            admin.alter_client_quotas(entity, limits)
        except InvalidRequestError as error:
            raise CliError(str(error.args[0]), f"there are {_LIMITS}", ExitCode.USAGE) from None
    whose = ", ".join(f"{kind} {name or _DEFAULT}" for kind, name in entity.items())
    for key, value in limits.items():
        if session.out.as_json:
            session.out.json({"entity": entity, "limit": key, "value": value})
        else:
            session.out.line(f"{whose}: {key} {'removed' if value is None else value}")


def _entity(user: str | None, client_id: str | None, ip: str | None) -> dict[str, str | None]:
    named = {"user": user, "client-id": client_id, "ip": ip}
    entity = {kind: None if name == _DEFAULT else name for kind, name in named.items() if name is not None}
    require(entity, "whose? --user, --client-id or --ip")
    return entity


def _shown(entity: dict[str, str | None], kind: str) -> str | None:
    return (entity[kind] or _DEFAULT) if kind in entity else None
