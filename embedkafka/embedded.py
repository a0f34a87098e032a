"""``EmbeddedKafka``: the engine as an object."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from embedkafka.broker.api import NewTopicSpec, RequestContext
from embedkafka.client import engines
from embedkafka.errors import DirectoryLockedError, IllegalStateError, KafkaConfigurationError, for_code

if TYPE_CHECKING:
    import ssl

    from embedkafka.broker.engine import Engine
    from embedkafka.client.admin import KafkaAdminClient
    from embedkafka.client.consumer import KafkaConsumer
    from embedkafka.client.producer import KafkaProducer
    from embedkafka.client.share_consumer import KafkaShareConsumer
    from embedkafka.clock import Clock
    from embedkafka.server.listener import Listener


class EmbeddedKafka:
    """A Kafka in this process, open as long as the object is; goes wherever ``bootstrap_servers`` is accepted.

    Args:
        path: the directory to keep everything in, created when missing; None keeps it in memory.
        clock: a :class:`~embedkafka.clock.ManualClock` to move time by hand; None is real time.
        read_only: look at a directory beside its owner; nothing can be written.
        share: use the directory together with whoever owns it already.  That takes a client for real clusters, which
            is not there yet: until then the error that comes names the address on which the owner listens.
        **broker_configs: Kafka's broker settings, ``num_partitions=3`` or ``**{"num.partitions": 3}``.

    Raises:
        DirectoryLockedError: another process owns the directory; it names the owner's pid.
        ForeignDirectoryError: the directory holds something else.
        KafkaConfigurationError: an unknown setting, or the directory is open in this process with other settings.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
        read_only: bool = False,
        share: bool = False,
        **broker_configs: Any,
    ) -> None:
        settings = {name.replace("_", "."): value for name, value in broker_configs.items()}
        key = engines.anonymous_key() if path is None else engines.directory_key(path)
        self._key = key
        self._is_closed = False
        try:
            entry = engines.open_target(key, settings, keep=True, clock=clock, read_only=read_only)
        except DirectoryLockedError as error:
            if share and error.address is None:
                error.add_hint("sharing needs it to listen: EmbeddedKafka.listen() or `embedkafka serve`")
            raise
        self._engine_entry = entry
        self._is_owner = entry.holders == 1 and entry.keep
        self._finalizer = weakref.finalize(self, engines.abandon_owner if self._is_owner else engines.abandon, entry)
        self._finalizer.atexit = False  # engines closes what is open then

    @property
    def engine(self) -> Engine:
        """The engine itself, for tools and tests."""
        self._check_open()
        return self._engine_entry.engine

    def _check_open(self) -> None:
        engines.check_open(self._engine_entry)
        if self._is_closed:
            raise IllegalStateError(f"this {self!r} is closed")

    @property
    def clock(self) -> Clock:
        """The clock everything in this engine goes by."""
        return self._engine_entry.engine.clock

    @property
    def bootstrap_servers(self) -> str:
        """The address clients in this process connect to."""
        return engines.address_of(self._key)

    def producer(self, **configs: Any) -> KafkaProducer:
        """A producer on this engine."""
        from embedkafka.client.producer import KafkaProducer

        return KafkaProducer(bootstrap_servers=self, **configs)

    def consumer(self, *topics: str, **configs: Any) -> KafkaConsumer:
        """A consumer on this engine."""
        from embedkafka.client.consumer import KafkaConsumer

        return KafkaConsumer(*topics, bootstrap_servers=self, **configs)

    def share_consumer(self, *topics: str, **configs: Any) -> KafkaShareConsumer:
        """A share group's consumer on this engine."""
        from embedkafka.client.share_consumer import KafkaShareConsumer

        return KafkaShareConsumer(*topics, bootstrap_servers=self, **configs)

    def admin(self, **configs: Any) -> KafkaAdminClient:
        """An admin client on this engine."""
        from embedkafka.client.admin import KafkaAdminClient

        return KafkaAdminClient(bootstrap_servers=self, **configs)

    def create_topic(
        self,
        topic: str,
        num_partitions: int = -1,
        *,
        configs: Mapping[str, Any] | None = None,
    ) -> None:
        """Create a topic.

        Args:
            num_partitions: 1 or more; -1 is the broker's ``num.partitions``.
            configs: topic settings under Kafka's names.

        Raises:
            TopicAlreadyExistsError, InvalidTopicError, InvalidPartitionsError, InvalidConfigurationError: as they say.
        """
        spec = NewTopicSpec(
            topic, num_partitions, configs={name: str(value) for name, value in (configs or {}).items()}
        )
        port = next(iter(self.engine.ports.values()))
        (result,) = port.create_topics(RequestContext(), [spec])
        if result.error_code:
            raise for_code(result.error_code)(result.error_message or topic)

    def listen(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        advertised: tuple[str, int] | None = None,
        allow_public: bool = False,
        security_protocol: str = "PLAINTEXT",
        sasl_mechanisms: Sequence[str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        ssl_certfile: str | os.PathLike[str] | None = None,
        ssl_keyfile: str | os.PathLike[str] | None = None,
        ssl_password: str | None = None,
        ssl_cafile: str | os.PathLike[str] | None = None,
        ssl_client_auth: str | None = None,
    ) -> Listener:
        """Let clients in any language connect to this engine by Kafka's wire protocol.

        The listener ends with the engine, or by its own ``close()``.  There may be several, each with a protocol of its
        own.  Its ``address`` is what clients take as ``bootstrap.servers``; examples/any_client.md shows seven of them.

        Args:
            host: an address of this machine.
            port: 0 takes a free one; the listener's ``port`` tells which.
            advertised: host and port that clients are told to connect to, where those differ from what they have
                reached (a proxy, a container).
            allow_public: listen on an address that other machines reach although nobody has to authenticate.
            security_protocol: ``PLAINTEXT``, ``SSL``, ``SASL_PLAINTEXT`` or ``SASL_SSL``.
            sasl_mechanisms: of ``PLAIN``, ``SCRAM-SHA-256`` and ``SCRAM-SHA-512``; None is the broker's
                ``sasl.enabled.mechanisms``.  Users are made with ``KafkaAdminClient.alter_user_scram_credentials``.
            ssl_context: how to encrypt; or its parts, as follows, which go before the broker's ``ssl.*`` settings.
            ssl_certfile: the server's certificate chain, PEM; may hold the private key, too.
            ssl_keyfile: the private key, PEM, where that is a file of its own.
            ssl_password: the private key's.
            ssl_cafile: certificates that clients' ones are checked with, PEM.
            ssl_client_auth: whether clients show a certificate: ``required``, ``requested`` or ``none``.

        Returns:
            What listens: ``address`` ("host:port", as clients are told), ``host``, ``port``, ``close()``.

        Raises:
            KafkaConfigurationError: a public address without authentication, no such port, or a certificate that cannot
                be read.
            OSError: the address is not this machine's, or taken.
        """
        from embedkafka.server.access import access
        from embedkafka.server.listener import Listener, is_loopback

        spoken = access(
            self.engine,
            security_protocol,
            sasl_mechanisms=sasl_mechanisms,
            ssl_context=ssl_context,
            ssl_certfile=ssl_certfile,
            ssl_keyfile=ssl_keyfile,
            ssl_password=ssl_password,
            ssl_cafile=ssl_cafile,
            ssl_client_auth=ssl_client_auth,
        )
        if not (allow_public or spoken.is_authenticated or is_loopback(host)):
            raise KafkaConfigurationError(
                f"{host} can be reached from other machines, and whoever reaches it may do everything: listen on "
                "127.0.0.1, ask for users (security_protocol), or say allow_public=True"
            )
        listener = Listener.open(
            self.engine,
            host,
            port,
            advertised=advertised,
            security_protocol=security_protocol,
            ssl_context=spoken.ssl_context,
            new_peer=spoken.new_peer,
        )
        listener.owner = self  # an engine that somebody may connect to is not collected
        return listener

    def kill(self, client: Any) -> None:
        """Let a client die as a process would: it sends, commits and says nothing more.

        A group notices when the member's ``session_timeout_ms`` is over.
        """
        client._kill()

    @staticmethod
    def discard(name: str | None = None) -> bool:
        """Close and forget the engine ``embed:memory`` or ``embed:memory/<name>``; False when there is none."""
        return engines.discard(engines.memory_key(name))

    def close(self) -> None:
        """Close the engine: seal, sync, unlock.  Clients on it are dead from here on.  The second call does nothing.

        An engine that somebody else had open before is theirs to close, this only lets go of it.
        """
        if self._is_closed:
            return
        self._finalizer.detach()
        if self._is_owner:
            engines.close(self._engine_entry)
        elif not self._engine_entry.closed:
            engines.release(self._engine_entry)
        self._is_closed = True

    def __enter__(self) -> EmbeddedKafka:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed or self._engine_entry.closed else "open"
        return f"<EmbeddedKafka {self.bootstrap_servers} {state}>"
