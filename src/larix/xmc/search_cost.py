"""What a search costs: the inner products of a query, counted rather than timed.

Label disentanglement (Liu et al., NeurIPS 2021) compares methods by this number, which depends on the tree
and the beam alone, not on a machine: a search computes one inner product for every child of every node kept.
"""

from collections.abc import Sequence

import numpy as np

from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_stages import LinearMatcher
from larix.xmc.sparse import CSR


def inner_products(tree: LabelTree, kept: Sequence[CSR]) -> float:
    """Inner products of a query, on average.

    Parameters
    ----------
    tree : LabelTree
    kept : sequence of csr_arrays, N x n_nodes(t)
        The nodes that a search keeps at every level above the labels, as
        `larix.xmc.linear_stages.LinearMatcher.predict_levels` gives them.

    Returns
    -------
    float
        Scores computed at all levels, for one of the N queries.
    """
    if len(kept) != tree.depth - 1:
        raise ValueError(
            f"kept must have one matrix for each of the {tree.depth - 1} levels above the labels, "
            f"but has {len(kept)}"
        )
    total = float(tree.n_nodes(0))
    for level, nodes in enumerate(kept, start=1):
        children = np.diff(tree.offsets[level])
        total += float(children[nodes.indices].sum()) / max(1, nodes.shape[0])
    return total


def widest_beam(matcher: LinearMatcher, tree: LabelTree, X: CSR, *, widest: int, limit: float) -> int:
    """The widest beam with which a query costs no more than so many inner products.

    Parameters
    ----------
    matcher : LinearMatcher
    tree : LabelTree
        With the matcher's levels above the labels, and any slots.
    X : csr_array, N x D
        The queries; some hundreds are enough.
    widest : int
        No wider beam than this is tried.
    limit : float
        Inner products of a query.

    Returns
    -------
    int
        At least 1, even where that costs more.
    """
    least, most = 1, widest
    while least < most:  # cost rises with the beam
        beam = (least + most + 1) // 2
        if inner_products(tree, matcher.predict_levels(X, beam_size=beam)) <= limit:
            least = beam
        else:
            most = beam - 1
    return least
