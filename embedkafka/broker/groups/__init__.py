"""The group coordinator's shell: shards of ``__consumer_offsets`` around :mod:`embedkafka.coordinator`'s machine."""
