"""Where a broker's logs live: opens them, retires those of deleted topics, and tells how much room there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedkafka.clock import Clock
from embedkafka.config import BrokerConfig
from embedkafka.files import Files, HandleCache, MemoryFiles, default_max_open_files
from embedkafka.storage.health import DirectoryHealth, DirectoryUsage
from embedkafka.storage.log import Log

if TYPE_CHECKING:
    from embedkafka.broker.partition import Partition

BROKER_ID = 0


class Store:
    def __init__(self, path: str | None, config: BrokerConfig, clock: Clock, *, read_only: bool = False) -> None:
        self.broker_ids = (BROKER_ID,)
        self.cluster_id = "embedkafka"
        self.files: Files = MemoryFiles()
        maximum = config["max.open.files"]
        self.handles = HandleCache(
            self.files,
            maximum if isinstance(maximum, int) else default_max_open_files(),
            read_mode=config.text("log.read.mode"),
        )
        self.folder = "/broker-1"
        self.files.make_dirs(self.folder)
        self.health = DirectoryHealth(self.folder)
        self.usage = DirectoryUsage(config.integer("log.max.total.bytes"))
        self._clock = clock
        self.error_code = 0

    def open_log(self, partition: Partition) -> Log:
        return Log.open(
            self.handles,
            self.folder,
            partition.topic_partition,
            partition.topic.log_config,
            now_ms=self._clock.now_ms(),
            topic_id=partition.topic.topic_id,
            health=self.health,
            usage=self.usage,
        )

    def has_folder_of(self, topic: str) -> bool:
        return False

    def retire(self, partition: Partition) -> None:
        partition.close()

    def space_bytes(self) -> tuple[int, int]:
        return -1, -1

    def close(self) -> None:
        self.handles.close()
