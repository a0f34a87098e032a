"""Clients that record what they do and see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from reliability.history.events import (
    Acknowledged,
    Acknowledging,
    Alive,
    Assigned,
    Closing,
    Committed,
    Committing,
    Delivered,
    Ended,
    Ending,
    LookedUp,
    Polled,
    Refused,
    Released,
    Sent,
    SharedDone,
)
from reliability.history.recording import Recorder

import embedkafka
from embedkafka import OffsetAndMetadata, TopicPartition
from embedkafka.errors import CommitFailedError, IllegalStateError, KafkaError, KafkaTimeoutError


class Producer:
    """A producer, with transactions where it has a ``transactional_id``.

    Args:
        name: unlike that of any other producer of the run.
    """

    def __init__(self, recorder: Recorder, engine: Any, name: str, **configs: Any) -> None:
        self.name = name
        self.transaction: str | None = None
        self._recorder = recorder
        self.client = embedkafka.KafkaProducer(bootstrap_servers=engine, **configs)
        self._sent = 0
        self._transactions = 0

    def send(self, partition: TopicPartition, *, source: str | None = None) -> None:
        recorder = self._recorder
        record = f"{self.name}/{self._sent}"
        self._sent += 1
        recorder.add(Sent(recorder.tick(), self.name, record, partition, self.transaction, source))
        try:
            future = self.client.send(partition.topic, value=record.encode(), partition=partition.partition)
        except KafkaError as error:
            self._refused(record, error)
            raise
        future.add_callback(partial(self._acknowledged, record))
        future.add_errback(partial(self._refused, record))

    def _acknowledged(self, record: str, metadata: Any) -> None:
        self._recorder.add(Acknowledged(self._recorder.tick(), record, metadata.offset))

    def _refused(self, record: str, error: Exception) -> None:
        self._recorder.add(Refused(self._recorder.tick(), record, type(error).__name__))

    def begin(self) -> None:
        self.client.begin_transaction()
        self.transaction = f"{self.name}:{self._transactions}"
        self._transactions += 1

    def send_offsets(self, offsets: Mapping[TopicPartition, int], member: Member) -> None:
        assert self.transaction is not None
        commits = _Commits(self._recorder, self.transaction, member, offsets, self.transaction)
        try:
            self.client.send_offsets_to_transaction(_values(offsets), member.client.group_metadata())
        except KafkaTimeoutError:
            raise
        except KafkaError:
            commits.answered(done=False)
            raise
        commits.answered(done=True)

    def end(self, *, commit: bool) -> None:
        recorder, transaction = self._recorder, self.transaction
        assert transaction is not None
        recorder.add(Ending(recorder.tick(), transaction, commit))
        self.transaction = None
        try:
            if commit:
                self.client.commit_transaction()
            else:
                self.client.abort_transaction()
        except (KafkaTimeoutError, IllegalStateError):
            raise  # nobody knows
        except KafkaError:
            recorder.add(Ended(recorder.tick(), transaction, commit, done=False))
            raise
        recorder.add(Ended(recorder.tick(), transaction, commit))


class Reader:
    """A consumer without a group, of partitions that it chose."""

    def __init__(
        self, recorder: Recorder, engine: Any, name: str, partitions: Collection[TopicPartition], *, committed: bool
    ) -> None:
        self.name = name
        self._recorder = recorder
        self._committed = committed
        self._partitions = list(partitions)
        self.client = embedkafka.KafkaConsumer(
            bootstrap_servers=engine,
            group_id=None,
            auto_offset_reset="earliest",
            isolation_level="read_committed" if committed else "read_uncommitted",
        )
        self.client.assign(self._partitions)

    def poll(self, max_records: int, timeout_ms: float = 0) -> None:
        recorder, position = self._recorder, self.client.position
        starts = {one: position(one) for one in self._partitions}
        begun = recorder.tick()
        polled = self.client.poll(timeout_ms=timeout_ms, max_records=max_records)
        at = recorder.tick()
        ends = {one: position(one) for one in self._partitions}
        found_nothing = ends == starts  # else it may have passed no more than markers
        for one in self._partitions:
            records = _seen(polled.get(one, ()))
            recorder.add(
                Polled(begun, at, self.name, one, starts[one], ends[one], records, self._committed, None, found_nothing)
            )

    def seek(self, one: TopicPartition, offset: int) -> None:
        self.client.seek(one, offset)


class Member(embedkafka.ConsumerRebalanceListener):
    """A member of a group that commits what it has read, and only what it owns."""

    def __init__(self, recorder: Recorder, engine: Any, name: str, group: str, topic: str, **configs: Any) -> None:
        self.name = name
        self.group = group
        self.positions: dict[TopicPartition, int | None] = {}  # None: from what is committed on
        self.committed: dict[TopicPartition, int] = {}
        self._recorder = recorder
        self._is_committed_reader = configs.get("isolation_level") == "read_committed"
        self._calls = 0
        self._now_ms: Callable[[], float] = engine.clock.monotonic_ms
        self._patience_ms = float(configs["max_poll_interval_ms"])
        self._last_poll_ms = self._now_ms()
        self._is_late = False
        self.client = embedkafka.KafkaConsumer(
            bootstrap_servers=engine,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **configs,
        )
        self.client.subscribe([topic], listener=self)

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        for one in assigned:
            self.positions[one] = None
            if not self._is_late:
                self._recorder.add(Assigned(self._recorder.tick(), self.group, self.name, one))

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._check_in_time()
        for one in revoked:
            self._recorder.add(Released(self._recorder.tick(), self.group, self.name, one))
            self.positions.pop(one, None)
            self.committed.pop(one, None)

    def on_partitions_lost(self, lost: Collection[TopicPartition]) -> None:
        self._recorder.add(Released(self._recorder.tick(), self.group, self.name))
        for one in lost:
            self.positions.pop(one, None)
            self.committed.pop(one, None)

    def poll(self, timeout_ms: float = 0) -> dict[TopicPartition, list[str]]:
        """What was read, by partition."""
        recorder = self._recorder
        before = dict(self.positions)
        # Who polls too late may be told first of what it was assigned, and then that it has lost it long ago.
        self._is_late = not self._check_in_time()
        self._last_poll_ms = self._now_ms()
        begun = recorder.tick()
        polled = self.client.poll(timeout_ms=timeout_ms)
        at = recorder.tick()
        if self._is_late:
            for one in self.positions:
                recorder.add(Assigned(recorder.tick(), self.group, self.name, one))
        if self._check_in_time():
            recorder.add(Alive(recorder.tick(), self.group, self.name))
        found: dict[TopicPartition, list[str]] = {}
        for one, records in polled.items():
            # Assigned again within this poll, it goes on where the group has committed.
            start = before.get(one) if self.positions.get(one) is not None else None
            self.positions[one] = end = records[-1].offset + 1
            recorder.add(
                Polled(begun, at, self.name, one, start, end, _seen(records), self._is_committed_reader, self.group)
            )
            found[one] = [record.value.decode() for record in records]
        return found

    @property
    def uncommitted(self) -> dict[TopicPartition, int]:
        """How far it has read beyond what it has committed."""
        return {
            one: position
            for one, position in self.positions.items()
            if position is not None and position > self.committed.get(one, -1)
        }

    def commit(self) -> None:
        offsets = self.uncommitted
        if not offsets:
            return
        self._calls += 1
        commits = _Commits(self._recorder, f"{self.name}#{self._calls}", self, offsets)
        try:
            self.client.commit(_values(offsets))
        except CommitFailedError:
            commits.answered(done=False)
            raise
        commits.answered(done=True)
        self.committed.update(offsets)

    def forget(self) -> None:
        """Go on from what is committed: what was read since has come to nothing."""
        for one in self.positions:
            self.client.seek(one, self.client.committed(one) or 0)
            self.positions[one] = None

    def _check_in_time(self) -> bool:
        """Whether the group still has to wait for this member; else it may have lost everything unheard."""
        is_in_time = self._now_ms() - self._last_poll_ms < self._patience_ms
        if not is_in_time:
            self._recorder.add(Released(self._recorder.tick(), self.group, self.name))
        return is_in_time


class ShareMember:
    """A consumer of a share group that says of each record what became of it."""

    def __init__(
        self, recorder: Recorder, engine: Any, name: str, group: str, topic: str, *, committed: bool, max_records: int
    ) -> None:
        self.name = name
        self.group = group
        self._recorder = recorder
        self._committed = committed
        self._max_records = max_records
        self._calls = 0
        self._now_ms: Callable[[], float] = engine.clock.monotonic_ms
        self._asked = recorder.tick(), self._now_ms()
        self._types: dict[TopicPartition, dict[int, int]] = {}
        self.client = embedkafka.KafkaShareConsumer(
            topic, bootstrap_servers=engine, group_id=group, share_acknowledgement_mode="explicit"
        )

    def poll(self, timeout_ms: float = 0) -> list[Any]:
        """The records, each of which has to be acknowledged before the next poll."""
        recorder = self._recorder
        if not self._has_some_left():
            self._asked = recorder.tick(), self._now_ms()
        polled = self.client.poll(timeout_ms=timeout_ms, max_records=self._max_records)
        at, at_ms = recorder.tick(), self._now_ms()
        begun, begun_ms = self._asked
        for one, records in polled.items():
            seen = tuple((record.offset, record.value.decode(), record.delivery_count) for record in records)
            recorder.add(Delivered(begun, at, self.group, self.name, one, seen, begun_ms, at_ms, self._committed))
        return [record for records in polled.values() for record in records]

    def _has_some_left(self) -> bool:
        """Whether the client has records that the next poll may return, locked since an earlier one."""
        fetcher = self.client._fetcher
        again = any(in_flight.again for in_flight in self.client._in_flight.values())
        return bool(fetcher._buffered or fetcher.has_reply() or again)

    def acknowledge(self, record: Any, type_: int) -> None:
        self.client.acknowledge(record, type_)
        self._types.setdefault(TopicPartition(record.topic, record.partition), {})[record.offset] = type_

    def commit(self) -> None:
        calls = self._begin_to_say()
        results = {
            TopicPartition(where.topic, where.partition): error for where, error in self.client.commit_sync().items()
        }
        for one, call in calls.items():
            self._recorder.add(SharedDone(self._recorder.tick(), call, one in results and results[one] is None))

    def _begin_to_say(self) -> dict[TopicPartition, str]:
        recorder, calls = self._recorder, {}
        for one, types in self._types.items():
            self._calls += 1
            calls[one] = f"{self.name}#{self._calls}"
            recorder.add(
                Acknowledging(
                    recorder.tick(), calls[one], self.group, self.name, one, tuple(types.items()), self._now_ms()
                )
            )
        self._types = {}
        return calls

    def close(self) -> None:
        self._begin_to_say()  # what was acknowledged is sent; whether it was taken in, nobody is told
        self._recorder.add(Closing(self._recorder.tick(), self.group, self.name))
        self.client.close()

    def kill(self, engine: Any) -> None:
        """From here on the broker may notice that the member is gone."""
        self._recorder.add(Closing(self._recorder.tick(), self.group, self.name))
        engine.kill(self.client)


class _Commits:
    """One call that commits offsets, an event for each partition."""

    def __init__(
        self,
        recorder: Recorder,
        call: str,
        member: Member,
        offsets: Mapping[TopicPartition, int],
        transaction: str | None = None,
    ) -> None:
        self._recorder = recorder
        self._calls = []
        for one, offset in offsets.items():
            name = f"{call} {one.topic}-{one.partition}"
            self._calls.append(name)
            recorder.add(Committing(recorder.tick(), name, member.group, member.name, one, offset, transaction))

    def answered(self, *, done: bool) -> None:
        for call in self._calls:
            self._recorder.add(Committed(self._recorder.tick(), call, done))


def look_up(recorder: Recorder, engine: Any, group: str, partitions: Collection[TopicPartition]) -> None:
    """Ask what a group has committed."""
    with embedkafka.KafkaAdminClient(bootstrap_servers=engine) as admin:
        begun = recorder.tick()
        offsets = admin.list_group_offsets({group: None})[group]
        at = recorder.tick()
    for one in partitions:
        recorder.add(LookedUp(begun, at, group, one, offsets[one].offset if one in offsets else None))


def _values(offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, OffsetAndMetadata]:
    return {one: OffsetAndMetadata(offset, "", -1) for one, offset in offsets.items()}


def _seen(records: Collection[Any]) -> tuple[tuple[int, str], ...]:
    return tuple((record.offset, record.value.decode()) for record in records)
