"""``python -m embedkafka`` is the ``embedkafka`` command."""

from embedkafka.cli import main

main()
