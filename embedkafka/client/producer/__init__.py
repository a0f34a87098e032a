"""The producer."""

from embedkafka.client.producer.producer import KafkaProducer

__all__ = ["KafkaProducer"]
