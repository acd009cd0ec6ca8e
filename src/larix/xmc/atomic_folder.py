"""Write a folder so that it exists whole or not at all.

A folder is filled under a temporary name beside its final place, flushed to the disk, and renamed. An older
folder at that place is renamed aside first and deleted last, so that at every instant the old or the new one
is whole under one of the names. A process that dies leaves a temporary (`.NAME.RANDOM.tmp`) or the folder it
had put aside (`.NAME.RANDOM.old`); the next writer of the place puts the latter back and deletes the former.
A writer holds a file lock on its temporary, so that one still at work is never taken for dead.
"""

import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks; there the age of a temporary decides
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

_ABANDONED_AFTER_SECONDS = 24 * 3600.0
_ATTEMPTS = 20


@contextmanager
def replacing_folder(path: Path, *, replaceable: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield an empty temporary folder that takes the place of `path` when the block ends without an error.

    Parameters
    ----------
    path : Path
        Where the folder goes. Missing parents are made.
    replaceable : callable
        Tells whether an existing, non-empty folder may be deleted in favour of the new one.

    Yields
    ------
    Path
        The temporary folder to fill. After an error in the block it is gone and `path` is as it was.

    Raises
    ------
    FileExistsError
        If `path` is a file, or a folder that must not be replaced.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    _recover(path)
    _check_replaceable(path, replaceable)
    temporary, lock = _locked_temporary(path)
    try:
        yield temporary
        _flush(temporary)
        _check_replaceable(path, replaceable)
        _swap_in(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _unlock(lock)


def abandoned_predecessor(path: Path) -> Path | None:
    """The folder that a writer of `path` had put aside before it died, if there is one."""
    path = Path(os.path.realpath(path))
    left = _siblings(path, "old")
    return max(left, key=lambda folder: folder.stat().st_mtime_ns, default=None)


def _check_replaceable(path: Path, replaceable: Callable[[Path], bool]) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise FileExistsError(f"{path} is a file; name a folder, or remove the file first")
    if any(path.iterdir()) and not replaceable(path):
        raise FileExistsError(
            f"{path} holds something else, and saving there would delete it; name another folder or empty it"
        )


def _sibling(path: Path, ending: str) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.{ending}")


def _siblings(path: Path, ending: str) -> list[Path]:
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.{ending}")
    with suppress(FileNotFoundError):
        return [found for found in path.parent.iterdir() if pattern.fullmatch(found.name)]
    return []


def _recover(path: Path) -> None:
    """Put back what a dead writer of `path` had moved aside, and delete what it had not finished."""
    if not path.exists() and (predecessor := abandoned_predecessor(path)) is not None:
        with suppress(OSError):
            predecessor.rename(path)
            logger.info("put %s back: its writer died while replacing it", path)
    if path.exists():
        for folder in _siblings(path, "old"):
            shutil.rmtree(folder, ignore_errors=True)
    for folder in _siblings(path, "tmp"):
        _delete_if_abandoned(folder)


def _delete_if_abandoned(folder: Path) -> None:
    with suppress(OSError):  # among them BlockingIOError: its writer is at work
        lock = _lock(folder)
        try:
            if lock is not None or time.time() - folder.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
                logger.info("deleted %s, left by a writer that died", folder)
        finally:
            _unlock(lock)


def _lock(folder: Path) -> int | None:
    """Descriptor that holds the folder's lock; None where the system or the file system has no locks.

    Raises BlockingIOError while another process holds it.
    """
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _locked_temporary(path: Path) -> tuple[Path, int | None]:
    for _ in range(_ATTEMPTS):
        temporary = _sibling(path, "tmp")
        temporary.mkdir()
        # Between the two calls another writer that tidies up may have locked the folder, or deleted it.
        with suppress(FileNotFoundError, BlockingIOError):
            lock = _lock(temporary)
            if temporary.exists():
                return temporary, lock
            _unlock(lock)
    raise FileExistsError(f"temporary folders beside {path} vanish; stop the program that deletes them")


def _flush(folder: Path) -> None:
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            _flush_path(Path(parent, name), os.O_RDONLY if os.name == "posix" else os.O_RDWR)
        _flush_directory(Path(parent))


def _flush_directory(folder: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened
        _flush_path(folder, os.O_RDONLY)


def _flush_path(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap_in(temporary: Path, path: Path) -> None:
    """Rename `temporary` to `path`; a folder found there is put aside first and deleted last."""
    aside: list[Path] = []
    for attempt in range(_ATTEMPTS):
        old = _sibling(path, "old")
        with suppress(FileNotFoundError):
            path.rename(old)
            aside.append(old)
        try:
            temporary.rename(path)
            break
        except OSError:
            if path.exists() and attempt < _ATTEMPTS - 1:
                continue  # another writer put its own folder there meanwhile
            if aside and not path.exists():
                aside[-1].rename(path)
            raise
    _flush_directory(path.parent)
    for folder in aside:
        shutil.rmtree(folder, ignore_errors=True)
