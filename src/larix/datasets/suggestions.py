"""Suggestions for texts as one file."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from kedro_datasets._typing import TablePreview

from larix.corpora.suggestion_file import read_suggestions, write_suggestions
from larix.datasets.artefact import ArtefactDataset
from larix.datasets.json_document import table_preview


class SuggestionsDataset(ArtefactDataset[Any]):
    """A JSONL, CSV, TSV or Parquet file with the labels of texts; see `larix.corpora.suggestion_file`.

    Batches are written as they are computed, so that there may be more texts than memory holds.
    """

    def _read(self, path: Path) -> list[Mapping[str, Any]]:
        return list(read_suggestions(path))

    def _write(self, path: Path, data: Iterable[Sequence[Mapping[str, Any]]]) -> None:
        write_suggestions(path, data)

    def preview(self, n_rows: int = 20) -> TablePreview:
        """The first rows."""
        rows = list(islice(read_suggestions(self.path()), n_rows))
        columns = list(rows[0]) if rows else []
        return table_preview(columns, [[_cell(row[column]) for column in columns] for row in rows])


def _cell(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return "; ".join(f"{found['label']} {found['name']} ({found['score']:.3f})" for found in value)
