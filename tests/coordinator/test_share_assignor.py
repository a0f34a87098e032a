"""The simple assignor: everybody has as much as the others, every partition is read, nothing moves without need."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from embedkafka.coordinator.share.assignor import Sharer, assign

TOPICS = [UUID(int=number) for number in range(1, 4)]
Counts = dict[UUID, int]


def partition_counts() -> st.SearchStrategy[Counts]:
    return st.dictionaries(st.sampled_from(TOPICS), st.integers(0, 7), min_size=1)


def shared(members: int, counts: Counts, before: dict[str, object] | None = None) -> dict[str, set[tuple[UUID, int]]]:
    sharers = [
        Sharer(f"m{number}", frozenset(counts), (before or {}).get(f"m{number}", {}))  # type: ignore[arg-type]
        for number in range(members)
    ]
    return flat(assign(sharers, {topic_id: range(count) for topic_id, count in counts.items()}))


def flat(targets: object) -> dict[str, set[tuple[UUID, int]]]:
    return {
        member_id: {(topic_id, each) for topic_id, partitions in target.items() for each in partitions}
        for member_id, target in targets.items()  # type: ignore[attr-defined]
    }


def nested(shares: dict[str, set[tuple[UUID, int]]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for member_id, share in shares.items():
        target: dict[UUID, set[int]] = {}
        for topic_id, partition in share:
            target.setdefault(topic_id, set()).add(partition)
        result[member_id] = {topic_id: frozenset(each) for topic_id, each in target.items()}
    return result


@given(st.integers(1, 12), partition_counts())
def test_a_new_group_shares_evenly(members: int, counts: Counts) -> None:
    shares = shared(members, counts)
    total = sum(counts.values())
    sizes = [len(share) for share in shares.values()]
    assert max(sizes) - min(sizes) <= 1
    readers = Counter(partition for share in shares.values() for partition in share)
    assert len(readers) == total
    if total:
        sharing = -(-members // total)
        assert set(readers.values()) <= set(range(1, sharing + 1))


@given(st.integers(1, 12), partition_counts())
def test_an_assignment_that_is_right_stays(members: int, counts: Counts) -> None:
    before = shared(members, counts)
    assert shared(members, counts, nested(before)) == before


@given(st.integers(1, 12), st.integers(1, 12), partition_counts(), partition_counts())
def test_every_partition_is_read_whatever_was_before(
    members: int, members_before: int, counts: Counts, counts_before: Counts
) -> None:
    before = nested(shared(members_before, counts_before))
    shares = shared(members, counts, before)
    assert set().union(*shares.values()) == {
        (topic_id, each) for topic_id in counts for each in range(counts[topic_id])
    }
    quota = -(-len(set().union(*shares.values())) * -(-members // max(1, sum(counts.values()))) // members)
    assert max(len(share) for share in shares.values()) <= max(1, quota)


@given(st.integers(2, 10), partition_counts())
def test_a_member_that_joins_takes_no_more_than_its_share(members: int, counts: Counts) -> None:
    total = sum(counts.values())
    if members > total:
        return  # then others share with it, and nobody gives anything up
    before = shared(members - 1, counts)
    after = shared(members, counts, nested(before))
    moved = sum(len(before[member_id] - after[member_id]) for member_id in before)
    assert moved <= -(-total // members)


@given(st.lists(st.frozensets(st.sampled_from(TOPICS), min_size=1), min_size=1, max_size=8), partition_counts())
def test_nobody_reads_what_it_does_not_subscribe_to(subscriptions: list[frozenset[UUID]], counts: Counts) -> None:
    sharers = [
        Sharer(f"m{number}", frozenset(topic_ids & counts.keys()), {}) for number, topic_ids in enumerate(subscriptions)
    ]
    targets = assign(sharers, {topic_id: range(count) for topic_id, count in counts.items()})
    for sharer in sharers:
        assert targets[sharer.member_id].keys() <= sharer.topic_ids
    read = {partition for share in flat(targets).values() for partition in share}
    wanted = frozenset[UUID]().union(*(each.topic_ids for each in sharers))
    assert read == {(topic_id, each) for topic_id in wanted for each in range(counts[topic_id])}


def test_a_group_without_members_has_no_targets() -> None:
    assert assign([], {TOPICS[0]: [0]}) == {}
