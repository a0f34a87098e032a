"""A desktop program keeps everything that happened in a durable log, and rebuilds what it shows from it.

One log, several readers at their own pace: the screen replays from the start, the search index goes on where it was.

    python examples/desktop_log.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from embedkafka import KafkaConsumer, KafkaProducer


class Notes:
    """A note-taking program.  Its only state on disk is the log."""

    def __init__(self, directory: Path) -> None:
        self.log = f"embed:{directory}"  # opens with the first client, closes with the last
        self.events = KafkaProducer(bootstrap_servers=self.log, value_serializer=lambda v: json.dumps(v).encode())
        self.notes = self.replay()

    def replay(self) -> dict[str, str]:
        """What the screen shows: all events from the first on, applied in order."""
        notes: dict[str, str] = {}
        for event in self.read(group=None):
            if event["text"] is None:
                notes.pop(event["title"], None)
            else:
                notes[event["title"]] = event["text"]
        return notes

    def write(self, title: str, text: str | None) -> None:
        self.events.send("events", {"title": title, "text": text}, key=title.encode())

    def index_new_words(self) -> set[str]:
        """The search index is a group: it gets each event once, also over restarts."""
        return {word for event in self.read(group="search-index") for word in (event["text"] or "").split()}

    def read(self, group: str | None) -> list[dict[str, str]]:
        consumer = KafkaConsumer(
            "events",
            bootstrap_servers=self.log,
            group_id=group,
            auto_offset_reset="earliest",
            consumer_timeout_ms=100,
        )
        events = [json.loads(record.value) for record in consumer]
        consumer.close()  # a group commits what it has read
        return events

    def close(self) -> None:
        self.events.close()


with tempfile.TemporaryDirectory() as directory:
    program = Notes(Path(directory) / "notes-log")
    program.write("shopping", "milk and bread")
    program.write("idea", "a log instead of a save button")
    program.write("shopping", "milk and bread and tea")
    words = program.index_new_words()
    print(f"first start: {len(words)} words indexed")
    assert {"bread", "tea", "log"} <= words
    program.close()

    program = Notes(Path(directory) / "notes-log")
    print("second start, replayed:", program.notes)
    assert program.notes == {"shopping": "milk and bread and tea", "idea": "a log instead of a save button"}

    program.write("idea", None)
    new_words = program.index_new_words()
    print("the index had nothing old to read again:", new_words or "no new words")
    assert new_words == set()
    assert program.replay() == {"shopping": "milk and bread and tea"}
    program.close()
