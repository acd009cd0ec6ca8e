"""Trees grown from the bottom: nearest labels are merged into clusters, nearest clusters into nodes.

Affinity clustering (Bateni et al., NIPS 2017) on an approximate graph of nearest neighbours: every group
names the group it is most alike, and the pairs named are joined, the most alike first, as long as they fit;
joined groups name their nearest again. Groups are alike by average linkage: the sum of the edges between
them, divided by the number of pairs.

Clusters and nodes differ in size, and follow dense regions where halving would cut through them.
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.clustering_params import ClusteringParams
from larix.xmc.matrix import Matrix, unit_rows
from larix.xmc.neighbor_graph import neighbor_graph
from larix.xmc.neighbor_kernels import merge_along
from larix.xmc.sparse import CSR, check_csr, csr_from_parts, top_k_per_row


def group_by_neighbors(
    Z: Matrix,
    labels: NDArray[np.int64],
    params: ClusteringParams,
    *,
    random_state: int = 0,
    n_threads: int | None = None,
) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.int64]]:
    """Offsets and slots of a tree.

    Parameters
    ----------
    Z : csr_array or float32 array, L x d
    labels : int array
        Rows of `Z` to group.
    params : ClusteringParams
        `max_leaf_size`, `branching`, `root_branching` and `n_neighbors` count.
    random_state : int
    n_threads : int or None

    Returns
    -------
    offsets : tuple of int arrays
    order : int array
        Labels in order of slots.
    """
    labels = np.sort(labels)
    groups: list[NDArray[np.int64]] = []
    rows, most = unit_rows(Z[labels]), params.max_leaf_size
    while not groups or rows.shape[0] > (params.root_branching or params.branching):
        group = group_rows(
            rows, most, n_neighbors=params.n_neighbors, random_state=random_state, n_threads=n_threads
        )
        groups.append(group)
        rows, most = _centres(rows, group), params.branching
    if rows.shape[0] > 1:
        groups.append(np.zeros(rows.shape[0], np.int64))
    order, offsets = np.zeros(1, np.int64), []
    for group in reversed(groups):  # from the root down: the children of each node, in the order of nodes
        members = np.argsort(group, kind="stable")
        bounds = np.concatenate([[0], np.cumsum(np.bincount(group))])
        families = [members[bounds[node] : bounds[node + 1]] for node in order]
        order = np.concatenate(families)
        offsets.append(np.concatenate([[0], np.cumsum([len(family) for family in families])]))
    return tuple(offsets), labels[order]


def group_rows(
    Z: Matrix, most: int, *, n_neighbors: int = 10, random_state: int = 0, n_threads: int | None = None
) -> NDArray[np.int64]:
    """Groups of at most `most` rows, shape (n,): those of unit rows that are near each other.

    Where a graph of nearest neighbours leaves nothing to merge, the centres of the groups with room have a
    graph of their own; what is like nothing else is packed in order.
    """
    group, sizes = np.arange(Z.shape[0]), np.ones(Z.shape[0], np.int64)
    while True:
        open_groups = np.flatnonzero(sizes + sizes.min() <= most)
        if len(open_groups) < 2:
            return group
        centres = _centres(Z, group)[open_groups]
        graph = neighbor_graph(centres, n_neighbors, random_state=random_state, n_threads=n_threads)
        merged = np.arange(len(sizes))
        merged[open_groups] = open_groups[_first_of(merge_groups(graph, sizes[open_groups], most))]
        merged = np.unique(merged, return_inverse=True)[1]
        group, sizes = merged[group], np.bincount(merged, weights=sizes).astype(np.int64)
        if len(sizes) == len(merged):
            return _pack(sizes, most)[group]


def _first_of(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """For every member the first member of its group."""
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    return first[number]


def merge_groups(graph: CSR, sizes: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Join nodes along the edges of a graph of similarities into groups of at most `most`; shape (n,)."""
    group, n_groups = np.arange(len(sizes)), len(sizes)
    n_nodes = np.ones(n_groups, np.int64)
    while graph.nnz:
        pairs = _nearest_that_fit(graph, n_nodes, sizes, most)
        merged, n_groups = merge_along(*pairs, sizes, most)
        if n_groups == len(sizes):
            break
        join = _membership(merged, n_groups)
        graph = check_csr(join @ graph @ join.T)
        graph = check_csr(graph - sp.diags_array(graph.diagonal()))
        graph.eliminate_zeros()
        sizes, n_nodes = (np.bincount(merged, weights=w).astype(np.int64) for w in (sizes, n_nodes))
        group = merged[group]
    return group


def _nearest_that_fit(
    graph: CSR, n_nodes: NDArray[np.int64], sizes: NDArray[np.int64], most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every group and the one most alike that it can join, the most alike pairs first."""
    rows, columns = np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr)), graph.indices
    fits = sizes[rows] + sizes[columns] <= most
    linkage = (graph.data / (n_nodes[rows] * n_nodes[columns])).astype(np.float32)[fits]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows[fits], minlength=graph.shape[0]))])
    best = top_k_per_row(csr_from_parts(linkage, columns[fits], indptr, graph.shape), 1)
    named = np.flatnonzero(np.diff(best.indptr))
    order = np.argsort(-best.data, kind="stable")
    return named[order], best.indices[order].astype(np.int64)


def _pack(sizes: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Fill up neighbours in order: a group joins the one before it if both fit."""
    target, filled = np.zeros(len(sizes), np.int64), 0
    for number, size in enumerate(sizes.tolist()):
        fits = number > 0 and filled + size <= most
        target[number] = target[number - 1] + (not fits) if number else 0
        filled = filled + size if fits else size
    return target


def _membership(group: NDArray[np.int64], n_groups: int) -> CSR:
    """n_groups x n, 1 where a node is in a group."""
    order = np.argsort(group, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=n_groups))])
    return csr_from_parts(np.ones(len(group), np.float32), order, indptr, (n_groups, len(group)))


def _centres(Z: Matrix, group: NDArray[np.int64]) -> Matrix:
    """Unit sums of the rows of every group."""
    n_groups = int(group.max()) + 1
    if n_groups == Z.shape[0]:
        return Z
    sums: Matrix = _membership(group, n_groups) @ Z
    return unit_rows(sums if isinstance(sums, np.ndarray) else check_csr(sums))
