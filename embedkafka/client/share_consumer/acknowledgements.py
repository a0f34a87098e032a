"""Sends what became of records, and tells the program how that went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from embedkafka.broker.api import ShareAcknowledgeReply
from embedkafka.client.share_consumer.in_flight import GAP, InFlight, Sent
from embedkafka.client.share_consumer.session import Acknowledged, ShareSession
from embedkafka.errors import (
    InvalidMetadataError,
    InvalidShareSessionEpochError,
    KafkaError,
    KafkaTimeoutError,
    RetriableError,
    ShareSessionNotFoundError,
    for_code,
)
from embedkafka.model import TopicIdPartition, TopicPartition

if TYPE_CHECKING:
    from embedkafka.client.link import EmbeddedLink
    from embedkafka.client.share_consumer.metrics import ShareMetrics

_SESSION_LOST = (ShareSessionNotFoundError, InvalidShareSessionEpochError)

_Unsent = tuple[InFlight, Sequence[Sent], KafkaError]

Results = dict[TopicPartition, KafkaError | None]
CommitCallback = Callable[[Mapping[TopicPartition, set[int]], KafkaError | None], Any]


class Acknowledgements:
    """What a share consumer has to say of its records.

    Args:
        in_flight: what it holds, by partition.
    """

    def __init__(
        self,
        link: EmbeddedLink,
        in_flight: dict[TopicIdPartition, InFlight],
        metrics: ShareMetrics,
        *,
        retry_backoff_ms: float,
    ) -> None:
        self._link = link
        self._in_flight = in_flight
        self._metrics = metrics
        self._retry_backoff_ms = retry_backoff_ms
        self._completed: list[tuple[TopicPartition, set[int], KafkaError | None]] = []
        self._callback: CommitCallback | None = None
        self.lock_timeout_ms = 0  # as the last renewal said

    def set_callback(self, callback: CommitCallback | None) -> None:
        """Tell this one from now on; what was not told before nobody asks for any more."""
        self._callback = callback
        if callback is None:
            self._completed.clear()

    def send(self, deadline_ms: float) -> Results:
        """Send everything, trying again until ``deadline_ms`` what can be retried; the outcome by partition."""
        results: Results = {}
        while True:
            retriable = self._send_once(results)
            if not retriable:
                return results
            if not self._link.pause(self._retry_backoff_ms, deadline_ms):
                for in_flight, sents, error in retriable:
                    timeout = KafkaTimeoutError(f"records are not acknowledged in time: {error!r}")
                    self._settle(in_flight, sents, timeout, results)
                return results

    def send_only(self) -> Results | None:
        """The short way for one record of one partition; None where there are several, or the answer needs thought."""
        if len(self._in_flight) != 1 or self._callback is not None:
            return None
        (in_flight,) = self._in_flight.values()
        only = in_flight.only()
        session = in_flight.session
        if only is None or not session.is_open:
            return None
        run, at = only
        reply = session.acknowledge_one(in_flight.key, run.first + at, run.states[at])
        if reply.error_code or reply.partitions[0].error_code:
            return self._receive_refusal(in_flight, reply)
        in_flight.settle_only(run, at)
        self._metrics.acknowledgements.value += 1
        if in_flight.is_idle:
            del self._in_flight[in_flight.key]
        return {in_flight.topic_partition: None}

    def _receive_refusal(self, in_flight: InFlight, reply: ShareAcknowledgeReply) -> Results | None:
        """A refused record is settled, or None says that it is to be sent again."""
        results: Results = {}
        sent = {in_flight.key: in_flight.collect()}
        return None if self._receive(in_flight.session, sent, reply, results) else results

    def _send_once(self, results: Results) -> list[_Unsent]:
        """One attempt; gives back what may be tried again."""
        retriable: list[_Unsent] = []
        for session, collected in self._collect().items():
            retriable += self._receive(session, collected, self._ask(session, collected), results)
        return retriable

    def _receive(
        self, session: ShareSession, sent: Acknowledged, reply: ShareAcknowledgeReply, results: Results
    ) -> list[_Unsent]:
        """Settle what the broker has answered for good; gives back what may be tried again."""
        retriable: list[_Unsent] = []
        if reply.error_code and issubclass(for_code(reply.error_code), _SESSION_LOST):
            session.reset()
        codes = {each.partition: (each.error_code, each.error_message) for each in reply.partitions}
        for key, sents in sent.items():
            in_flight = self._in_flight[key]
            code, message = (reply.error_code, reply.error_message) if reply.error_code else codes.get(key, (0, None))
            error = None if not code else for_code(code)(message or _name(in_flight))
            if isinstance(error, RetriableError) and not isinstance(error, _SESSION_LOST):
                if isinstance(error, InvalidMetadataError):
                    self._link.refresh()
                retriable.append((in_flight, sents, error))
            else:
                self._settle(in_flight, sents, error, results)
        return retriable

    def _collect(self) -> dict[ShareSession, dict[TopicIdPartition, list[Sent]]]:
        collected: dict[ShareSession, dict[TopicIdPartition, list[Sent]]] = defaultdict(dict)
        for key, in_flight in self._in_flight.items():
            sents = in_flight.collect()
            if sents:
                collected[in_flight.session][key] = sents
        return collected

    def _ask(self, session: ShareSession, collected: Mapping[TopicIdPartition, list[Sent]]) -> ShareAcknowledgeReply:
        if not session.is_open:  # and with it went the locks
            return ShareAcknowledgeReply(ShareSessionNotFoundError.errno, "the share session has ended")
        reply = session.acknowledge(collected)
        if reply.acquisition_lock_timeout_ms:
            self.lock_timeout_ms = reply.acquisition_lock_timeout_ms
        return reply

    def _settle(self, in_flight: InFlight, sents: Sequence[Sent], error: KafkaError | None, results: Results) -> None:
        count = sum(len(sent.types) - sent.types.count(GAP) for sent in sents)
        self._metrics.acknowledgements.add(count)
        if error is not None:
            self._metrics.failed_acknowledgements.add(count)
        if self._callback is not None and count:
            self._completed.append((in_flight.topic_partition, _offsets(sents), error))
        renewed_until_ms = self._link.clock.monotonic_ms() + self.lock_timeout_ms
        in_flight.settle(sents, succeeded=error is None, renewed_until_ms=renewed_until_ms)
        if in_flight.is_idle:
            del self._in_flight[in_flight.key]
        if count:
            results[in_flight.topic_partition] = error

    def run_callbacks(self) -> None:
        """Tell the program how acknowledgements went, one partition at a time.

        Raises:
            KafkaError: the callback raised; the others were told all the same.
        """
        if not self._completed:
            return
        completed, self._completed = self._completed, []
        failure: Exception | None = None
        for topic_partition, offsets, error in completed:
            if self._callback is None:
                break
            try:
                self._callback({topic_partition: offsets}, error)
            except Exception as raised:
                failure = failure or raised
        if failure is not None:
            if isinstance(failure, KafkaError):
                raise failure
            raise KafkaError(f"the acknowledgement commit callback raised {failure!r}") from failure


def _offsets(sents: Sequence[Sent]) -> set[int]:
    return {sent.first_offset + at for sent in sents for at, type_ in enumerate(sent.types) if type_ != GAP}


def _name(in_flight: InFlight) -> str:
    return f"partition {in_flight.topic_partition.topic}-{in_flight.topic_partition.partition}"
