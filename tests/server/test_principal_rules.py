"""What a certificate's name becomes; the examples of KIP-371 and what cannot be."""

from __future__ import annotations

import pytest

from embedkafka.errors import KafkaConfigurationError
from embedkafka.server.principal_rules import parse_rules, user_of
from embedkafka.server.tls import distinguished_name

EXAMPLES = (
    "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/,"
    "RULE:^CN=(.*?),OU=(.*?),O=(.*?),L=(.*?),ST=(.*?),C=(.*?)$/$1@$2/L,"
    "RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/L,"
    "DEFAULT"
)


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("CN=serviceuser,OU=ServiceUsers,O=Unknown,L=Unknown,ST=Unknown,C=Unknown", "serviceuser"),
        ("CN=adminUser,OU=Admin,O=Unknown,L=Unknown,ST=Unknown,C=Unknown", "adminuser@admin"),
        ("cn=kafka1.example.com,OU=SME", "kafka1.example.com"),
        ("OU=JavaSoft,O=Sun Microsystems", "OU=JavaSoft,O=Sun Microsystems"),
    ],
)
def test_the_first_rule_that_matches_holds(name: str, user: str) -> None:
    assert user_of(parse_rules(EXAMPLES), name) == user


@pytest.mark.parametrize(
    ("rules", "name", "user"),
    [
        ("", "CN=a", "CN=a"),
        ("DEFAULT", "CN=a", "CN=a"),
        ("RULE:CN=(.*)/$1/U", "CN=a", "A"),
        ("RULE:CN=b/x/", "CN=a", None),
        ("RULE:CN=(.)/x/", "CN=ab", None),
        (r"RULE:CN=(.*)\/x/$1\/y/", "CN=a/x", "a/y"),
        (r"RULE:CN=(\w+),.*/$1/ , DEFAULT", "CN=a,O=b", "a"),
        ("RULE:CN=(a)?b/<$1>/", "CN=b", "<>"),
    ],
)
def test_a_rule_is_about_the_whole_name(rules: str, name: str, user: str | None) -> None:
    assert user_of(parse_rules(rules), name) == user


@pytest.mark.parametrize(
    "rules",
    ["default", "RULE:", "RULE:a/b", "RULE:a/b/X", "DEFAULT RULE:a/b/", "RULE:(a/b/", "RULE:a/$1/", "RULE:a/b/,x"],
)
def test_what_is_no_rule_is_refused(rules: str) -> None:
    with pytest.raises(KafkaConfigurationError, match="principal"):
        parse_rules(rules)


def test_a_name_is_written_as_java_does_the_last_part_first() -> None:
    subject = ((("countryName", "DE"),), (("organizationName", "a, b"),), (("commonName", "x"), ("userId", "7")))
    assert distinguished_name({"subject": subject}) == r"CN=x+UID=7,O=a\, b,C=DE"
