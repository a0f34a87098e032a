"""The groups of one ``__consumer_offsets`` partition: the shard's shell, with members that wait and watch.

When a shard is loaded again, soft state is lost: parked clients are told NOT_COORDINATOR and join again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from embedkafka.broker.api import (
    AlterShareGroupOffsetsRequest,
    DescribeConsumerGroupsRequest,
    DescribeGroupsRequest,
    DescribeShareGroupsRequest,
    DescribeStreamsGroupsRequest,
    ListGroupsRequest,
    Liveness,
    OffsetFetchRequest,
)
from embedkafka.broker.groups.errors import error_reply, parked_error_reply
from embedkafka.broker.groups.host import GroupsHost, OffsetsLog
from embedkafka.broker.groups.members import IN_PROCESS_HOST, LiveMembers, Watchers, is_troubled
from embedkafka.broker.groups.outbox import Outbox
from embedkafka.broker.groups.timers import ShardTimers
from embedkafka.broker.shard import Shard
from embedkafka.broker.topic import CONSUMER_OFFSETS
from embedkafka.coordinator import records
from embedkafka.coordinator.config import GroupConfig, GroupSettings
from embedkafka.coordinator.consumer.group import ConsumerGroup
from embedkafka.coordinator.decision import (
    SESSION,
    Command,
    CommitOffsets,
    ConsumerHeartbeat,
    Decision,
    GroupChanged,
    JoinGroup,
    Loaded,
    ParkKey,
    SessionExpired,
    Timer,
    TimerKey,
)
from embedkafka.coordinator.machine import GroupMachine
from embedkafka.coordinator.share.commands import ListStates, ShareHeartbeat
from embedkafka.coordinator.streams.commands import SoftChanged, StreamsHeartbeat
from embedkafka.coordinator.topics import Topics
from embedkafka.errors import BrokerResponseError, CoordinatorNotAvailableError, NotCoordinatorError
from embedkafka.record import BatchHeader, Record, encode_batch
from embedkafka.record.control import decode_marker

_log = logging.getLogger(__name__)

Complete = Callable[[Any], None]

_JOINS = (JoinGroup, ConsumerHeartbeat, ShareHeartbeat)

PARKED = object()  # instead of a reply: it comes through ``complete``


class Asker(NamedTuple):
    """Who sent a command: what takes a reply that has to wait, and the liveness of an in-process member."""

    complete: Complete | None = None
    liveness: Liveness | None = None


class GroupShard(Shard[GroupMachine, OffsetsLog, Decision, Asker]):
    """The groups whose ids fall on one partition.

    Args:
        index: the partition's number.
        read_only: answer from the log; change nothing, start no timer.
    """

    creating = (
        JoinGroup,
        ConsumerHeartbeat,
        ShareHeartbeat,
        StreamsHeartbeat,
        CommitOffsets,
        AlterShareGroupOffsetsRequest,
    )
    reading = (
        OffsetFetchRequest,
        ListGroupsRequest,
        DescribeGroupsRequest,
        DescribeConsumerGroupsRequest,
        DescribeShareGroupsRequest,
        DescribeStreamsGroupsRequest,
        ListStates,
    )

    def __init__(self, index: int, host: GroupsHost, config: GroupConfig, *, read_only: bool = False) -> None:
        machine = partial(GroupMachine, config)
        super().__init__(CONSUMER_OFFSETS, index, host.clock, records, machine, host.offsets_log, read_only=read_only)
        self._host = host
        self._config = config
        self._topics = host.known_topics()  # as of the command under way
        self._settings = host.group_settings()  # the same
        self.states_lock = threading.Lock()  # one thread at a time asks the share coordinator for states
        self._parked: dict[ParkKey, Complete] = {}
        self._outbox = Outbox(self._clock)
        self._timers = ShardTimers(self._clock, self._on_timer)
        self._live = LiveMembers()
        self._watchers = Watchers()

    def run(self, command: Command, asker: Asker | None = None, *, deliver: bool = True) -> Any:
        """Do what a command asks.

        Args:
            command: see :mod:`embedkafka.coordinator.decision`.
            deliver: make the calls that others are owed; False for a caller that holds a lock, and then calls
                :meth:`deliver`.

        Returns:
            The reply, or :data:`PARKED`.  Never raises for the state of groups or log: the reply carries the error.
        """
        try:
            return super().run(command, asker)
        finally:
            if deliver:
                self._outbox.deliver()

    def deliver(self) -> None:
        """Make the calls that others are owed.  Called without a lock held."""
        self._outbox.deliver()

    def complete_transaction(
        self, producer_id: int, producer_epoch: int, *, commit: bool, coordinator_epoch: int, transaction_version: int
    ) -> int:
        """Write a transaction's end into the log and let its offsets count, or go.  Called without a lock held.

        Returns:
            Kafka's error code.
        """
        try:
            self._find_log(create=False)
            with self.lock:
                if self._closed or self._read_only or self._log is None:
                    return CoordinatorNotAvailableError.errno
                self._catch_up()
                self._suspect = True
                self._log.append_marker(
                    producer_id,
                    producer_epoch,
                    commit=commit,
                    coordinator_epoch=coordinator_epoch,
                    transaction_version=transaction_version,
                )
                self._machine.apply_marker(producer_id, commit=commit)
                self._suspect = False
        except BrokerResponseError as error:
            return error.errno
        except BaseException:
            self._clock.call_soon(self._recover)
            raise
        finally:
            self._outbox.deliver()
        return 0

    def watch(self, group_id: str, member_id: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` whenever the member should look after its group; returns what ends that."""
        with self.lock:
            self._watchers.add(group_id, member_id, callback)
            if is_troubled(self._machine.find(group_id), member_id):
                self._outbox.add(callback)
        self._outbox.deliver()

        def unwatch() -> None:
            with self.lock:
                self._watchers.remove(group_id, member_id, callback)

        return unwatch

    def reads_by_pattern(self, group_id: str, member_id: str) -> bool:
        """Whether a member of a consumer group has a regular expression, as far as this shard is loaded."""
        with self.lock:
            group = self._machine.find(group_id)
            member = group.members.get(member_id) if isinstance(group, ConsumerGroup) else None
            return member is not None and bool(member.subscribed_regex)

    def close(self) -> None:
        """Answer everyone who waits, end every timer; from here on the coordinator is not available."""
        with self.lock:
            self._closed = True
            self._timers.cancel_all()
            self._fail_parked(CoordinatorNotAvailableError.errno)
        self._outbox.deliver()

    # Under the lock -----------------------------------------------------------------------------------------------

    def _serve(self, command: Command, asker: Asker | None) -> Any:
        topics, settings = self._host.known_topics(), self._host.group_settings()
        with self.lock:
            self._see(topics, settings)
            if refusal := self._refusal(command):
                return error_reply(command, refusal)
            self._catch_up()
            decision = self._turn(command, asker)
        return decision.reply if decision.park is None else PARKED

    def _see(self, topics: Topics, settings: Mapping[str, GroupSettings]) -> None:
        """Take in what was looked up before the lock was had: another thread may have looked later, and been here."""
        if topics.version > self._topics.version:
            self._topics = topics
        self._settings = settings

    def _handle(self, command: Command, now_ms: int) -> Decision:
        return self._machine.handle(command, now_ms, self._topics, self._settings)

    def _append(self, decision: Decision, now_ms: int) -> None:
        if decision.producer is None:
            super()._append(decision, now_ms)
            return
        producer_id, producer_epoch = decision.producer
        batch = encode_batch(
            [(now_ms, *records.encode(record), ()) for record in decision.records],
            producer_id=producer_id,
            producer_epoch=producer_epoch,
            is_transactional=True,
        )
        self._writable_log().append_in_transaction(batch, producer_id, producer_epoch)
        for record in decision.records:
            self._machine.apply(record, producer_id)

    def _take_effect(self, command: Command, decision: Decision, asker: Asker | None) -> None:
        if asker is not None and asker.liveness is not None and isinstance(command, _JOINS):
            self._remember(command, decision, asker.liveness)
        for event in decision.events:
            if isinstance(event, GroupChanged):
                self._note(event)
            elif isinstance(event, SoftChanged):
                self._machine.note(event)
            else:
                self._outbox.add(partial(self._host.share_member_gone, *event))
        for timer in decision.timers:
            self._set_timer(timer)
        for key, reply in decision.completions:
            self._answer(key, reply)
        if decision.park is not None and asker is not None and asker.complete is not None:
            # A client that asks again waits in place of its first request, whose connection is gone.
            self._answer(decision.park, parked_error_reply(decision.park, NotCoordinatorError.errno))
            self._parked[decision.park] = asker.complete

    def _note(self, event: GroupChanged) -> None:
        self._machine.note(event)
        group = self._machine.find(event.group_id)
        self._live.keep_only(event.group_id, group)
        for callback in self._watchers.concerned(event.group_id, group):
            self._outbox.add(callback)

    def _answer(self, key: ParkKey, reply: Any) -> None:
        complete = self._parked.get(key)
        if complete is not None:
            self._outbox.add(partial(complete, reply))
            del self._parked[key]  # last: who is interrupted before it is answered twice, not never

    def _fail_parked(self, error_code: int) -> None:
        for key in list(self._parked):
            self._answer(key, parked_error_reply(key, error_code))

    # Loading --------------------------------------------------------------------------------------------------------

    def _replay(self, machine: GroupMachine, header: BatchHeader, entries: Iterable[Record]) -> None:
        producer_id = header.producer_id if header.is_transactional else -1
        for entry in entries:
            if header.is_control:
                machine.apply_marker(producer_id, commit=decode_marker(entry.key, entry.value).commit)
                continue
            record = None if entry.key is None else records.decode(entry.key, entry.value)
            if record is not None:
                machine.apply(record, producer_id)

    def _loaded(self) -> None:
        self._fail_parked(NotCoordinatorError.errno)
        self._timers.cancel_all()
        if self._read_only:
            return
        self._turn(Loaded())
        for callback in self._watchers.all():
            self._outbox.add(callback)
        self._remove_ghosts()

    def _remove_ghosts(self) -> None:
        """Members of a process that is gone cannot come back; static ones may, in another process (KIP-345)."""
        for group in list(self._machine.groups()):
            for member in list(group.known_members()):
                is_ours = member.client_host == IN_PROCESS_HOST and member.instance_id is None
                if is_ours and self._live.get(group.group_id, member.member_id) is None:
                    self._turn(SessionExpired(group.group_id, member.member_id))

    def _recover(self) -> None:
        """The engine's turn after an interrupted command, for those who wait and will not ask again."""
        try:
            with self.lock:
                if self._suspect and not self._closed:
                    self._reload()
        except Exception:
            _log.exception("%s cannot be loaded", self)
            with self.lock:
                self._fail_parked(NotCoordinatorError.errno)
        finally:
            self._outbox.deliver()

    def _failed(self, command: Command, error_code: int) -> Any:
        """After a failed append: who waits must not wait for the next command."""
        with self.lock:
            self._fail_parked(NotCoordinatorError.errno)
        return error_reply(command, error_code)

    # Time -----------------------------------------------------------------------------------------------------------

    def _remember(
        self, command: JoinGroup | ConsumerHeartbeat | ShareHeartbeat, decision: Decision, liveness: Liveness
    ) -> None:
        member_id = decision.park.member_id if decision.park is not None else getattr(decision.reply, "member_id", "")
        if member_id:
            self._live.add(command.request.group_id, member_id, liveness)

    def _set_timer(self, timer: Timer) -> None:
        if timer.command is None:
            self._timers.cancel(timer.key)
            return
        liveness = self._live.get(timer.key.group_id, timer.key.member_id) if timer.key.kind == SESSION else None
        if liveness is None:
            self._timers.start(timer.key, timer.delay_ms, timer.command, keep=timer.keep)
        else:
            # The engine keeps the member alive, so a wait without a timeout should not hope for this timer.
            delay_ms = min(timer.delay_ms, max(1.0, self._poll_budget_ms(liveness)))
            self._timers.start(timer.key, delay_ms, timer.command, background=True)

    def _poll_budget_ms(self, liveness: Liveness) -> float:
        return liveness.last_poll_ms + liveness.max_poll_interval_ms - self._clock.monotonic_ms()

    def _on_timer(self, key: TimerKey) -> None:
        try:
            topics, settings = self._host.known_topics(), self._host.group_settings()
            with self.lock:
                self._see(topics, settings)
                if self._closed:
                    return
                if self._suspect:
                    self._reload()  # which starts the timers anew
                    return
                self._suspect = True  # from the moment that the timer is taken
                command = self._timers.take_due(key)
                if command is not None and not self._kept_alive(key, command):
                    self._turn(command)
                self._suspect = False
        except Exception:
            _log.exception("%s failed on its timer %r", self, key)
            with self.lock:
                self._fail_parked(NotCoordinatorError.errno)
        finally:
            self._outbox.deliver()

    def _kept_alive(self, key: TimerKey, command: Command) -> bool:
        """Whether an in-process member that was not heard of lives; its session then starts again."""
        liveness = self._live.get(key.group_id, key.member_id) if key.kind == SESSION else None
        group = self._machine.find(key.group_id)
        settings = self._settings.get(key.group_id, self._config.defaults)
        session = None if group is None else group.session(key.member_id, settings)
        if liveness is None or session is None or not liveness.alive:
            return False
        budget_ms = liveness.max_poll_interval_ms if session.is_parked else self._poll_budget_ms(liveness)
        if budget_ms <= 0:
            return False
        self._timers.start(key, min(session.timeout_ms, max(1.0, budget_ms)), command, background=True)
        return True
