"""The settings of the listener: what its peers may take."""

from __future__ import annotations

from embedkafka.config.definition import MAX_INT, AtLeast, ConfigKey, ConfigType, Importance

_HIGH, _MEDIUM = Importance.HIGH, Importance.MEDIUM
_INT, _LONG, _LIST = ConfigType.INT, ConfigType.LONG, ConfigType.LIST

_TOLD = "EmbeddedKafka.listen() and `embedkafka serve` say it; here the broker tells what they said"

LISTENER_KEYS = [
    ConfigKey(
        "advertised.listeners",
        _LIST,
        None,
        "What clients are told to connect to.",
        importance=_HIGH,
        inert_because=_TOLD,
    ),
    ConfigKey(
        "connections.max.idle.ms",
        _LONG,
        600_000,
        "A connection that neither sends nor takes anything for so long is closed; -1 never.",
        AtLeast(-1),
        _MEDIUM,
    ),
    ConfigKey(
        "listeners",
        _LIST,
        None,
        "Where clients connect.",
        importance=_HIGH,
        inert_because=_TOLD,
        kafka_default="PLAINTEXT://:9092",
    ),
    ConfigKey(
        "max.connection.creation.rate",
        _INT,
        MAX_INT,
        "Connections a second, of all listeners together; who comes beyond that is kept waiting.",
        AtLeast(0),
        _MEDIUM,
    ),
    ConfigKey("max.connections", _INT, MAX_INT, "How many connections a listener holds.", AtLeast(0), _MEDIUM),
    ConfigKey(
        "max.connections.per.ip",
        _INT,
        MAX_INT,
        "How many connections a listener holds with one address.",
        AtLeast(0),
        _MEDIUM,
    ),
    ConfigKey(
        "max.connections.per.ip.overrides",
        ConfigType.STRING,
        "",
        "Addresses or names with a number of their own: host:100,127.0.0.1:200.",
        importance=_MEDIUM,
    ),
    ConfigKey(
        "max.incremental.fetch.session.cache.slots",
        _INT,
        1000,
        "How many fetch sessions (KIP-227) a listener remembers.",
        AtLeast(0),
        _MEDIUM,
    ),
    ConfigKey(
        "num.io.threads", _INT, 8, "Threads of a listener for requests that may wait for a disk.", AtLeast(1), _HIGH
    ),
    ConfigKey(
        "queued.max.request.bytes",
        _LONG,
        268_435_456,
        "Bytes of requests that a listener holds before it reads no more of them; -1 is no limit.",
        AtLeast(-1),
        _MEDIUM,
        kafka_default=-1,
    ),
    ConfigKey(
        "queued.max.requests",
        _INT,
        500,
        "Requests that wait for a thread of a listener before it reads no more of them.",
        AtLeast(1),
        _HIGH,
    ),
    ConfigKey(
        "socket.listen.backlog.size",
        _INT,
        50,
        "Connections that wait to be accepted.",
        AtLeast(1),
        _MEDIUM,
    ),
    ConfigKey(
        "socket.receive.buffer.bytes",
        _INT,
        -1,
        "SO_RCVBUF of a listener's sockets; -1 leaves it to the operating system, which tunes it as it goes.",
        AtLeast(-1),
        _HIGH,
        kafka_default=102_400,
    ),
    ConfigKey("socket.request.max.bytes", _INT, 104_857_600, "The largest request.", AtLeast(1), _HIGH),
    ConfigKey(
        "socket.send.buffer.bytes",
        _INT,
        -1,
        "SO_SNDBUF of a listener's sockets; -1 leaves it to the operating system, which tunes it as it goes.",
        AtLeast(-1),
        _HIGH,
        kafka_default=102_400,
    ),
]
