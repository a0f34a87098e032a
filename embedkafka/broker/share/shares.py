"""Share partitions at the broker's door: ShareFetch (78) and ShareAcknowledge (79).

A request goes through its session first, then its acknowledgements count, then records are acquired.  Nobody's
membership is asked for, as in Kafka: a record belongs to whoever acquired it, and a partition can be read once the
group's coordinator has initialized it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from embedkafka.broker.api import RequestContext
from embedkafka.broker.share.api import (
    AcknowledgementBatch,
    AcknowledgeType,
    ShareAcknowledgePartitionReply,
    ShareAcknowledgeReply,
    ShareAcknowledgeRequest,
    ShareFetchPartitionReply,
    ShareFetchReply,
    ShareFetchRequest,
)
from embedkafka.broker.share.fetching import Complete, ParkedShareFetch, ShareFetch
from embedkafka.broker.share.host import ShareGroupSettings, SharesHost
from embedkafka.broker.share.partition import LedSharePartition
from embedkafka.broker.share.sessions import FINAL_EPOCH, INITIAL_EPOCH, ShareSession, ShareSessions
from embedkafka.coordinator.share_partition.decision import Refusal
from embedkafka.errors import (
    BrokerResponseError,
    InvalidRecordStateError,
    InvalidRequestError,
    InvalidShareSessionEpochError,
    for_code,
)
from embedkafka.model import TopicIdPartition


class Shares:
    """The share partitions and share sessions of an engine.  Safe to call from any thread."""

    def __init__(self, host: SharesHost) -> None:
        self.host = host
        self._sessions = ShareSessions(host.max_sessions)
        self._led: dict[tuple[str, TopicIdPartition], LedSharePartition] = {}
        host.states.set_up_anew = self.forget

    def close(self) -> None:
        """End every timer; nothing is acquired any more."""
        for led in list(self._led.values()):
            led.close()

    # Requests -------------------------------------------------------------------------------------------------------

    def fetch(self, context: RequestContext, request: ShareFetchRequest, complete: Complete) -> ParkedShareFetch | None:
        """Acknowledge, then acquire records, waiting for them; None when it was answered already."""
        try:
            settings = self._check(request.group_id, request.member_id)
            session, added = self._fetch_session(context, request)
        except BrokerResponseError as error:
            complete(ShareFetchReply(error.errno, _message(error)))
            return None
        # A partition that is new in the session is answered with or without records.
        outcomes = {partition: ShareFetchPartitionReply(partition) for partition in added}
        for partition, batches in request.partitions:
            if batches:
                refusal = self._acknowledge(request, partition, batches, settings)
                reply = ShareFetchPartitionReply(partition)
                if refusal is not None:
                    reply = ShareFetchPartitionReply(partition, 0, None, *refusal)
                outcomes[partition] = reply
        if request.session_epoch == FINAL_EPOCH:
            self._end_session(request.group_id, request.member_id, session)
        fetch = ShareFetch(self, request, session, outcomes, loads_one=not context.in_process)
        if request.session_epoch == FINAL_EPOCH or request.is_renew_ack or request.max_records <= 0:
            complete(fetch.reply_without_records())
            return None
        return fetch.start(complete)

    def acknowledge(self, context: RequestContext, request: ShareAcknowledgeRequest) -> ShareAcknowledgeReply:
        """Acknowledge; what counts is stored when this returns."""
        group_id, member_id, epoch = request.group_id, request.member_id, request.session_epoch
        try:
            settings = self._check(group_id, member_id)
            if epoch == INITIAL_EPOCH:
                raise InvalidShareSessionEpochError("a share session begins with a fetch")
            if epoch == FINAL_EPOCH:
                session = self._sessions.find(group_id, member_id)
            else:
                session = self._sessions.next(group_id, member_id, epoch)
        except BrokerResponseError as error:
            return ShareAcknowledgeReply(error.errno, _message(error))
        replies = []
        for partition, batches in request.partitions:
            refusal = self._acknowledge(request, partition, batches, settings)
            replies.append(
                ShareAcknowledgePartitionReply(partition)
                if refusal is None
                else ShareAcknowledgePartitionReply(partition, *refusal)
            )
        if epoch == FINAL_EPOCH:
            self._end_session(group_id, member_id, session)
        return ShareAcknowledgeReply(0, None, settings.share_record_lock_duration_ms, replies)

    def close_session(self, group_id: str, member_id: str) -> None:
        """A member is gone without a word: its session ends, and what it has acquired is available again."""
        try:
            session = self._sessions.find(group_id, member_id)
        except BrokerResponseError:
            return
        self._end_session(group_id, member_id, session)

    def session_partitions(self, group_id: str, member_id: str) -> list[TopicIdPartition]:
        """What a member's session reads from; empty where there is none."""
        try:
            return list(self._sessions.find(group_id, member_id).partitions)
        except BrokerResponseError:
            return []

    def member_gone(self, group_id: str, member_id: str) -> None:
        """A member has left its group, or was removed.

        One of this process has nothing more to say.  A remote one may leave first and close its session then, or at
        the same time; its session ends so, or with its connection.
        """
        try:
            session = self._sessions.find(group_id, member_id)
        except BrokerResponseError:
            return
        if session.is_in_process:
            self._end_session(group_id, member_id, session)

    def forget(self, group_id: str, partitions: Collection[TopicIdPartition]) -> None:
        """Somebody else has changed what is stored of share partitions: begin with it anew."""
        for partition in partitions:
            led = self._led.get((group_id, partition))
            if led is not None:
                led.reload()

    def topics_deleted(self, topic_ids: Collection[UUID]) -> None:
        """Topics are gone."""
        for key in [key for key in list(self._led) if key[1].topic_id in topic_ids]:
            led = self._led.pop(key, None)
            if led is not None:
                led.close()

    # For a fetch ------------------------------------------------------------------------------------------------------

    def led(self, group_id: str, partition: TopicIdPartition) -> LedSharePartition:
        """A group's view of a partition.

        Raises:
            BrokerResponseError: there is no such partition.
        """
        key = (group_id, partition)
        led = self._led.get(key)
        if led is not None and not led.partition.is_deleted:
            return led
        found = self.host.partition(partition)
        if isinstance(found, int):
            raise for_code(found)(f"no partition {partition.partition} of topic {partition.topic_id} here")
        made = LedSharePartition(self.host, group_id, partition, found)
        if led is not None:
            self._led.pop(key, None)
        return self._led.setdefault(key, made)  # atomic: of two threads one makes it in vain

    # ------------------------------------------------------------------------------------------------------------------

    def _check(self, group_id: str, member_id: str) -> ShareGroupSettings:
        if not group_id or not member_id:
            raise InvalidRequestError("a share fetch names its group and its member")
        return self.host.settings(group_id)

    def _fetch_session(
        self, context: RequestContext, request: ShareFetchRequest
    ) -> tuple[ShareSession, list[TopicIdPartition]]:
        """The session, and the partitions that are new in it."""
        group_id, member_id, epoch = request.group_id, request.member_id, request.session_epoch
        if request.is_renew_ack and (
            request.max_wait_ms or request.min_bytes or request.max_bytes or request.max_records
        ):
            raise InvalidRequestError("a fetch that renews locks reads nothing: its limits are 0")
        if epoch == FINAL_EPOCH:
            return self._sessions.find(group_id, member_id), []
        if epoch == INITIAL_EPOCH:
            if any(partition.acknowledgements for partition in request.partitions):
                raise InvalidRequestError("the first fetch of a share session has nothing to acknowledge")
            session = self._sessions.open(group_id, member_id, is_in_process=context.in_process)
        else:
            session = self._sessions.next(group_id, member_id, epoch)
        return session, session.change([each.partition for each in request.partitions], request.forgotten)

    def _acknowledge(
        self,
        request: ShareFetchRequest | ShareAcknowledgeRequest,
        partition: TopicIdPartition,
        batches: Sequence[AcknowledgementBatch],
        settings: ShareGroupSettings,
    ) -> Refusal | None:
        if not (request.is_renew_ack and settings.share_renew_acknowledge_enable):
            for batch in batches:
                if AcknowledgeType.RENEW in batch.types:
                    return _not_renewed(is_told=request.is_renew_ack)
        try:
            led = self.led(request.group_id, partition)
        except BrokerResponseError as error:
            return Refusal(error.errno, _message(error))
        return led.acknowledge(request.member_id, batches, settings)

    def _end_session(self, group_id: str, member_id: str, session: ShareSession) -> None:
        if not self._sessions.close(group_id, member_id):
            return
        settings = self.host.settings(group_id)
        for (led_group_id, _), led in list(self._led.items()):
            if led_group_id == group_id:
                led.release(member_id, settings)


def _not_renewed(*, is_told: bool) -> Refusal:
    if is_told:
        return Refusal(InvalidRecordStateError.errno, "share.renew.acknowledge.enable is off for the group")
    return Refusal(InvalidRequestError.errno, "a request that renews locks has to say so")


def _message(error: BrokerResponseError) -> str:
    return str(error.args[0]) if error.args else error.message
