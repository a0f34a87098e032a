"""One partition of an internal topic with its machine: find the log, load, handle -> append -> apply -> note -> timers.

The shell that every coordinator has.  What can go wrong in between is handled in one way.  Before the first effect the
shard is marked as suspect, and unmarked after the last; an append that fails, or an exception that hits the thread
anywhere between (Ctrl-C), leaves the mark, and whoever comes next loads the machine from its log again.  Soft state is
lost then, as at a fail-over of Kafka's coordinator.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from embedkafka.clock import Clock
from embedkafka.errors import (
    BrokerResponseError,
    CoordinatorNotAvailableError,
    InvalidFetchRequestError,
    MessageSizeTooLargeError,
    NotCoordinatorError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    NotLeaderForPartitionError,
    PolicyViolationError,
    RecordListTooLargeError,
    RequestTimedOutError,
    UnknownError,
    UnknownTopicOrPartitionError,
)
from embedkafka.record import BatchHeader, Record, decode_batch, encode_batch, iter_headers

_log = logging.getLogger(__name__)

# Kafka's GroupCoordinatorService: what a failed append means to a coordinator's client.  KAFKA_STORAGE_ERROR is passed
# on as it is, unlike there: no other broker could take over, and the client should learn that the disk is the reason.
_APPEND_ERRORS: dict[type[BrokerResponseError], type[BrokerResponseError]] = {
    UnknownTopicOrPartitionError: CoordinatorNotAvailableError,
    NotEnoughReplicasError: CoordinatorNotAvailableError,
    NotEnoughReplicasAfterAppendError: CoordinatorNotAvailableError,
    RequestTimedOutError: CoordinatorNotAvailableError,
    NotLeaderForPartitionError: NotCoordinatorError,
    MessageSizeTooLargeError: UnknownError,
    RecordListTooLargeError: UnknownError,
    InvalidFetchRequestError: UnknownError,
}


class ShardLog(Protocol):
    """One partition of an internal topic, as its coordinator reads and writes it."""

    def append(self, batch: bytearray) -> None:
        """Append one encoded batch whose base offset is still 0; returns when it is committed.

        Raises:
            BrokerResponseError: it is not in the log.
        """

    def read_all(self) -> Iterator[memoryview]:
        """Whole batches from the log's start to its end."""


class RecordCodec(Protocol):
    """A coordinator's records as keys and values; its module ``records`` is one."""

    def encode(self, record: Any, /) -> tuple[bytes, bytes | None]: ...
    def decode(self, key: bytes, value: bytes | None, /) -> Any:
        """None for a record of a kind that is not known."""


class Decided(Protocol):
    """A machine's decision, as far as every shard carries it out."""

    @property
    def records(self) -> Sequence[Any]: ...


class ShardMachine(Protocol):
    """A machine, as far as every shard knows it."""

    def apply(self, record: Any, /) -> None:
        """Let a record that is in the log take effect."""


MachineT = TypeVar("MachineT", bound=ShardMachine)
LogT = TypeVar("LogT", bound=ShardLog)
DecisionT = TypeVar("DecisionT", bound=Decided)
AskerT = TypeVar("AskerT")  # what a coordinator remembers of whoever sent a command; None where nothing


class Shard(ABC, Generic[MachineT, LogT, DecisionT, AskerT]):
    """What a coordinator keeps on one partition of its topic.

    A subclass says how the machine is asked (:meth:`_handle`), what a decision brings beside records
    (:meth:`_take_effect`), what follows a load (:meth:`_loaded`), and how its commands are served (:meth:`_serve`) and
    refused (:meth:`_failed`).

    Args:
        topic: the internal topic's name.
        index: the partition's number.
        codec: the records' keys and values.
        new_machine: makes an empty machine.
        find_log: gives the partition's log, whose topic the second argument brings into being; None where there is
            none.  Called without a lock held.
        read_only: answer from the log; change nothing, start no timer.
    """

    creating: ClassVar[tuple[type, ...]]  # commands that bring the topic into being
    reading: ClassVar[tuple[type, ...]]  # commands that a read-only shard answers

    def __init__(
        self,
        topic: str,
        index: int,
        clock: Clock,
        codec: RecordCodec,
        new_machine: Callable[[], MachineT],
        find_log: Callable[[int, bool], LogT | None],
        *,
        read_only: bool,
    ) -> None:
        self.topic = topic
        self.index = index
        self.lock = threading.Lock()
        self._clock = clock
        self._codec = codec
        self._new_machine = new_machine
        self._open_log = find_log
        self._read_only = read_only
        self._log: LogT | None = None
        self._machine = new_machine()
        self._suspect = False
        self._closed = False

    def __str__(self) -> str:
        return f"{self.topic}-{self.index}"

    def run(self, command: Any, asker: AskerT | None = None) -> Any:
        """Do what a command asks.

        Returns:
            The reply.  Never raises for the state of machine or log: the reply carries the error.
        """
        try:
            self._find_log(create=isinstance(command, self.creating))
            return self._serve(command, asker)
        except BrokerResponseError as error:
            return self._failed(command, append_error_code(error))
        except Exception:
            _log.exception("%s failed on %r", self, command)
            return self._failed(command, UnknownError.errno)
        except BaseException:
            self._clock.call_soon(self._recover)
            raise

    # What differs ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def close(self) -> None:
        """End every timer, answer everyone who waits; from here on the coordinator is not available."""

    @abstractmethod
    def _serve(self, command: Any, asker: AskerT | None) -> Any:
        """The reply to a command; takes the lock, within it asks :meth:`_refusal`, :meth:`_catch_up`, :meth:`_turn`."""

    @abstractmethod
    def _failed(self, command: Any, error_code: int) -> Any:
        """The reply to a command that could not be carried out.  Called without the lock."""

    @abstractmethod
    def _handle(self, command: Any, now_ms: int) -> DecisionT:
        """Have the machine decide."""

    @abstractmethod
    def _take_effect(self, command: Any, decision: DecisionT, asker: AskerT | None) -> None:
        """What a decision brings when its records are applied: events, timers, replies to others."""

    @abstractmethod
    def _loaded(self) -> None:
        """A fresh machine has been fed the log.  Called under the lock; the shard counts as suspect until then."""

    @abstractmethod
    def _recover(self) -> None:
        """The engine's turn after an interrupted command, for those who wait and will not ask again."""

    # Under the lock -------------------------------------------------------------------------------------------------

    def _refusal(self, command: Any) -> int:
        """Kafka's error code for a command that is not served, else 0; a read-only shard need not be asked again."""
        if self._closed:
            return CoordinatorNotAvailableError.errno
        return PolicyViolationError.errno if self._read_only and not isinstance(command, self.reading) else 0

    def _catch_up(self) -> None:
        """Have the machine say what the log says."""
        if self._suspect:
            self._reload()

    def _turn(self, command: Any, asker: AskerT | None = None) -> DecisionT:
        now_ms = self._clock.now_ms()
        decision = self._handle(command, now_ms)
        self._suspect = True
        if decision.records:
            self._append(decision, now_ms)
        self._take_effect(command, decision, asker)
        self._suspect = False
        return decision

    def _append(self, decision: DecisionT, now_ms: int) -> None:
        encode = self._codec.encode
        self._writable_log().append(encode_batch([(now_ms, *encode(record), ()) for record in decision.records]))
        for record in decision.records:
            self._machine.apply(record)

    def _writable_log(self) -> LogT:
        if self._log is None:
            raise CoordinatorNotAvailableError(f"{self} cannot be written")
        return self._log

    def _reload(self) -> None:
        """Start again from the log."""
        machine = self._new_machine()
        for chunk in self._log.read_all() if self._log is not None else ():
            for position, header in iter_headers(chunk):
                self._replay(machine, header, decode_batch(chunk, position))
        self._machine = machine
        self._loaded()
        self._suspect = False

    def _replay(self, machine: MachineT, header: BatchHeader, entries: Iterable[Record]) -> None:
        """Feed a batch of the log to a machine."""
        if header.is_control:
            return
        for entry in entries:
            record = None if entry.key is None else self._codec.decode(entry.key, entry.value)
            if record is not None:
                machine.apply(record)

    # Without the lock -------------------------------------------------------------------------------------------------

    def _find_log(self, *, create: bool) -> None:
        if self._log is not None:
            return
        log = self._open_log(self.index, create and not self._read_only)
        if log is None:
            return
        with self.lock:
            if self._log is None:
                self._suspect = True  # what is there has to be loaded first
                self._log = log


def append_error_code(error: BrokerResponseError) -> int:
    """What a coordinator's client is told about an append that failed."""
    return _APPEND_ERRORS.get(type(error), type(error)).errno
