"""The settings about rights, users, limits and encryption.  A part of the broker's table."""

from __future__ import annotations

from embedkafka.config.definition import AtLeast, ConfigKey, ConfigType, Importance, OneOf, SomeOf

_INT, _LONG, _STRING = ConfigType.INT, ConfigType.LONG, ConfigType.STRING
_LIST, _PASSWORD, _BOOLEAN = ConfigType.LIST, ConfigType.PASSWORD, ConfigType.BOOLEAN
_LOW = Importance.LOW
_PEM_ONLY = "PEM is the one form that is read"

STANDARD_AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

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
    # Users
    ConfigKey(
        "sasl.enabled.mechanisms",
        _LIST,
        list(SASL_MECHANISMS),
        "How users may prove who they are, where a listener asks for it. Kerberos is not there.",
        SomeOf(SASL_MECHANISMS),
        kafka_default=["GSSAPI"],
    ),
    ConfigKey("sasl.server.max.receive.size", _INT, 524_288, "The largest message before a user is known.", AtLeast(1)),
    ConfigKey(
        "connections.max.reauth.ms",
        _LONG,
        0,
        "How long a user stays known without proving it again, milliseconds; 0 is for as long as connected.",
        AtLeast(0),
    ),
    ConfigKey(
        "connection.failed.authentication.delay.ms",
        _INT,
        100,
        "How long the answer to a failed authentication is held back, milliseconds.",
        AtLeast(0),
        _LOW,
    ),
    # Encryption
    ConfigKey(
        "ssl.keystore.type",
        _STRING,
        "PEM",
        "The form of the server's key and certificates.",
        OneOf(("PEM",)),
        kafka_default="JKS",
        inert_because=_PEM_ONLY,
    ),
    ConfigKey("ssl.keystore.location", _STRING, None, "A PEM file with the server's key and certificate chain."),
    ConfigKey("ssl.keystore.certificate.chain", _PASSWORD, None, "The server's certificate chain as PEM text."),
    ConfigKey("ssl.keystore.key", _PASSWORD, None, "The server's private key as PEM text (PKCS#8)."),
    ConfigKey("ssl.key.password", _PASSWORD, None, "The password of the server's private key."),
    ConfigKey(
        "ssl.truststore.type",
        _STRING,
        "PEM",
        "The form of the certificates that clients' ones are checked with.",
        OneOf(("PEM",)),
        kafka_default="JKS",
        inert_because=_PEM_ONLY,
    ),
    ConfigKey("ssl.truststore.location", _STRING, None, "A PEM file with certificates to check clients' ones with."),
    ConfigKey("ssl.truststore.certificates", _PASSWORD, None, "Such certificates as PEM text."),
    ConfigKey(
        "ssl.client.auth",
        _STRING,
        "none",
        "Whether clients show a certificate: required, requested or none.",
        OneOf(("required", "requested", "none")),
    ),
    ConfigKey(
        "ssl.principal.mapping.rules",
        _STRING,
        "DEFAULT",
        "How the name in a client's certificate becomes a user's: RULE:pattern/replacement/[LU], DEFAULT, ...",
        importance=_LOW,
    ),
    ConfigKey(
        "ssl.enabled.protocols",
        _LIST,
        ["TLSv1.2", "TLSv1.3"],
        "The versions of TLS that are spoken.",
        SomeOf(("TLSv1.2", "TLSv1.3")),
    ),
]
