"""A desktop program's job queue: thumbnails are made in the background, by several threads, and none is forgotten.

Jobs survive a restart, a job whose worker died is done by another, and one that nobody can do is put aside.

    python examples/desktop_queue.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from embedkafka import AcknowledgeType, ConfigResource, EmbeddedKafka, KafkaShareConsumer

SETTINGS = {
    "share.auto.offset.reset": "earliest",
    "errors.deadletterqueue.topic.name": "dlq.photos",
    "errors.deadletterqueue.copy.record.enable": "true",
}


def set_up(queue: EmbeddedKafka) -> None:
    queue.create_topic("dlq.photos", configs={"errors.deadletterqueue.group.enable": "true"})
    with queue.admin() as admin:
        admin.alter_configs([ConfigResource("GROUP", "thumbnails", configs=SETTINGS)])
    with queue.producer() as producer:
        for number in range(100):
            producer.send("photos", b"not a photo" if number == 13 else b"photo-%d.jpg" % number)


def take_jobs(queue: EmbeddedKafka) -> KafkaShareConsumer:
    """Each worker has one: it gets jobs that nobody else has, and says of each what became of it."""
    return queue.share_consumer(
        "photos",
        group_id="thumbnails",
        share_acknowledgement_mode="explicit",
        share_acquire_mode="record_limit",
        max_poll_records=5,
        consumer_timeout_ms=300,  # after that there is nothing left to do
    )


def work(queue: EmbeddedKafka) -> list[str]:
    done = []
    with take_jobs(queue) as jobs:
        for job in jobs:
            try:
                done.append(make_thumbnail(job.value))
                jobs.acknowledge(job)
            except ValueError:  # perhaps another time; after five times it goes to the dead-letter topic
                jobs.acknowledge(job, AcknowledgeType.RELEASE)
    return done


def make_thumbnail(photo: bytes) -> str:
    if not photo.endswith(b".jpg"):
        raise ValueError(photo)
    return photo.decode().replace(".jpg", ".thumbnail.png")


if len(sys.argv) > 1:  # the program's first life
    set_up(queue := EmbeddedKafka(sys.argv[1]))
    print(f"took {sum(map(len, take_jobs(queue).poll(5_000).values()))} of 100 jobs, and crashes", flush=True)
    os._exit(1)

with tempfile.TemporaryDirectory() as directory:
    subprocess.run([sys.executable, __file__, f"{directory}/queue"], check=False)
    with EmbeddedKafka(f"{directory}/queue") as queue, ThreadPoolExecutor() as threads:
        done = [thumbnail for each in threads.map(work, [queue] * 4) for thumbnail in each]
        print(f"four workers made {len(done)} thumbnails of {len(set(done))} photos")
        assert len(done) == len(set(done)) == 99
        with queue.consumer("dlq.photos", auto_offset_reset="earliest") as letters:
            letter = next(letters)
        print("put aside:", letter.value.decode(), *(f"({name}: {value.decode()})" for name, value in letter.headers))
        assert letter.value == b"not a photo"
