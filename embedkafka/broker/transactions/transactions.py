"""The transaction coordinator's door: Kafka's transaction APIs, each handed to the shard that owns the id.

Transactional ids are spread over the partitions of ``__transaction_state`` by Java's hash, as in Kafka, so that Kafka's
tools find them.  The topic comes into being with the first transactional producer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from embedkafka.broker.api import (
    DescribedTransaction,
    EndTxnReply,
    EndTxnRequest,
    InitProducerIdReply,
    InitProducerIdRequest,
    ListedTransaction,
    ListTransactionsReply,
    ListTransactionsRequest,
    TxnOffsetCommitRequest,
    TxnPartitions,
    TxnPartitionsResult,
)
from embedkafka.broker.shards import Shards
from embedkafka.broker.transactions.host import TransactionsHost
from embedkafka.broker.transactions.shard import TransactionShard
from embedkafka.clock import Timer
from embedkafka.coordinator.transaction.config import TransactionConfig
from embedkafka.coordinator.transaction.decision import (
    DescribeTransactions,
    EndTransaction,
    ExpireIds,
    InitProducer,
    InitProducerReply,
)
from embedkafka.errors import (
    InvalidProducerEpochError,
    OperationNotAttemptedError,
    ProducerFencedError,
    UnknownTopicOrPartitionError,
)
from embedkafka.model import TopicPartition


class Transactions:
    """All transactions of an engine.  Safe to call from any thread; no method raises for the state of transactions.

    Args:
        host: the engine.
        config: the coordinator's settings.
        read_only: for an engine beside a live owner: transactions can be looked at only.
    """

    def __init__(self, host: TransactionsHost, config: TransactionConfig, *, read_only: bool = False) -> None:
        self._host = host
        self._config = config
        self._shards = Shards(
            host.state_partition_count(), lambda index: TransactionShard(index, host, config, read_only=read_only)
        )
        self._expiry_timer: Timer | None = None
        if not read_only:
            self._wait_for_expiry()

    def start(self) -> None:
        """Go on with what was under way when the engine ended: complete what is decided, time out what is open."""
        for index in self._host.state_partitions_in_use():
            self._shards.at(index).load()

    def close(self) -> None:
        """End every timer."""
        if self._expiry_timer is not None:
            self._expiry_timer.cancel()
        self._shards.close()

    # Producers --------------------------------------------------------------------------------------------------------

    def init_producer_id(self, request: InitProducerIdRequest) -> InitProducerIdReply:
        """Give a transactional producer its id and epoch, and fence those before it."""
        assert request.transactional_id is not None
        command = InitProducer(
            request.transactional_id, request.transaction_timeout_ms, request.producer_id, request.producer_epoch
        )
        reply: InitProducerReply = self._shards.of(request.transactional_id).run(command)
        return InitProducerIdReply(*reply)

    def add_partitions(self, request: TxnPartitions) -> TxnPartitionsResult:
        """Add partitions to a transaction, or look whether they are in it; one that does not exist spoils it."""
        unknown = {each for each in request.partitions if not self._host.partition_exists(each)}
        if unknown:
            codes = {
                each: (UnknownTopicOrPartitionError if each in unknown else OperationNotAttemptedError).errno
                for each in request.partitions
            }
            return TxnPartitionsResult(request.transactional_id, codes)
        result: TxnPartitionsResult = self._shards.of(request.transactional_id).run(request)
        return result

    def add_offsets(self, transactional_id: str, producer_id: int, producer_epoch: int, group_id: str) -> int:
        """Add the group's partition of ``__consumer_offsets``, as version 1 does.  The reply is an error code."""
        partition = self._host.offsets_partition_of(group_id)
        request = TxnPartitions(transactional_id, producer_id, producer_epoch, (partition,))
        result: TxnPartitionsResult = self._shards.of(transactional_id).run(request)
        return result.error_codes[partition]

    def verify(
        self, transactional_id: str, producer_id: int, producer_epoch: int, topic_partition: TopicPartition, add: bool
    ) -> int:
        """Let a partition's leader know whether it may take a batch; with ``add`` the partition joins the transaction.

        May be called with a lane's lock held.

        Returns:
            Kafka's error code, 0 for yes.
        """
        request = TxnPartitions(
            transactional_id,
            producer_id,
            producer_epoch,
            (topic_partition,),
            verify_only=not add,
            transaction_version=2 if add else 1,
        )
        result: TxnPartitionsResult = self._shards.of(transactional_id).run(request)
        error_code = result.error_codes[topic_partition]
        # What a producer makes of a fence is its coordinator's to say; a partition's leader only knows old epochs.
        return InvalidProducerEpochError.errno if error_code == ProducerFencedError.errno else error_code

    def verify_offsets(self, request: TxnOffsetCommitRequest) -> int:
        """Whether a group's offsets may be committed in a transaction; version 2 adds the group's partition.

        The reply is an error code.
        """
        partition = self._host.offsets_partition_of(request.group_id)
        add = request.transaction_version >= 2
        return self.verify(request.transactional_id, request.producer_id, request.producer_epoch, partition, add)

    def end(self, request: EndTxnRequest) -> EndTxnReply:
        """Commit or abort; the markers are written when this returns."""
        reply: EndTxnReply = self._shards.of(request.transactional_id).run(EndTransaction(request))
        return reply

    # Looking ----------------------------------------------------------------------------------------------------------

    def describe(self, transactional_ids: Iterable[str]) -> list[DescribedTransaction]:
        """Transactions, in the order asked."""
        return [self._shards.of(each).run(DescribeTransactions([each]))[0] for each in transactional_ids]

    def list(self, request: ListTransactionsRequest) -> ListTransactionsReply:
        """Every transactional id that passes the filters, by name."""
        listed: list[ListedTransaction] = []
        unknown: Sequence[str] = ()
        for shard in self._shards.all():
            reply: ListTransactionsReply = shard.run(request)
            if reply.error_code:
                return reply
            listed += reply.transactions
            unknown = reply.unknown_states
        return ListTransactionsReply(0, unknown, sorted(listed))

    # ------------------------------------------------------------------------------------------------------------------

    def _wait_for_expiry(self) -> None:
        delay_ms = self._config.remove_expired_interval_ms
        self._expiry_timer = self._host.clock.call_later(delay_ms, self._expire_ids, background=True)

    def _expire_ids(self) -> None:
        self._wait_for_expiry()
        for shard in self._shards.in_use():  # others hold no id that was used since the engine was opened
            shard.run(ExpireIds())
