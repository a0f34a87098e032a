"""A producer's transactions: which state it is in, and what it asks the coordinator.

::

    UNINITIALIZED -> INITIALIZING -> READY <────────────────────────────┐
                                       │                                │
                                 IN_TRANSACTION ──> COMMITTING ─────────┤
                                       │    │           │               │
                                       │    └───────────┼─> ABORTING ───┘
                                       v                v      ^
                                  ABORTABLE_ERROR <─────┴──────┘
                                  FATAL_ERROR  (from anywhere; the producer can only be closed)

The states and what leads from one to the next are those of Java's ``TransactionManager``.  INITIALIZING, COMMITTING
and ABORTING are left by the call that entered them, unless that call was interrupted or ran out of time: then the same
call may be made again.

The partitions of a transaction are not announced: the first batch that reaches one adds it (transactions version 2,
KIP-890). Each transaction that reached the broker ends with a new epoch, so nothing that is late can get into the
next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from embedkafka.broker.api import (
    EndTxnReply,
    EndTxnRequest,
    InitProducerIdReply,
    InitProducerIdRequest,
    OffsetToCommit,
    TxnOffsetCommitRequest,
)
from embedkafka.errors import (
    BrokerResponseError,
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    IllegalStateError,
    InvalidProducerEpochError,
    InvalidProducerIdMappingError,
    InvalidTxnStateError,
    KafkaError,
    KafkaTimeoutError,
    ProducerFencedError,
    TransactionAbortedError,
    TransactionalIdAuthorizationFailedError,
    TransactionCoordinatorFencedError,
    UnknownMemberIdError,
    UnsupportedVersionError,
    for_code,
)
from embedkafka.model import ConsumerGroupMetadata, OffsetAndMetadata, TopicPartition

if TYPE_CHECKING:
    from embedkafka.client.link import EmbeddedLink
    from embedkafka.client.producer.identity import Identity
    from embedkafka.client.producer.lane import Lane
    from embedkafka.record import FutureRecordMetadata

_FATAL = (
    InvalidProducerIdMappingError,
    InvalidTxnStateError,
    ProducerFencedError,
    TransactionalIdAuthorizationFailedError,
    TransactionCoordinatorFencedError,
    UnsupportedVersionError,
)
"""After one of these, nothing the producer could do would be right."""

_MOVED_ON = (FencedInstanceIdError, IllegalGenerationError, UnknownMemberIdError)
"""The group has given the partitions to somebody else: the transaction has to be aborted (KIP-447)."""


class TransactionState(Enum):
    UNINITIALIZED = "before init_transactions()"
    INITIALIZING = "in init_transactions()"
    READY = "outside a transaction"
    IN_TRANSACTION = "in a transaction"
    COMMITTING = "in commit_transaction()"
    ABORTING = "in abort_transaction()"
    ABORTABLE_ERROR = "in a transaction that can only be aborted"
    FATAL_ERROR = "of no use any more"


_S = TransactionState

_MAY_BEGIN_FROM: Mapping[TransactionState, frozenset[TransactionState]] = {
    _S.INITIALIZING: frozenset({_S.UNINITIALIZED, _S.INITIALIZING}),
    _S.IN_TRANSACTION: frozenset({_S.READY}),
    _S.COMMITTING: frozenset({_S.IN_TRANSACTION, _S.COMMITTING}),
    _S.ABORTING: frozenset({_S.IN_TRANSACTION, _S.ABORTABLE_ERROR, _S.ABORTING}),
}
"""From where each call may be made; itself, because an interrupted call may be repeated."""


class Producer(Protocol):
    """What transactions need of the producer they belong to."""

    _link: EmbeddedLink
    _identity: Identity
    _lanes: dict[TopicPartition, Lane]
    config: dict[str, Any]

    def _flush(self, timeout: float | None) -> None: ...
    def _discard_unsealed(self, error: KafkaError) -> None: ...
    def _transaction_changed(self) -> None: ...


class Transactions:
    """The transactions of one producer.

    Other threads may send meanwhile.  A batch begins with ``lock`` held, and so does the end of the transaction: what
    was sent before is in a batch that the end takes along, what comes later is refused, and nothing is in between.
    """

    def __init__(self, producer: Producer, transactional_id: str) -> None:
        self.transactional_id = transactional_id
        self.lock = threading.RLock()
        self._requests = threading.RLock()  # held while the coordinator is asked
        self._caller: int | None = None  # the thread that is in a call which changes the state
        self.state = _S.UNINITIALIZED
        self.error: KafkaError | None = None
        self._producer = producer
        self._has_written = False

    @property
    def is_open(self) -> bool:
        """Whether records can be sent now."""
        return self.state is _S.IN_TRANSACTION

    @property
    def may_abort(self) -> bool:
        """Whether something is left that :meth:`abort` would end."""
        return self.state in _MAY_BEGIN_FROM[_S.ABORTING]

    # The calls ------------------------------------------------------------------------------------------------------

    def initialize(self) -> None:
        """Get id and epoch; the transaction of an earlier producer with this transactional id is completed first."""
        with self._call(_S.INITIALIZING):
            self._initialize()

    def _initialize(self) -> None:
        link = self._producer._link

        def ask() -> InitProducerIdReply:
            replies: list[InitProducerIdReply] = []
            request = InitProducerIdRequest(self.transactional_id, int(self._producer.config["transaction_timeout_ms"]))
            link.transaction_coordinator_port(self.transactional_id).init_producer_id(
                link.context, request, replies.append
            )
            return replies[0]

        reply = self._asked(ask, "init_transactions")
        self._adopt(reply.producer_id, reply.producer_epoch)
        self._move(_S.READY)

    def begin(self) -> None:
        with self._call(_S.IN_TRANSACTION):
            pass

    def commit(self) -> None:
        """Send what is not sent, wait for it, and commit; afterwards readers see it."""
        with self._call(_S.COMMITTING):
            self._producer._flush(self._limit_ms / 1000.0)
            self._note_failed_batches()
            if self.error is not None:
                raise self.error
            self._end(committed=True)

    def abort(self) -> None:
        """Drop what is not sent and let readers never see what is."""
        with self._call(_S.ABORTING):
            self._note_writes()
            self._producer._discard_unsealed(
                TransactionAbortedError("the transaction was aborted before this record was sent")
            )
            self._end(committed=False)

    def send_offsets(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata], group_metadata: ConsumerGroupMetadata | str
    ) -> None:
        """Commit a group's offsets as part of the transaction."""
        group = ConsumerGroupMetadata(group_metadata) if isinstance(group_metadata, str) else group_metadata
        if not isinstance(group, ConsumerGroupMetadata):
            raise TypeError(
                f"group_metadata is a ConsumerGroupMetadata or a group id, not {type(group_metadata).__name__}"
            )
        if not group.group_id:
            raise ValueError("group_metadata names no group")
        generation_id = -1 if group.generation_id is None else group.generation_id
        if generation_id > 0 and not group.member_id:
            raise ValueError(f"group_metadata has generation {generation_id} and no member id")
        self.check_send("send_offsets_to_transaction()")
        if not offsets:
            return
        with self._requests:
            self.check_send("send_offsets_to_transaction()")
            self._send_offsets(offsets, group, group.group_id, generation_id)

    def _send_offsets(
        self,
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        group: ConsumerGroupMetadata,
        group_id: str,
        generation_id: int,
    ) -> None:
        identity, link = self._producer._identity, self._producer._link
        request = TxnOffsetCommitRequest(
            self.transactional_id,
            group_id,
            identity.producer_id,
            identity.producer_epoch,
            {partition: _to_commit(offset) for partition, offset in offsets.items()},
            generation_id,
            group.member_id or "",
            group.group_instance_id,
        )
        self._has_written = True
        self._asked(
            lambda: link.coordinator_port(group_id).txn_offset_commit(link.context, request),
            "send_offsets_to_transaction",
        )

    # What others ask and tell -----------------------------------------------------------------------------------------

    def check_send(self, call: str) -> None:
        """Raise where the call is not allowed now.

        Raises:
            IllegalStateError: no transaction is open.
            KafkaError: an earlier step has failed; what it raised is the cause.
        """
        if self.is_open:
            self._note_failed_batches()
        if self.state in (_S.ABORTABLE_ERROR, _S.FATAL_ERROR):
            raise self._as_failure(call)
        if self.state is not _S.IN_TRANSACTION:
            raise IllegalStateError(f"{call} {self._where()}: call begin_transaction() first")

    def start_batch(self, lane: Lane, *record: Any) -> FutureRecordMetadata | None:
        """Open a batch in the transaction, as ``lane.start`` does, unless the transaction is over by now."""
        with self.lock:
            self.check_send("send()")
            return lane.start(*record)

    def _note_failed_batches(self) -> None:
        """A batch that has failed for good: the transaction cannot be committed any more."""
        for lane in list(self._producer._lanes.values()):
            if lane.failed_for_good is not None:
                self._failed(lane.failed_for_good)
                return

    def _note_writes(self) -> None:
        """Whether the coordinator, or a partition, may know of this transaction; else there is nothing to end."""
        if any(lane.next_sequence > 0 or lane.sealed for lane in list(self._producer._lanes.values())):
            self._has_written = True

    # ------------------------------------------------------------------------------------------------------------------

    @property
    def _limit_ms(self) -> float:
        limit_ms: float = self._producer.config["max_block_ms"]
        return limit_ms

    def _where(self) -> str:
        return f"by producer {self.transactional_id!r} {self.state.value}"

    def _as_failure(self, call: str) -> KafkaError:
        if isinstance(self.error, ProducerFencedError):
            return ProducerFencedError(*self.error.args)
        what = "call abort_transaction()" if self.state is _S.ABORTABLE_ERROR else "close the producer"
        failure = KafkaError(f"{call} {self._where()}, {what}: {type(self.error).__name__}: {self.error}")
        failure.__cause__ = self.error
        return failure

    @contextmanager
    def _call(self, state: TransactionState) -> Iterator[None]:
        """A call that changes the state, one at a time."""
        me, outermost = threading.get_ident(), self._caller
        try:
            with self.lock:
                if self._caller not in (None, me):
                    raise IllegalStateError(f"{_CALLS[state]} {self._where()}, called by another thread")
                self._caller = me
                self._enter(state)
            yield
        finally:
            if self._caller == me:
                self._caller = outermost

    def _enter(self, state: TransactionState) -> None:
        if self.state is _S.FATAL_ERROR or (self.state is _S.ABORTABLE_ERROR and state is not _S.ABORTING):
            raise self._as_failure(_CALLS[state])
        if self.state not in _MAY_BEGIN_FROM[state]:
            raise IllegalStateError(f"{_CALLS[state]} {self._where()}")
        self._move(state)

    def _move(self, state: TransactionState) -> None:
        with self.lock:
            self.state = state
            self._producer._transaction_changed()

    def _adopt(self, producer_id: int, producer_epoch: int) -> None:
        """Go on as this producer; the lanes begin at sequence 0 where that is another one than before."""
        self._has_written = False
        identity = self._producer._identity
        with self.lock:  # a lane that is made meanwhile has the one or the other
            identity.adopt(producer_id, producer_epoch)
            identity.is_transactional = True
            for lane in list(self._producer._lanes.values()):
                lane.identify(producer_id, producer_epoch, is_transactional=True)

    def _end(self, *, committed: bool) -> None:
        with self._requests:
            self._ask_for_the_end(committed=committed)

    def _ask_for_the_end(self, *, committed: bool) -> None:
        identity, link = self._producer._identity, self._producer._link
        self._note_writes()
        if self._has_written:
            request = EndTxnRequest(
                self.transactional_id, identity.producer_id, identity.producer_epoch, committed=committed
            )
            reply: EndTxnReply = self._asked(
                lambda: link.transaction_coordinator_port(self.transactional_id).end_txn(link.context, request),
                "commit_transaction" if committed else "abort_transaction",
            )
            self._adopt(reply.producer_id, reply.producer_epoch)
        else:
            self._adopt(identity.producer_id, identity.producer_epoch)
        self.error = None
        self._move(_S.READY)

    def _asked(self, ask: Callable[[], Any], what: str) -> Any:
        """Ask until there is an answer that stands.

        Raises:
            KafkaTimeoutError: none within ``max_block_ms``; the call may be made again.
            KafkaError: the answer is an error, which is noted.
        """
        link = self._producer._link
        deadline_ms = link.clock.monotonic_ms() + self._limit_ms
        is_first = True
        while True:
            reply = ask()
            error = _first_error(reply)
            if error is None:
                return reply
            if not error.retriable:
                if error is InvalidProducerEpochError:
                    error = ProducerFencedError  # to a coordinator's client they say the same
                raise self._failed(error(f"{what} of {self.transactional_id!r}"))
            # The first time it is asked again at once: what the coordinator had to end first is ended now.
            if not is_first and not link.pause(self._producer.config["retry_backoff_ms"], deadline_ms):
                raise KafkaTimeoutError(f"{what}() was not done within max_block_ms: {error.message}")
            is_first = False

    def _failed(self, error: KafkaError) -> KafkaError:
        """Note an error, and give back what to raise."""
        is_fatal = isinstance(error, _FATAL) or self.state is _S.INITIALIZING
        if isinstance(error, _MOVED_ON):
            error = CommitFailedError(error)
        self.error = error
        self._move(_S.FATAL_ERROR if is_fatal else _S.ABORTABLE_ERROR)
        return error


_CALLS = {
    _S.INITIALIZING: "init_transactions()",
    _S.IN_TRANSACTION: "begin_transaction()",
    _S.COMMITTING: "commit_transaction()",
    _S.ABORTING: "abort_transaction()",
}


def _first_error(reply: Any) -> type[BrokerResponseError] | None:
    codes: Iterable[int] = (reply.error_code,) if hasattr(reply, "error_code") else reply.error_codes.values()
    return next((for_code(code) for code in codes if code), None)


def _to_commit(offset: OffsetAndMetadata) -> OffsetToCommit:
    if isinstance(offset.offset, bool) or not isinstance(offset.offset, int):
        raise TypeError(f"an offset is an int, not {type(offset.offset).__name__}")
    if offset.offset < 0:
        raise ValueError(f"an offset is 0 or more, not {offset.offset}")
    return OffsetToCommit(
        offset.offset, -1 if offset.leader_epoch is None else offset.leader_epoch, offset.metadata or ""
    )
