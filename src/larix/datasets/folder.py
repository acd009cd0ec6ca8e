"""Folders that nodes keep things in by themselves."""

from pathlib import Path

from kedro.io.core import DatasetError
from kedro_datasets._typing import JSONPreview

from larix.datasets.artefact import ArtefactDataset
from larix.datasets.json_document import json_preview


class FolderDataset(ArtefactDataset[Path]):
    """A cache. What is loaded is its place, whether it is there or not; it is not saved as a whole."""

    def load(self) -> Path:
        return self.path()

    def _read(self, path: Path) -> Path:
        return path

    def _write(self, path: Path, data: Path) -> None:
        raise DatasetError(
            f"{path} is a folder that nodes write to themselves; it takes no {type(data).__name__}"
        )

    def _is_whole(self, path: str | Path) -> bool:
        return Path(path).is_dir()

    def preview(self) -> JSONPreview:
        """Number of files and their size."""
        sizes = [file.stat().st_size for file in self.load().rglob("*") if file.is_file()]
        return json_preview({"files": len(sizes), "megabytes": round(sum(sizes) / 1e6, 1)})
