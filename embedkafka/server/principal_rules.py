"""From the name in a client's certificate to a user's name: ``ssl.principal.mapping.rules`` (KIP-371).

::

    RULE:pattern/replacement/       what matches as a whole becomes the replacement, $1 is the first group
    RULE:pattern/replacement/L      in lower case; U: in upper case
    DEFAULT                         the name as it is

The first rule that matches holds; a name that none matches is nobody's.  A slash within a rule is written ``\\/``.
Patterns are Python's regular expressions where Kafka takes Java's; what both have is the same.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from embedkafka.errors import KafkaConfigurationError

_RULE = re.compile(r"\s*(?:DEFAULT|RULE:((?:\\.|[^\\/])*)/((?:\\.|[^\\/])*)/([LU]?))\s*(?:,|$)")
_REFERENCE = re.compile(r"\$(\d)")


class Rule(NamedTuple):
    """``pattern`` None matches everything and changes nothing."""

    pattern: re.Pattern[str] | None
    replacement: str = ""
    case: str = ""

    def apply(self, name: str) -> str | None:
        """The user's name; None where the rule is about others."""
        if self.pattern is None:
            return name
        found = self.pattern.fullmatch(name)
        if found is None:
            return None
        user = _REFERENCE.sub(lambda reference: found[int(reference[1])] or "", self.replacement)
        return {"L": user.lower(), "U": user.upper()}.get(self.case, user)


def parse_rules(text: str) -> list[Rule]:
    """The rules of a setting; an empty one is DEFAULT.

    Raises:
        KafkaConfigurationError: it is not of the form above.
    """
    rules: list[Rule] = []
    position = 0
    while position < len(text):
        found = _RULE.match(text, position)
        if found is None:
            raise KafkaConfigurationError(f"ssl.principal.mapping.rules: no rule begins at {text[position:]!r}")
        rules.append(_rule(found))
        position = found.end()
    return rules or [Rule(None)]


def _rule(found: re.Match[str]) -> Rule:
    source, replacement, case = found.groups()
    if source is None:
        return Rule(None)
    try:
        pattern = re.compile(source.replace(r"\/", "/"))
    except re.error as error:
        raise KafkaConfigurationError(f"ssl.principal.mapping.rules: {source!r} is no pattern: {error}") from error
    if any(int(number) > pattern.groups for number in _REFERENCE.findall(replacement)):
        raise KafkaConfigurationError(f"ssl.principal.mapping.rules: {replacement!r} names a group that is not there")
    return Rule(pattern, replacement.replace(r"\/", "/"), case)


def user_of(rules: list[Rule], name: str) -> str | None:
    """The user that a name means; None where no rule is about it."""
    for rule in rules:
        user = rule.apply(name)
        if user is not None:
            return user
    return None
