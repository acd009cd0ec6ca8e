"""Which processes work on a study, so that the trials of those that died are not waited for."""

import logging
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from larix.tuning.file_lock import is_locked, locked

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Worker:
    """A process at work on a study.

    Parameters
    ----------
    folder : Path
        Where the workers of this machine leave a locked file each.
    name : str
        The machine and something random.
    """

    folder: Path
    name: str

    @classmethod
    @contextmanager
    def at_work(cls, folder: Path) -> Iterator["Worker"]:
        """This process, at work inside the block."""
        worker = cls(folder, f"{socket.gethostname()}-{secrets.token_hex(6)}")
        with locked(worker._file(worker.name)):
            try:
                yield worker
            finally:
                worker._file(worker.name).unlink(missing_ok=True)

    def is_alive(self, name: str) -> bool:
        """Whether a worker is still there; one of another machine is believed to be."""
        if name == self.name or name.rpartition("-")[0] != socket.gethostname():
            return True
        return is_locked(self._file(name))

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.lock"
