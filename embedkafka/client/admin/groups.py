"""Groups: list, describe, delete, remove members, and their committed offsets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from embedkafka.broker.api import (
    LeavingMember,
    OffsetCommitRequest,
    OffsetFetchRequest,
    OffsetToCommit,
)
from embedkafka.client.admin.described_groups import classic_group, consumer_group
from embedkafka.client.admin.partitions import PartitionAdmin
from embedkafka.client.admin.values import GroupState, GroupType, MemberToRemove, OffsetSpec, OffsetTimestamp
from embedkafka.errors import KafkaError, for_code
from embedkafka.model import OffsetAndMetadata, TopicPartition

_Offsets = dict[TopicPartition, OffsetAndMetadata]


class GroupAdmin(PartitionAdmin):
    def list_groups(
        self,
        broker_ids: Iterable[int] | None = None,
        states_filter: Iterable[GroupState | str] | None = None,
        types_filter: Iterable[GroupType | str] | None = None,
    ) -> list[dict[str, Any]]:
        """Groups, one dict each: ``group_id``, ``protocol_type``, ``group_state``, ``group_type``.

        Args:
            broker_ids: only those coordinated by these brokers.
            states_filter: only those in these states.
            types_filter: only those of these types.
        """
        states = [GroupState.value_for(state) for state in states_filter or ()]
        types = [GroupType.value_for(kind) for kind in types_filter or ()]
        self._link.check_usable()
        ports = self._link.engine.ports
        asked = list(ports) if broker_ids is None else list(broker_ids)
        return [
            {
                "group_id": group.group_id,
                "protocol_type": group.protocol_type,
                "group_state": group.group_state,
                "group_type": group.group_type,
            }
            for broker_id in asked
            for group in ports[broker_id].list_groups(self._link.context, states=states, types=types)
        ]

    def describe_groups(
        self,
        group_ids: Iterable[str],
        group_coordinator_id: int | None = None,
        include_authorized_operations: bool = False,
    ) -> dict[str, dict[str, Any]]:
        """Groups with their members, by id; one that is not there is ``Dead`` and has an ``error``.

        Groups of the consumer protocol (KIP-848) look like classic ones, and have epochs and targets besides.
        """
        described: dict[str, dict[str, Any]] = {}
        for group_id in group_ids:
            coordinator = self._coordinator(group_id)
            (group,) = coordinator.consumer_group_describe(self._link.context, [group_id])
            if not group.error_code:
                described[group_id] = consumer_group(group)
                continue
            (classic,) = coordinator.describe_groups(self._link.context, [group_id])
            described[group_id] = classic_group(classic)
        return described

    def delete_groups(self, group_ids: Iterable[str], group_coordinator_id: int | None = None) -> dict[str, str]:
        """Delete groups and what they committed; ``"OK"`` or the name of the error, by id."""
        outcome: dict[str, str] = {}
        for group_id in group_ids:
            (result,) = self._coordinator(group_id).delete_groups(self._link.context, [group_id])
            outcome[group_id] = for_code(result.error_code).__name__ if result.error_code else "OK"
        return outcome

    def remove_group_members(
        self, group_id: str, members: Iterable[MemberToRemove], group_coordinator_id: int | None = None
    ) -> dict[str | None, type[KafkaError]]:
        """Take members out of a group; ``NoError`` or an error's class, by member id or else instance id."""
        leaving = [LeavingMember(m.member_id or "", m.group_instance_id, m.reason) for m in members]
        if not leaving:
            return {}
        reply = self._coordinator(group_id).leave_group(self._link.context, group_id, leaving)
        if reply.error_code:
            raise for_code(reply.error_code)(group_id)
        return {left.member_id or left.group_instance_id: for_code(left.error_code) for left in reply.members}

    # Offsets ---------------------------------------------------------------------------------------------------------

    def list_group_offsets(
        self, group_specs: str | Sequence[str] | Mapping[str, Sequence[TopicPartition] | None]
    ) -> dict[str, _Offsets]:
        """What groups have committed, by group and partition.

        Args:
            group_specs: a group, several, or the partitions that are meant by group (None is all).
        """
        if isinstance(group_specs, str):
            group_specs = [group_specs]
        specs = dict(group_specs) if isinstance(group_specs, Mapping) else dict.fromkeys(group_specs)
        if not specs:
            raise ValueError("no groups in group_specs")
        return {group_id: self._committed(group_id, partitions) for group_id, partitions in specs.items()}

    def _committed(self, group_id: str, partitions: Sequence[TopicPartition] | None) -> _Offsets:
        request = OffsetFetchRequest(group_id, None if partitions is None else list(partitions))
        reply = self._coordinator(group_id).offset_fetch(self._link.context, request)
        if reply.error_code:
            raise for_code(reply.error_code)(group_id)
        offsets: _Offsets = {}
        for partition, committed in reply.offsets.items():
            if committed.error_code:
                raise for_code(committed.error_code)(f"{partition.topic}-{partition.partition}")
            offsets[partition] = OffsetAndMetadata(committed.offset, committed.metadata, committed.leader_epoch)
        return offsets

    def alter_group_offsets(
        self,
        group_id: str,
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        group_coordinator_id: int | None = None,
    ) -> dict[TopicPartition, type[KafkaError]]:
        """Commit for a group that has no members now; ``NoError`` or an error's class, by partition."""
        if not offsets:
            return {}
        request = OffsetCommitRequest(
            group_id,
            {
                partition: OffsetToCommit(
                    _number(offset.offset),
                    -1 if offset.leader_epoch is None else offset.leader_epoch,
                    offset.metadata or "",
                )
                for partition, offset in offsets.items()
            },
        )
        reply = self._coordinator(group_id).offset_commit(self._link.context, request)
        return {partition: for_code(code) for partition, code in reply.error_codes.items()}

    def reset_group_offsets(
        self,
        group_id: str,
        offset_specs: Mapping[TopicPartition, OffsetSpec | OffsetTimestamp | int],
        group_coordinator_id: int | None = None,
    ) -> dict[TopicPartition, dict[str, Any]]:
        """Commit offsets given by meaning, time or number, kept within what the partitions hold.

        Args:
            offset_specs: an :class:`OffsetSpec`, an :class:`OffsetTimestamp`, or a plain offset.

        Returns:
            ``{partition: {"error": NoError or an error's class, "offset": the offset}}``.
        """
        if not offset_specs:
            return {}
        plain: dict[TopicPartition, int] = {}
        looked_up: dict[TopicPartition, OffsetSpec | int] = {}
        for partition, spec in offset_specs.items():
            if isinstance(spec, (OffsetSpec, OffsetTimestamp)):
                looked_up[partition] = spec
            elif isinstance(spec, int) and not isinstance(spec, bool):
                plain[partition] = spec
            else:
                raise TypeError(f"{partition}: an OffsetSpec, OffsetTimestamp or int is expected, not {spec!r}")
        earliest = self.list_partition_offsets(dict.fromkeys(offset_specs, OffsetSpec.EARLIEST))
        latest = self.list_partition_offsets(dict.fromkeys(offset_specs, OffsetSpec.LATEST))
        found = self.list_partition_offsets(looked_up) if looked_up else {}
        current = self._committed(group_id, list(offset_specs))
        targets: _Offsets = {}
        for partition in offset_specs:
            wanted = found[partition].offset if partition in found else plain[partition]
            end = latest[partition].offset
            offset = end if wanted < 0 or wanted > end else max(wanted, earliest[partition].offset)
            before = current.get(partition)
            targets[partition] = OffsetAndMetadata(offset, before.metadata if before else "", -1)
        errors = self.alter_group_offsets(group_id, targets)
        return {partition: {"error": errors[partition], "offset": targets[partition].offset} for partition in targets}

    def delete_group_offsets(
        self, group_id: str, partitions: Iterable[TopicPartition], group_coordinator_id: int | None = None
    ) -> dict[TopicPartition, type[KafkaError]]:
        """Forget what a group has committed for topics it does not read now.

        Raises:
            GroupIdNotFoundError: no such group.
        """
        wanted = list(partitions)
        if not wanted:
            return {}
        reply = self._coordinator(group_id).offset_delete(self._link.context, group_id, wanted)
        if reply.error_code:
            raise for_code(reply.error_code)(group_id)
        return {partition: for_code(code) for partition, code in reply.error_codes.items()}


def _number(offset: int | None) -> int:
    if isinstance(offset, bool) or not isinstance(offset, int):
        raise TypeError(f"an offset is an int, not {offset!r}")
    if offset < 0:
        raise ValueError(f"an offset to commit is an int from 0 on, not {offset!r}")
    return offset
