"""Exact nearest vectors by inner product, in blocks of matrix products."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from larix.xmc.parallel import thread_map

_QUERIES_PER_PIECE = 256
_VECTORS_PER_BLOCK = 2**16


def nearest_vectors(
    Q: NDArray[np.float32], V: NDArray[np.float32], k: int, *, n_threads: int | None = None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The k vectors with the largest inner product with every query.

    Parameters
    ----------
    Q : float32 array, M x d
    V : float32 array, N x d
    k : int
        At most N are found.
    n_threads : int or None
        Results don't depend on it.

    Returns
    -------
    rows : int32 array, products : float32 array, shape (M, min(k, N))
        By descending product, ties to the lower row.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, but is {k}")
    if Q.ndim != 2 or V.ndim != 2 or Q.shape[1] != V.shape[1]:
        raise ValueError(f"queries and vectors must have one length, but have shapes {Q.shape}, {V.shape}")
    k = min(k, len(V))
    rows, products = np.empty((len(Q), k), np.int32), np.empty((len(Q), k), np.float32)

    def search(begin: int) -> None:
        piece = slice(begin, begin + _QUERIES_PER_PIECE)
        rows[piece], products[piece] = _nearest(Q[piece], V, k)

    begins = range(0, len(Q), _QUERIES_PER_PIECE)
    if len(begins) < 2:  # setting the limit takes longer than the search of a small index
        list(map(search, begins))
    else:
        with threadpool_limits(1, user_api="blas"):
            thread_map(search, begins, n_threads=n_threads, description="nearest vectors")
    return rows, products


def _nearest(Q: NDArray[Any], V: NDArray[Any], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    rows, products = np.empty((len(Q), 0), np.int64), np.empty((len(Q), 0), np.float32)
    for begin in range(0, len(V), _VECTORS_PER_BLOCK):
        found = Q @ V[begin : begin + _VECTORS_PER_BLOCK].T
        best = np.argpartition(-found, min(k, found.shape[1]) - 1, axis=1)[:, :k]
        rows = np.hstack([rows, best + begin])
        products = np.hstack([products, np.take_along_axis(found, best, axis=1)])
    order = np.lexsort((rows, -products), axis=1)[:, :k]
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(products, order, axis=1)
