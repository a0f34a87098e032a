"""What a consumer group does: share partitions, leave the surplus idle, take over from whoever goes.

python examples/consumer_groups.py
"""

from __future__ import annotations

from embedkafka import EmbeddedKafka, KafkaAdminClient, KafkaConsumer, KafkaProducer

PARTITIONS = 3
seen: list[bytes] = []


def join(kafka: EmbeddedKafka, name: str) -> KafkaConsumer:
    return KafkaConsumer(
        "jobs", bootstrap_servers=kafka, group_id="workers", client_id=name, auto_offset_reset="earliest"
    )


def settle(members: dict[str, KafkaConsumer]) -> dict[str, list[int]]:
    """Let everybody poll until the group has agreed: every partition has exactly one owner."""
    for _ in range(100):
        for member in members.values():
            for records in member.poll(timeout_ms=20).values():
                seen.extend(record.value for record in records)
        shares = {name: sorted(p.partition for p in member.assignment()) for name, member in members.items()}
        if sorted(number for share in shares.values() for number in share) == list(range(PARTITIONS)):
            return shares
    raise AssertionError(f"the group did not settle: {shares}")


def show(what: str, shares: dict[str, list[int]]) -> None:
    print(f"{what:<34}", "  ".join(f"{name}: {share or 'idle'}" for name, share in shares.items()))


with EmbeddedKafka() as kafka:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics({"jobs": {"num_partitions": PARTITIONS}})
    producer = KafkaProducer(bootstrap_servers=kafka)

    members = {"ann": join(kafka, "ann")}
    shares = settle(members)
    show("one member has everything", shares)
    assert shares == {"ann": [0, 1, 2]}

    members["bob"] = join(kafka, "bob")
    shares = settle(members)
    show("a second one gets a share", shares)
    assert sorted(map(len, shares.values())) == [1, 2]

    members["cid"], members["dan"] = join(kafka, "cid"), join(kafka, "dan")
    shares = settle(members)
    show("four members, three partitions", shares)
    assert sorted(map(len, shares.values())) == [0, 1, 1, 1]

    busy = next(name for name, share in shares.items() if share)
    members.pop(busy).close()
    shares = settle(members)
    show(f"{busy} leaves, the idle one steps in", shares)
    assert sorted(map(len, shares.values())) == [1, 1, 1]

    for number in range(300):
        producer.send("jobs", key=b"%d" % number, value=b"job %d" % number)
    while len(seen) < 300:
        settle(members)
    print(f"{len(seen)} jobs done, each by one member, none twice: {len(set(seen)) == 300}")
    assert len(seen) == len(set(seen)) == 300
