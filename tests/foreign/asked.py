"""What same_answers.py asks: for each API the requests of one version, in order.

A method is named like its API and yields ``(title, request as nested dicts)``; the reply to each is in ``self.last``
when it goes on.  A request may name fields that the version lacks.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from embedkafka.protocol.apis import api
from embedkafka.record import encode_batch

Asked = Iterator[tuple[str, dict[str, Any]]]

_NOBODY = uuid.UUID("00000000-0000-0000-0000-00000000abcd")
_SUBSCRIPTION = b"\0\0\0\0\0\1\0\1t\xff\xff\xff\xff"
_TOPIC, _GROUP, _CLUSTER, _USER = 2, 3, 4, 7
_CONFIG_TOPIC, _CONFIG_BROKER, _CONFIG_GROUP = 2, 4, 32


class Scenarios:
    """One API's requests to one broker.

    Args:
        name: a prefix for what is created, which both brokers are told.
        broker: who is asked for what a scenario needs beforehand.
    """

    def __init__(self, name: str, broker: Any) -> None:
        self.name = name
        self.last: Any = None
        self._broker = broker
        self._topics = 0

    def note(self, title: str, answer: Any) -> None:
        self.last = answer

    # What scenarios need --------------------------------------------------------------------------------------------

    def _do(self, key: int, version: int, **values: Any) -> Any:
        return self._broker.ask(api(key), version, values)

    def _topic(self, partitions: int = 1, **configs: str) -> str:
        name = f"{self.name}-t{self._topics}"
        self._topics += 1
        settings = [{"name": key.replace("_", "."), "value": value} for key, value in configs.items()]
        topic = {"name": name, "num_partitions": partitions, "replication_factor": 1, "configs": settings}
        self._do(19, 7, topics=[topic], timeout_ms=5000)
        asked = [{"partition_index": index, "timestamp": -1} for index in range(partitions)]
        while True:  # until every partition is served
            served = self._do(2, 7, replica_id=-1, topics=[{"name": name, "partitions": asked}])
            if not any(each.error_code for each in served.topics[0].partitions):
                return name
            time.sleep(0.02)

    def _id(self, topic: str) -> Any:
        asked = [{"name": topic, "topic_id": uuid.UUID(int=0)}]
        return self._do(3, 12, topics=asked, allow_auto_topic_creation=False).topics[0].topic_id

    def _coordinate(self, key: str, kind: int) -> None:
        while self._do(10, 4, key_type=kind, coordinator_keys=[key]).coordinators[0].error_code:
            time.sleep(0.1)

    def _records(self, *values: bytes, **options: Any) -> Any:
        now = options.pop("at", 1_700_000_000_000)
        return memoryview(bytes(encode_batch([(now, None, value, []) for value in values], **options)))

    def _produce(self, topic: str, *values: bytes, partition: int = 0, **options: Any) -> Any:
        data = [{"index": partition, "records": self._records(*values, **options)}]
        return self._do(0, 9, acks=-1, timeout_ms=5000, topic_data=[{"name": topic, "partition_data": data}])

    def _transactional(self, name: str) -> tuple[int, int]:
        self._coordinate(name, 1)
        while True:
            reply = self._do(
                22, 4, transactional_id=name, transaction_timeout_ms=60000, producer_id=-1, producer_epoch=-1
            )
            if reply.error_code == 0:
                return reply.producer_id, reply.producer_epoch
            time.sleep(0.1)

    def _join(self, group: str, version: int = 5, **values: Any) -> Any:
        """Become a group's only member, or another one."""
        asked = {
            "group_id": group, "session_timeout_ms": 10000, "rebalance_timeout_ms": 10000, "member_id": "",
            "protocol_type": "consumer", "protocols": [{"name": "range", "metadata": _SUBSCRIPTION}], **values,
        }  # fmt: skip
        reply = self._do(11, version, **asked)
        if reply.error_code == 79:  # member id required
            reply = self._do(11, version, **{**asked, "member_id": reply.member_id})
        return reply

    def _member(self, group: str) -> tuple[str, int]:
        """A group with one stable member: its id and the generation."""
        self._coordinate(group, 0)
        joined = self._join(group)
        assignments = [{"member_id": joined.member_id, "assignment": b"\0\0\0\0\0\0\xff\xff\xff\xff"}]
        self._do(
            14,
            3,
            group_id=group,
            generation_id=joined.generation_id,
            member_id=joined.member_id,
            assignments=assignments,
        )
        return joined.member_id, joined.generation_id

    def _committed(self, group: str, topic: str) -> None:
        self._coordinate(group, 0)
        partitions = [
            {"partition_index": 0, "committed_offset": 5, "committed_metadata": "a note", "committed_leader_epoch": 0}
        ]
        self._do(
            8,
            8,
            group_id=group,
            generation_id_or_member_epoch=-1,
            member_id="",
            topics=[{"name": topic, "partitions": partitions}],
        )

    # APIs, by key ---------------------------------------------------------------------------------------------------

    def produce(self, version: int) -> Asked:
        topic, compacted = self._topic(2), self._topic(cleanup_policy="compact")
        tiny = self._topic(max_message_bytes="100")

        def request(name: str, records: Any, partition: int = 0, **more: Any) -> dict[str, Any]:
            data = {"name": name, "partition_data": [{"index": partition, "records": records}]}
            data["topic_id"] = self._id(name) if not name.startswith("nowhere") else _NOBODY
            return {"acks": -1, "timeout_ms": 5000, "topic_data": [data], **more}

        good = self._records(b"one", b"two")
        yield "two records", request(topic, good)
        yield "again", request(topic, good)
        yield "acks 1", request(topic, good, acks=1)
        yield "acks 2", request(topic, good, acks=2)
        yield "no such partition", request(topic, good, partition=7)
        yield "no such topic", request("nowhere", good)
        broken = bytearray(good)
        broken[-1] ^= 1
        yield "broken checksum", request(topic, memoryview(bytes(broken)))
        yield "without a key on a compacted topic", request(compacted, good)
        yield "too large", request(tiny, self._records(b"x" * 200))
        yield "two batches in one", request(topic, memoryview(bytes(good) + bytes(good)))
        yield "empty", request(topic, memoryview(b""))
        yield "cut off", request(topic, memoryview(bytes(good)[:-5]))
        yield (
            "an unknown producer's sequence 5",
            request(topic, self._records(b"one", producer_id=77777, producer_epoch=0, base_sequence=5), partition=1),
        )
        yield (
            "transactional without a transactional id",
            request(
                topic,
                self._records(b"one", producer_id=77777, producer_epoch=0, base_sequence=0, is_transactional=True),
            ),
        )
        yield "no topics", {"acks": -1, "timeout_ms": 5000, "topic_data": []}

    def fetch(self, version: int) -> Asked:
        topic = self._topic(2)
        self._produce(topic, b"one", b"two")
        self._produce(topic, b"three")
        identity = self._id(topic)

        def request(
            offset: int, partition: int = 0, name: str = topic, topic_id: Any = identity, **more: Any
        ) -> dict[str, Any]:
            asked = {"partition": partition, "fetch_offset": offset, "partition_max_bytes": 1 << 20}
            asked.update(more.pop("asked", {}))
            topics = [{"topic": name, "topic_id": topic_id, "partitions": [asked]}]
            return {"max_wait_ms": 10, "min_bytes": 1, "max_bytes": 1 << 20, "topics": topics, **more}

        yield "from the start", request(0)
        yield "within a batch", request(1)
        yield "at the end", request(3)
        yield "beyond the end", request(4)
        yield "before the start", request(-1)
        yield "committed only", request(0, isolation_level=1)
        yield "one byte", request(0, max_bytes=1)
        yield "one byte of the partition", request(0, asked={"partition_max_bytes": 1})
        yield "an empty partition", request(0, partition=1)
        yield "no such partition", request(0, partition=7)
        yield "no such topic", request(0, name="nowhere", topic_id=_NOBODY)
        yield "a leader epoch from the future", request(0, asked={"current_leader_epoch": 9})
        yield "the leader's epoch", request(0, asked={"current_leader_epoch": 0})
        yield "a last epoch from the future", request(0, asked={"last_fetched_epoch": 9, "current_leader_epoch": 0})
        yield "an unknown session", request(0, session_id=4711, session_epoch=3)
        yield "a session's epoch without a session", request(0, session_id=0, session_epoch=3)
        yield "no topics", {"max_wait_ms": 10, "min_bytes": 1, "topics": []}

    def list_offsets(self, version: int) -> Asked:
        topic = self._topic(2)
        self._produce(topic, b"one", b"two", at=1_700_000_000_000)
        self._produce(topic, b"three", at=1_700_000_009_000)

        def request(at: int, partition: int = 0, name: str = topic, **more: Any) -> dict[str, Any]:
            asked = {"partition_index": partition, "timestamp": at, "current_leader_epoch": more.pop("epoch", -1)}
            return {"replica_id": -1, "topics": [{"name": name, "partitions": [asked]}], "timeout_ms": 1000, **more}

        for at in (-1, -2, -3, -4, -5, -6, -7, 0, 1_700_000_000_001, 1_700_000_009_000, 1_800_000_000_000):
            yield f"at {at}", request(at)
        yield "the end for committed reads", request(-1, isolation_level=1)
        yield "the largest time of nothing", request(-3, partition=1)
        yield "no such partition", request(-1, partition=7)
        yield "no such topic", request(-1, name="nowhere")
        yield "an epoch from the future", request(-1, epoch=9)
        yield "the epoch", request(-1, epoch=0)
        asked = {"partition_index": 0, "timestamp": -1}
        yield "the same twice", {"replica_id": -1, "topics": [{"name": topic, "partitions": [asked, asked]}]}

    def metadata(self, version: int) -> Asked:
        topic = self._topic(2)

        def request(*names: str, **more: Any) -> dict[str, Any]:
            topics = [{"name": name, "topic_id": uuid.UUID(int=0)} for name in names]
            return {"topics": topics, "allow_auto_topic_creation": False, **more}

        yield "a topic", request(topic)
        if version >= 4:
            yield "an unknown topic", request("nowhere-" + self.name)
            yield "a bad name", request("not a name")
            yield "an empty name", request("")
        if version >= 1:
            yield "no topics", request()
        if version >= 8:
            yield (
                "with rights",
                request(
                    topic, include_topic_authorized_operations=True, include_cluster_authorized_operations=version <= 10
                ),
            )
        if version >= 12:
            yield "by id", {"topics": [{"name": None, "topic_id": self._id(topic)}]}
            yield "by an unknown id", {"topics": [{"name": None, "topic_id": _NOBODY}]}

    def offset_commit(self, version: int) -> Asked:
        topic, group = self._topic(), self.name + "-g"
        self._coordinate(group, 0)
        identity = self._id(topic)

        def request(offset: int = 5, name: str = topic, topic_id: Any = identity, **more: Any) -> dict[str, Any]:
            asked = {
                "partition_index": more.pop("partition", 0),
                "committed_offset": offset,
                "committed_metadata": more.pop("note", "a note"),
            }
            topics = [{"name": name, "topic_id": topic_id, "partitions": [asked]}]
            return {"group_id": group, "generation_id_or_member_epoch": -1, "member_id": "", "topics": topics, **more}

        yield "by a client without a group", request()
        yield "no such partition", request(partition=7)
        yield "no such topic", request(name="nowhere", topic_id=_NOBODY)
        yield "an unknown member", request(member_id="somebody", generation_id_or_member_epoch=1)
        yield "null metadata", request(note=None)
        yield "much metadata", request(note="x" * 5000)
        yield "a negative offset", request(offset=-5)
        yield "an empty group", request(group_id="")
        member, generation = self._member(group)
        yield "as a member", request(member_id=member, generation_id_or_member_epoch=generation)
        yield "of another generation", request(member_id=member, generation_id_or_member_epoch=generation + 1)
        yield "without a member while there is one", request()

    def offset_fetch(self, version: int) -> Asked:
        topic, group = self._topic(), self.name + "-g"
        self._committed(group, topic)
        identity = self._id(topic)

        def request(
            groups: str | list[str] = group, name: str | None = topic, topic_id: Any = identity, **more: Any
        ) -> dict[str, Any]:
            partitions = more.pop("partitions", [0])
            named = None if name is None else [{"name": name, "topic_id": topic_id, "partition_indexes": partitions}]
            old = None if name is None else [{"name": name, "partition_indexes": partitions}]
            asked = [
                {"group_id": each, "topics": named, **more.pop("who", {})}
                for each in ([groups] if isinstance(groups, str) else groups)
            ]
            return {
                "group_id": groups if isinstance(groups, str) else groups[0],
                "topics": old,
                "groups": asked,
                **more,
            }

        yield "a partition", request()
        yield "one that was not committed", request(partitions=[0, 7])
        yield "no such topic", request(name="nowhere", topic_id=_NOBODY)
        yield "an unknown group", request("nobodys")
        yield "an empty group", request("")
        if version >= 2:
            yield "everything", request(name=None)
            yield "everything of an unknown group", request("nobodys", name=None)
        if version >= 7:
            yield "what is stable", request(require_stable=True)
        if version >= 8:
            yield "two groups", request([group, "nobodys"])
        if version >= 9:
            yield "as an unknown member", request(who={"member_id": "somebody", "member_epoch": 1})

    def find_coordinator(self, version: int) -> Asked:
        for kind in (0, 1, 2, 3):
            key = self.name if kind != 2 else f"{self.name}:{_NOBODY}:0"
            if kind < 2 or version >= 6:
                self._coordinate(self.name, min(kind, 1))
                yield f"of kind {kind}", {"key": key, "key_type": kind, "coordinator_keys": [key]}
        yield "an empty key", {"key": "", "key_type": 0, "coordinator_keys": [""]}
        if version >= 4:
            yield "two keys", {"key_type": 0, "coordinator_keys": [self.name, self.name + "2"]}
            yield "no keys", {"key_type": 0, "coordinator_keys": []}

    def join_group(self, version: int) -> Asked:
        group = self.name + "-g"
        self._coordinate(group, 0)

        def request(**more: Any) -> dict[str, Any]:
            protocols = [
                {"name": "range", "metadata": _SUBSCRIPTION},
                {"name": "roundrobin", "metadata": _SUBSCRIPTION},
            ]
            return {
                "group_id": group, "session_timeout_ms": 10000, "rebalance_timeout_ms": 10000, "member_id": "",
                "protocol_type": "consumer", "protocols": protocols, **more,
            }  # fmt: skip

        yield "a session too short", request(session_timeout_ms=1)
        yield "an unknown member", request(member_id="somebody")
        yield "no protocols", request(protocols=[], group_id=group + "2")
        yield "an empty group", request(group_id="")
        yield "the first", request()
        if version >= 4:
            yield "with the id it was given", request(member_id=self.last.member_id)
        member = self.last.member_id
        yield "again", request(member_id=member)
        yield "of another protocol type", request(protocol_type="connect")
        yield "with other protocols", request(protocols=[{"name": "sticky", "metadata": b""}])

    def sync_group(self, version: int) -> Asked:
        group = self.name + "-g"
        self._coordinate(group, 0)
        joined = self._join(group)

        def request(**more: Any) -> dict[str, Any]:
            return {
                "group_id": group, "generation_id": joined.generation_id, "member_id": joined.member_id,
                "protocol_type": "consumer", "protocol_name": "range",
                "assignments": [{"member_id": joined.member_id, "assignment": b"mine"}], **more,
            }  # fmt: skip

        yield "an unknown member", request(member_id="somebody")
        yield "another generation", request(generation_id=7)
        yield "an unknown group", request(group_id="nobodys")
        yield "another protocol", request(protocol_name="sticky")
        yield "the leader's", request()
        yield "again", request(assignments=[])

    def heartbeat(self, version: int) -> Asked:
        group = self.name + "-g"
        member, generation = self._member(group)
        asked = {"group_id": group, "generation_id": generation, "member_id": member}
        yield "a member's", asked
        yield "another generation's", {**asked, "generation_id": 9}
        yield "an unknown member's", {**asked, "member_id": "somebody"}
        yield "an unknown group's", {**asked, "group_id": "nobodys"}
        yield "an empty group's", {**asked, "group_id": ""}

    def leave_group(self, version: int) -> Asked:
        group = self.name + "-g"
        member, _ = self._member(group)
        nobody = {"member_id": "somebody"}
        yield "an unknown member", {"group_id": group, **nobody, "members": [nobody]}
        yield "of an unknown group", {"group_id": "nobodys", **nobody, "members": [nobody]}
        if version >= 3:
            yield "an unknown instance", {"group_id": group, "members": [{"member_id": "", "group_instance_id": "i"}]}
        yield "a member", {"group_id": group, "member_id": member, "members": [{"member_id": member}]}

    def describe_groups(self, version: int) -> Asked:
        group, empty = self.name + "-g", self.name + "-e"
        self._member(group)
        self._committed(empty, self._topic())
        yield "stable, empty and unknown", {"groups": [group, empty, "nobodys"]}
        yield "with rights", {"groups": [group, "nobodys"], "include_authorized_operations": True}
        yield "an empty name", {"groups": [""]}
        yield "none", {"groups": []}

    def list_groups(self, version: int) -> Asked:
        if version >= 4:
            yield "in a state that no group has", {"states_filter": ["Dead"]}
            yield "in no state", {"states_filter": ["Happy"]}
        if version >= 5:
            yield "of no type", {"types_filter": ["happy"]}

    def api_versions(self, version: int) -> Asked:
        yield "plain", {"client_software_name": "same-answers", "client_software_version": "1"}
        yield "with a bad name", {"client_software_name": "not a name!", "client_software_version": "1"}

    def create_topics(self, version: int) -> Asked:
        def request(name: str, partitions: int = 1, factor: int = 1, **more: Any) -> dict[str, Any]:
            configs = [{"name": key, "value": value} for key, value in more.pop("configs", {}).items()]
            topic = {"name": name, "num_partitions": partitions, "replication_factor": factor, "configs": configs}
            topic.update(more.pop("topic", {}))
            return {"topics": [topic], "timeout_ms": 5000, **more}

        name = self.name
        yield "a topic", request(name, 3, configs={"retention.ms": "1234"})
        yield "again", request(name)
        yield "just checked", request(name + "v", validate_only=True)
        yield "checked though it exists", request(name, validate_only=True)
        yield "no partitions", request(name + "a", 0)
        yield "more replicas than brokers", request(name + "b", 1, 3)
        yield "no replicas", request(name + "c", 1, 0)
        yield "an unknown config", request(name + "d", configs={"no.such": "1"})
        yield "a bad value", request(name + "e", configs={"retention.ms": "soon"})
        yield "a null value", request(name + "n", configs={"retention.ms": None})
        yield "a bad name", request("not a name")
        yield "an empty name", request("")
        yield "a name too long", request("x" * 250)
        yield "dots", request("..")
        yield "a reserved one", request("__consumer_offsets")
        yield "colliding names", request(name.replace("-", "_") + ".a")
        yield "colliding names, the second", request(name.replace("-", "_") + "_a")
        one = {"partition_index": 0, "broker_ids": [0]}
        placed = {"num_partitions": -1, "replication_factor": -1}
        yield "placed", request(name + "f", topic={**placed, "assignments": [one]})
        yield "placed on nobody", request(name + "g", topic={**placed, "assignments": [{**one, "broker_ids": [9]}]})
        yield "placed and counted", request(name + "h", topic={"assignments": [one]})
        yield "placed with a gap", request(name + "i", topic={**placed, "assignments": [{**one, "partition_index": 1}]})
        if version >= 4:
            yield "by default", request(name + "j", -1, -1)
        twice = {"name": name + "k", "num_partitions": 1, "replication_factor": 1}
        yield "the same twice", {"topics": [twice, twice], "timeout_ms": 5000}
        yield "none", {"topics": [], "timeout_ms": 5000}

    def delete_topics(self, version: int) -> Asked:
        def request(*names: str) -> dict[str, Any]:
            topics = [{"name": name, "topic_id": uuid.UUID(int=0)} for name in names]
            return {"topic_names": list(names), "topics": topics, "timeout_ms": 5000}

        topic = self._topic()
        yield "a topic", request(topic)
        yield "again", request(topic)
        yield "an unknown one", request("nowhere")
        yield "two, one unknown", request("nowhere", self._topic())
        other = self._topic()
        yield "the same twice", request(other, other)
        yield "none", request()
        if version >= 6:
            yield "by id", {"topics": [{"name": None, "topic_id": self._id(self._topic())}], "timeout_ms": 5000}
            yield "by an unknown id", {"topics": [{"name": None, "topic_id": _NOBODY}], "timeout_ms": 5000}
            yield "by nothing", {"topics": [{"name": None, "topic_id": uuid.UUID(int=0)}], "timeout_ms": 5000}

    def delete_records(self, version: int) -> Asked:
        topic, compacted = self._topic(), self._topic(cleanup_policy="compact")
        self._produce(topic, b"one", b"two", b"three")

        def request(offset: int, partition: int = 0, name: str = topic) -> dict[str, Any]:
            partitions = [{"partition_index": partition, "offset": offset}]
            return {"topics": [{"name": name, "partitions": partitions}], "timeout_ms": 5000}

        yield "one", request(1)
        yield "again", request(1)
        yield "beyond the end", request(9)
        yield "a negative offset", request(-2)
        yield "all", request(-1)
        yield "no such partition", request(0, partition=7)
        yield "no such topic", request(0, name="nowhere")
        yield "of a compacted topic", request(0, name=compacted)

    def init_producer_id(self, version: int) -> Asked:
        name = self.name
        self._coordinate(name, 1)
        self._transactional(name + "-warm")

        def request(transactional_id: str | None, timeout_ms: int = 60000, **more: Any) -> dict[str, Any]:
            return {"transactional_id": transactional_id, "transaction_timeout_ms": timeout_ms, **more}

        yield "without a transactional id", request(None)
        yield "with one", request(name)
        if not isinstance(self.last, str):
            known = {"producer_id": self.last.producer_id, "producer_epoch": self.last.producer_epoch}
            yield "again", request(name)
            if version >= 3:
                yield "with the id before", request(name, **known)
                yield "with somebody's id", request(name, producer_id=4711, producer_epoch=3)
        yield "a time limit too long", request(name + "a", 10**9)
        yield "no time", request(name + "b", 0)
        yield "an empty name", request("")

    def add_partitions_to_txn(self, version: int) -> Asked:
        topic, name = self._topic(), self.name
        producer_id, epoch = self._transactional(name)

        def request(
            transactional_id: str = name, epoch: int = epoch, producer_id: int = producer_id, topic: str = topic
        ) -> dict[str, Any]:
            topics = [{"name": topic, "partitions": [0]}]
            return {
                "v3_and_below_transactional_id": transactional_id, "v3_and_below_producer_id": producer_id,
                "v3_and_below_producer_epoch": epoch, "v3_and_below_topics": topics,
            }  # fmt: skip

        if version <= 3:  # later ones are for brokers
            yield "a partition", request()
            yield "again", request()
            yield "of another epoch", request(epoch=epoch + 5)
            yield "of another producer", request(producer_id=4711)
            yield "of nobody", request(transactional_id="nobodys")
            yield "no such topic", request(topic="nowhere")

    def add_offsets_to_txn(self, version: int) -> Asked:
        name = self.name
        producer_id, epoch = self._transactional(name)
        asked = {"transactional_id": name, "producer_id": producer_id, "producer_epoch": epoch, "group_id": name + "-g"}
        yield "a group", asked
        yield "of another epoch", {**asked, "producer_epoch": epoch + 5}
        yield "of nobody", {**asked, "transactional_id": "nobodys"}

    def end_txn(self, version: int) -> Asked:
        topic, name = self._topic(), self.name
        producer_id, epoch = self._transactional(name)
        asked = {"transactional_id": name, "producer_id": producer_id, "producer_epoch": epoch, "committed": True}
        yield "nothing", asked
        self._do(
            24, 3, v3_and_below_transactional_id=name, v3_and_below_producer_id=producer_id,
            v3_and_below_producer_epoch=epoch, v3_and_below_topics=[{"name": topic, "partitions": [0]}],
        )  # fmt: skip
        yield "of another epoch", {**asked, "producer_epoch": epoch + 5}
        yield "of nobody", {**asked, "transactional_id": "nobodys"}
        yield "a commit", asked
        time.sleep(0.3)  # markers are written after the answer
        yield "again", asked
        yield "an abort", {**asked, "committed": False}

    def txn_offset_commit(self, version: int) -> Asked:
        topic, name = self._topic(), self.name
        producer_id, epoch = self._transactional(name)
        self._coordinate(name + "-g", 0)
        self._do(25, 3, transactional_id=name, producer_id=producer_id, producer_epoch=epoch, group_id=name + "-g")
        partitions = [{"partition_index": 0, "committed_offset": 5, "committed_metadata": None}]
        asked = {
            "transactional_id": name, "group_id": name + "-g", "producer_id": producer_id, "producer_epoch": epoch,
            "topics": [{"name": topic, "partitions": partitions}],
        }  # fmt: skip
        yield "an offset", asked
        yield "no such topic", {**asked, "topics": [{"name": "nowhere", "partitions": partitions}]}
        if version >= 3:
            yield "of an unknown member", {**asked, "member_id": "somebody", "generation_id": 3}

    def offset_for_leader_epoch(self, version: int) -> Asked:
        topic = self._topic()
        self._produce(topic, b"one", b"two")

        def request(epoch: int, current: int = -1, partition: int = 0, name: str = topic) -> dict[str, Any]:
            asked = {"partition": partition, "leader_epoch": epoch, "current_leader_epoch": current}
            return {"replica_id": -1, "topics": [{"topic": name, "partitions": [asked]}]}

        yield "the epoch", request(0)
        yield "one to come", request(5)
        yield "none", request(-1)
        yield "a current one to come", request(0, 5)
        yield "no such partition", request(0, partition=7)
        yield "no such topic", request(0, name="nowhere")

    def describe_acls(self, version: int) -> Asked:
        anything = {"resource_type_filter": 1, "pattern_type_filter": 1, "operation": 1, "permission_type": 1}
        nothing = {"resource_name_filter": None, "principal_filter": None, "host_filter": None}
        yield "of a topic that has none", {**anything, **nothing, "resource_name_filter": self.name}
        yield (
            "of an unknown type",
            {**anything, **nothing, "resource_type_filter": 0, "resource_name_filter": self.name},
        )

    def create_acls(self, version: int) -> Asked:
        good = {
            "resource_type": _TOPIC, "resource_name": self.name, "resource_pattern_type": 3, "principal": "User:anne",
            "host": "*", "operation": 3, "permission_type": 3,
        }  # fmt: skip
        yield "one", {"creations": [good]}
        yield "again", {"creations": [good]}
        yield "without a name", {"creations": [{**good, "resource_name": ""}]}
        yield "a principal without a type", {"creations": [{**good, "principal": "anne"}]}
        yield "any operation", {"creations": [{**good, "operation": 1}]}
        yield "a cluster by another name", {"creations": [{**good, "resource_type": _CLUSTER}]}
        yield "any pattern", {"creations": [{**good, "resource_pattern_type": 1}]}

    def delete_acls(self, version: int) -> Asked:
        good = {
            "resource_type": _TOPIC, "resource_name": self.name, "resource_pattern_type": 3, "principal": "User:anne",
            "host": "*", "operation": 3, "permission_type": 3,
        }  # fmt: skip
        self._do(30, 3, creations=[good])
        chosen = {
            "resource_type_filter": _TOPIC, "resource_name_filter": self.name, "pattern_type_filter": 3,
            "principal_filter": None, "host_filter": None, "operation": 1, "permission_type": 1,
        }  # fmt: skip
        yield "one", {"filters": [chosen]}
        yield "none left", {"filters": [chosen]}

    def describe_configs(self, version: int) -> Asked:
        topic = self._topic(retention_ms="1234")

        def request(kind: int, name: str, *keys: str) -> dict[str, Any]:
            resource = {"resource_type": kind, "resource_name": name, "configuration_keys": list(keys) or None}
            return {"resources": [resource], "include_synonyms": True, "include_documentation": False}

        yield "a topic", request(_CONFIG_TOPIC, topic)
        yield "two of a topic", request(_CONFIG_TOPIC, topic, "retention.ms", "no.such")
        yield "an unknown topic", request(_CONFIG_TOPIC, "nowhere")
        yield "a bad topic", request(_CONFIG_TOPIC, "not a name")
        yield "an unknown broker", request(_CONFIG_BROKER, "9")
        yield "a bad broker", request(_CONFIG_BROKER, "me")
        yield "a broker's number of partitions", request(_CONFIG_BROKER, "0", "log.retention.ms", "message.max.bytes")
        yield "all brokers", request(_CONFIG_BROKER, "", "log.retention.ms")
        yield "a group", request(_CONFIG_GROUP, "nobodys")
        yield "an unknown type", request(99, "x")

    def alter_configs(self, version: int) -> Asked:
        topic = self._topic(retention_ms="1234")

        def request(
            configs: dict[str, str | None], name: str = topic, kind: int = _CONFIG_TOPIC, **more: Any
        ) -> dict[str, Any]:
            listed = [{"name": key, "value": value} for key, value in configs.items()]
            return {"resources": [{"resource_type": kind, "resource_name": name, "configs": listed}], **more}

        yield "one", request({"segment.ms": "5678"})
        yield "an unknown one", request({"no.such": "1"})
        yield "a bad value", request({"retention.ms": "soon"})
        yield "a null value", request({"retention.ms": None})
        yield "just checked", request({"retention.ms": "99"}, validate_only=True)
        yield "an unknown topic", request({"retention.ms": "99"}, "nowhere")
        yield "an unknown broker", request({}, "9", _CONFIG_BROKER)

    def incremental_alter_configs(self, version: int) -> Asked:
        topic = self._topic(retention_ms="1234")

        def request(
            key: str, value: str | None, operation: int = 0, name: str = topic, kind: int = _CONFIG_TOPIC, **more: Any
        ) -> dict[str, Any]:
            listed = [{"name": key, "value": value, "config_operation": operation}]
            return {"resources": [{"resource_type": kind, "resource_name": name, "configs": listed}], **more}

        yield "set", request("retention.ms", "5678")
        yield "delete", request("retention.ms", None, 1)
        yield "append", request("cleanup.policy", "compact", 2)
        yield "append again", request("cleanup.policy", "compact", 2)
        yield "subtract", request("cleanup.policy", "compact", 3)
        yield "append to a number", request("retention.ms", "1", 2)
        yield "an unknown operation", request("retention.ms", "1", 9)
        yield "an unknown config", request("no.such", "1")
        yield "a bad value", request("retention.ms", "soon")
        yield "a null value", request("retention.ms", None)
        yield "just checked", request("retention.ms", "9", validate_only=True)
        yield "an unknown topic", request("retention.ms", "1", name="nowhere")
        yield "an unknown broker", request("log.retention.ms", "1", name="9", kind=_CONFIG_BROKER)
        yield "what is fixed", request("log.dirs", "/tmp", name="0", kind=_CONFIG_BROKER)
        yield "a group", request("consumer.session.timeout.ms", "50000", name=self.name, kind=_CONFIG_GROUP)
        yield (
            "a group's beyond the limits",
            request("consumer.session.timeout.ms", "1", name=self.name, kind=_CONFIG_GROUP),
        )
        yield "an unknown one of a group", request("no.such", "1", name=self.name, kind=_CONFIG_GROUP)
        yield "a group without a name", request("consumer.session.timeout.ms", "50000", name="", kind=_CONFIG_GROUP)
        twice = request("retention.ms", "5")
        yield "a topic twice", {"resources": twice["resources"] * 2}

    def alter_replica_log_dirs(self, version: int) -> Asked:
        topic = self._topic()
        yield "to nowhere", {"dirs": [{"path": "/nowhere", "topics": [{"name": topic, "partitions": [0]}]}]}

    def describe_log_dirs(self, version: int) -> Asked:
        topic = self._topic()
        yield "a topic", {"topics": [{"topic": topic, "partitions": [0]}]}
        yield "no such partition", {"topics": [{"topic": topic, "partitions": [7]}]}
        yield "nothing", {"topics": []}

    def create_partitions(self, version: int) -> Asked:
        topic = self._topic(2)

        def request(
            count: int, placed: list[list[int]] | None = None, name: str = topic, **more: Any
        ) -> dict[str, Any]:
            assignments = None if placed is None else [{"broker_ids": each} for each in placed]
            return {"topics": [{"name": name, "count": count, "assignments": assignments}], "timeout_ms": 5000, **more}

        yield "just checked", request(3, validate_only=True)
        yield "one more", request(3)
        yield "as many", request(3)
        yield "fewer", request(1)
        yield "none", request(0)
        yield "placed", request(4, [[0]])
        yield "placed on nobody", request(5, [[9]])
        yield "placed too few", request(6, [[0]])
        yield "an unknown topic", request(3, name="nowhere")
        yield "a topic twice", {"topics": request(5)["topics"] * 2, "timeout_ms": 5000}

    def delete_groups(self, version: int) -> Asked:
        empty, full = self.name + "-e", self.name + "-g"
        self._committed(empty, self._topic())
        self._member(full)
        yield "empty, full and unknown", {"groups_names": [empty, full, "nobodys"]}
        yield "an empty name", {"groups_names": [""]}
        yield "none", {"groups_names": []}

    def offset_delete(self, version: int) -> Asked:
        topic, group = self._topic(), self.name + "-g"
        self._committed(group, topic)

        def request(name: str = topic, group: str = group, partition: int = 0) -> dict[str, Any]:
            return {"group_id": group, "topics": [{"name": name, "partitions": [{"partition_index": partition}]}]}

        yield "one", request()
        yield "again", request()
        yield "no such partition", request(partition=7)
        yield "no such topic", request("nowhere")
        yield "an unknown group", request(group="nobodys")

    def elect_leaders(self, version: int) -> Asked:
        topic = self._topic()
        for kind in (0, 1):
            for partition in (0, 7):
                partitions = [{"topic": topic, "partitions": [partition]}]
                yield f"of kind {kind}, partition {partition}", {
                    "election_type": kind, "topic_partitions": partitions, "timeout_ms": 5000,
                }  # fmt: skip
        yield "no such topic", {"topic_partitions": [{"topic": "nowhere", "partitions": [0]}], "timeout_ms": 5000}
        yield "everything", {"topic_partitions": None, "timeout_ms": 5000}

    def alter_partition_reassignments(self, version: int) -> Asked:
        topic = self._topic()

        def request(replicas: list[int] | None, partition: int = 0, name: str = topic) -> dict[str, Any]:
            partitions = [{"partition_index": partition, "replicas": replicas}]
            return {"timeout_ms": 5000, "topics": [{"name": name, "partitions": partitions}]}

        yield "to where it is", request([0])
        yield "to nobody", request([9])
        yield "to nothing", request([])
        yield "cancelled", request(None)
        yield "no such partition", request([0], 7)
        yield "no such topic", request([0], name="nowhere")

    def list_partition_reassignments(self, version: int) -> Asked:
        topic = self._topic()
        yield "a topic's", {"topics": [{"name": topic, "partition_indexes": [0]}]}
        yield "all", {"topics": None}
        yield "no such topic", {"topics": [{"name": "nowhere", "partition_indexes": [0]}]}

    def describe_client_quotas(self, version: int) -> Asked:
        yield (
            "of a user",
            {"components": [{"entity_type": "user", "match_type": 0, "match": self.name}], "strict": True},
        )
        yield "of a thing", {"components": [{"entity_type": "thing", "match_type": 0, "match": "x"}], "strict": False}
        yield "of a user twice", {
            "components": [{"entity_type": "user", "match_type": 0, "match": self.name}] * 2, "strict": True,
        }  # fmt: skip

    def alter_client_quotas(self, version: int) -> Asked:
        def request(
            key: str, value: float, kind: str = "user", *, remove: bool = False, name: str | None = None
        ) -> dict[str, Any]:
            entity = [{"entity_type": kind, "entity_name": name or self.name}]
            return {"entries": [{"entity": entity, "ops": [{"key": key, "value": value, "remove": remove}]}]}

        yield "set", request("producer_byte_rate", 1e9)
        yield "a bad key", request("happiness", 1.0)
        yield "a bad value", request("producer_byte_rate", -1.0)
        yield "half a byte", request("producer_byte_rate", 0.5)
        yield "a thing's", request("producer_byte_rate", 1.0, "thing")
        yield "removed", request("producer_byte_rate", 0.0, remove=True)

    def describe_user_scram_credentials(self, version: int) -> Asked:
        yield "an unknown user's", {"users": [{"name": self.name}]}
        yield "the same twice", {"users": [{"name": self.name}, {"name": self.name}]}

    def alter_user_scram_credentials(self, version: int) -> Asked:
        good = {"name": self.name, "mechanism": 1, "iterations": 4096, "salt": b"salt", "salted_password": b"x" * 32}
        yield "set", {"upsertions": [good]}
        yield "too few iterations", {"upsertions": [{**good, "iterations": 10}]}
        yield "too many iterations", {"upsertions": [{**good, "iterations": 10**6}]}
        yield "an unknown mechanism", {"upsertions": [{**good, "mechanism": 9}]}
        yield "an empty name", {"upsertions": [{**good, "name": ""}]}
        yield "twice", {"upsertions": [good, good]}
        gone = {"name": self.name, "mechanism": 1}
        yield "deleted", {"deletions": [gone]}
        yield "deleted again", {"deletions": [gone]}

    def describe_quorum(self, version: int) -> Asked:
        yield "an unknown topic's", {"topics": [{"topic_name": "nowhere", "partitions": [{"partition_index": 0}]}]}

    def update_features(self, version: int) -> Asked:
        def request(name: str, level: int, kind: int = 1) -> dict[str, Any]:
            return {"timeout_ms": 5000, "validate_only": True, "feature_updates": [
                {"feature": name, "max_version_level": level, "upgrade_type": kind}
            ]}  # fmt: skip

        if version >= 1:
            yield "to what it is", request("transaction.version", 2)
            yield "too far", request("transaction.version", 99)
            yield "an unknown feature", request("happiness", 1)
            yield "down", request("transaction.version", 1)
            yield "none", {"timeout_ms": 5000, "validate_only": True, "feature_updates": []}

    def unregister_broker(self, version: int) -> Asked:
        yield "one that is not there", {"broker_id": 4711}
        yield "none", {"broker_id": -1}

    def add_raft_voter(self, version: int) -> Asked:
        def request(voter: int, cluster: str | None = None) -> dict[str, Any]:
            listener = {"name": "CONTROLLER", "host": "localhost", "port": 1}
            voting = {"voter_id": voter, "voter_directory_id": uuid.UUID(int=7), "listeners": [listener]}
            return {"cluster_id": cluster, "timeout_ms": 1000, **voting}

        yield "another", request(4711)
        yield "none", request(-7)
        yield "of another cluster", request(4711, "nobodys")

    def remove_raft_voter(self, version: int) -> Asked:
        directory = {"voter_directory_id": uuid.UUID(int=7)}
        yield "another", {"voter_id": 4711, "cluster_id": None, **directory}
        yield "none", {"voter_id": -7, "cluster_id": None, **directory}
        yield "of another cluster", {"voter_id": 4711, "cluster_id": "nobodys", **directory}

    def create_delegation_token(self, version: int) -> Asked:
        yield "by nobody", {"renewers": [], "max_lifetime_ms": -1}

    def renew_delegation_token(self, version: int) -> Asked:
        yield "by nobody", {"hmac": b"x", "renew_period_ms": 1}

    def expire_delegation_token(self, version: int) -> Asked:
        yield "by nobody", {"hmac": b"x", "expiry_time_period_ms": 1}

    def describe_delegation_token(self, version: int) -> Asked:
        yield "all", {"owners": None}
        yield "some", {"owners": [{"principal_type": "User", "principal_name": "alice"}]}

    def describe_cluster(self, version: int) -> Asked:
        yield "plain", {}
        yield "with rights", {"include_cluster_authorized_operations": True}
        if version >= 1:
            yield "of kind 3", {"endpoint_type": 3}

    def describe_producers(self, version: int) -> Asked:
        topic = self._topic()
        self._produce(topic, b"one", producer_id=77777, producer_epoch=0, base_sequence=0)
        yield "a partition", {"topics": [{"name": topic, "partition_indexes": [0]}]}
        yield "no such partition", {"topics": [{"name": topic, "partition_indexes": [7]}]}
        yield "no such topic", {"topics": [{"name": "nowhere", "partition_indexes": [0]}]}

    def describe_transactions(self, version: int) -> Asked:
        self._transactional(self.name)
        yield "one and nobody's", {"transactional_ids": [self.name, "nobodys"]}
        yield "an empty name", {"transactional_ids": [""]}

    def list_transactions(self, version: int) -> Asked:
        producer_id, _ = self._transactional(self.name)
        yield "of a producer", {"producer_id_filters": [producer_id]}
        yield "in a state", {"producer_id_filters": [producer_id], "state_filters": ["Ongoing"]}
        yield "in no state", {"producer_id_filters": [producer_id], "state_filters": ["Happy"]}
        if version >= 1:
            yield "for long", {"producer_id_filters": [producer_id], "duration_filter": 10**9}
        if version >= 2:
            yield "by a pattern", {"producer_id_filters": [producer_id], "transactional_id_pattern": ".*"}
            yield "by a bad pattern", {"transactional_id_pattern": "("}

    def consumer_group_heartbeat(self, version: int) -> Asked:
        topic, group = self._topic(2), self.name + "-g"
        self._coordinate(group, 0)

        def request(**more: Any) -> dict[str, Any]:
            return {
                "group_id": group, "member_id": "me" if version else "", "member_epoch": 0,
                "rebalance_timeout_ms": 10000,
                "subscribed_topic_names": [topic], "topic_partitions": [], **more,
            }  # fmt: skip

        yield "an empty group", request(group_id="")
        yield "no subscription", request(subscribed_topic_names=None)
        yield "no rebalance timeout", request(rebalance_timeout_ms=-1)
        yield "an unknown assignor", request(server_assignor="happy")
        yield "partitions from nowhere", request(topic_partitions=None)
        yield "an unknown member", request(member_id="somebody", member_epoch=4)
        yield "a negative epoch", request(member_epoch=-5)
        yield "joining", request()
        if not isinstance(self.last, str) and self.last.error_code == 0:
            me, epoch = self.last.member_id, self.last.member_epoch
            going_on = {"subscribed_topic_names": None, "topic_partitions": None, "rebalance_timeout_ms": -1}
            yield "going on", request(member_id=me, member_epoch=epoch, **going_on)
            yield "of an epoch to come", request(member_id=me, member_epoch=epoch + 5, **going_on)
            yield "leaving", request(member_id=me, member_epoch=-1, **going_on)
            yield "having left", request(member_id=me, member_epoch=epoch, **going_on)
        if version >= 1:
            yield "by pattern", request(subscribed_topic_names=None, subscribed_topic_regex=topic + ".*")
            yield "by a bad pattern", request(subscribed_topic_names=None, subscribed_topic_regex="(")

    def consumer_group_describe(self, version: int) -> Asked:
        group, classic, topic = self.name + "-g", self.name + "-c", self._topic(2)
        self._coordinate(group, 0)
        self._member(classic)
        self._do(
            68, 1, group_id=group, member_id="me", member_epoch=0, rebalance_timeout_ms=10000,
            subscribed_topic_names=[topic], topic_partitions=[],
        )  # fmt: skip
        yield "one, a classic one and nobody's", {"group_ids": [group, classic, "nobodys"]}
        yield "with rights", {"group_ids": [group], "include_authorized_operations": True}

    def list_config_resources(self, version: int) -> Asked:
        if version >= 1:
            yield "of an unknown type", {"resource_types": [99]}
            yield "brokers", {"resource_types": [_CONFIG_BROKER]}

    def describe_topic_partitions(self, version: int) -> Asked:
        first, second = self._topic(3), self._topic(2)
        yield "two topics", {"topics": [{"name": first}, {"name": second}]}
        yield "an unknown one", {"topics": [{"name": "nowhere"}]}
        yield "the first two partitions", {"topics": [{"name": first}, {"name": second}], "response_partition_limit": 2}
        yield "from a cursor", {
            "topics": [{"name": first}, {"name": second}], "cursor": {"topic_name": first, "partition_index": 2},
        }  # fmt: skip
        yield "a bad cursor", {"topics": [{"name": first}], "cursor": {"topic_name": first, "partition_index": -1}}

    def share_group_heartbeat(self, version: int) -> Asked:
        topic, group = self._topic(2), self.name + "-g"
        self._coordinate(group, 0)

        def request(**more: Any) -> dict[str, Any]:
            return {"group_id": group, "member_id": "me", "member_epoch": 0, "subscribed_topic_names": [topic], **more}

        yield "an empty group", request(group_id="")
        yield "an empty member", request(member_id="")
        yield "no subscription", request(subscribed_topic_names=None)
        yield "an unknown member", request(member_id="somebody", member_epoch=4)
        yield "a negative epoch", request(member_epoch=-5)
        yield "joining", request()
        if not isinstance(self.last, str) and self.last.error_code == 0:
            epoch = self.last.member_epoch
            yield "of an epoch to come", request(member_epoch=epoch + 5, subscribed_topic_names=None)
            yield "leaving", request(member_epoch=-1, subscribed_topic_names=None)
            yield "having left", request(member_epoch=epoch, subscribed_topic_names=None)

    def share_group_describe(self, version: int) -> Asked:
        group, classic, topic = self.name + "-g", self.name + "-c", self._topic(1)
        self._member(classic)
        self._do(76, 1, group_id=group, member_id="me", member_epoch=0, subscribed_topic_names=[topic])
        time.sleep(1)  # share partitions are initialized after the answer
        yield "one, a classic one and nobody's", {"group_ids": [group, classic, "nobodys"]}

    def share_fetch(self, version: int) -> Asked:
        group, topic, me = self.name + "-g", self._topic(1), str(uuid.uuid4())
        identity = self._id(topic)
        self._do(44, 1, resources=[{"resource_type": _CONFIG_GROUP, "resource_name": group, "configs": [
            {"name": "share.auto.offset.reset", "value": "earliest", "config_operation": 0}
        ]}])  # fmt: skip
        self._produce(topic, b"one", b"two", b"three")
        self._coordinate(group, 0)
        self._do(76, 1, group_id=group, member_id=me, member_epoch=0, subscribed_topic_names=[topic])
        time.sleep(1)

        def request(
            epoch: int, *acknowledged: tuple[int, int, list[int]], topic_id: Any = identity, **more: Any
        ) -> dict[str, Any]:
            batches = [
                {"first_offset": first, "last_offset": last, "acknowledge_types": types}
                for first, last, types in acknowledged
            ]
            partitions = [{"partition_index": more.pop("partition", 0), "acknowledgement_batches": batches}]
            return {
                "group_id": group, "member_id": me, "share_session_epoch": epoch, "max_wait_ms": 100, "min_bytes": 1,
                "max_bytes": 1 << 20, "max_records": 500, "batch_size": 500,
                "topics": [{"topic_id": topic_id, "partitions": partitions}], **more,
            }  # fmt: skip

        yield "of a session that is not there", request(3)
        yield "a first", request(0)
        yield "with acknowledgements", request(1, (0, 0, [1]), (1, 1, [2]), (2, 2, [3]))
        yield "what was released", request(2)
        yield "a state that it has not", request(3, (0, 0, [1]))
        yield "an unknown kind", request(4, (1, 1, [9]))
        yield "of another epoch", request(9)
        yield "an unknown topic", request(5, topic_id=_NOBODY)
        yield "the last", request(-1, (1, 1, [1]))

    def describe_share_group_offsets(self, version: int) -> Asked:
        group, topic = self.name + "-g", self._topic(1)
        self._coordinate(group, 0)
        self._do(76, 1, group_id=group, member_id="me", member_epoch=0, subscribed_topic_names=[topic])
        time.sleep(1)
        yield "a partition", {"groups": [{"group_id": group, "topics": [{"topic_name": topic, "partitions": [0]}]}]}
        yield "all", {"groups": [{"group_id": group, "topics": None}]}
        yield (
            "no such topic",
            {"groups": [{"group_id": group, "topics": [{"topic_name": "nowhere", "partitions": [0]}]}]},
        )
        yield "nobody's", {"groups": [{"group_id": "nobodys", "topics": None}]}

    def alter_share_group_offsets(self, version: int) -> Asked:
        group, topic = self.name + "-g", self._topic(1)
        self._coordinate(group, 0)

        def request(name: str = topic, group: str = group) -> dict[str, Any]:
            partitions = [{"partition_index": 0, "start_offset": 0}]
            return {"group_id": group, "topics": [{"topic_name": name, "partitions": partitions}]}

        yield "of a group that is not there", request()
        self._do(76, 1, group_id=group, member_id="me", member_epoch=0, subscribed_topic_names=[topic])
        time.sleep(1)
        yield "while there is a member", request()
        self._do(76, 1, group_id=group, member_id="me", member_epoch=-1)
        yield "of an empty group", request()
        yield "no such topic", request("nowhere")

    def delete_share_group_offsets(self, version: int) -> Asked:
        group, topic = self.name + "-g", self._topic(1)
        self._coordinate(group, 0)
        yield "of a group that is not there", {"group_id": group, "topics": [{"topic_name": topic}]}
        self._do(76, 1, group_id=group, member_id="me", member_epoch=0, subscribed_topic_names=[topic])
        time.sleep(1)
        yield "while there is a member", {"group_id": group, "topics": [{"topic_name": topic}]}
        self._do(76, 1, group_id=group, member_id="me", member_epoch=-1)
        yield "of an empty group", {"group_id": group, "topics": [{"topic_name": topic}]}
        yield "again", {"group_id": group, "topics": [{"topic_name": topic}]}
        yield "no such topic", {"group_id": group, "topics": [{"topic_name": "nowhere"}]}

    # The state of share groups, as brokers ask for it ----------------------------------------------------------------

    def initialize_share_group_state(self, version: int) -> Asked:
        for title, asked in self._share_partitions():
            yield title, asked(state_epoch=0, start_offset=7)
        yield "of no group", {"group_id": "", "topics": self._state_topics(0, state_epoch=0, start_offset=7)}
        yield "of no partition", {"group_id": self.name, "topics": []}

    def read_share_group_state(self, version: int) -> Asked:
        for title, asked in self._share_partitions():
            yield title, asked(leader_epoch=0)
        self._initialized()
        group = {"group_id": self.name}
        yield "a new one", {**group, "topics": self._state_topics(0, leader_epoch=7)}
        yield "by an old leader", {**group, "topics": self._state_topics(0, leader_epoch=3)}

    def write_share_group_state(self, version: int) -> Asked:
        change = {"leader_epoch": 7, "start_offset": 9, "delivery_complete_count": 2, "state_batches": [
            {"first_offset": 9, "last_offset": 10, "delivery_state": 2, "delivery_count": 1}
        ]}  # fmt: skip
        for title, asked in self._share_partitions():
            yield title, asked(state_epoch=0, **self._of_version(version, change))
        self._initialized()
        for epoch in (0, 5):
            topics = self._state_topics(0, state_epoch=epoch, **self._of_version(version, change))
            yield f"of state epoch {epoch}", {"group_id": self.name, "topics": topics}

    def delete_share_group_state(self, version: int) -> Asked:
        for title, asked in self._share_partitions():
            yield title, asked()
        self._initialized()
        yield "one that is there", {"group_id": self.name, "topics": self._state_topics(0)}
        yield "again", {"group_id": self.name, "topics": self._state_topics(0)}

    def read_share_group_state_summary(self, version: int) -> Asked:
        for title, asked in self._share_partitions():
            yield title, asked(leader_epoch=0)
        self._initialized()
        yield "a new one", {"group_id": self.name, "topics": self._state_topics(0, leader_epoch=7)}

    def _share_partitions(self) -> Iterator[tuple[str, Callable[..., dict[str, Any]]]]:
        """Partitions without a state, and what is none, after some share group has made the topic of states."""
        topic, group = self._topic(), f"{self.name}-g"
        self._coordinate(group, 0)
        self._do(76, 1, group_id=group, member_id="me", member_epoch=0, subscribed_topic_names=[topic])
        time.sleep(1)
        self._state_topic_id = self._id(topic)
        for title, partition in (("unknown", 0), ("no such partition", 9), ("partition -1", -1)):
            yield title, lambda partition=partition, **fields: {
                "group_id": "nobodys" + self.name, "topics": self._state_topics(partition, **fields)
            }  # fmt: skip

    def _state_topics(self, partition: int, **fields: Any) -> list[dict[str, Any]]:
        return [{"topic_id": self._state_topic_id, "partitions": [{"partition": partition, **fields}]}]

    def _initialized(self) -> None:
        self._do(83, 0, group_id=self.name, topics=self._state_topics(0, state_epoch=3, start_offset=7))

    def _of_version(self, version: int, change: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in change.items() if version or name != "delivery_complete_count"}
