"""``KafkaShareConsumer``: records as jobs that are handed out, acknowledged one by one, and handed out again."""

from embedkafka.client.share_consumer.consumer import KafkaShareConsumer

__all__ = ["KafkaShareConsumer"]
