"""``embedkafka acls``: list, add, remove: who may do what through a listener of an engine with an authorizer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from embedkafka.cli.engine import open_admin
from embedkafka.cli.exits import CliError, ExitCode
from embedkafka.cli.session import DataOption, JsonOption, Session, command, confirm_deletion, require

if TYPE_CHECKING:
    from embedkafka.admin import ACL, ACLFilter, ResourceType

E = TypeVar("E", bound=IntEnum)

_AUTHORIZER: Mapping[str, str] = {"authorizer.class.name": "StandardAuthorizer"}  # without one there are no rules
_CLUSTER = "kafka-cluster"
_COLUMNS = ("Resource", "Name", "Pattern", "Principal", "Host", "Operation", "Permission")

app = typer.Typer(
    help="List, add and remove rules about who may do what; they hold for a listener with "
    "`serve -c authorizer.class.name=StandardAuthorizer`, which then allows nothing else.",
    no_args_is_help=True,
)

TopicOption = Annotated[str | None, typer.Option("--topic", help="About this topic; * is every one.")]
GroupOption = Annotated[str | None, typer.Option("--group", help="About this group.")]
IdOption = Annotated[str | None, typer.Option("--transactional-id", help="About this transactional id.")]
ClusterOption = Annotated[bool, typer.Option("--cluster", help="About the cluster.")]
PrefixOption = Annotated[bool, typer.Option("--prefixed", help="About every name that begins so.")]
PrincipalOption = Annotated[
    str | None, typer.Option("--principal", metavar="User:NAME", help="Whom it is about; User:* is everybody.")
]
OperationOption = Annotated[
    list[str] | None,
    typer.Option(
        "--operation",
        "-o",
        metavar="NAME",
        help="read, write, create, delete, alter, describe, cluster-action, describe-configs, alter-configs, "
        "idempotent-write, all; may be repeated.",
    ),
]


@app.command("list")
@command
def list_acls(
    topic: TopicOption = None,
    group: GroupOption = None,
    transactional_id: IdOption = None,
    cluster: ClusterOption = False,
    principal: PrincipalOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rules, all or those about a resource; works beside a live owner."""
    session = Session(data, as_json)
    resource = _resource(topic, group, transactional_id, cluster)
    with open_admin(session, read_only=True, settings=_AUTHORIZER) as admin:
        rules, _ = admin.describe_acls(_filter(resource, principal))
    session.out.rows(_COLUMNS, [_row(rule) for rule in rules])
    if not rules:
        session.out.note("no such rules; `embedkafka acls add` makes one")


@app.command("add")
@command
def add(
    principal: PrincipalOption = None,
    operation: OperationOption = None,
    topic: TopicOption = None,
    group: GroupOption = None,
    transactional_id: IdOption = None,
    cluster: ClusterOption = False,
    prefixed: PrefixOption = False,
    deny: Annotated[bool, typer.Option("--deny", help="Deny instead of allow; what is denied no rule allows.")] = False,
    host: Annotated[str, typer.Option("--host", help="From this address only.")] = "*",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a rule for each operation (all if none is named)."""
    from embedkafka.admin import ACL, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourcePattern

    session = Session(data, as_json)
    require(principal is not None and ":" in principal, "whom? --principal User:NAME")
    resource = _resource(topic, group, transactional_id, cluster)
    require(resource is not None, "about what? --topic, --group, --transactional-id or --cluster")
    assert resource is not None
    pattern = ACLResourcePatternType.PREFIXED if prefixed else ACLResourcePatternType.LITERAL
    permission = ACLPermissionType.DENY if deny else ACLPermissionType.ALLOW
    rules = [
        ACL(principal, host, _member(ACLOperation, name), permission, ResourcePattern(*resource, pattern))
        for name in operation or ["all"]
    ]
    with open_admin(session, create=True, settings=_AUTHORIZER) as admin:
        failed = admin.create_acls(rules)["failed"]
    if failed:
        raise CliError(f"refused: {failed[0].__name__}", "")
    session.out.rows(_COLUMNS, [_row(rule) for rule in rules])


@app.command("remove")
@command
def remove(
    principal: PrincipalOption = None,
    operation: OperationOption = None,
    topic: TopicOption = None,
    group: GroupOption = None,
    transactional_id: IdOption = None,
    cluster: ClusterOption = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove the rules of a principal, about a resource, or both."""
    session = Session(data, as_json)
    resource = _resource(topic, group, transactional_id, cluster)
    require(resource or principal, "which? --principal, --topic, --group, --transactional-id or --cluster")
    filters = [_filter(resource, principal, name) for name in operation or ["any"]]
    with open_admin(session, settings=_AUTHORIZER) as admin:
        rules = [rule for each in filters for rule in admin.describe_acls(each)[0]]
        if rules and not yes:
            confirm_deletion([" ".join(_row(rule)) for rule in rules], "nothing else")
        admin.delete_acls(filters)
    session.out.rows(_COLUMNS, [_row(rule) for rule in rules])
    if not rules:
        session.out.note("there were no such rules")


def _resource(
    topic: str | None, group: str | None, transactional_id: str | None, cluster: bool
) -> tuple[ResourceType, str] | None:
    from embedkafka.admin import ResourceType

    named = [
        (kind, name)
        for kind, name in (
            (ResourceType.TOPIC, topic),
            (ResourceType.GROUP, group),
            (ResourceType.TRANSACTIONAL_ID, transactional_id),
            (ResourceType.CLUSTER, _CLUSTER if cluster else None),
        )
        if name is not None
    ]
    require(len(named) < 2, "one of --topic, --group, --transactional-id and --cluster")
    return named[0] if named else None


def _filter(resource: tuple[ResourceType, str] | None, principal: str | None, operation: str = "any") -> ACLFilter:
    from embedkafka.admin import (
        ACLFilter,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ResourcePatternFilter,
        ResourceType,
    )

    kind, name = resource or (ResourceType.ANY, None)
    pattern = ResourcePatternFilter(kind, name, ACLResourcePatternType.ANY)
    return ACLFilter(principal, None, _member(ACLOperation, operation), ACLPermissionType.ANY, pattern)


def _member(kind: type[E], name: str) -> E:
    """The member that a name means, in any case and with ``-`` for ``_``."""
    found = kind.__members__.get(name.upper().replace("-", "_"))
    if found is None or found.name == "UNKNOWN":
        known = ", ".join(each.lower().replace("_", "-") for each in kind.__members__ if each not in ("UNKNOWN", "ANY"))
        raise CliError(f"there is no operation {name!r}", f"it is one of {known}", ExitCode.USAGE)
    return found


def _row(rule: ACL) -> tuple[str, ...]:
    pattern = rule.resource_pattern
    return (
        pattern.resource_type.name,
        pattern.resource_name or "",
        pattern.pattern_type.name,
        rule.principal or "",
        rule.host or "",
        rule.operation.name,
        rule.permission_type.name,
    )
