"""Votes of neighbours for their labels, and their blend with a tree's scores."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from larix.xmc.parallel import available_threads, thread_map
from larix.xmc.sparse import CSR, check_csr, csr_from_parts, kernel_parts, row_norms, top_k_per_row
from larix.xmc.voting_kernels import blend_rows

_QUERIES_PER_PIECE = 256


def vote(neighbours: CSR, Y: CSR, temperature: float) -> CSR:
    """Votes of neighbours for their labels.

    Parameters
    ----------
    neighbours : csr_array, M x n_documents
        Cosines.
    Y : csr_array, n_documents x L
        0/1.
    temperature : float

    Returns
    -------
    csr_array, M x L
        Rows add up to 1, or are empty.
    """
    lengths = np.diff(neighbours.indptr)
    nearest = np.zeros(neighbours.shape[0], np.float32)
    if neighbours.nnz:
        nearest[lengths > 0] = np.maximum.reduceat(neighbours.data, neighbours.indptr[:-1][lengths > 0])
    weights = np.exp((neighbours.data - np.repeat(nearest, lengths)) / np.float32(temperature))
    W = csr_from_parts(weights, neighbours.indices, neighbours.indptr, neighbours.shape)
    votes = check_csr(W @ Y, name="votes")
    totals = np.repeat(row_norms(votes, power=1), np.diff(votes.indptr))
    # divided, as the inverse of a total of far documents' votes alone may overflow
    data = np.divide(votes.data, totals, out=np.zeros_like(votes.data), where=totals > 0)
    return csr_from_parts(data, votes.indices, votes.indptr, votes.shape)


def blend(P: Any, votes: Any, weight: float, *, top_k: int | None = None) -> CSR:
    """(1 - weight) P + weight votes.

    Parameters
    ----------
    P : matrix, M x L
        Scores that are not negative, such as those of every post-processor but `noop` and `log-*`.
    votes : matrix, M x L
        Rows that add up to at most 1.
    weight : float
        0 to 1.
    top_k : int, optional

    Returns
    -------
    csr_array, M x L
        By descending score.

    Raises
    ------
    ValueError
        For negative scores, which can't be mixed with shares, or a weight beyond 0..1.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"weight must lie in 0..1, but is {weight}")
    P = check_csr(P, name="P")
    votes = check_csr(votes, name="votes", n_rows=P.shape[0], n_columns=P.shape[1])
    _check_scores(P)
    blended = check_csr(np.float32(1 - weight) * P + np.float32(weight) * votes, name="P")
    return top_k_per_row(blended, top_k or max(blended.shape[1], 1))


def _check_scores(P: CSR) -> None:
    if P.nnz and P.data.min() < 0:
        raise ValueError(
            f"scores must not be negative to be blended with votes, but one is {P.data.min()}; search with "
            "a post-processor other than noop and log-*, or leave the memory out"
        )


def blend_neighbours(
    P: Any,
    neighbours: CSR,
    Y: CSR,
    temperature: float,
    weight: float,
    top_k: int,
    n_threads: int | None = None,
) -> CSR:
    """`blend` of P with the `vote` of neighbours, in one compiled pass.

    Parameters
    ----------
    P : matrix, M x L
        Scores that are not negative.
    neighbours : csr_array, M x n_documents
        Cosines.
    Y : csr_array, n_documents x L
        0/1.
    temperature, weight : float
    top_k : int
    n_threads : int or None

    Returns
    -------
    csr_array, M x L
        By descending score, ties to the lower label.
    """
    M, n_labels = neighbours.shape[0], Y.shape[1]
    if not isinstance(P, sp.csr_array) or P.dtype != np.float32 or P.shape != (M, n_labels):
        P = check_csr(P, name="P", n_rows=M, n_columns=n_labels)  # the order within rows doesn't matter here
    _check_scores(P)
    top_k = min(top_k, max(n_labels, 1))
    labels, scores = np.empty((M, top_k), np.int32), np.empty((M, top_k), np.float32)
    found = np.zeros(M, np.int64)
    parts = (*kernel_parts(P), *kernel_parts(neighbours), *kernel_parts(Y)[:2])
    settings = np.float32(temperature), np.float32(weight)

    def run(rows: tuple[int, int]) -> None:
        blend_rows(*parts, *settings, *rows, labels, scores, found)

    size = max(1, min(_QUERIES_PER_PIECE, -(-M // available_threads(n_threads))))
    thread_map(run, [(a, min(a + size, M)) for a in range(0, M, size)], n_threads=n_threads)
    kept = np.arange(top_k) < found[:, None]
    return csr_from_parts(scores[kept], labels[kept], np.append(0, np.cumsum(found)), (M, n_labels))
