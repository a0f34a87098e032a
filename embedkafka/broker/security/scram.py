"""The arithmetic of SCRAM (RFC 5802, RFC 7677): what is kept of a password, and what proves that somebody knows it.

=====================  ==============================================================
salted password        PBKDF2(password, salt, iterations)
client key             HMAC(salted password, "Client Key")
stored key             H(client key): checks a proof, and cannot make one
server key             HMAC(salted password, "Server Key")
proof                  client key XOR HMAC(stored key, authentication message)
server signature       HMAC(server key, authentication message)
=====================  ==============================================================

Kafka takes user names and passwords as UTF-8, without SASLprep, and so does this.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from embedkafka.broker.security.users_api import ScramMechanism

MIN_ITERATIONS = 4096  # org.apache.kafka.common.security.scram.internals.ScramMechanism
MAX_ITERATIONS = 16384  # org.apache.kafka.controller.ScramControlManager

HASHES = {ScramMechanism.SCRAM_SHA_256: "sha256", ScramMechanism.SCRAM_SHA_512: "sha512"}
NAMES = {ScramMechanism.SCRAM_SHA_256: "SCRAM-SHA-256", ScramMechanism.SCRAM_SHA_512: "SCRAM-SHA-512"}


class ScramCredential(NamedTuple):
    """What is kept of a password.  Neither the password nor a proof can be made from it."""

    mechanism: ScramMechanism
    salt: bytes
    stored_key: bytes
    server_key: bytes
    iterations: int

    def verify_proof(self, proof: bytes, auth_message: bytes) -> bool:
        """Whether a client's proof was made with the password."""
        hash_name = HASHES[self.mechanism]
        signature = hmac.digest(self.stored_key, auth_message, hash_name)
        if len(proof) != len(signature):
            return False
        client_key = bytes(one ^ other for one, other in zip(proof, signature, strict=True))
        return hmac.compare_digest(hashlib.new(hash_name, client_key).digest(), self.stored_key)

    def server_signature(self, auth_message: bytes) -> bytes:
        """What shows the client that the server knows its password, too."""
        return hmac.digest(self.server_key, auth_message, HASHES[self.mechanism])

    def verify_password(self, password: str) -> bool:
        """Whether this is the password.  Takes ``iterations`` hashes: some milliseconds."""
        salted = salted_password(self.mechanism, password.encode(), self.salt, self.iterations)
        return hmac.compare_digest(make_credential(self.mechanism, salted, b"", 0).stored_key, self.stored_key)


def salted_password(mechanism: ScramMechanism, password: bytes, salt: bytes, iterations: int) -> bytes:
    """What a client sends instead of the password when it sets one.  Takes ``iterations`` hashes."""
    return hashlib.pbkdf2_hmac(HASHES[mechanism], password, salt, iterations)


def make_credential(mechanism: ScramMechanism, salted: bytes, salt: bytes, iterations: int) -> ScramCredential:
    """What is kept of a salted password."""
    hash_name = HASHES[mechanism]
    client_key = hmac.digest(salted, b"Client Key", hash_name)
    stored_key = hashlib.new(hash_name, client_key).digest()
    return ScramCredential(mechanism, salt, stored_key, hmac.digest(salted, b"Server Key", hash_name), iterations)
