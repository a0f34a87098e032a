"""Who a producer is to the logs it writes to: an id and an epoch, which its lanes stamp into every batch.

With ``enable_idempotence`` (the default) the id comes from the broker, before the first record. It lets a log
recognise a batch that is sent again. A lane whose batches can no longer follow each other, because one of them was
lost on the way, begins anew with the next epoch: epochs are compared per partition, so that is nobody else's concern.

A transactional producer gets id and epoch from its coordinator, with every transaction a new epoch (KIP-890).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedkafka.broker.api import InitProducerIdReply, InitProducerIdRequest
from embedkafka.errors import for_code

if TYPE_CHECKING:
    from embedkafka.client.link import EmbeddedLink

MAX_EPOCH = (1 << 15) - 2  # ProducerIdAndEpoch: the very last one is the coordinator's, to fence


class Identity:
    """A producer's id and epoch.

    Args:
        is_idempotent: whether batches carry an id at all.

    Attributes:
        producer_id: -1 before it is known, and for ever without idempotence.
        is_transactional: whether what is sent now belongs to a transaction.
    """

    def __init__(self, link: EmbeddedLink, *, is_idempotent: bool, transactional_id: str | None = None) -> None:
        self._link = link
        self.is_idempotent = is_idempotent
        self.transactional_id = transactional_id
        self.producer_id = -1
        self.producer_epoch = -1
        self.is_transactional = False

    def adopt(self, producer_id: int, producer_epoch: int) -> None:
        """Be this producer from now on."""
        self.producer_id = producer_id
        self.producer_epoch = producer_epoch

    def ensure(self) -> None:
        """Get an id where one is needed and not there yet; a transactional producer's comes from its coordinator.

        Raises:
            BrokerResponseError: the broker gives none.
        """
        if self.is_idempotent and self.producer_id < 0 and self.transactional_id is None:
            self.adopt(*self.new_id())

    def new_id(self) -> tuple[int, int]:
        """An id that nobody has had, and its first epoch.

        Raises:
            BrokerResponseError: the broker gives none.
        """
        replies: list[InitProducerIdReply] = []
        link = self._link
        link.any_port().init_producer_id(link.context, InitProducerIdRequest(), replies.append)
        reply = replies[0]
        if reply.error_code:
            raise for_code(reply.error_code)(reply.error_message or "no producer id")
        return reply.producer_id, reply.producer_epoch
