"""A worker of Kafka Connect, and its REST interface."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from real_kafka.jars import KafkaJars
from server.clients.java_tools import ToolProcess

LIMIT_S = 60.0

_PAUSE_S = 0.1
_STRING_CONVERTER = "org.apache.kafka.connect.storage.StringConverter"


class ConnectWorker:
    """A distributed worker that writes sources' records exactly once; its own topics begin with its name."""

    def __init__(self, jars: KafkaJars, broker: str, name: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        settings = {
            "bootstrap.servers": broker,
            "group.id": name,
            "key.converter": _STRING_CONVERTER,
            "value.converter": _STRING_CONVERTER,
            **{f"{what}.storage.topic": f"{name}-{what}" for what in ("offset", "config", "status")},
            **{f"{what}.storage.replication.factor": 1 for what in ("offset", "config", "status")},
            "offset.flush.interval.ms": 200,
            "listeners": f"http://{self._address}",
            "exactly.once.source.support": "enabled",
            "scheduled.rebalance.max.delay.ms": 0,
            "plugin.discovery": "service_load",
        }
        file = folder / "worker.properties"
        file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        self._process = ToolProcess("connect", jars.command("org.apache.kafka.connect.cli.ConnectDistributed", file))

    def ask(self, method: str, path: str, content: object = None) -> Any:
        """A request; asked again while the worker starts, rebalances (409) or has not heard of it yet (404)."""
        body = None if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://{self._address}{path}", body, headers, method=method)
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                with urllib.request.urlopen(request, timeout=LIMIT_S) as reply:
                    text = reply.read()
                return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                if error.code not in (404, 409):
                    raise AssertionError(error.read()) from error
            except OSError:
                pass  # it is starting
            assert time.monotonic() < deadline, self._process.said
            time.sleep(_PAUSE_S)

    def wait_for(self, connector: str, state: str) -> None:
        """Wait until a connector and its tasks are in a state."""

        def states() -> set[str]:
            status = self.ask("GET", f"/connectors/{connector}/status")
            tasks = status["tasks"] or [{"state": "" if state == "RUNNING" else state}]
            return {each["state"] for each in [status["connector"], *tasks]}

        wait_until(lambda: states() == {state})

    def stop(self) -> None:
        self._process.stop()


def wait_until(condition: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    """Wait for something that only asking tells."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(_PAUSE_S)
