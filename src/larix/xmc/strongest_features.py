"""The features that speak most for every node of a tree."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from larix.xmc.chunked_weights import ChunkedWeights
from larix.xmc.sparse import CSR, binarize, check_csr, top_k_per_row

_NODES_AT_ONCE = 4096


def strongest_features(
    weights: ChunkedWeights, n: int, *, X: Any = None, positives: Any = None, n_leading: int | None = None
) -> CSR:
    """The features with the largest positive weights, or what they add to the margins of a node's documents.

    The largest weights are often those of rare features. With documents, feature f of a node counts

        sum over its positive documents i of x_if w_f.

    Parameters
    ----------
    weights : ChunkedWeights
        Of one or more levels.
    n : int
        Most features of a node.
    X : matrix, N x D, optional
    positives : matrix, N x n_nodes, optional
        Which documents belong to which node (`LabelTree.nodes_above`); goes with `X`.
    n_leading : int, optional
        Only features before this one: those that have names.

    Returns
    -------
    csr_array, n_nodes x D
        A row's entries by falling size, the bias left out.

    Raises
    ------
    ValueError
        If one of `X` and `positives` is missing, or a shape doesn't fit.
    """
    if (X is None) != (positives is None):
        raise ValueError("X and positives go together, but one is missing; give both or none")
    sums = None
    if X is not None:
        X = check_csr(X, name="X", n_columns=weights.n_features)
        positives = check_csr(positives, name="positives", n_rows=X.shape[0], n_columns=weights.n_nodes)
        sums = binarize(positives).T.tocsr()
    found, node = [sp.csr_array((0, weights.n_features), dtype=np.float32)], 0
    for begin, end in _blocks(weights):
        W = sp.csr_array(weights.of_parents(begin, end).to_csc()[: weights.n_features].T)
        W.data[(W.data < 0) | (W.indices >= (n_leading or weights.n_features))] = 0
        if sums is not None:
            W = W.multiply(sums[node : node + W.shape[0]] @ X).tocsr()
        node += W.shape[0]
        W.eliminate_zeros()
        found.append(top_k_per_row(check_csr(W), n))
    return sp.vstack(found, format="csr")


def _blocks(weights: ChunkedWeights) -> list[tuple[int, int]]:
    """Families of siblings, some thousand nodes at once, so that memory stays small."""
    ends = weights.first_node[weights.first_chunk]
    cuts = np.unique(np.searchsorted(ends, np.arange(0, weights.n_nodes, _NODES_AT_ONCE), side="left"))
    return list(zip(cuts.tolist(), [*cuts[1:].tolist(), weights.n_parents], strict=True))
