"""Paths of a project that may be moved: kept relative to it, found from any folder in it."""

from collections.abc import Mapping
from pathlib import Path


def relative_paths(paths: Mapping[str, Path], project: Path) -> dict[str, Path]:
    """Those below the project relative to it, the others as they are."""
    return {
        name: path.relative_to(project) if path.is_relative_to(project) else path
        for name, path in paths.items()
    }


def folders_up(start: Path | None = None) -> list[Path]:
    """The folder `start` (by default the current one) and all above it."""
    folder = (start or Path.cwd()).resolve()
    return [folder, *folder.parents]
