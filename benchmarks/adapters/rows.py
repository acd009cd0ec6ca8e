"""From lists of (label, score) pairs to a sparse matrix."""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.sparse import csr_array


def sparse_rows(rows: Iterable[Sequence[tuple[int, float]]], n_labels: int) -> csr_array:
    """Scores as N x L, in the order of the lists."""
    listed = list(rows)
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in listed])])
    pairs = [pair for row in listed for pair in row]
    labels, scores = np.array(pairs, np.float64).reshape(-1, 2).T
    return csr_array(
        (scores.astype(np.float32), labels.astype(np.int64), indptr), shape=(len(listed), n_labels)
    )
