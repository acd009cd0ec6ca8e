"""`Corpus`: documents with label sets, in a training and a test part, held in Arrow tables.

Every reader of this room returns one, and everything after ingestion takes one. A corpus is validated when
it is made: label indices are in range, sorted and unique in a document, relevance is positive and finite,
features are in range and finite. Columns of the label matrix are all labels of the corpus in one fixed
order; a label that has no training document keeps its column.

Where a label stands for several things, such as a word for its meanings, a corpus may know which one each
document means: `senses` is a finer set of labels, each of which belongs to one label. A model never sees it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.corpora.corpus_schema import (
    check_labels_table,
    check_part_table,
    check_senses_table,
    sparse_column,
    sparse_columns,
)
from larix.xmc.persistence import ModelFolderError, SavedFolder, load_folder, save_folder

KIND = "Corpus"


@dataclass(frozen=True)
class CorpusPart:
    """The training or the test documents of a corpus.

    Attributes
    ----------
    table : pyarrow.Table
        Columns `id`, `labels` (list of int32) and, where the corpus has them, `text`, `relevance` (list of
        float32 beside `labels`), `feature_index` and `feature_value` (lists beside each other), `senses`
        (list of int32), `rejected` (list of int32: labels that are known to be wrong).
    n_labels : int
        L, the number of labels of the whole corpus.
    n_features : int or None
        D if the corpus gives features, None if it gives texts.
    n_senses : int or None
        S, the number of senses of all labels; None if the corpus does not know them.
    """

    table: pa.Table
    n_labels: int
    n_features: int | None = None
    n_senses: int | None = None

    def __post_init__(self) -> None:
        table = check_part_table(self.table, self.n_labels, self.n_features, self.n_senses)
        object.__setattr__(self, "table", table)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @classmethod
    def from_columns(
        cls,
        *,
        ids: list[str],
        labels: Any,
        texts: list[str] | None = None,
        features: Any = None,
        senses: Any = None,
        rejected: Any = None,
    ) -> Self:
        """Build a part from canonical matrices.

        They are features (n x D) where there are no texts, labels (n x L), and where they are known senses
        (n x S) and rejected labels (n x L).
        """
        columns: dict[str, pa.Array] = {"id": pa.array(ids, pa.large_string())}
        if texts is not None:
            columns["text"] = pa.array(texts, pa.large_string())
        if features is not None:
            columns |= sparse_columns(features, "feature_index", "feature_value")
        columns |= sparse_columns(labels, "labels", "relevance")
        if np.all(labels.data == 1):
            del columns["relevance"]
        if rejected is not None:
            columns["rejected"] = sparse_columns(rejected, "rejected", "_")["rejected"]
        part = cls(pa.table(columns), labels.shape[1], None if features is None else features.shape[1])
        return part if senses is None else part.with_senses(senses)

    def with_senses(self, senses: Any) -> Self:
        """The same documents with the senses of their labels, a canonical matrix (n x S)."""
        column = sparse_columns(senses, "senses", "_")["senses"]
        return replace(self, table=self.table.append_column("senses", column), n_senses=senses.shape[1])

    @property
    def ids(self) -> list[str]:
        """Identifier of every document."""
        return list(self.table["id"].to_pylist())

    @cached_property
    def texts(self) -> list[str] | None:
        """Text of every document, or None if the corpus gives features only."""
        return list(self.table["text"].to_pylist()) if "text" in self.table.column_names else None

    @cached_property
    def features(self) -> Any:
        """Given features as csr_array (n x D) of float32, or None if the corpus gives texts."""
        if self.n_features is None:
            return None
        return self._sparse("feature_index", "feature_value", self.n_features)

    @cached_property
    def labels(self) -> Any:
        """Relevance of labels as csr_array (n x L) of float32; 1 where the corpus has no relevance."""
        return self._sparse("labels", "relevance", self.n_labels)

    @cached_property
    def senses(self) -> Any:
        """The senses of every document as csr_array (n x S) of ones, or None if the corpus has none."""
        return None if self.n_senses is None else self._sparse("senses", None, self.n_senses)

    @cached_property
    def rejected(self) -> Any:
        """Labels known to be wrong as csr_array (n x L) of ones; empty if the corpus knows of none."""
        if "rejected" not in self.table.column_names:
            return sp.csr_array((len(self), self.n_labels), dtype=np.float32)
        return self._sparse("rejected", None, self.n_labels)

    def _sparse(self, index: str, value: str | None, n_columns: int) -> Any:
        indptr, indices = sparse_column(self.table[index])
        if value in self.table.column_names:
            data = sparse_column(self.table[value])[1].copy()
        else:
            data = np.ones(len(indices), np.float32)
        return sp.csr_array((data, indices.copy(), indptr), shape=(len(self), n_columns))

    def take(self, rows: NDArray[np.integer[Any]]) -> Self:
        """The documents of these rows, in this order."""
        return replace(self, table=self.table.take(pa.array(rows, pa.int64())))


@dataclass(frozen=True)
class Corpus:
    """Documents with label sets, split into training and test documents.

    Attributes
    ----------
    name : str
        What reports call the corpus.
    train, test : CorpusPart
        Either both give texts or both give features.
    label_table : pyarrow.Table
        Columns `id`, `name` and, where the corpus has them, `text`; row l describes column l of the label
        matrices.
    n_test_dropped : int
        Test documents that were left out because they repeat a training document.
    sense_table : pyarrow.Table, optional
        Columns `label` (int32, rising), `id` and `name`; row s describes column s of the matrices of senses.
        A document has a label exactly if it has one of its senses or more.

    Raises
    ------
    ValueError
        If a table breaks a rule; the message names column, row and value.

    Examples
    --------
    >>> from larix.corpora import corpus_from_texts
    >>> corpus = corpus_from_texts(["red fox", "sky"], [["animal"], ["air", "blue"]], ["a fox"], [["animal"]])
    >>> corpus.label_ids
    ['air', 'animal', 'blue']
    >>> corpus.train.labels.toarray().tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
    """

    name: str
    train: CorpusPart
    test: CorpusPart
    label_table: pa.Table
    n_test_dropped: int = 0
    sense_table: pa.Table | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "label_table", check_labels_table(self.label_table))
        for what in ("n_labels", "n_features", "n_senses"):
            in_train, in_test = getattr(self.train, what), getattr(self.test, what)
            if in_train != in_test:
                raise ValueError(
                    f"both parts must have one {what}, but train has {in_train} and test {in_test}"
                )
        if self.train.n_labels != self.label_table.num_rows:
            raise ValueError(
                f"each label needs a row in label_table, but there are {self.label_table.num_rows} rows "
                f"for {self.train.n_labels} labels"
            )
        self._check_senses()

    def _check_senses(self) -> None:
        if self.sense_table is not None:
            object.__setattr__(self, "sense_table", check_senses_table(self.sense_table, self.n_labels))
        n_rows = None if self.sense_table is None else self.sense_table.num_rows
        if n_rows != self.train.n_senses:
            raise ValueError(
                f"each sense needs a row in sense_table, but there are {n_rows} rows for "
                f"{self.train.n_senses} senses"
            )
        for what, part in (("train", self.train), ("test", self.test)):
            if self.sense_labels is not None and len(bad := _rows_at_odds(part, self.sense_labels)):
                raise ValueError(
                    f"a document has a label exactly if it has a sense of it, but row {bad[0]} of {what} "
                    "does not; correct its labels or its senses"
                )

    @property
    def n_labels(self) -> int:
        """L, the number of labels."""
        return self.train.n_labels

    @property
    def n_features(self) -> int | None:
        """D if the corpus gives features, None if it gives texts."""
        return self.train.n_features

    @cached_property
    def label_ids(self) -> list[str]:
        """Identifier of every label, in the order of the label matrices' columns."""
        return list(self.label_table["id"].to_pylist())

    @cached_property
    def label_names(self) -> list[str]:
        """Name of every label; its identifier where the corpus has no name for it."""
        return list(self.label_table["name"].to_pylist())

    @cached_property
    def label_texts(self) -> list[str] | None:
        """A longer text about every label, empty where it has none; None if the corpus has no such texts."""
        return list(self.label_table["text"].to_pylist()) if "text" in self.label_table.column_names else None

    @cached_property
    def label_descriptions(self) -> list[str]:
        """What tells of every label: its text, or else its name; empty where it has neither."""
        texts = self.label_texts or [""] * len(self.label_ids)
        names = zip(self.label_names, self.label_ids, strict=True)
        own_names = ("" if name == identifier else name for name, identifier in names)
        return [text or name for text, name in zip(texts, own_names, strict=True)]

    @cached_property
    def sense_labels(self) -> NDArray[np.int32] | None:
        """The label of every sense, rising, shape (S,); None if the corpus does not know senses."""
        return None if self.sense_table is None else self.sense_table["label"].to_numpy()

    def summary(self) -> dict[str, Any]:
        """Counts that describe the corpus, as plain JSON values; see `larix.corpora.corpus_summary`."""
        from larix.corpora.corpus_summary import summarize

        return summarize(self)

    def select(self, train_rows: NDArray[np.integer[Any]], test_rows: NDArray[np.integer[Any]]) -> Self:
        """A corpus of these documents and of the labels that occur in them.

        Parameters
        ----------
        train_rows, test_rows : array of int
            Rows of the parts, in the order that the new parts shall have.
        """
        train, test = self.train.take(train_rows), self.test.take(test_rows)
        used = np.union1d(train.labels.indices, test.labels.indices)
        train, test = _relabelled(train, used), _relabelled(test, used)
        senses = self.sense_table
        if senses is not None:
            kept = np.union1d(train.senses.indices, test.senses.indices)
            train, test = (
                replace(part, table=_renumbered(part.table, "senses", kept), n_senses=len(kept))
                for part in (train, test)
            )
            senses = senses.take(pa.array(kept, pa.int64()))
            labels = pa.array(np.searchsorted(used, senses["label"].to_numpy()), pa.int32())
            senses = senses.set_column(0, "label", labels)
        label_table = self.label_table.take(pa.array(used, pa.int64()))
        return replace(self, train=train, test=test, label_table=label_table, sense_table=senses)

    def limit(self, max_documents: int, *, random_state: int = 0) -> Self:
        """A random slice of at most `max_documents` documents, train and test in the old proportion.

        Documents keep their order; labels that no longer occur lose their column.

        Parameters
        ----------
        max_documents : int
            At least 1. A smaller corpus is returned as it is.
        random_state : int
            Seed of the choice.
        """
        if max_documents < 1:
            raise ValueError(f"max_documents must be at least 1, but is {max_documents}")
        n_train, n_test = len(self.train), len(self.test)
        if n_train + n_test <= max_documents:
            return self
        keep_test = min(n_test, max_documents - 1, round(max_documents * n_test / (n_train + n_test)))
        keep_test = max(keep_test, min(n_test, 1, max_documents - 1))
        rng = np.random.default_rng(random_state)
        return self.select(
            np.sort(rng.permutation(n_train)[: max_documents - keep_test]),
            np.sort(rng.permutation(n_test)[:keep_test]),
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write the corpus as a folder: Parquet files and a manifest with their digests.

        See `larix.xmc.persistence.save_folder` for what it replaces and raises.
        """
        tables = {"train": self.train.table, "test": self.test.table, "labels": self.label_table}
        if self.sense_table is not None:
            tables["senses"] = self.sense_table
        save_folder(
            path,
            kind=KIND,
            metadata={
                "name": self.name,
                "n_features": self.n_features,
                "n_test_dropped": self.n_test_dropped,
            },
            files={f"{name}.parquet": _parquet_writer(table) for name, table in tables.items()},
        )

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a corpus that `save` wrote, checking digests and contents.

        Raises
        ------
        larix.xmc.persistence.ModelFolderError
            If a file is missing or damaged; the message names it.
        """
        folder = load_folder(path, kind=KIND)
        try:
            return cls._from_folder(folder)
        except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
            if isinstance(error, ModelFolderError):
                raise
            raise ModelFolderError(f"{path} holds no valid corpus: {error}; write it again") from error

    @classmethod
    def _from_folder(cls, folder: SavedFolder) -> Self:
        metadata = folder.metadata
        tables = {name: pq.read_table(folder.file(name)) for name in folder.files}
        labels, senses = tables["labels.parquet"], tables.get("senses.parquet")
        n_senses = None if senses is None else senses.num_rows
        train, test = (
            CorpusPart(tables[name], labels.num_rows, metadata["n_features"], n_senses)
            for name in ("train.parquet", "test.parquet")
        )
        return cls(metadata["name"], train, test, labels, metadata["n_test_dropped"], senses)


def _rows_at_odds(part: CorpusPart, sense_labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Documents whose labels are not the labels of their senses."""
    rows = np.repeat(np.arange(len(part)), np.diff(part.senses.indptr))
    by_senses = np.unique(rows * np.int64(part.n_labels) + sense_labels[part.senses.indices])
    rows = np.repeat(np.arange(len(part)), np.diff(part.labels.indptr))
    given = rows * np.int64(part.n_labels) + part.labels.indices
    odd: NDArray[np.int64] = np.setxor1d(by_senses, given, assume_unique=True) // max(part.n_labels, 1)
    return odd


def _relabelled(part: CorpusPart, used: NDArray[np.integer[Any]]) -> CorpusPart:
    """The part with labels renumbered to their place in the sorted array `used`, which has all it has."""
    table = _renumbered(part.table, "labels", used)
    if "rejected" in table.column_names:
        table = _renumbered(table, "rejected", used)
    return replace(part, table=table, n_labels=len(used))


def _renumbered(table: pa.Table, column: str, used: NDArray[np.integer[Any]]) -> pa.Table:
    """The table with a column of numbers as their places in the sorted array `used`; others are left out."""
    indptr, indices = sparse_column(table[column])
    kept = np.isin(indices, used)
    ends = np.concatenate([[0], np.cumsum(kept)])[indptr]
    renumbered = pa.LargeListArray.from_arrays(
        pa.array(ends, pa.int64()), pa.array(np.searchsorted(used, indices[kept]), pa.int32())
    )
    return table.set_column(table.column_names.index(column), column, renumbered)


def _parquet_writer(table: pa.Table) -> Callable[[Path], None]:
    return lambda path: pq.write_table(table, path, compression="zstd")
