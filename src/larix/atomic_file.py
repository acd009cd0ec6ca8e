"""Write a single file whole or not at all.

The content goes to a temporary file beside the final place, is flushed to the disk and renamed, so that a
reader finds the old file, the new one or none. A process that dies leaves a `.NAME.RANDOM.tmp`, which nothing
reads; the next writer of the same place deletes those that are a day old, since a younger one may be another
writer's.
"""

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_ABANDONED_AFTER_SECONDS = 24 * 3600.0


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`; missing parents are made.

    Parameters
    ----------
    path : Path
        The file to write.
    content : bytes
        All of its content.
    """
    with writing_atomically(path) as file:
        file.write(content)


@contextmanager
def writing_atomically(path: Path) -> Iterator[BinaryIO]:
    """Yield an open file that becomes `path` when the block ends without an error; else it vanishes.

    Parameters
    ----------
    path : Path
        Missing parents are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _delete_abandoned(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _delete_abandoned(path: Path) -> None:
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.tmp")
    for found in path.parent.iterdir():
        if pattern.fullmatch(found.name):
            with suppress(OSError):
                if time.time() - found.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                    found.unlink()


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
