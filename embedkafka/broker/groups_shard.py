"""One ``__consumer_offsets`` partition with its machine: handle -> append -> apply -> note -> timers, under one lock.

What can go wrong in between is handled in one way.  Before the first effect the shard is marked as suspect, and
unmarked after the last; an append that fails, or an exception that hits the thread anywhere between (Ctrl-C), leaves
the mark, and whoever comes next loads the machine from its log again.  Soft state is lost then, as at a fail-over of
Kafka's coordinator: parked clients are told NOT_COORDINATOR and join again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from embedkafka.broker.api import (
    DescribeConsumerGroupsRequest,
    DescribeGroupsRequest,
    ListGroupsRequest,
    Liveness,
    OffsetFetchRequest,
)
from embedkafka.broker.groups_errors import append_error_code, error_reply, parked_error_reply
from embedkafka.broker.groups_host import GroupsHost, OffsetsLog
from embedkafka.broker.groups_members import IN_PROCESS_HOST, LiveMembers, Watchers, is_troubled
from embedkafka.broker.groups_outbox import Outbox
from embedkafka.broker.groups_timers import ShardTimers
from embedkafka.coordinator import records
from embedkafka.coordinator.config import GroupConfig
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
from embedkafka.errors import BrokerResponseError, CoordinatorNotAvailableError, NotCoordinatorError, UnknownError
from embedkafka.record import decode_batch, encode_batch, iter_headers
from embedkafka.record.control import decode_marker

_log = logging.getLogger(__name__)

Complete = Callable[[Any], None]

_READS = (OffsetFetchRequest, ListGroupsRequest, DescribeGroupsRequest, DescribeConsumerGroupsRequest)
_JOINS = (JoinGroup, ConsumerHeartbeat)

PARKED = object()  # instead of a reply: it comes through ``complete``


class GroupShard:
    """The groups whose ids fall on one partition.

    Args:
        index: the partition's number.
        read_only: answer from the log; change nothing, start no timer.
    """

    def __init__(self, index: int, host: GroupsHost, config: GroupConfig, *, read_only: bool = False) -> None:
        self.index = index
        self.lock = threading.Lock()
        self._host = host
        self._clock = host.clock
        self._config = config
        self._read_only = read_only
        self._log: OffsetsLog | None = None
        self._machine = GroupMachine(config)
        self._topics = host.known_topics()  # as of the command under way
        self._suspect = False
        self._closed = False
        self._parked: dict[ParkKey, Complete] = {}
        self._outbox = Outbox(self._clock)
        self._timers = ShardTimers(self._clock, self._on_timer)
        self._live = LiveMembers()
        self._watchers = Watchers()

    def run(self, command: Command, complete: Complete | None = None, liveness: Liveness | None = None) -> Any:
        """Do what a command asks.

        Args:
            command: see :mod:`embedkafka.coordinator.decision`.
            complete: takes the reply of a join or sync that has to wait.
            liveness: of the in-process member that joins.

        Returns:
            The reply, or :data:`PARKED`.  Never raises for the state of groups or log: the reply carries the error.
        """
        try:
            self._find_log(create=isinstance(command, (*_JOINS, CommitOffsets)))
            topics = self._host.known_topics()
            with self.lock:
                self._topics = topics
                if self._closed or (self._read_only and not isinstance(command, _READS)):
                    return error_reply(command, CoordinatorNotAvailableError.errno)
                if self._suspect:
                    self._reload()
                return self._turn(command, complete, liveness)
        except BrokerResponseError as error:
            return self._failed(command, append_error_code(error))
        except Exception:
            _log.exception("shard %d of the groups failed on %r", self.index, command)
            return self._failed(command, UnknownError.errno)
        except BaseException:
            self._clock.call_soon(self._recover)
            raise
        finally:
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
                if self._suspect:
                    self._reload()
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

    def close(self) -> None:
        """Answer everyone who waits, end every timer; from here on the coordinator is not available."""
        with self.lock:
            self._closed = True
            self._timers.cancel_all()
            self._fail_parked(CoordinatorNotAvailableError.errno)
        self._outbox.deliver()

    # Under the lock -----------------------------------------------------------------------------------------------

    def _turn(self, command: Command, complete: Complete | None = None, liveness: Liveness | None = None) -> Any:
        now_ms = self._clock.now_ms()
        decision = self._machine.handle(command, now_ms, self._topics)
        self._suspect = True
        if decision.records:
            self._append(decision, now_ms)
        if liveness is not None and isinstance(command, _JOINS):
            self._remember(command, decision, liveness)
        for event in decision.events:
            self._note(event)
        for timer in decision.timers:
            self._set_timer(timer)
        for key, reply in decision.completions:
            self._answer(key, reply)
        if decision.park is not None and complete is not None:
            # A client that asks again waits in place of its first request, whose connection is gone.
            self._answer(decision.park, parked_error_reply(decision.park, NotCoordinatorError.errno))
            self._parked[decision.park] = complete
        self._suspect = False
        return decision.reply if decision.park is None else PARKED

    def _append(self, decision: Decision, now_ms: int) -> None:
        if self._log is None:
            raise CoordinatorNotAvailableError(f"__consumer_offsets-{self.index} cannot be written")
        producer_id, producer_epoch = decision.producer or (-1, -1)
        batch = encode_batch(
            [(now_ms, *records.encode(record), ()) for record in decision.records],
            producer_id=producer_id,
            producer_epoch=producer_epoch,
            is_transactional=producer_id >= 0,
        )
        if decision.producer is None:
            self._log.append(batch)
        else:
            self._log.append_in_transaction(batch, producer_id, producer_epoch)
        for record in decision.records:
            self._machine.apply(record, producer_id)

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

    def _find_log(self, *, create: bool) -> None:
        if self._log is not None:
            return
        log = self._host.offsets_log(self.index, create and not self._read_only)
        if log is None:
            return
        with self.lock:
            if self._log is None:
                self._suspect = True  # what is there has to be loaded first
                self._log = log

    def _reload(self) -> None:
        """Start again from the log."""
        machine = GroupMachine(self._config)
        for chunk in self._log.read_all() if self._log is not None else ():
            for position, header in iter_headers(chunk):
                producer_id = header.producer_id if header.is_transactional else -1
                for entry in decode_batch(chunk, position):
                    if header.is_control:
                        machine.apply_marker(producer_id, commit=decode_marker(entry.key, entry.value).commit)
                        continue
                    record = None if entry.key is None else records.decode(entry.key, entry.value)
                    if record is not None:
                        machine.apply(record, producer_id)
        self._fail_parked(NotCoordinatorError.errno)
        self._timers.cancel_all()
        self._machine = machine
        if self._read_only:
            self._suspect = False
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
            _log.exception("shard %d of the groups cannot be loaded", self.index)
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

    def _remember(self, command: JoinGroup | ConsumerHeartbeat, decision: Decision, liveness: Liveness) -> None:
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
            topics = self._host.known_topics()
            with self.lock:
                self._topics = topics
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
            _log.exception("shard %d of the groups failed on its timer %r", self.index, key)
            with self.lock:
                self._fail_parked(NotCoordinatorError.errno)
        finally:
            self._outbox.deliver()

    def _kept_alive(self, key: TimerKey, command: Command) -> bool:
        """Whether an in-process member that was not heard of lives; its session then starts again."""
        liveness = self._live.get(key.group_id, key.member_id) if key.kind == SESSION else None
        group = self._machine.find(key.group_id)
        session = None if group is None else group.session(key.member_id, self._config)
        if liveness is None or session is None or not liveness.alive:
            return False
        budget_ms = liveness.max_poll_interval_ms if session.is_parked else self._poll_budget_ms(liveness)
        if budget_ms <= 0:
            return False
        self._timers.start(key, min(session.timeout_ms, max(1.0, budget_ms)), command, background=True)
        return True
