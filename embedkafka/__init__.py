"""Kafka as a Python library: topics, partitions, offsets and consumer groups in one process."""

__version__ = "0.1.0"
