"""The settings about rights and limits.  A part of the broker's table."""

from __future__ import annotations

from embedkafka.config.definition import AtLeast, ConfigKey, ConfigType, Importance, OneOf

_INT, _STRING, _BOOLEAN = ConfigType.INT, ConfigType.STRING, ConfigType.BOOLEAN
_LOW = Importance.LOW

STANDARD_AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"

SECURITY_KEYS = [
    # Rights
    ConfigKey(
        "authorizer.class.name",
        _STRING,
        "",
        "The authorizer: Kafka's StandardAuthorizer, also by its bare name; what it does not allow is then denied. "
        "Without one everything is allowed.",
        OneOf(("", STANDARD_AUTHORIZER, STANDARD_AUTHORIZER.rpartition(".")[2])),
        _LOW,
    ),
    ConfigKey(
        "super.users",
        _STRING,
        "",
        "Principals that may do everything, separated by semicolons: User:alice;User:bob. In Kafka the authorizer's "
        "own setting.",
    ),
    ConfigKey(
        "allow.everyone.if.no.acl.found",
        _BOOLEAN,
        False,
        "Whether a resource that no rule is about is everyone's. In Kafka the authorizer's own setting.",
    ),
    # Limits
    ConfigKey("quota.window.num", _INT, 11, "Windows that a client's rate is measured over.", AtLeast(1), _LOW),
    ConfigKey("quota.window.size.seconds", _INT, 1, "How long such a window is.", AtLeast(1), _LOW),
    ConfigKey(
        "controller.quota.window.num",
        _INT,
        11,
        "Windows' worth of partitions that a client may create or delete at once.",
        AtLeast(1),
        _LOW,
    ),
    ConfigKey("controller.quota.window.size.seconds", _INT, 1, "How long such a window is.", AtLeast(1), _LOW),
]
