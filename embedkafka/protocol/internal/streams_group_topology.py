"""StreamsGroupTopologyKey (record type 23) and its value: the topology of a streams group, as its first member sent it.

Copartition groups name topics by their index in the lists of their sub-topology.
"""

from __future__ import annotations

from dataclasses import dataclass

from embedkafka.protocol.fields import INT16, INT32, STRING, array, wire
from embedkafka.protocol.schema import Schema


@dataclass(slots=True)
class StreamsGroupTopologyKey:
    group_id: str = wire(STRING)


@dataclass(slots=True)
class TopicConfig:
    key: str = wire(STRING)
    value: str = wire(STRING)


@dataclass(slots=True)
class TopicInfo:
    name: str = wire(STRING)
    partitions: int = wire(INT32)
    replication_factor: int = wire(INT16)
    topic_configs: list[TopicConfig] = wire(array(TopicConfig))


@dataclass(slots=True)
class CopartitionGroup:
    source_topics: list[int] = wire(array(INT16))
    source_topic_regex: list[int] = wire(array(INT16))
    repartition_source_topics: list[int] = wire(array(INT16))


@dataclass(slots=True)
class Subtopology:
    subtopology_id: str = wire(STRING)
    source_topics: list[str] = wire(array(STRING))
    source_topic_regex: list[str] = wire(array(STRING))
    state_changelog_topics: list[TopicInfo] = wire(array(TopicInfo))
    repartition_sink_topics: list[str] = wire(array(STRING))
    repartition_source_topics: list[TopicInfo] = wire(array(TopicInfo))
    copartition_groups: list[CopartitionGroup] = wire(array(CopartitionGroup))


@dataclass(slots=True)
class StreamsGroupTopologyValue:
    epoch: int = wire(INT32)
    subtopologies: list[Subtopology] = wire(array(Subtopology))


KEY = Schema(StreamsGroupTopologyKey, versions="0")
VALUE = Schema(StreamsGroupTopologyValue, versions="0", flexible="0+")
