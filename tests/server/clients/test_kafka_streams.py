"""Kafka Streams 4.3.1 with the listener as its broker."""

from __future__ import annotations

import time

import pytest
from server.clients.streams_application import StreamsApplication, has_counts

pytestmark = pytest.mark.real_kafka

WINDOW_MS = 10_000


@pytest.mark.parametrize("group_protocol", ["classic", "streams"])
def test_words_are_counted_streams_joined_and_windows_closed(application: StreamsApplication) -> None:
    start_ms = int(time.time()) // 10 * WINDOW_MS - 6 * WINDOW_MS
    application.send("users", [(f"u{number}", f"user {number}") for number in range(10)], start_ms)
    application.send("clicks", [(f"u{number % 10}", f"page {number}") for number in range(20)], start_ms + 1000)
    application.send("words", [(str(number), f"all part{number % 2}") for number in range(200)])
    for second in range(35):
        application.send("events", [("k", "event")], start_ms + 1000 * second)
    instance = application.start()
    application.read("counts", has_counts(all="200", part0="100", part1="100"))
    joined = application.read("joined", lambda found: len(found) == 20)
    assert sorted(joined) == sorted((f"u{n % 10}", f"user {n % 10} at page {n}") for n in range(20))
    windows = application.read("windows", lambda found: len(found) == 3)  # the fourth is still open
    assert sorted(windows) == [(f"k@{start_ms + number * WINDOW_MS}", "10") for number in range(3)]
    assert [application.ask(instance, word) for word in ("all", "part1", "none")] == ["200", "100", "null"]
    instance.say("close")
    instance.ended()
    assert "closed true" in instance.output
