"""Opening the data directory as its owner: what every command that changes something, or reads as a group, does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from embedkafka.cli.session import Session

if TYPE_CHECKING:
    from embedkafka import EmbeddedKafka, KafkaAdminClient


@contextmanager
def open_kafka(
    session: Session,
    *,
    create: bool = False,
    read_only: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[EmbeddedKafka]:
    """The directory's engine while the block runs.

    Args:
        session: names the directory.
        create: make the directory when there is none; otherwise that is an error.
        read_only: look at what is there now, beside a live owner, and change nothing.
        settings: the broker's, under Kafka's names.

    Raises:
        CliError: no such directory.
        KafkaError: somebody else owns it, or it is damaged.
    """
    from embedkafka import EmbeddedKafka

    path = session.data
    is_new = create and (not path.exists() or (path.is_dir() and not any(path.iterdir())))
    if not is_new:
        path = session.existing_data()
    with EmbeddedKafka(path, read_only=read_only, **(settings or {})) as kafka:
        if is_new:
            session.out.note(f"new data directory {path}")
        yield kafka


@contextmanager
def open_admin(
    session: Session,
    *,
    create: bool = False,
    read_only: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[KafkaAdminClient]:
    """An admin client on the directory while the block runs; see :func:`open_kafka`."""
    from embedkafka import KafkaAdminClient

    with open_kafka(session, create=create, read_only=read_only, settings=settings) as kafka:
        admin = KafkaAdminClient(bootstrap_servers=kafka)
        try:
            yield admin
        finally:
            admin.close()
