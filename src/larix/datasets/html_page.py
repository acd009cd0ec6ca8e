"""A self-contained HTML page."""

import logging
from pathlib import Path
from typing import Any

from kedro_datasets._typing import HTMLPreview

from larix.atomic_file import write_atomically
from larix.datasets.artefact import ArtefactDataset

logger = logging.getLogger(__name__)


class HTMLPageDataset(ArtefactDataset[str]):
    """An HTML page as text, shown as it is by Kedro-Viz.

    Parameters
    ----------
    announce : bool, default False
        Whether the log names the file when it is written.
    """

    def __init__(self, *, filepath: str, announce: bool = False, **options: Any) -> None:
        super().__init__(filepath=filepath, **options)
        self._announce = announce

    def _read(self, path: Path) -> str:
        return path.read_text(encoding="utf-8")

    def _write(self, path: Path, data: str) -> None:
        write_atomically(path, data.encode())
        if self._announce:
            logger.info("page: %s", path)

    def preview(self) -> HTMLPreview:
        """The page."""
        return HTMLPreview(self.load())
