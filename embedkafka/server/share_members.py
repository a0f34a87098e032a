"""Which connection speaks for which member of a share group: what a member holds is given back when that is gone.

Kafka binds a share session to its connection (KIP-932).  A member that comes back on another connection is that one's
from its first request on, so that the end of the old one does it no harm.
"""

from __future__ import annotations

from typing import NamedTuple

from embedkafka.broker.api import RequestContext
from embedkafka.server.peer import Peer


class ShareMember(NamedTuple):
    group_id: str
    member_id: str


class ShareMembers:
    """The members whose share sessions are open.  From any thread."""

    def __init__(self) -> None:
        self._speakers: dict[ShareMember, tuple[Peer, RequestContext]] = {}

    def speaks(self, member: ShareMember, peer: Peer, context: RequestContext) -> None:
        """A request of the member came from this peer."""
        self._speakers[member] = peer, context

    def silent(self, member: ShareMember) -> None:
        """The member's session has ended."""
        self._speakers.pop(member, None)

    def leave(self, peer: Peer) -> list[tuple[ShareMember, RequestContext]]:
        """The members that this peer spoke for; it does no longer."""
        left = [(member, context) for member, (speaker, context) in list(self._speakers.items()) if speaker is peer]
        for member, _ in left:
            self.silent(member)
        return left
