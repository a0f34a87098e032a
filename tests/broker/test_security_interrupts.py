"""Ctrl-C in a change of rules, users and limits: it has happened or not, and memory agrees with the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from broker.interrupts import every_line, interrupted_at
from broker.support import Broker, running

from embedkafka.broker import api
from embedkafka.broker.catalog import Catalog
from embedkafka.errors import KafkaStorageError

Change = Callable[[Broker], None]

SETTINGS = {"authorizer.class.name": "StandardAuthorizer"}


RULE = api.AclBinding(2, "t", 3, "User:alice", "*", 3, 3)
LIMITED = (("user", "alice"),)


def make_rule(broker: Broker) -> None:
    broker.port.create_acls(broker.context, [RULE])


def drop_rule(broker: Broker) -> None:
    broker.port.delete_acls(broker.context, [api.AclBindingFilter()])


def rules(broker: Broker) -> int:
    return len(broker.port.describe_acls(broker.context, api.AclBindingFilter()).acls)


def make_user(broker: Broker) -> None:
    change = api.ScramUpsertion("alice", 1, 4096, b"salt", b"salted")
    broker.port.alter_user_scram_credentials(broker.context, [], [change])


def drop_user(broker: Broker) -> None:
    broker.port.alter_user_scram_credentials(broker.context, [api.ScramDeletion("alice", 1)], [])


def users(broker: Broker) -> int:
    return len(broker.port.describe_user_scram_credentials(broker.context, None).users)


def limit_to(broker: Broker, rate: float | None) -> None:
    change = api.QuotaChange("producer_byte_rate", rate)
    broker.port.alter_client_quotas(broker.context, [api.QuotaAlteration(LIMITED, [change])])


def limits(broker: Broker) -> int:
    return len(broker.port.describe_client_quotas(broker.context, []).entries)


@pytest.mark.parametrize(
    ("make", "drop", "count", "section"),
    [
        (make_rule, drop_rule, rules, "acl/"),
        (make_user, drop_user, users, "user/"),
        (partial(limit_to, rate=1.0), partial(limit_to, rate=None), limits, "quota/"),
    ],
    ids=["rules", "users", "limits"],
)
def test_an_interrupted_change_has_happened_or_not_and_memory_agrees_with_the_file(
    fast_path: Path, make: Change, drop: Change, count: Callable[[Broker], int], section: str
) -> None:
    with running(fast_path, **SETTINGS) as broker:
        broker.create()
        count(broker)
        for change in (make, drop):
            for line in every_line():
                went_through = not interrupted_at(line, lambda change=change: change(broker))  # type: ignore[misc]
                there = count(broker)
                assert there == len(Catalog(str(fast_path / "catalog.sqlite"), read_only=True).section(section))
                if went_through:
                    assert there == (change is make)
                    break
                (drop if change is make else make)(broker)  # the next change works
                assert count(broker) == (change is not make)


def test_a_change_on_a_full_disk_is_refused_and_forgotten(path: Path) -> None:
    with running(path, **SETTINGS) as broker:
        make_rule(broker)
        catalog: Any = broker.engine.catalog
        write, catalog._write = catalog._write, _refuse
        (result,) = broker.port.create_acls(broker.context, [RULE._replace(resource_name="u")])
        (user,) = broker.port.alter_user_scram_credentials(
            broker.context, [], [api.ScramUpsertion("u", 1, 4096, b"salt", b"salted")]
        )
        (limit,) = broker.port.alter_client_quotas(
            broker.context, [api.QuotaAlteration(LIMITED, [api.QuotaChange("producer_byte_rate", 1.0)])]
        )
        catalog._write = write
        assert {result.error_code, user.error_code, limit.error_code} == {KafkaStorageError.errno}
        assert (rules(broker), users(broker), limits(broker)) == (1, 0, 0)


def _refuse(changes: Any) -> None:
    raise KafkaStorageError("no space left")
