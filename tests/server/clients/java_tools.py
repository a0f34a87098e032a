"""Kafka's command line tools, run in one virtual machine by java/Tools.java."""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Any

from real_kafka.jars import KafkaJars

LIMIT_S = 60.0

_GROUPS = "org.apache.kafka.tools.consumer.group"
_MAINS = {
    "answers": "Answers",  # java/Answers.java: no tool of Kafka's, but run like one
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-client-compatibility-test": "org.apache.kafka.tools.ClientCompatibilityTest",
    "kafka-client-metrics": "org.apache.kafka.tools.ClientMetricsCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-console-share-consumer": "org.apache.kafka.tools.consumer.ConsoleShareConsumer",
    "kafka-consumer-groups": f"{_GROUPS}.ConsumerGroupCommand",
    "kafka-consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
    "kafka-delegation-tokens": "org.apache.kafka.tools.DelegationTokenCommand",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-e2e-latency": "org.apache.kafka.tools.EndToEndLatency",
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-replica-verification": "org.apache.kafka.tools.ReplicaVerificationTool",
    "kafka-share-consumer-perf-test": "org.apache.kafka.tools.ShareConsumerPerformance",
    "kafka-share-groups": f"{_GROUPS}.ShareGroupCommand",
    "kafka-streams-application-reset": "org.apache.kafka.tools.StreamsResetter",
    "kafka-streams-groups": "org.apache.kafka.tools.streams.StreamsGroupCommand",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-transactional-message-copier": "org.apache.kafka.tools.TransactionalMessageCopier",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
    "kafka-verifiable-consumer": "org.apache.kafka.tools.VerifiableConsumer",
    "kafka-verifiable-producer": "org.apache.kafka.tools.VerifiableProducer",
    "kafka-verifiable-share-consumer": "org.apache.kafka.tools.VerifiableShareConsumer",
}
_LISTS_BROKERS = {"kafka-replica-verification", "kafka-transactional-message-copier"}

_changed = threading.Condition()  # of all tools: some conditions are about two of them


class Tool:
    """A tool that runs, or has run."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.code: int | None = None
        self.output: list[str] = []
        self.errors: list[str] = []

    def take(self, event: dict[str, Any]) -> None:
        """Note what the virtual machine told about it."""
        with _changed:
            if "code" in event:
                self.code = event["code"]
            else:
                (self.output if event["stream"] == "out" else self.errors).append(event["line"])
            _changed.notify_all()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something that it printed makes the condition true."""
        with _changed:
            assert _changed.wait_for(condition, LIMIT_S), f"{self.name} did not say it:\n{self.said}"

    def ended(self) -> str:
        """Wait for its good end: what it printed."""
        self.wait_for(lambda: self.code is not None)
        assert self.code == 0, f"{self.name} ended with {self.code}:\n{self.said}"
        return "\n".join(self.output)

    @property
    def said(self) -> str:
        return "\n".join([*self.output[-50:], *self.errors[-50:]])

    def events(self, name: str) -> list[dict[str, Any]]:
        """What a verifiable client printed under this name."""
        parsed = [json.loads(line) for line in self.output if line.startswith("{")]
        return [event for event in parsed if event["name"] == name]


class ToolProcess(Tool):
    """A tool or an application in a virtual machine of its own: only a signal ends it, or it is killed."""

    def __init__(self, name: str, command: list[str]) -> None:
        super().__init__(name)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def say(self, line: str) -> None:
        """Give it a line of standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        self._process.terminate()
        self._reader.join(LIMIT_S)

    def kill(self) -> None:
        self._process.kill()
        self._reader.join(LIMIT_S)

    def _read(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._process.stdin, self._process.stdout as lines:
            for line in lines:
                self.take({"stream": "out", "line": line.rstrip("\n")})
        self.take({"code": self._process.wait()})


class JavaTools:
    """The virtual machine, and the address of the broker that the tools talk to."""

    def __init__(self, jars: KafkaJars, broker: str) -> None:
        self._jars = jars
        self._broker = broker
        command = jars.command("Tools")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._tools: dict[str, Tool] = {}
        self._ids = map(str, itertools.count())
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def start(self, name: str, *arguments: object, text: str = "") -> Tool:
        """Start a tool; ``text`` is its standard input."""
        number = next(self._ids)
        self._tools[number] = tool = Tool(name)
        command = self._arguments(name, arguments)
        assert self._process.stdin is not None
        question = {"id": number, "main": _MAINS[name], "arguments": command, "input": text}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return tool

    def start_alone(self, name: str, *arguments: object) -> ToolProcess:
        """Start a tool in a process of its own."""
        return ToolProcess(name, self._jars.command(_MAINS[name], *self._arguments(name, arguments)))

    def _arguments(self, name: str, arguments: Sequence[object]) -> list[str]:
        address = ["--broker-list" if name in _LISTS_BROKERS else "--bootstrap-server", self._broker]
        given = list(map(str, arguments))
        return given + address if name == "kafka-cluster" else address + given  # an option of its subcommands

    def run(self, name: str, *arguments: object, text: str = "") -> str:
        """Run a tool to its end: what it printed."""
        return self.start(name, *arguments, text=text).ended()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(LIMIT_S)
        self._reader.join()
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            if event["id"] in self._tools:
                self._tools[event["id"]].take(event)
