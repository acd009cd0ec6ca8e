"""Spectrum of the bipartite graph between instances and labels.

Dhillon, Co-clustering documents and words using bipartite spectral graph partitioning, KDD 2001: with the
degrees of instances D1 and of labels D2, the singular vectors of D1^(-1/2) Y D2^(-1/2) after the first one
cut the graph where few edges cross; labels are embedded as rows of D2^(-1/2) V.
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from larix.xmc.matrix import unit_rows
from larix.xmc.sparse import CSR


def graph_spectrum(Y: CSR, n_components: int = 24, *, random_state: int = 0) -> NDArray[np.float32]:
    """Embed labels by the instances that they share.

    Parameters
    ----------
    Y : csr_array, N x L
        Weights of edges, not negative.
    n_components : int
        Dimensions; at most min(N, L) - 1 of them are made.
    random_state : int
        Seed of the randomised decomposition.

    Returns
    -------
    float32 array, L x n_components
        Rows l2-normalised; a label without an instance has a zero row.

    Raises
    ------
    ValueError
        If there are fewer than two instances or labels.
    """
    from sklearn.utils.extmath import randomized_svd  # takes a second to import

    if min(Y.shape) < 2:
        raise ValueError(f"a graph spectrum needs two instances and two labels, but Y is {Y.shape}")
    Y = sp.csr_array(Y, dtype=np.float64)
    scale_rows, scale_columns = (_inverse_root(Y.sum(axis=axis)) for axis in (1, 0))
    normalized = sp.diags_array(scale_rows) @ Y @ sp.diags_array(scale_columns)
    n_vectors = min(n_components + 1, *Y.shape)
    with threadpool_limits(1):  # so that bytes don't depend on the number of threads
        _, _, V = randomized_svd(sp.csr_array(normalized), n_vectors, random_state=random_state)
    embedded: NDArray[np.float32] = unit_rows((V[1:].T * scale_columns[:, None]).astype(np.float32))
    return np.ascontiguousarray(embedded)


def _inverse_root(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / sqrt of degrees, those of isolated nodes taken as 1."""
    roots: NDArray[np.float64] = 1 / np.sqrt(np.where(degrees > 0, degrees, 1))
    return roots
