"""Search one level down with a head: from the nodes found above to the best of their children.

The value of a path is the product of exp(-max(1 - s, 0)^3) over its margins s, as in the search of linear
models (`beam_search`, `l3-hinge`).
"""

from collections.abc import Mapping

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.label_tree import LabelTree
from larix.xmc.sparse import CSR, check_csr, top_k_per_row
from larix.xmc.transformer.candidates import Candidates, CandidateSampler

_ROWS_AT_ONCE = 256


def search_level(
    E: NDArray[np.float32],
    head: Mapping[str, NDArray[np.float32]],
    tree: LabelTree,
    level: int,
    above: CSR | None,
    beam_size: int,
) -> CSR:
    """The best nodes of a level.

    Parameters
    ----------
    E : float32 array, N x d
        Vectors of texts.
    head : mapping
        `weight` (K x d) and `bias` (K) of the level's nodes.
    tree : LabelTree
    level : int
    above : csr_array, N x n_nodes(level - 1), or None at the first level
        Values of the paths found.
    beam_size : int

    Returns
    -------
    csr_array, N x K
        Values of paths, ordered by node.
    """
    if above is None:
        above = check_csr(np.ones((len(E), 1)))
    parent_of = tree.parent_of(level)
    found = []
    for begin in range(0, len(E), _ROWS_AT_ONCE):
        batch = np.arange(begin, min(begin + _ROWS_AT_ONCE, len(E)))
        parents, nothing = above[batch], sp.csr_array((len(batch), tree.n_nodes(level)), dtype=np.float32)
        everything = CandidateSampler(tree, level, parents, nothing, tree.n_nodes(level))
        pairs = everything.draw(np.arange(len(batch)), np.random.default_rng(0))
        margins = _products(E[batch], head["weight"], pairs)
        factors = np.exp(-(np.maximum(1 - margins - head["bias"][pairs.nodes], 0) ** 3))
        values = factors * parents.toarray()[pairs.rows, parent_of[pairs.nodes]]
        scored = sp.csr_array((values.astype(np.float32), (pairs.rows, pairs.nodes)), shape=nothing.shape)
        found.append(check_csr(top_k_per_row(check_csr(scored), beam_size)))
    return check_csr(sp.vstack(found, format="csr"))


def _products(E: NDArray[np.float32], weight: NDArray[np.float32], pairs: Candidates) -> NDArray[np.float32]:
    """Of vectors and nodes, for all pairs in their order."""
    if len(pairs.nodes) == len(E) * len(weight):
        products: NDArray[np.float32] = (E @ weight.T).ravel()
    else:
        products = np.einsum("ij,ij->i", E[pairs.rows], weight[pairs.nodes])
    return products
