"""Our decisions about rules against Apache Kafka's StandardAuthorizer's, on the same random rules and questions."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from embedkafka.broker import api
from embedkafka.broker.api import AclOperation, AclPatternType, AclPermissionType, AclResourceType
from embedkafka.broker.security.acls import Acls
from embedkafka.broker.security.authorizer import super_users

CASES = 400
QUESTIONS = 60

TYPES = [AclResourceType.TOPIC, AclResourceType.TOPIC, AclResourceType.GROUP, AclResourceType.CLUSTER]
NAMES = ["a", "ab", "abc", "abd", "b", "*", "*a", "kafka-cluster"]
ASKED_NAMES = [name for name in NAMES if name != "*a"]  # Kafka forgets rules about "*" there: broker/security/acls.py
PRINCIPALS = ["User:alice", "User:alice", "User:bob", "User:*", "Group:alice", "User:CN=a,O=b"]
CALLERS = ["User:alice", "User:alice", "User:bob", "Group:alice", "User:root", "User:CN=a,O=b"]
ADDRESSES = ["127.0.0.1", "10.0.0.1"]
OPERATIONS = [operation for operation in AclOperation if operation > AclOperation.ALL]
Case = dict[str, Any]


def random_rule(source: random.Random) -> list[Any]:
    return [
        source.choice(TYPES),
        source.choice(NAMES),
        source.choice([AclPatternType.LITERAL, AclPatternType.PREFIXED]),
        source.choice(PRINCIPALS),
        source.choice(["*", "*", *ADDRESSES]),
        source.choice([AclOperation.ALL, *OPERATIONS[:8]]),
        AclPermissionType.ALLOW if source.random() < 0.75 else AclPermissionType.DENY,
    ]


def random_filter(source: random.Random) -> list[Any]:
    patterns = [AclPatternType.ANY, AclPatternType.MATCH, AclPatternType.LITERAL, AclPatternType.PREFIXED]
    permissions = [AclPermissionType.ANY, AclPermissionType.ALLOW, AclPermissionType.DENY]
    return [
        source.choice([AclResourceType.ANY, *TYPES]),
        source.choice([None, *NAMES]),
        source.choice(patterns),
        source.choice([None, None, *PRINCIPALS]),
        source.choice([None, None, "*", *ADDRESSES]),
        source.choice([AclOperation.ANY, AclOperation.ANY, AclOperation.ALL, *OPERATIONS[:3]]),
        source.choice(permissions),
    ]


def random_case(source: random.Random) -> Case:
    configs = {}
    if source.random() < 0.3:
        configs["super.users"] = source.choice(["User:root", " User:root ; User:bob", "User:bob;User:CN=a,O=b"])
    if source.random() < 0.3:
        configs["allow.everyone.if.no.acl.found"] = source.choice(["true", "false"])
    rules = [random_rule(source) for _ in range(source.randrange(0, 12))]
    asked = [
        [source.choice(CALLERS), source.choice(ADDRESSES), source.choice(OPERATIONS)] for _ in range(2 * QUESTIONS)
    ]
    return {
        "configs": configs,
        "rules": [list(rule) for rule in dict.fromkeys(map(tuple, rules))],
        "questions": [[*each, source.choice(TYPES), source.choice(ASKED_NAMES)] for each in asked[:QUESTIONS]],
        "kinds": [[*each, source.choice(TYPES)] for each in asked[QUESTIONS:]],
        "filters": [random_filter(source) for _ in range(10)],
    }


class Ours:
    """What our authorizer makes of a case, without an engine around it."""

    def __init__(self, case: Case) -> None:
        self.acls = Acls(api.AclBinding(*rule) for rule in case["rules"])
        self.super_users = super_users(case["configs"].get("super.users", ""))
        self.default = case["configs"].get("allow.everyone.if.no.acl.found") == "true"

    def allows(self, principal: str, host: str, operation: int, kind: int, name: str) -> bool:
        if principal in self.super_users:
            return True
        decision = self.acls.decide(principal, host, operation, kind, name)
        return self.default if decision is None else decision

    def allows_some(self, principal: str, host: str, operation: int, kind: int) -> bool:
        return self.allows(principal, host, operation, kind, "hardcode") or self.acls.allows_some(
            principal, host, operation, kind
        )


def test_rules_decide_as_in_kafka(kafka_jars: Any, tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    cases = [random_case(source) for _ in range(CASES)]
    path = tmp_path / "cases"
    path.write_text("".join(json.dumps(case) + "\n" for case in cases))
    answers = kafka_jars.run_json_lines("Authorize", path)
    yes = 0
    for case, theirs in zip(cases, answers, strict=True):
        ours = Ours(case)
        for asked, allowed in zip(case["questions"], theirs["allowed"], strict=True):
            assert ours.allows(*asked) == allowed, (case["configs"], case["rules"], asked)
            yes += allowed
        for asked, allowed in zip(case["kinds"], theirs["some"], strict=True):
            assert ours.allows_some(*asked) == allowed, (case["configs"], case["rules"], asked)
        for asked, found in zip(case["filters"], theirs["found"], strict=True):
            matching = ours.acls.matching(api.AclBindingFilter(*asked))
            assert matching == sorted(api.AclBinding(*rule) for rule in found), (case["rules"], asked)
    assert 0.1 < yes / (CASES * QUESTIONS) < 0.9  # questions that are always answered alike would show nothing
