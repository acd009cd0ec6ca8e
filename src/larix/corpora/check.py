"""What a corpus file holds, for `larix check`."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from larix.corpora.documents import Documents
from larix.corpora.labelled_file import read_labelled_file
from larix.corpora.oddities import Oddities
from larix.corpora.params import ColumnParams
from larix.corpora.split import row_keys


@dataclass(frozen=True)
class FileReport:
    """Counts of one file that breaks no rule.

    Attributes
    ----------
    path, format : str
        What was checked.
    n_documents : int
        Its documents.
    n_labels, n_labels_used : int
        Labels that the file announces, and those that occur; equal where a file announces none.
    labels_per_document : float
        Mean.
    n_features : int or None
        Columns of features; None where the file gives texts.
    size_per_document : float
        Mean number of features, or of words, of a document.
    n_repeated : int
        Documents that have the text, or the features, of an earlier one.
    oddities : dict of str to int
        What is unusual but legitimate, and how often it occurs.
    """

    path: str
    format: str
    n_documents: int
    n_labels: int
    n_labels_used: int
    labels_per_document: float
    n_features: int | None
    size_per_document: float
    n_repeated: int
    oddities: dict[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The report as lines of text."""
        used = "all used" if self.n_labels_used == self.n_labels else f"{self.n_labels_used:,} used"
        labels = f"{self.n_labels:,}, {used}, {self.labels_per_document:.2f} a document"
        if self.n_features is None:
            content = f"texts      {self.size_per_document:,.1f} words a document"
        else:
            content = f"features   {self.n_features:,}, {self.size_per_document:,.1f} a document"
        lines = [
            f"{self.path}: valid {self.format}",
            f"  documents  {self.n_documents:,}",
            f"  labels     {labels if self.n_labels else 'none'}",
            f"  {content}",
        ]
        if self.n_repeated:
            lines.append(f"  repeated   {self.n_repeated:,} of the documents are like an earlier one")
        if self.oddities:
            lines.append("  handled    " + str(Oddities(self.oddities)))
        return lines

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return asdict(self)


def check_file(
    path: Path | str | None,
    file_format: str,
    *,
    columns: ColumnParams | None = None,
    label_file: Path | str | None = None,
    encoding: str = "utf-8",
) -> FileReport:
    """Read a file and count what it holds; parameters and errors are those of `read_labelled_file`."""
    file = read_labelled_file(path, file_format, columns=columns, label_file=label_file, encoding=encoding)
    documents = file.documents
    n_documents, n_labels = documents.labels.shape[0], len(file.label_ids)
    return FileReport(
        path=str(path or "the installed list"),
        format=file_format,
        n_documents=n_documents,
        n_labels=n_labels,
        n_labels_used=len(np.unique(documents.labels.indices)),
        labels_per_document=round(documents.labels.nnz / max(n_documents, 1), 2),
        n_features=None if documents.features is None else documents.features.shape[1],
        size_per_document=round(_size(documents) / max(n_documents, 1), 1),
        n_repeated=_n_repeated(documents),
        oddities={what: count for what, count in documents.oddities.items() if count},
    )


def _size(documents: Documents) -> int:
    if documents.texts is not None:
        return sum(len(text.split()) for text in documents.texts)
    return int(documents.features.nnz)


def _n_repeated(documents: Documents) -> int:
    keys = documents.texts if documents.texts is not None else row_keys(documents.features)
    filled = [key for key in keys if key]
    return len(filled) - len(set(filled))
