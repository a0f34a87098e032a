"""What one command does to a share group."""

from __future__ import annotations

from embedkafka.coordinator.decision import Decision
from embedkafka.coordinator.share.commands import ShareMemberGone
from embedkafka.coordinator.share.group import ShareGroup
from embedkafka.coordinator.turn import GroupTurn


class ShareTurn(GroupTurn[ShareGroup]):
    """One command's work on one share group."""

    def start_session(self, member_id: str) -> None:
        """A member was heard of: its session starts again."""
        self.start_session_of(member_id, self.settings.share_session_timeout_ms)

    def decide(self, reply: object = None) -> Decision:
        """The decision so far."""
        decision = super().decide(reply)
        gone = [
            ShareMemberGone(self.group.group_id, member_id)
            for member_id in self.before.members
            if member_id not in self.group.members
        ]
        return decision._replace(events=[*decision.events, *gone]) if gone else decision
