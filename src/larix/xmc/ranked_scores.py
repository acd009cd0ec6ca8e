"""Predicted scores by rank beside the truth: what calibration and thresholds are learnt from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.sparse import CSR, binarize, check_csr, top_k_per_row


@dataclass(frozen=True, eq=False)
class RankedScores:
    """Predictions of N documents, the best first; K is the length of the longest row.

    Attributes
    ----------
    scores : ndarray of float, shape (N, K)
        Falling in every row, -inf beyond its last prediction.
    correct : ndarray of bool, shape (N, K)
        Whether the label is one of the document's.
    n_true : ndarray of int, shape (N,)
        Labels of each document.
    """

    scores: NDArray[np.float64]
    correct: NDArray[np.bool_]
    n_true: NDArray[np.int64]

    @classmethod
    def of(cls, P: Any, Y: Any) -> "RankedScores":
        """Rank the predictions P (N x L) and look up which are labels in Y (N x L).

        Raises
        ------
        ValueError
            If shapes disagree or there is no document.
        """
        Y = binarize(check_csr(Y, name="Y"))
        P = check_csr(P, name="P", n_rows=Y.shape[0], n_columns=Y.shape[1])
        if Y.shape[0] == 0:
            raise ValueError("scores need at least one document to be compared with, but Y has no rows")
        P = top_k_per_row(P, max(P.shape[1], 1))
        correct = np.isin(_pairs(P), _pairs(Y), assume_unique=True)
        return cls(pad(P, P.data, -np.inf), pad(P, correct, False), np.diff(Y.indptr).astype(np.int64))

    @property
    def present(self) -> NDArray[np.bool_]:
        """Where there is a prediction, shape (N, K)."""
        return np.isfinite(self.scores)


def by_score(P: Any) -> CSR:
    """P with the entries of every row by descending score, as a search gives them."""
    # What a search gives isn't in canonical form, and bringing it there would only undo its order.
    if not isinstance(P, sp.csr_array) or P.dtype != np.float32:
        P = check_csr(P, name="P")
    return top_k_per_row(P, max(P.shape[1], 1))


def pad(P: CSR, values: NDArray[Any], fill: Any) -> NDArray[Any]:
    """Values of the stored entries of P as rows of equal length, shape (N, K)."""
    lengths = np.diff(P.indptr)
    padded = np.full((P.shape[0], max(lengths.max(initial=0), 1)), fill, np.result_type(values, type(fill)))
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = values
    return padded


def _pairs(M: CSR) -> NDArray[np.int64]:
    """One number for each stored (row, column)."""
    rows = np.repeat(np.arange(M.shape[0], dtype=np.int64), np.diff(M.indptr))
    pairs: NDArray[np.int64] = rows * M.shape[1] + M.indices
    return pairs
