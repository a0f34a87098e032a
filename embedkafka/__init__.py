"""Kafka as a Python library: topics, partitions, offsets and consumer groups in one process.

::

    from embedkafka import KafkaConsumer, KafkaProducer

    producer = KafkaProducer(bootstrap_servers="embed:./data")
    producer.send("greetings", key=b"world", value=b"hello")
    consumer = KafkaConsumer("greetings", bootstrap_servers="embed:./data", auto_offset_reset="earliest")
    for record in consumer:
        print(record.value)

Names are loaded when they are first used, so that ``import embedkafka`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedkafka import errors as errors
    from embedkafka.client.admin import ConfigResource as ConfigResource
    from embedkafka.client.admin import ConfigResourceType as ConfigResourceType
    from embedkafka.client.admin import IsolationLevel as IsolationLevel
    from embedkafka.client.admin import KafkaAdminClient as KafkaAdminClient
    from embedkafka.client.admin import NewPartitions as NewPartitions
    from embedkafka.client.admin import NewTopic as NewTopic
    from embedkafka.client.admin import OffsetSpec as OffsetSpec
    from embedkafka.client.consumer import AsyncConsumerRebalanceListener as AsyncConsumerRebalanceListener
    from embedkafka.client.consumer import ConsumerRebalanceListener as ConsumerRebalanceListener
    from embedkafka.client.consumer import KafkaConsumer as KafkaConsumer
    from embedkafka.client.producer import KafkaProducer as KafkaProducer
    from embedkafka.client.serializers import BytesSerializer as BytesSerializer
    from embedkafka.client.serializers import DefaultSerializer as DefaultSerializer
    from embedkafka.client.serializers import Deserializer as Deserializer
    from embedkafka.client.serializers import IntegerSerializer as IntegerSerializer
    from embedkafka.client.serializers import JsonSerializer as JsonSerializer
    from embedkafka.client.serializers import MsgpackSerializer as MsgpackSerializer
    from embedkafka.client.serializers import Serializer as Serializer
    from embedkafka.client.serializers import StringSerializer as StringSerializer
    from embedkafka.client.share_consumer import KafkaShareConsumer as KafkaShareConsumer
    from embedkafka.clock import ManualClock as ManualClock
    from embedkafka.embedded import EmbeddedKafka as EmbeddedKafka
    from embedkafka.model import AcknowledgeType as AcknowledgeType
    from embedkafka.model import ConsumerGroupMetadata as ConsumerGroupMetadata
    from embedkafka.model import OffsetAndMetadata as OffsetAndMetadata
    from embedkafka.model import OffsetAndTimestamp as OffsetAndTimestamp
    from embedkafka.model import ProducerRecord as ProducerRecord
    from embedkafka.model import RecordMetadata as RecordMetadata
    from embedkafka.model import SubscriptionPattern as SubscriptionPattern
    from embedkafka.model import TopicPartition as TopicPartition
    from embedkafka.model import TopicPartitionReplica as TopicPartitionReplica
    from embedkafka.record import ConsumerRecord as ConsumerRecord

__version__ = "0.1.0"

_HOMES = {
    "client.admin": (
        "ConfigResource ConfigResourceType IsolationLevel KafkaAdminClient NewPartitions NewTopic OffsetSpec"
    ),
    "client.consumer": "AsyncConsumerRebalanceListener ConsumerRebalanceListener KafkaConsumer",
    "client.producer": "KafkaProducer",
    "client.serializers": (
        "BytesSerializer DefaultSerializer Deserializer IntegerSerializer JsonSerializer MsgpackSerializer Serializer "
        "StringSerializer"
    ),
    "client.share_consumer": "KafkaShareConsumer",
    "clock": "ManualClock",
    "embedded": "EmbeddedKafka",
    "model": (
        "AcknowledgeType ConsumerGroupMetadata OffsetAndMetadata OffsetAndTimestamp ProducerRecord RecordMetadata "
        "SubscriptionPattern TopicPartition TopicPartitionReplica"
    ),
    "record": "ConsumerRecord",
}
_HOME = {name: f"embedkafka.{module}" for module, names in _HOMES.items() for name in names.split()}

__all__ = [  # noqa: RUF022  # loaded by __getattr__; grouped by what a reader looks for
    # the engine
    "EmbeddedKafka",
    "ManualClock",
    # clients
    "KafkaProducer",
    "KafkaConsumer",
    "KafkaShareConsumer",
    "KafkaAdminClient",
    "ConsumerRebalanceListener",
    "AsyncConsumerRebalanceListener",
    # what they take and give
    "AcknowledgeType",
    "ConsumerRecord",
    "ProducerRecord",
    "RecordMetadata",
    "SubscriptionPattern",
    "TopicPartition",
    "TopicPartitionReplica",
    "OffsetAndMetadata",
    "OffsetAndTimestamp",
    "ConsumerGroupMetadata",
    "IsolationLevel",
    "OffsetSpec",
    "NewTopic",
    "NewPartitions",
    "ConfigResource",
    "ConfigResourceType",
    # serializers
    "Serializer",
    "Deserializer",
    "BytesSerializer",
    "DefaultSerializer",
    "IntegerSerializer",
    "JsonSerializer",
    "MsgpackSerializer",
    "StringSerializer",
    # errors
    "errors",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is not None:
        found = getattr(importlib.import_module(home), name)
    elif name == "errors":
        found = importlib.import_module("embedkafka.errors")
    else:
        raise AttributeError(f"module 'embedkafka' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
