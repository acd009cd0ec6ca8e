"""Where a study is kept: a journal file, or a database by its URL."""

import logging
import os
from contextlib import ExitStack
from pathlib import Path

from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from larix.tuning.file_lock import locked

logger = logging.getLogger(__name__)

JOURNAL = "journal.log"


class JournalLock:
    """Lets one process at a time write to a journal; the system frees it when its process dies.

    Whoever gets the lock first cuts off a line that a process left unfinished when it died: the next would
    otherwise be written behind it, and neither could be read.

    Parameters
    ----------
    journal : Path
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._held = ExitStack()

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._held.enter_context(locked(self._journal.with_name(f".{self._journal.name}.lock")))
        _cut_unfinished_line(self._journal)
        return True

    def release(self) -> None:
        """Let go."""
        self._held.close()


def open_storage(folder: Path, url: str | None) -> BaseStorage:
    """The database of this URL, or the journal in the folder."""
    if url is not None:
        return RDBStorage(url)
    folder.mkdir(parents=True, exist_ok=True)
    lock = JournalLock(folder / JOURNAL)
    lock.acquire()
    lock.release()
    return JournalStorage(JournalFileBackend(str(folder / JOURNAL), lock))  # type: ignore[arg-type]


def _cut_unfinished_line(journal: Path) -> None:
    if not journal.exists() or not (size := journal.stat().st_size):
        return
    with journal.open("rb+") as file:
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        logger.warning("%s: an unfinished line of %d bytes is cut off", journal, size - whole)
        file.truncate(whole)
        os.fsync(file.fileno())
