"""``embedkafka perf``: the counterparts of Kafka's perf tools.

===============  ======================================  ===========================================================
command          Kafka's tool                            what a latency is
===============  ======================================  ===========================================================
``producer``     ``kafka-producer-perf-test``            from ``send()`` until its callback runs
``consumer``     ``kafka-consumer-perf-test``            (throughput only)
``end-to-end``   ``kafka-e2e-latency``                   from ``send()`` until a consumer has the record
===============  ======================================  ===========================================================

Without a data directory they run in memory.  The topic of a run is deleted at its end unless it was named.
"""

from __future__ import annotations

import typer

from embedkafka.cli.perf.consumer import consumer
from embedkafka.cli.perf.end_to_end import end_to_end
from embedkafka.cli.perf.producer import producer

app = typer.Typer(help="Measure throughput and latency; in memory, or on --data DIR.", no_args_is_help=True)

app.command("producer")(producer)
app.command("consumer")(consumer)
app.command("end-to-end")(end_to_end)
