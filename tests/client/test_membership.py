"""The group primitive under consumers: it carries bytes for any kind of member."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedkafka import EmbeddedKafka, ManualClock, OffsetAndMetadata, TopicPartition, errors
from embedkafka.client.link import EmbeddedLink, connect
from embedkafka.client.member import MemberLiveness
from embedkafka.client.membership import EmbeddedMembership

TP = TopicPartition("t", 0)


@pytest.fixture
def link() -> Iterator[EmbeddedLink]:
    with EmbeddedKafka(clock=ManualClock()) as kafka:
        kafka.create_topic("t")
        made = connect(kafka, client_id="worker")
        yield made
        made.close()


def member(link: EmbeddedLink, protocol_type: str = "connect") -> EmbeddedMembership:
    return EmbeddedMembership(
        link,
        "workers",
        group_instance_id=None,
        session_timeout_ms=10_000,
        rebalance_timeout_ms=60_000,
        protocol_type=protocol_type,
        liveness=MemberLiveness(link.clock.monotonic_ms(), 300_000),
    )


def join(membership: EmbeddedMembership, metadata: bytes = b"") -> list[object]:
    """Join, with the member id that the first answer gives; the replies so far."""
    replies: list[object] = []
    membership.join([("sessioned", metadata)], replies.append)
    if replies and replies[0].error_code == errors.MemberIdRequiredError.errno:
        membership.member_id = replies.pop().member_id
        membership.join([("sessioned", metadata)], replies.append)
    return replies


def test_a_member_of_another_kind_joins_syncs_and_gets_its_bytes(link: EmbeddedLink) -> None:
    worker = member(link)
    (reply,) = join(worker, b"my url")
    worker.joined(reply)
    assert (reply.leader, worker.generation_id, worker.protocol_name) == (worker.member_id, 1, "sessioned")
    assert [(joined.member_id, joined.metadata) for joined in reply.members] == [(worker.member_id, b"my url")]
    synced: list[object] = []
    worker.sync({worker.member_id: b"two tasks"}, synced.append)
    assert synced[0].assignment == b"two tasks"
    assert worker.heartbeat() == 0


def test_a_second_member_makes_the_first_one_rejoin_and_is_told_so(link: EmbeddedLink) -> None:
    first, second = member(link), member(link)
    (reply,) = join(first)
    first.joined(reply)
    first.sync({first.member_id: b"all"}, lambda reply: None)
    told: list[None] = []
    first.watch(lambda: told.append(None))
    waiting = join(second)
    assert waiting == []  # until the first has joined again
    assert told
    assert first.heartbeat() == errors.RebalanceInProgressError.errno
    (again,) = join(first)
    assert again.generation_id == waiting[0].generation_id == 2


def test_members_of_different_kinds_do_not_share_a_group(link: EmbeddedLink) -> None:
    (reply,) = join(member(link))
    assert not reply.error_code
    (refused,) = join(member(link, "consumer"))
    assert refused.error_code == errors.InconsistentGroupProtocolError.errno


def test_commits_are_fenced_by_the_generation(link: EmbeddedLink) -> None:
    worker = member(link)
    (reply,) = join(worker)
    worker.joined(reply)
    worker.sync({worker.member_id: b""}, lambda reply: None)
    offsets = {TP: OffsetAndMetadata(5, "m", -1)}
    assert worker.commit(offsets) == {TP: 0}
    assert worker.committed([TP])[TP][:3] == (5, -1, "m")
    worker.generation_id += 1
    assert worker.commit(offsets) == {TP: errors.IllegalGenerationError.errno}


def test_leaving_ends_the_membership(link: EmbeddedLink) -> None:
    worker = member(link)
    (reply,) = join(worker)
    worker.joined(reply)
    worker.leave("done")
    assert (worker.member_id, worker.generation_id) == ("", -1)
    assert link.any_port().describe_groups(link.context, ["workers"])[0].members == []
