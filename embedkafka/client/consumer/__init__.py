"""The consumer: subscription, positions, fetching, group membership."""

from embedkafka.client.consumer.consumer import KafkaConsumer
from embedkafka.client.consumer.listener import AsyncConsumerRebalanceListener, ConsumerRebalanceListener

__all__ = ["AsyncConsumerRebalanceListener", "ConsumerRebalanceListener", "KafkaConsumer"]
