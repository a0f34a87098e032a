"""Encryption: a server's ``SSLContext`` out of Kafka's PEM settings, and whom a client's certificate names.

Python's ``ssl`` reads PEM only (KIP-651); a JKS or PKCS12 store has to be converted, with ``keytool`` or ``openssl``.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from typing import Any

from embedkafka.config import BrokerConfig
from embedkafka.errors import KafkaConfigurationError

_CLIENT_AUTH = {"none": ssl.CERT_NONE, "requested": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}

# As java.security.Principal writes names (RFC 2253); Python's ssl spells them out.
_SHORT = {
    "commonName": "CN",
    "countryName": "C",
    "domainComponent": "DC",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "stateOrProvinceName": "ST",
    "streetAddress": "STREET",
    "userId": "UID",
}
_ESCAPED = str.maketrans({character: f"\\{character}" for character in ',+"\\<>;'})


def server_context(
    config: BrokerConfig,
    *,
    certfile: str | os.PathLike[str] | None = None,
    keyfile: str | os.PathLike[str] | None = None,
    password: str | None = None,
    cafile: str | os.PathLike[str] | None = None,
    client_auth: str | None = None,
) -> ssl.SSLContext:
    """What a listener encrypts with.  Arguments go before the broker's settings.

    Args:
        certfile: the server's certificate chain as PEM, which may hold the key, too (``ssl.keystore.location``).
        keyfile: its private key as PEM, where that is a file of its own.
        password: the key's.
        cafile: certificates that clients' ones are checked with (``ssl.truststore.location``).
        client_auth: ``required``, ``requested`` or ``none``.

    Raises:
        KafkaConfigurationError: no certificate is named, or what is named is none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    enabled = [_VERSIONS[name] for name in config.text("ssl.enabled.protocols").split(",") if name]
    if not enabled:
        raise KafkaConfigurationError("ssl.enabled.protocols names none")
    context.minimum_version, context.maximum_version = min(enabled), max(enabled)
    try:
        for path in (certfile or config.text("ssl.keystore.location"), keyfile, cafile):
            if path:
                open(path, "rb").close()  # says which one it is that cannot be read; ssl does not
        _load_identity(context, config, certfile, keyfile, password)
        _load_trusted(context, config, cafile)
    except ssl.SSLError as error:  # says neither which file nor, mostly, what is wrong with it
        files = [str(each) for each in (certfile or config.text("ssl.keystore.location"), keyfile, cafile) if each]
        raise KafkaConfigurationError(
            f"{' or '.join(files) or 'ssl.keystore.key'} cannot be used: not PEM, not this certificate's key, or not "
            f"the key's password ({error})"
        ) from error
    except OSError as error:
        raise KafkaConfigurationError(f"a certificate or key cannot be read: {error}") from error
    context.verify_mode = _CLIENT_AUTH[client_auth or config.text("ssl.client.auth")]
    return context


def _load_identity(
    context: ssl.SSLContext,
    config: BrokerConfig,
    certfile: str | os.PathLike[str] | None,
    keyfile: str | os.PathLike[str] | None,
    password: str | None,
) -> None:
    secret = password if password is not None else config.text("ssl.key.password")
    location = certfile or config.text("ssl.keystore.location")
    chain, key = config.text("ssl.keystore.certificate.chain"), config.text("ssl.keystore.key")
    if location:
        context.load_cert_chain(location, keyfile, secret)
    elif chain and key:
        with tempfile.TemporaryDirectory() as folder:  # readable by us only; ssl takes files and nothing else
            path = os.path.join(folder, "keystore.pem")
            with open(path, "w", encoding="ascii") as file:
                file.write(f"{key}\n{chain}\n")
            context.load_cert_chain(path, password=secret)
    else:
        raise KafkaConfigurationError(
            "encryption needs a certificate: ssl_certfile, ssl.keystore.location, or ssl.keystore.certificate.chain "
            "with ssl.keystore.key"
        )


def _load_trusted(context: ssl.SSLContext, config: BrokerConfig, cafile: str | os.PathLike[str] | None) -> None:
    location, certificates = (
        cafile or config.text("ssl.truststore.location"),
        config.text("ssl.truststore.certificates"),
    )
    if location:
        context.load_verify_locations(location)
    if certificates:
        context.load_verify_locations(cadata=certificates)


def distinguished_name(certificate: dict[str, Any]) -> str:
    """Whom a certificate names, as Kafka's principals have it: ``CN=alice,OU=tests,O=embedkafka``.

    Args:
        certificate: as ``SSLSocket.getpeercert`` gives it.
    """
    names = [
        "+".join(f"{_SHORT.get(kind, kind)}={value.translate(_ESCAPED)}" for kind, value in part)
        for part in certificate.get("subject", ())
    ]
    return ",".join(reversed(names))
