"""Which leader epoch began at which offset (``LeaderEpochFileCache``), kept in ``leader-epoch-checkpoint``.

The batches carry their epoch themselves, so the file only has to be durable before the recovery point moves past the
start of an epoch; recovery finds later ones in the log.
"""

from __future__ import annotations

from embedkafka.errors import KafkaStorageError
from embedkafka.files import Files
from embedkafka.storage.checkpoints import LEADER_EPOCH_FILE, read_checkpoint, write_checkpoint


class LeaderEpochs:
    """Epochs and their start offsets, both rising.

    Args:
        folder: the partition's folder; the file is written by :meth:`write`.
    """

    def __init__(self, files: Files, folder: str) -> None:
        self._files = files
        self._path = files.join(folder, LEADER_EPOCH_FILE)
        self._entries: list[tuple[int, int]] = []
        self._written = True
        self.latest = -1

    def load(self) -> None:
        """Read the file; one that cannot be read is rebuilt from the log by recovery, so it counts as empty."""
        try:
            rows = read_checkpoint(self._files, self._path, 2)
            entries = sorted((int(epoch), int(offset)) for epoch, offset in rows)
        except (KafkaStorageError, ValueError):
            entries = []
        self._replace(entries)
        self._written = True

    @property
    def entries(self) -> list[tuple[int, int]]:
        """Pairs of epoch and start offset, in order."""
        return list(self._entries)

    def assign(self, epoch: int, start_offset: int) -> None:
        """Note that ``epoch`` began at ``start_offset``; entries it contradicts are dropped."""
        entries = self._entries
        if entries and entries[-1][0] >= epoch and entries[-1][1] <= start_offset:
            return
        self._replace(
            [entry for entry in entries if entry[0] < epoch and entry[1] < start_offset] + [(epoch, start_offset)]
        )

    def end_offset_for(self, epoch: int, log_end_offset: int) -> tuple[int, int]:
        """The largest epoch at or below ``epoch`` and where it ended; (-1, -1) when none is known (KIP-279)."""
        found = (-1, -1)
        for index, (known, _) in enumerate(self._entries):
            if known > epoch:
                break
            following = self._entries[index + 1][1] if index + 1 < len(self._entries) else log_end_offset
            found = (known, following)
        if found[0] == -1 or epoch > self.latest:
            return (-1, -1)
        return found

    def epoch_at(self, offset: int) -> int:
        """The epoch of the record at ``offset``; -1 when none is known."""
        found = -1
        for epoch, start_offset in self._entries:
            if start_offset > offset:
                break
            found = epoch
        return found

    def truncate_from_end(self, end_offset: int) -> None:
        """Forget epochs that began at or behind a new end of the log."""
        self._replace([entry for entry in self._entries if entry[1] < end_offset])

    def truncate_from_start(self, start_offset: int) -> None:
        """Forget epochs that ended before a new start of the log; the one in force there begins at it."""
        keep = [entry for entry in self._entries if entry[1] > start_offset]
        epoch = self.epoch_at(start_offset)
        self._replace([(epoch, start_offset), *keep] if epoch >= 0 else keep)

    def write(self) -> bool:
        """Write the entries where they have changed; True when the folder is to be synced for it."""
        if self._written:
            return False
        write_checkpoint(self._files, self._path, self._entries, sync_folder=False)
        self._written = True
        return True

    def _replace(self, entries: list[tuple[int, int]]) -> None:
        if entries != self._entries:
            self._written = False
            self._entries = entries
        self.latest = entries[-1][0] if entries else -1
