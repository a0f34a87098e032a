"""The transaction coordinator's shell: shards of ``__transaction_state``, and markers in partitions."""
