"""Texts as the lines of a file."""

from pathlib import Path

from kedro.io.core import DatasetError
from kedro_datasets._typing import TablePreview

from larix.atomic_file import write_atomically
from larix.datasets.artefact import ArtefactDataset
from larix.datasets.json_document import table_preview


class TextLinesDataset(ArtefactDataset[list[str]]):
    """A UTF-8 file with one text a line; lines without text are left out."""

    def _read(self, path: Path) -> list[str]:
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise DatasetError(
                f"{path} must be UTF-8, but its byte {error.start} is {byte:#04x}; convert the file"
            ) from None
        return [line.strip() for line in lines if line.strip()]

    def _write(self, path: Path, data: list[str]) -> None:
        broken = next((text for text in data if len(text.splitlines()) > 1), None)
        if broken is not None:
            raise DatasetError(f"{path} takes one text a line, but a text has a line end: {broken!r:.80}")
        write_atomically(path, "".join(f"{text}\n" for text in data).encode())

    def preview(self, n_lines: int = 15) -> TablePreview:
        """The first texts."""
        return table_preview(["text"], [[text] for text in self.load()[:n_lines]])
