"""The size of a folder on disk."""

from contextlib import suppress
from pathlib import Path


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder; one that goes meanwhile does not count."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total
