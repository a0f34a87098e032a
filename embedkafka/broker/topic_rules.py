"""What a request to create or grow a topic must obey: pure checks, with the codes and sentences of Kafka's controller
(``org.apache.kafka.controller.ReplicationControlManager``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from embedkafka.broker.api import NewPartitionsSpec, NewTopicSpec
from embedkafka.errors import (
    InvalidPartitionsError,
    InvalidReplicationAssignmentError,
    InvalidReplicationFactorError,
    InvalidRequestError,
    InvalidTopicError,
)

MAX_PARTITIONS_PER_CALL = 10_000  # ReplicationControlManager.MAX_PARTITIONS_PER_BATCH

Replicas = tuple[tuple[int, ...], ...]


def check_collision(name: str, existing: Iterable[str]) -> None:
    """Refuse a name that differs from a topic's only in '.' against '_': metric names would be the same.

    Raises:
        InvalidTopicError: it does.
    """
    if "." not in name and "_" not in name:
        return
    flat = name.replace(".", "_")
    for other in existing:
        if other != name and other.replace(".", "_") == flat:
            raise InvalidTopicError(f"Topic '{name}' collides with existing topic: {other}")


def place_new_topic(
    spec: NewTopicSpec, *, brokers: Sequence[int], default_partitions: int, default_replication_factor: int
) -> Replicas:
    """Which brokers get which partition of a new topic.

    Raises:
        InvalidRequestError: an assignment and a count are both given.
        InvalidPartitionsError: the count is 0 or below -1, or over :data:`MAX_PARTITIONS_PER_CALL`.
        InvalidReplicationFactorError: 0, below -1, or more than there are brokers.
        InvalidReplicationAssignmentError: the assignment is not one.
    """
    if spec.assignments:
        if spec.replication_factor != -1:
            raise InvalidRequestError(
                "A manual partition assignment was specified, but replication factor was not set to -1."
            )
        if spec.num_partitions != -1:
            raise InvalidRequestError(
                "A manual partition assignment was specified, but numPartitions was not set to -1."
            )
        return _checked_assignment(spec.assignments, brokers)
    if spec.num_partitions < -1 or spec.num_partitions == 0:
        raise InvalidPartitionsError("Number of partitions was set to an invalid non-positive value.")
    if spec.replication_factor < -1 or spec.replication_factor == 0:
        raise InvalidReplicationFactorError("Replication factor was set to an invalid non-positive value.")
    count = default_partitions if spec.num_partitions == -1 else spec.num_partitions
    factor = default_replication_factor if spec.replication_factor == -1 else spec.replication_factor
    if count > MAX_PARTITIONS_PER_CALL:
        raise InvalidPartitionsError(
            f"Excessively large number of partitions per request: {count}, at most {MAX_PARTITIONS_PER_CALL}."
        )
    return _spread(range(count), factor, brokers)


def place_new_partitions(spec: NewPartitionsSpec, current: Replicas, *, brokers: Sequence[int]) -> Replicas:
    """The topic's replicas after it has grown.

    Raises:
        InvalidPartitionsError: the topic has as many or more already, or too many would be added at once.
        InvalidReplicationAssignmentError: the assignment does not fit.
    """
    if spec.total_count == len(current):
        raise InvalidPartitionsError(f"Topic already has {len(current)} partition(s).")
    if spec.total_count < len(current):
        raise InvalidPartitionsError(
            f"The topic {spec.topic} currently has {len(current)} partition(s); {spec.total_count} would not be an "
            "increase."
        )
    added = spec.total_count - len(current)
    if added > MAX_PARTITIONS_PER_CALL:
        raise InvalidPartitionsError(
            f"Excessively large number of partitions per request: {added}, at most {MAX_PARTITIONS_PER_CALL}."
        )
    factor = len(current[0])
    if spec.assignments is None:
        return current + _spread(range(len(current), spec.total_count), factor, brokers)
    if len(spec.assignments) != added:
        raise InvalidReplicationAssignmentError(
            f"Attempted to add {added} additional partition(s), but only {len(spec.assignments)} assignment(s) were "
            "specified."
        )
    for replicas in spec.assignments:
        _check_replicas(replicas, brokers, factor)
    return current + tuple(tuple(replicas) for replicas in spec.assignments)


def _spread(partitions: Iterable[int], factor: int, brokers: Sequence[int]) -> Replicas:
    if factor > len(brokers):
        raise InvalidReplicationFactorError(
            f"Unable to replicate the partition {factor} time(s): The target replication factor of {factor} cannot be "
            f"reached because only {len(brokers)} broker(s) are registered."
        )
    return tuple(
        tuple(brokers[(partition + copy) % len(brokers)] for copy in range(factor)) for partition in partitions
    )


def _checked_assignment(assignments: Mapping[int, Sequence[int]], brokers: Sequence[int]) -> Replicas:
    if sorted(assignments) != list(range(len(assignments))):
        raise InvalidReplicationAssignmentError("partitions should be a consecutive 0-based integer sequence.")
    factor = len(assignments[0])
    for partition in range(len(assignments)):
        _check_replicas(assignments[partition], brokers, factor)
    return tuple(tuple(assignments[partition]) for partition in range(len(assignments)))


def _check_replicas(replicas: Sequence[int], brokers: Sequence[int], factor: int) -> None:
    if not replicas:
        raise InvalidReplicationAssignmentError("The manual partition assignment includes an empty replica list.")
    for replica in replicas:
        if replica not in brokers:
            raise InvalidReplicationAssignmentError(
                f"The manual partition assignment includes broker {replica}, but no such broker is registered."
            )
    if len(set(replicas)) != len(replicas):
        raise InvalidReplicationAssignmentError(
            f"The manual partition assignment includes the broker {_first_duplicate(replicas)} more than once."
        )
    if len(replicas) != factor:
        raise InvalidReplicationAssignmentError(
            f"The manual partition assignment includes a partition with {len(replicas)} replica(s), but this is not "
            f"consistent with previous partitions, which have {factor} replica(s)."
        )


def _first_duplicate(replicas: Sequence[int]) -> int:
    return next(replica for position, replica in enumerate(replicas) if replica in replicas[:position])
