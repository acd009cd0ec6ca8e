"""Write a folder so that it exists whole or not at all.

A folder is filled under a temporary name beside its final place, flushed to the disk, and renamed. An older
folder at that place is renamed aside first and deleted last, so that at every instant the old or the new one
is whole under one of the names. A process that dies leaves a temporary (`.NAME.RANDOM.tmp`) or the folder it
had put aside (`.NAME.RANDOM.old`); the next writer of the place puts the latter back and deletes the former.
Where the system has file locks, a writer holds one on its temporary and on what it puts aside, so that a
writer at work is never taken for dead, and of two that end together one waits for the other.
"""

import errno
import logging
import os
import re
import secrets
import shutil
import stat
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
_ATTEMPTS = 500
_PAUSE_SECONDS = 0.02


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
    with suppress(FileNotFoundError, BlockingIOError):  # a first look, before the work
        _unlock(_lock_replaceable(path, replaceable))
    temporary, lock = _locked_temporary(path)
    try:
        yield temporary
        _flush(temporary)
        _swap_in(temporary, path, replaceable)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _unlock(lock)


def abandoned_predecessor(path: Path) -> Path | None:
    """The folder that a writer of `path` had put aside before it died, if there is one."""
    path = Path(os.path.realpath(path))
    return None if path.exists() else next(iter(_siblings(path, "old")), None)


def _sibling(path: Path, ending: str) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.{ending}")


def _siblings(path: Path, ending: str) -> list[Path]:
    """Folders that writers of `path` left or are at work on, the latest first."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.{ending}")
    try:
        found = [folder for folder in path.parent.iterdir() if pattern.fullmatch(folder.name)]
        return sorted(found, key=lambda folder: folder.stat().st_mtime_ns, reverse=True)
    except FileNotFoundError:
        return []


def _recover(path: Path) -> None:
    """Put back what a dead writer of `path` had moved aside, and delete what it had not finished."""
    for folder in _siblings(path, "old"):
        with suppress(OSError):  # among them BlockingIOError: its writer is at work
            lock = _lock(folder)
            if path.exists():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                folder.rename(path)
                logger.info("put %s back: its writer died while replacing it", path)
            _unlock(lock)
    for folder in _siblings(path, "tmp"):
        _delete_if_abandoned(folder)


def _delete_if_abandoned(folder: Path) -> None:
    with suppress(OSError):
        lock = _lock(folder)
        try:
            if lock is not None or time.time() - folder.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
                logger.info("deleted %s, left by a writer that died", folder)
        finally:
            _unlock(lock)


def _lock(folder: Path) -> int | None:
    """Descriptor that holds the folder's lock; None where the system or the file system has no locks.

    Raises BlockingIOError while another writer holds it or when the folder was exchanged meanwhile.
    """
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(descriptor), os.stat(folder)):
            raise BlockingIOError
    except (BlockingIOError, FileNotFoundError):
        os.close(descriptor)
        raise
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _lock_replaceable(path: Path, replaceable: Callable[[Path], bool]) -> int | None:
    """Lock the folder at `path`, so that no other writer moves it, and check that it may be replaced."""
    if not stat.S_ISDIR(path.stat().st_mode):
        raise FileExistsError(f"{path} is a file; name a folder, or remove the file first")
    lock = _lock(path)
    try:
        if any(path.iterdir()) and not replaceable(path):
            raise FileExistsError(
                f"{path} holds something else, which saving would delete; name another folder or empty it"
            )
    except OSError:
        _unlock(lock)
        raise
    return lock


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _locked_temporary(path: Path) -> tuple[Path, int | None]:
    for _ in range(_ATTEMPTS):
        temporary = _sibling(path, "tmp")
        temporary.mkdir()
        # Between the two calls another writer that tidies up may have locked the folder, or deleted it.
        with suppress(FileNotFoundError, BlockingIOError):
            return temporary, _lock(temporary)
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


def _swap_in(temporary: Path, path: Path, replaceable: Callable[[Path], bool]) -> None:
    """Rename `temporary` to `path`; a folder found there is put aside first and deleted last."""
    for _ in range(_ATTEMPTS):
        try:
            with _put_aside(path, replaceable):
                temporary.rename(path)
                _flush_directory(path.parent)
            return
        except OSError as error:
            if not isinstance(error, BlockingIOError) and error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            time.sleep(_PAUSE_SECONDS)  # another writer is replacing the folder, or just has
    raise FileExistsError(f"other writers keep {path} busy; wait for them and save again")


@contextmanager
def _put_aside(path: Path, replaceable: Callable[[Path], bool]) -> Iterator[None]:
    """Move the folder at `path` out of the way; after the block delete it, or put it back if none came."""
    lock, aside = None, None
    with suppress(FileNotFoundError):
        lock = _lock_replaceable(path, replaceable)
        aside = path.rename(_sibling(path, "old"))
    try:
        yield
    finally:
        if aside is not None:
            if path.exists():
                shutil.rmtree(aside, ignore_errors=True)
            else:
                aside.rename(path)
        _unlock(lock)
