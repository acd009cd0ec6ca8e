"""The graph of nearest rows by cosine, found approximately.

Sparse rows are looked up in an inverted index that leaves out features which many rows have; these cost most
and tell least. Dense rows are compared within the leaves of several trees of 2-means splits, each from other
random members, so that rows parted in one are likely together in another.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from larix.xmc.bisection import Bisection, fan_outs
from larix.xmc.clustering_params import ClusteringParams
from larix.xmc.inverted_index import InvertedIndex
from larix.xmc.matrix import Matrix, is_dense
from larix.xmc.parallel import thread_map
from larix.xmc.sparse import CSR, check_csr, top_k_per_row

_MAX_DF = 0.01
_N_TREES = 4
_LEAF_SIZE = 256


def neighbor_graph(
    Z: Matrix, n_neighbors: int, *, random_state: int = 0, n_threads: int | None = None
) -> CSR:
    """Cosines of rows with their nearest ones.

    Parameters
    ----------
    Z : csr_array or float32 array, n x d
        Rows of unit length, or zero.
    n_neighbors : int
        Of every row; fewer where no cosine is above 0.
    random_state : int
        Seed of the trees for dense rows.
    n_threads : int or None

    Returns
    -------
    csr_array, n x n
        Symmetric: stored where one of the two is among the other's nearest; no diagonal.
    """
    n = Z.shape[0]
    if is_dense(Z):
        with threadpool_limits(1):  # threads are ours, and bytes don't depend on their number
            found = _nearest_in_trees(Z, n_neighbors, random_state, n_threads)
    else:
        index = InvertedIndex.of(Z, max_df=_MAX_DF)
        found = index.neighbours(Z, min(n_neighbors + 1, n), n_threads=n_threads)
    found = sp.csr_array(found - sp.diags_array(found.diagonal()))
    graph = check_csr(found.maximum(found.T))
    graph.eliminate_zeros()
    return graph


def _nearest_in_trees(Z: NDArray[np.float32], k: int, random_state: int, n_threads: int | None) -> CSR:
    """The k nearest rows among those that share a leaf of some tree."""
    params = ClusteringParams(branching=2, max_leaf_size=_LEAF_SIZE, max_iter=3)
    fans, rows = fan_outs(len(Z), params), np.arange(len(Z))
    best: CSR = sp.csr_array((len(Z), len(Z)), dtype=np.float32)
    for tree in range(_N_TREES if fans else 1):
        seed = int(np.random.SeedSequence((random_state, tree)).generate_state(1)[0])
        order, bounds = Bisection(Z, params, seed, n_threads).run(rows, fans)
        leaves = [order[a:b] for a, b in pairwise(bounds)]
        blocks = thread_map(lambda leaf: _nearest_in_leaf(Z, leaf, k), leaves, n_threads=n_threads)
        parts = [np.concatenate(part) for part in zip(*blocks, strict=True)]
        found = sp.csr_array((parts[2], (parts[0], parts[1])), shape=best.shape)
        best = top_k_per_row(check_csr(best.maximum(found)), k)
    return best


def _nearest_in_leaf(Z: NDArray[np.float32], leaf: NDArray[np.int64], k: int) -> tuple[NDArray[Any], ...]:
    """(row, neighbour, cosine) of the nearest rows within a leaf."""
    cosines = Z[leaf] @ Z[leaf].T
    np.fill_diagonal(cosines, -np.inf)
    k = min(k, len(leaf) - 1)
    nearest = np.argpartition(-cosines, k - 1, axis=1)[:, :k] if k > 0 else np.empty((len(leaf), 0), np.int64)
    values = np.take_along_axis(cosines, nearest, axis=1)
    kept = values > 0
    return np.repeat(leaf, kept.sum(axis=1)), leaf[nearest][kept], values[kept]
