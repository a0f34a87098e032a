"""The ``embedkafka`` command.

Everything is imported when the command runs, so ``import embedkafka`` pays nothing for it.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process; ends the process with one of :mod:`embedkafka.cli.exits`' codes."""
    from embedkafka.cli.app import app

    app(prog_name="embedkafka")
