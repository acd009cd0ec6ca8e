"""Plain values as one JSON file."""

import json
from pathlib import Path
from typing import Any

from kedro.io.core import DatasetError
from kedro_datasets._typing import JSONPreview, TablePreview

from larix.atomic_file import write_atomically
from larix.datasets.artefact import ArtefactDataset


class JSONDocumentDataset(ArtefactDataset[Any]):
    """A JSON file with lists, objects, texts and finite numbers.

    Kedro-Viz shows its text.
    """

    def _read(self, path: Path) -> Any:
        try:
            return json.loads(path.read_bytes())
        except ValueError as error:
            raise DatasetError(f"{path} is not JSON: {error}; delete it and run the pipeline again") from None

    def _write(self, path: Path, data: Any) -> None:
        try:
            text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise DatasetError(f"{path} takes plain finite values only: {error}") from None
        write_atomically(path, (text + "\n").encode())

    def preview(self) -> JSONPreview:
        """The document's text."""
        return json_preview(self.load())


class TableDocumentDataset(JSONDocumentDataset):
    """A JSON file with a list of objects that share their keys, shown by Kedro-Viz as a table."""

    def preview(self, n_rows: int = 20) -> TablePreview:
        """The first rows."""
        rows = self.load()[:n_rows]
        columns = list(rows[0]) if rows else []
        return table_preview(columns, [[row.get(column) for column in columns] for row in rows])


def json_preview(values: Any) -> JSONPreview:
    """Plain values in the form that Kedro-Viz shows."""
    return JSONPreview(json.dumps(values, ensure_ascii=False))


def table_preview(columns: list[str], rows: list[list[Any]]) -> TablePreview:
    """A table in the form that Kedro-Viz shows."""
    return TablePreview({"index": list(range(len(rows))), "columns": columns, "data": rows})
