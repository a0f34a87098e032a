"""A client of the classic protocol that comes to a streams group: an empty one makes place, others turn it away."""

from __future__ import annotations

from embedkafka.coordinator import turned_away
from embedkafka.coordinator.classic import join as classic_join
from embedkafka.coordinator.decision import ASSIGN, INITIAL_DELAY, Decision, JoinGroup, Timer, TimerKey
from embedkafka.coordinator.streams.commands import NOTHING_SOFT, SoftChanged
from embedkafka.coordinator.streams.turn import StreamsTurn


def join_group(command: JoinGroup, turn: StreamsTurn) -> Decision:
    """Decide about a join; an empty streams group makes place for a classic one."""
    group, moment = turn.group, turn.moment
    if not group.is_empty:
        return turned_away.join_group(command, group, moment)
    decision = classic_join.join_group(command, None, moment.config, moment.now_ms)
    if not decision.records:
        return decision
    ended = [Timer(TimerKey(kind, group.group_id)) for kind in (ASSIGN, INITIAL_DELAY)]
    return decision._replace(
        records=[*group.tombstones(), *decision.records],
        events=[SoftChanged(group.group_id, NOTHING_SOFT), *decision.events],
        timers=[*ended, *decision.timers],
    )
