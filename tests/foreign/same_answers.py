"""Send the same requests to two brokers and print where their replies differ.

    python tests/foreign/same_answers.py 127.0.0.1:29092 127.0.0.1:9092 [--apis 2,15]

The first address is Apache Kafka's, the second ours.  Every API is asked in every version that both advertise, with
what succeeds and with what is refused.  Before replies are compared, what cannot be the same is replaced: topic ids,
member ids, producer ids, times, addresses, the words of error messages.  A connection that is closed is a reply, too.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import itertools
import re
import socket
import struct
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

from asked import Scenarios

from embedkafka.protocol.api import Api
from embedkafka.protocol.apis import NAMES, api
from embedkafka.protocol.fields import Array, Struct, wire_fields
from embedkafka.protocol.headers import RequestHeader, decode_response_header, encode_request_header

_LIMIT_S = 15.0
_CLOSED = "the connection was closed"
_SILENT = "no answer"

# Different by their nature on two brokers.
_UNLIKE = {
    "throttle_time_ms", "cluster_id", "host", "port", "client_host", "total_bytes", "usable_bytes", "partition_size",
    "log_dir", "last_timestamp", "transaction_start_time_ms", "last_fetch_timestamp", "last_caught_up_timestamp",
    "log_append_time_ms", "documentation",
}  # fmt: skip
_MESSAGES = re.compile(r"error_message$|^batch_index_error_message$")


def build(message: type[Any], values: dict[str, Any], version: int) -> Any:
    """A message of nested dicts; fields that the version lacks are left out."""
    declared = {field.name: wired for field, wired in wire_fields(message)}
    unknown = values.keys() - declared.keys()
    assert not unknown, f"{message.__name__} has no {unknown}"
    given = {}
    for name, value in values.items():
        if version in declared[name].versions:
            given[name] = _build_value(declared[name].type, value, version)
    return message(**given)


def _build_value(wire_type: Any, value: Any, version: int) -> Any:
    if isinstance(wire_type, Array) and value is not None:
        return [_build_value(wire_type.element, each, version) for each in value]
    if isinstance(wire_type, Struct) and isinstance(value, dict):
        return build(wire_type.message, value, version)
    return value


class Broker:
    """A broker and a connection to it."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.address = (host, int(port))
        self._socket: socket.socket | None = None
        self._correlation_ids = itertools.count()

    def ask(self, which: Api, version: int, values: dict[str, Any]) -> Any:
        """The reply to a request, or how it failed to come."""
        request = build(which.request.message, values, version)
        correlation_id = next(self._correlation_ids)
        header = RequestHeader(which.key, version, correlation_id, "same-answers")
        body = which.request.encode_bytes(request, version)
        frame = encode_request_header(header, which.request_header_version(version)) + body
        try:
            reply = self.exchange(frame)
        except TimeoutError:
            self.hang_up()
            return _SILENT
        except OSError:
            self.hang_up()
            return _CLOSED
        _, position = decode_response_header(reply, which.response_header_version(version))
        return which.response.decode_whole(reply, version, position)

    def exchange(self, frame: bytes) -> memoryview:
        if self._socket is None:
            self._socket = socket.create_connection(self.address, _LIMIT_S)
        self._socket.sendall(struct.pack("!i", len(frame)) + frame)
        (size,) = struct.unpack("!i", self._receive(4))
        return memoryview(self._receive(size))

    def hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _receive(self, size: int) -> bytes:
        assert self._socket is not None
        received = bytearray()
        while len(received) < size:
            piece = self._socket.recv(size - len(received))
            if not piece:
                raise ConnectionError
            received += piece
        return bytes(received)


class Normal:
    """Turns a reply into lines that are equal where the replies mean the same."""

    def __init__(self, are_messages_compared: bool) -> None:
        self._are_messages_compared = are_messages_compared
        self._names: dict[Any, str] = {}

    def lines(self, reply: Any) -> list[str]:
        return list(self._lines("", reply, ""))

    def _lines(self, indent: str, value: Any, name: str) -> Iterator[str]:
        if dataclasses.is_dataclass(value):
            yield f"{indent}{name}:"
            for field, _ in wire_fields(type(value)):
                yield from self._lines(indent + "  ", getattr(value, field.name), field.name)
        elif isinstance(value, list):
            shown = [list(self._lines(indent + "  ", each, "-")) for each in value]
            yield f"{indent}{name}: {len(value)}"
            for lines in sorted(shown):
                yield from lines
        else:
            yield f"{indent}{name}: {self._scalar(name, value)}"

    def _scalar(self, name: str, value: Any) -> Any:
        if name in _UNLIKE:
            return "..."
        if _MESSAGES.search(name) and not self._are_messages_compared:
            return "..."
        if (
            isinstance(value, uuid.UUID | bytes)
            and name.endswith("_id")
            and any(value if isinstance(value, bytes) else value.bytes)
        ):
            return self._placeholder(value)
        if name in ("member_id", "leader") and value:
            return self._placeholder(value)
        if name == "producer_id" and value >= 0:
            return self._placeholder(value)
        if isinstance(value, memoryview):
            return bytes(value)
        return value

    def _placeholder(self, value: Any) -> str:
        return self._names.setdefault(value, f"<{len(self._names)}>")


def compare(brokers: list[Broker], keys: list[int], are_messages_compared: bool) -> int:
    """Print the differences, each with the versions that have it; how many there are."""
    run = f"{time.time_ns() // 10**6 % 10**9}"
    count = 0
    for key in keys:
        which = api(key)
        versions = _common_versions(brokers, key)
        advertised = [_advertised(broker).get(key) for broker in brokers]
        if advertised[0] != advertised[1]:
            print(f"== {which.name} ({key}): advertised as {advertised[0]} and {advertised[1]}")
            count += 1
        found: dict[tuple[str, str], list[int]] = {}
        for version in versions:
            name = f"same-{run}-{key}-{version}"
            shown = [_answers(broker, which, version, name, are_messages_compared) for broker in brokers]
            for (title, theirs), (_, ours) in zip(*shown, strict=True):
                if theirs != ours:
                    found.setdefault((title, _difference(theirs, ours).replace(name, "NAME")), []).append(version)
        for (title, text), among in found.items():
            print(f"== {which.name} ({key}) v{','.join(map(str, among))}: {title}\n{text}", flush=True)
        count += len(found)
    return count


def _answers(
    broker: Broker, which: Api, version: int, name: str, are_messages_compared: bool
) -> list[tuple[str, list[str]]]:
    """What a broker answers to all that is asked of one version, with what was asked."""
    broker.hang_up()
    normal = Normal(are_messages_compared)
    scenarios = Scenarios(name, broker)
    answers = []
    for title, values in getattr(scenarios, NAMES[which.key])(version):
        answer = broker.ask(which, version, values)
        scenarios.note(title, answer)
        answers.append((title, [answer] if isinstance(answer, str) else normal.lines(answer)))
    return answers


def _difference(theirs: list[str], ours: list[str]) -> str:
    if _CLOSED in ours or _SILENT in ours:
        return f"   +{ours[0]}; theirs: " + "; ".join(line.strip() for line in theirs)[:300]
    lines = difflib.unified_diff(theirs, ours, lineterm="", n=1)
    return "\n".join(f"   {line[:200]}" for line in lines if not line.startswith(("---", "+++", "@@")))


_versions: dict[tuple[str, int], dict[int, tuple[int, int]]] = {}


def _advertised(broker: Broker) -> dict[int, tuple[int, int]]:
    if broker.address not in _versions:
        reply = broker.ask(api(18), 3, {"client_software_name": "same-answers", "client_software_version": "1"})
        _versions[broker.address] = {each.api_key: (each.min_version, each.max_version) for each in reply.api_keys}
    return _versions[broker.address]


def _common_versions(brokers: list[Broker], key: int) -> list[int]:
    ranges = [_advertised(broker).get(key, (0, -1)) for broker in brokers]
    versions = range(max(low for low, _ in ranges), min(high for _, high in ranges) + 1)
    return [version for version in versions if version in api(key).versions]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("addresses", nargs=2)
    parser.add_argument("--apis", default="", help="keys, separated by commas; by default all that have scenarios")
    parser.add_argument("--messages", action="store_true", help="compare the words of error messages, too")
    options = parser.parse_args()
    keys = [int(key) for key in options.apis.split(",") if key] or [
        key for key in NAMES if hasattr(Scenarios, NAMES[key])
    ]
    differences = compare([Broker(address) for address in options.addresses], keys, options.messages)
    print(f"{differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
