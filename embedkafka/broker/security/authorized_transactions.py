"""Who may get a producer id and take part in transactions, where there is an authorizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from embedkafka.broker import api
from embedkafka.broker.api import CLUSTER_NAME, AclOperation, AclResourceType
from embedkafka.broker.port import ApiKey
from embedkafka.broker.security.acl_checks import (
    CLUSTER_DENIED,
    GROUP_DENIED,
    RIGHTS,
    TOPIC_DENIED,
    TRANSACTIONAL_ID_DENIED,
)
from embedkafka.broker.security.authorized_base import AuthorizedBase, woven
from embedkafka.broker.topic import INTERNAL_TOPICS
from embedkafka.errors import OperationNotAttemptedError
from embedkafka.model import TopicPartition


class AuthorizedTransactions(AuthorizedBase):
    def init_producer_id(
        self,
        context: api.RequestContext,
        request: api.InitProducerIdRequest,
        complete: Callable[[api.InitProducerIdReply], None],
    ) -> None:
        key = ApiKey.INIT_PRODUCER_ID
        if request.transactional_id is not None:
            if not self._may_transact(context, key, request.transactional_id):
                complete(api.InitProducerIdReply(TRANSACTIONAL_ID_DENIED))
                return
        elif not self._may_cluster(context, key):
            operation = RIGHTS[key].topic  # whoever may write anywhere may do so without duplicates
            assert operation is not None
            if not self._authorizer.allows_some(context, operation, AclResourceType.TOPIC):
                complete(api.InitProducerIdReply(CLUSTER_DENIED))
                return
        super().init_producer_id(context, request, complete)

    def add_partitions_to_txn(
        self, context: api.RequestContext, transactions: Sequence[api.TxnPartitions]
    ) -> Sequence[api.TxnPartitionsResult]:
        if context.in_process:
            return super().add_partitions_to_txn(context, transactions)
        return [self._add_partitions(context, each) for each in transactions]

    def _add_partitions(self, context: api.RequestContext, added: api.TxnPartitions) -> api.TxnPartitionsResult:
        """One transaction's partitions: all of them or none."""
        key = ApiKey.ADD_PARTITIONS_TO_TXN
        if added.verify_only:
            error_code = 0 if self._may_cluster(context, key) else CLUSTER_DENIED
        else:
            allowed = self._may_transact(context, key, added.transactional_id)
            error_code = 0 if allowed else TRANSACTIONAL_ID_DENIED
        if error_code:
            return api.TxnPartitionsResult(added.transactional_id, dict.fromkeys(added.partitions, error_code))
        denied = self._denied_partitions(context, key, added.partitions)
        denied += [each for each in added.partitions if each.topic in INTERNAL_TOPICS and not added.verify_only]
        if denied:
            errors = dict.fromkeys(added.partitions, OperationNotAttemptedError.errno)
            return api.TxnPartitionsResult(added.transactional_id, {**errors, **dict.fromkeys(denied, TOPIC_DENIED)})
        (result,) = super().add_partitions_to_txn(context, [added])
        return result

    def add_offsets_to_txn(
        self,
        context: api.RequestContext,
        transactional_id: str,
        *,
        producer_id: int,
        producer_epoch: int,
        group_id: str,
    ) -> int:
        if not self._may_transact(context, ApiKey.ADD_OFFSETS_TO_TXN, transactional_id):
            return TRANSACTIONAL_ID_DENIED
        if not self._may_group(context, ApiKey.ADD_OFFSETS_TO_TXN, group_id):
            return GROUP_DENIED
        return super().add_offsets_to_txn(
            context, transactional_id, producer_id=producer_id, producer_epoch=producer_epoch, group_id=group_id
        )

    def end_txn(self, context: api.RequestContext, request: api.EndTxnRequest) -> api.EndTxnReply:
        if not self._may_transact(context, ApiKey.END_TXN, request.transactional_id):
            return api.EndTxnReply(TRANSACTIONAL_ID_DENIED)
        return super().end_txn(context, request)

    def write_txn_markers(
        self, context: api.RequestContext, markers: Sequence[api.TxnMarker]
    ) -> Sequence[api.TxnMarkerResult]:
        by_hand = self._authorizer.allows(context, AclOperation.ALTER, AclResourceType.CLUSTER, CLUSTER_NAME)
        if not by_hand and not self._may_cluster(context, ApiKey.WRITE_TXN_MARKERS):
            return [
                api.TxnMarkerResult(each.producer_id, dict.fromkeys(each.partitions, CLUSTER_DENIED))
                for each in markers
            ]
        return super().write_txn_markers(context, markers)

    def txn_offset_commit(
        self, context: api.RequestContext, request: api.TxnOffsetCommitRequest
    ) -> api.OffsetCommitReply:
        key = ApiKey.TXN_OFFSET_COMMIT
        if not self._may_transact(context, key, request.transactional_id):
            return api.OffsetCommitReply(dict.fromkeys(request.offsets, TRANSACTIONAL_ID_DENIED))
        if not self._may_group(context, key, request.group_id):
            return api.OffsetCommitReply(dict.fromkeys(request.offsets, GROUP_DENIED))
        denied = self._denied_partitions(context, key, request.offsets)
        if not denied:
            return super().txn_offset_commit(context, request)
        offsets = {each: offset for each, offset in request.offsets.items() if each not in denied}
        refused = dict.fromkeys(denied, TOPIC_DENIED)
        if not offsets:
            return api.OffsetCommitReply(refused)
        reply = super().txn_offset_commit(context, request._replace(offsets=offsets))
        return api.OffsetCommitReply({**reply.error_codes, **refused})

    def describe_transactions(
        self, context: api.RequestContext, transactional_ids: Sequence[str]
    ) -> Sequence[api.DescribedTransaction]:
        key = ApiKey.DESCRIBE_TRANSACTIONS
        denied = {each for each in transactional_ids if not self._may_transact(context, key, each)}
        described = super().describe_transactions(context, [each for each in transactional_ids if each not in denied])
        shown = [
            each._replace(partitions=self._visible(context, each)) if each.partitions else each for each in described
        ]
        refused = {
            each: api.DescribedTransaction(each, TRANSACTIONAL_ID_DENIED, start_ms=0, producer_id=0, producer_epoch=0)
            for each in denied
        }
        return woven(transactional_ids, shown, refused)

    def _visible(self, context: api.RequestContext, described: api.DescribedTransaction) -> list[TopicPartition]:
        hidden = self._denied_partitions(context, ApiKey.DESCRIBE_TRANSACTIONS, described.partitions)
        return [each for each in described.partitions if each not in hidden]

    def list_transactions(
        self, context: api.RequestContext, request: api.ListTransactionsRequest
    ) -> api.ListTransactionsReply:
        reply = super().list_transactions(context, request)
        key = ApiKey.LIST_TRANSACTIONS
        return reply._replace(
            transactions=[
                each for each in reply.transactions if self._may_transact(context, key, each.transactional_id)
            ]
        )
