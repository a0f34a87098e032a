"""PLAIN and SCRAM, message by message."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedkafka.broker.api import ScramMechanism
from embedkafka.broker.security.scram import HASHES, ScramCredential, make_credential, salted_password
from embedkafka.errors import SaslAuthenticationFailedError
from embedkafka.server.sasl_mechanisms import PlainExchange, SaslExchange, ScramExchange

SHA_256, SHA_512 = ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"


def kept(mechanism: ScramMechanism, password: str = "pencil") -> ScramCredential:
    return make_credential(mechanism, salted_password(mechanism, password.encode(), SALT, 4096), SALT, 4096)


def scram(mechanism: ScramMechanism = SHA_256, **users: ScramCredential) -> ScramExchange:
    known = users or {"user": kept(mechanism)}
    return ScramExchange(mechanism, known.get, nonce=SERVER_NONCE, secret=b"secret")


def plain() -> PlainExchange:
    return PlainExchange(lambda user, password: (user, password) == ("user", "pencil"))


def client_final(
    first: str,
    challenge: bytes,
    *,
    mechanism: ScramMechanism = SHA_256,
    password: str = "pencil",
    before_nonce: str = "",
) -> str:
    """What a client answers (RFC 5802, section 3)."""
    hash_name = HASHES[mechanism]
    fields = dict(part.split("=", 1) for part in challenge.decode().split(","))
    salted = hashlib.pbkdf2_hmac(hash_name, password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    client_key = hmac.digest(salted, b"Client Key", hash_name)
    without_proof = f"c=biws,r={before_nonce}{fields['r']}"
    message = f"{first.removeprefix('n,,')},{challenge.decode()},{without_proof}".encode()
    signature = hmac.digest(hashlib.new(hash_name, client_key).digest(), message, hash_name)
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return f"{without_proof},p={base64.b64encode(proof).decode()}"


def refuses(exchange: SaslExchange, token: bytes | str) -> str:
    with pytest.raises(SaslAuthenticationFailedError) as raised:
        exchange.respond(token.encode() if isinstance(token, str) else token)
    assert exchange.user is None
    return str(raised.value.args[0])


# SCRAM ---------------------------------------------------------------------------------------------------------------


def test_the_exchange_of_rfc_7677() -> None:
    exchange = scram()
    challenge = exchange.respond(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
    assert challenge == b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    assert exchange.user is None
    answer = exchange.respond(
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert answer == b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    assert exchange.user == "user"


@pytest.mark.parametrize("mechanism", [SHA_256, SHA_512])
def test_a_right_password_is_proven_and_a_wrong_one_is_not(mechanism: ScramMechanism) -> None:
    first = "n,,n=user,r=abc"
    exchange = scram(mechanism)
    challenge = exchange.respond(first.encode())
    assert exchange.respond(client_final(first, challenge, mechanism=mechanism).encode()).startswith(b"v=")
    exchange = scram(mechanism)
    challenge = exchange.respond(first.encode())
    assert "invalid credentials" in refuses(
        exchange, client_final(first, challenge, mechanism=mechanism, password="pen")
    )


def test_a_client_that_writes_its_part_of_the_nonce_twice_gets_in_as_with_kafka() -> None:
    exchange = scram()
    first = "n,,n=user,r=abc"
    exchange.respond(client_final(first, exchange.respond(first.encode()), before_nonce="abc").encode())
    assert exchange.user == "user"


def test_an_unknown_user_is_challenged_as_a_known_one_and_refused_at_the_end() -> None:
    exchange = scram()
    first = "n,,n=nobody,r=abc"
    challenge = exchange.respond(first.encode())
    assert challenge.endswith(b",i=4096")
    assert scram().respond(first.encode()) == challenge  # the same salt each time
    refuses(exchange, client_final(first, challenge))


def test_commas_and_equals_signs_in_a_name_are_escaped() -> None:
    exchange = scram(**{"a,b=c": kept(SHA_256)})
    first = "n,,n=a=2Cb=3Dc,r=abc"
    exchange.respond(client_final(first, exchange.respond(first.encode())).encode())
    assert exchange.user == "a,b=c"


def test_extensions_of_the_first_message_are_ignored() -> None:
    exchange = scram()
    first = "n,,n=user,r=abc,tokenauth=true"
    exchange.respond(client_final(first, exchange.respond(first.encode())).encode())
    assert exchange.user == "user"


def test_an_authorization_id_is_the_users_own_or_refused() -> None:
    assert scram().respond(b"n,a=user,n=user,r=abc")
    assert "authorization id" in refuses(scram(), "n,a=root,n=user,r=abc")


@pytest.mark.parametrize(
    "token",
    [b"", b"n", b"n,,", b"n,,n=user", b"n,,n=,r=abc", b"n,,r=abc,n=user", b"y,,n=user,r=abc", b"p=tls,,n=user,r=a",
     b"n,,n=user,r=\x01", b"n,,n=user,r=a\nb", b"\xff\xfe", b"n,,n=user,r="],
)  # fmt: skip
def test_a_first_message_that_makes_no_sense_is_refused(token: bytes) -> None:
    refuses(scram(), token)


def test_a_final_message_that_does_not_belong_to_the_first_is_refused() -> None:
    first = "n,,n=user,r=abc"
    right = client_final(first, scram().respond(first.encode()))
    for wrong in (
        right.replace("r=abc", "r=abd"),
        right.replace("c=biws", "c=eSws"),
        right.replace("c=biws", "c=biw"),
        right[: right.index(",p=")],
        right[: right.index(",p=")] + ",p=AAAA",
        right[: right.index(",p=")] + ",p=====",
        right[:-8] + "AAAAAAA=",
        "",
    ):
        exchange = scram()
        exchange.respond(first.encode())
        refuses(exchange, wrong)


def test_a_proof_cannot_be_used_again_with_another_nonce() -> None:
    first = "n,,n=user,r=abc"
    proof = client_final(first, scram().respond(first.encode()))
    other = ScramExchange(SHA_256, {"user": kept(SHA_256)}.get, nonce="another", secret=b"")
    other.respond(first.encode())
    refuses(other, proof)


# PLAIN ---------------------------------------------------------------------------------------------------------------


def test_a_name_and_its_password() -> None:
    for token in (b"\0user\0pencil", b"user\0user\0pencil"):
        exchange = plain()
        assert exchange.respond(token) == b""
        assert exchange.user == "user"


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (b"\0user\0pen", "Invalid username or password"),
        (b"\0nobody\0pencil", "Invalid username or password"),
        (b"root\0user\0pencil", "authorization id"),
        (b"\0\0pencil", "username not specified"),
        (b"\0user\0", "password not specified"),
        (b"user\0pencil", "expected 3 tokens, got 2"),
        (b"\0user\0pen\0cil", "expected 3 tokens, got 4"),
        (b"", "expected 3 tokens, got 1"),
        (b"\0\xff\0\xfe", "UTF-8"),
    ],
)
def test_anything_else_is_refused_with_the_reason(token: bytes, why: str) -> None:
    assert why in refuses(plain(), token)


@given(st.lists(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), min_size=1, max_size=4))
def test_bytes_by_chance_never_get_in_and_never_break_anything(tokens: list[bytes]) -> None:
    for exchange in (plain(), scram()):
        for token in tokens:
            try:
                exchange.respond(token)
            except SaslAuthenticationFailedError:
                break
        assert exchange.user is None
