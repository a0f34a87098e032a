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


def settle(members: dict[str, KafkaConsumer], sizes: list[int]) -> dict[str, list[int]]:
    """Let everybody poll until the shares have these sizes."""
    for _ in range(200):
        for member in members.values():
            for records in member.poll(timeout_ms=20).values():
                seen.extend(record.value for record in records)
        shares = {name: sorted(p.partition for p in member.assignment()) for name, member in members.items()}
        if sorted(map(len, shares.values())) == sizes:
            assert sorted(number for share in shares.values() for number in share) == list(range(PARTITIONS))
            return shares
    raise AssertionError(f"the group did not settle: {shares}")


def show(what: str, shares: dict[str, list[int]]) -> None:
    print(f"{what:<34}", "  ".join(f"{name}: {share or 'idle'}" for name, share in shares.items()))


with EmbeddedKafka() as kafka:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics({"jobs": {"num_partitions": PARTITIONS}})
    producer = KafkaProducer(bootstrap_servers=kafka)

    members = {"ann": join(kafka, "ann")}
    show("one member has everything", settle(members, [3]))

    members["bob"] = join(kafka, "bob")
    show("a second one gets a share", settle(members, [1, 2]))

    members["cid"], members["dan"] = join(kafka, "cid"), join(kafka, "dan")
    shares = settle(members, [0, 1, 1, 1])
    show("four members, three partitions", shares)

    busy = next(name for name, share in shares.items() if share)
    members.pop(busy).close()
    show(f"{busy} leaves, the idle one steps in", settle(members, [1, 1, 1]))

    for number in range(300):
        producer.send("jobs", key=b"%d" % number, value=b"job %d" % number)
    while len(seen) < 300:
        settle(members, [1, 1, 1])
    print(f"{len(seen)} jobs done, each by one member, none twice: {len(set(seen)) == 300}")
    assert len(seen) == len(set(seen)) == 300
