"""A self-contained HTML page."""

from pathlib import Path

from kedro_datasets._typing import HTMLPreview

from larix.atomic_file import write_atomically
from larix.datasets.artefact import ArtefactDataset


class HTMLPageDataset(ArtefactDataset[str]):
    """An HTML page as text, shown as it is by Kedro-Viz."""

    def _read(self, path: Path) -> str:
        return path.read_text(encoding="utf-8")

    def _write(self, path: Path, data: str) -> None:
        write_atomically(path, data.encode())

    def preview(self) -> HTMLPreview:
        """The page."""
        return HTMLPreview(self.load())
