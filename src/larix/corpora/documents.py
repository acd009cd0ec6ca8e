"""What a reader hands over: the documents of one file, before they become a part of a corpus."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.corpora.format_error import CorpusFormatError
from larix.corpora.oddities import Oddities


class LabelVocabulary:
    """Numbers labels in the order in which they are met.

    The files of one corpus share a vocabulary. `order` gives the final order: by number if all labels are
    whole numbers, else alphabetical.
    """

    def __init__(self, labels: Iterable[str] = ()) -> None:
        self._codes: dict[str, int] = {}
        for label in labels:
            self.code(label)

    def __len__(self) -> int:
        return len(self._codes)

    def code(self, label: str) -> int:
        """Number of a label, a new one if it was not met before."""
        return self._codes.setdefault(label, len(self._codes))

    def add_numbers(self, n_labels: int) -> None:
        """Add the labels 0 to `n_labels` - 1."""
        for label in range(n_labels):
            self.code(str(label))

    def labels(self) -> list[str]:
        """All labels, by their numbers."""
        return list(self._codes)

    def order(self) -> NDArray[np.int64]:
        """Numbers of the labels in final order."""
        labels = self.labels()
        if all(label.isascii() and label.isdigit() for label in labels):
            # Equal numbers of different spelling, such as 7 and 07, are different labels.
            return np.array(
                sorted(range(len(labels)), key=lambda code: (int(labels[code]), labels[code])), np.int64
            )
        return np.array(sorted(range(len(labels)), key=labels.__getitem__), np.int64)


def require_documents(path: Path, n_documents: int) -> None:
    """Refuse a file without documents.

    Raises
    ------
    CorpusFormatError
        At the file's beginning.
    """
    if not n_documents:
        raise CorpusFormatError(
            path, 1, 1, rule="a corpus file has documents", found="none", remedy="write or copy it again"
        )


@dataclass(frozen=True, eq=False)
class Documents:
    """The documents of one file.

    Attributes
    ----------
    ids : list of str
    texts : list of str, or None
        None where the file gives features.
    features : csr_array (n x D), or None
        Canonical: sorted, summed, finite, without explicit zeros.
    labels : csr_array (n x L)
        Relevance of labels, 1 where the file has none. Canonical, all values positive. Columns are numbers of
        a `LabelVocabulary`; further labels may have joined it later.
    oddities : Oddities
        What was met in the file, counted.
    rejected : csr_array (n x L), or None
        Ones for labels that were judged to be wrong; None where the file doesn't tell.
    """

    ids: list[str]
    texts: list[str] | None
    features: Any
    labels: Any
    oddities: Oddities = field(default_factory=Oddities)
    rejected: Any = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> Self:
        """The documents of these rows, in this order."""
        return type(self)(
            ids=[self.ids[row] for row in rows],
            texts=None if self.texts is None else [self.texts[row] for row in rows],
            features=None if self.features is None else self.features[rows],
            labels=self.labels[rows],
            oddities=self.oddities,
            rejected=None if self.rejected is None else self.rejected[rows],
        )


class TextDocumentsBuilder:
    """Collects documents that come one by one with a text and a list of labels."""

    def __init__(self, vocabulary: LabelVocabulary, oddities: Oddities) -> None:
        self._vocabulary = vocabulary
        self._oddities = oddities
        self._ids: list[str] = []
        self._texts: list[str] = []
        self._columns: list[int] = []
        self._relevance: list[float] = []
        self._ends: list[int] = [0]
        self._rejected: list[int] = []
        self._rejected_ends: list[int] = [0]

    def __len__(self) -> int:
        return len(self._ids)

    def add(
        self,
        identifier: str,
        text: str,
        labels: Sequence[str],
        relevance: Sequence[float] | None = None,
        rejected: Sequence[str] = (),
    ) -> None:
        """Append a document; a label given twice keeps its highest relevance, one of relevance 0 goes.

        A label that the document has can't be rejected as well.
        """
        kept: dict[int, float] = {}
        for label, value in zip(labels, relevance or (1.0,) * len(labels), strict=True):
            if value == 0:
                self._oddities["labels of relevance 0"] += 1
                continue
            code = self._vocabulary.code(label)
            if code in kept:
                self._oddities["labels repeated in a document"] += 1
            kept[code] = max(value, kept.get(code, value))
        if not kept:
            self._oddities["documents without labels"] += 1
        if not text or text.isspace():
            self._oddities["empty documents"] += 1
        self._ids.append(identifier)
        self._texts.append(text)
        self._columns.extend(kept)
        self._relevance.extend(kept.values())
        self._ends.append(len(self._columns))
        refused = {self._vocabulary.code(label) for label in rejected}
        if refused & kept.keys():
            self._oddities["labels both given and rejected"] += len(refused & kept.keys())
        self._rejected.extend(refused - kept.keys())
        self._rejected_ends.append(len(self._rejected))

    def finish(self) -> Documents:
        """The collected documents."""
        labels = self._matrix(np.array(self._relevance, np.float32), self._columns, self._ends)
        ones = np.ones(len(self._rejected), np.float32)
        rejected = self._matrix(ones, self._rejected, self._rejected_ends) if self._rejected else None
        return Documents(self._ids, self._texts, None, labels, self._oddities, rejected)

    def _matrix(self, data: NDArray[np.float32], columns: list[int], ends: list[int]) -> Any:
        shape = (len(self._ids), len(self._vocabulary))
        matrix = sp.csr_array((data, np.array(columns, np.int32), np.array(ends, np.int64)), shape=shape)
        matrix.sort_indices()
        return matrix


def feature_documents(features: Any, labels: Any, oddities: Oddities) -> Documents:
    """Documents that come as canonical matrices; those without labels and without features are counted."""
    oddities["documents without labels"] += int((np.diff(labels.indptr) == 0).sum())
    oddities["documents without features"] += int((np.diff(features.indptr) == 0).sum())
    return Documents([str(row) for row in range(features.shape[0])], None, features, labels, oddities)
