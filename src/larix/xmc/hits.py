"""Ranked predictions beside the truth: what all metrics are computed from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.sparse import CSR, binarize, check_csr, top_k_per_row


@dataclass(frozen=True, eq=False)
class Hits:
    """The first K predictions of every document, and which of them are right.

    Attributes
    ----------
    labels : ndarray of int, shape (N, K)
        Predicted labels by rank, -1 beyond the last.
    correct : ndarray of bool, shape (N, K)
        Whether each is a true label of its document.
    rows, columns : ndarray of int
        Document and label of every true occurrence, sorted.
    frequencies : LabelFrequencies
        Training occurrences of the labels.
    """

    labels: NDArray[np.int64]
    correct: NDArray[np.bool_]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    frequencies: LabelFrequencies

    @property
    def n_documents(self) -> int:
        """Number of documents N."""
        return len(self.labels)

    def among(self, relevant: NDArray[np.bool_]) -> "Hits":
        """The same rankings where only labels of the mask `relevant`, shape (L,), count as true."""
        kept = relevant[self.columns]
        correct = self.correct & (self.labels >= 0) & relevant[self.labels]
        return Hits(self.labels, correct, self.rows[kept], self.columns[kept], self.frequencies)


def rank(P: Any, Y_true: Any, Y_train: Any, k: int) -> Hits:
    """Rank predictions and mark the correct ones.

    Parameters
    ----------
    P : sparse matrix, shape (N, L)
        Scores; higher is better, of any sign.
    Y_true : sparse matrix, shape (N, L)
        True labels; every stored value but zero counts.
    Y_train : sparse matrix of shape (N', L) or LabelFrequencies
        Training labels.
    k : int
        Number of ranks K to look at.

    Returns
    -------
    Hits

    Raises
    ------
    ValueError
        If shapes disagree, there is no document, or `k` is below 1.
    """
    Y = binarize(check_csr(Y_true, name="Y_true"))
    P = check_csr(P, name="P", n_rows=Y.shape[0], n_columns=Y.shape[1])
    if Y.shape[0] == 0:
        raise ValueError("metrics need at least one document, but Y_true has no rows")
    frequencies = Y_train if isinstance(Y_train, LabelFrequencies) else LabelFrequencies.of(Y_train)
    if frequencies.n_labels != Y.shape[1]:
        raise ValueError(f"Y_train must have {Y.shape[1]} labels like Y_true, but has {frequencies.n_labels}")
    rows = np.repeat(np.arange(Y.shape[0]), np.diff(Y.indptr))
    columns = Y.indices.astype(np.int64)
    labels = _ranked_labels(P, k)
    return Hits(labels, _is_true(labels, rows, columns, Y.shape[1]), rows, columns, frequencies)


def _ranked_labels(P: CSR, k: int) -> NDArray[np.int64]:
    top = top_k_per_row(P, k)
    lengths = np.diff(top.indptr)
    labels = np.full((P.shape[0], k), -1, np.int64)
    labels[np.arange(k) < lengths[:, None]] = top.indices
    return labels


def _is_true(
    labels: NDArray[np.int64], rows: NDArray[np.int64], columns: NDArray[np.int64], n_labels: int
) -> NDArray[np.bool_]:
    """Membership of (document, label) pairs by binary search; `rows * L + columns` rises."""
    truth = np.append(rows * n_labels + columns, np.iinfo(np.int64).max)
    pairs = np.arange(len(labels))[:, None] * n_labels + labels
    found: NDArray[np.bool_] = (truth[np.searchsorted(truth, pairs)] == pairs) & (labels >= 0)
    return found
