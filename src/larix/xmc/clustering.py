"""Balanced B-ary (spherical) k-means of label representations into a label tree.

PECOS (Yu et al., JMLR 2022), section 3.1, after Parabel's balanced 2-means: labels are halved again and
again; the median of the projection on the difference of the two centres balances every split, so that
leaf sizes differ by at most one. log2(B) binary levels are then collapsed into one level of branching B.

Not here yet: learning splits on a sample, size slack, other families of clusterings.
"""

import logging
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.clustering_kernels import halve
from larix.xmc.label_tree import LabelTree
from larix.xmc.parallel import thread_map
from larix.xmc.sparse import CSR, kernel_parts

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClusteringParams:
    """How labels are grouped.

    Parameters
    ----------
    branching : int
        B, children of a node above the clusters; 2 to 32 are usual.
    max_leaf_size : int
        Most labels of a cluster; at least the number of labels means one flat level (one-vs-all).
    min_clusters_at_root : int or None
        Fewest children of the root; None means `branching`.
    spherical : bool
        Compare with unit centres (cosine) rather than means.
    max_iter : int
        Most iterations of one split.
    """

    branching: int = 16
    max_leaf_size: int = 100
    min_clusters_at_root: int | None = None
    spherical: bool = True
    max_iter: int = 20

    def __post_init__(self) -> None:
        for name, least in (("branching", 2), ("max_leaf_size", 2), ("max_iter", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, but is {getattr(self, name)}")
        if self.min_clusters_at_root is not None and self.min_clusters_at_root < 2:
            raise ValueError(
                f"min_clusters_at_root must be at least 2 or None, but is {self.min_clusters_at_root}"
            )


def cluster_labels(
    Z: CSR,
    params: ClusteringParams = ClusteringParams(),
    *,
    labels: NDArray[Any] | None = None,
    n_labels: int | None = None,
    random_state: int = 0,
    n_threads: int | None = None,
) -> LabelTree:
    """Cluster labels into a balanced tree.

    Parameters
    ----------
    Z : csr_array, L x d
        Label representations, canonical (see `larix.xmc.sparse.check_csr`).
    params : ClusteringParams
    labels : int array, optional
        Cluster only these rows of `Z`, e.g. the labels seen in training.
    n_labels : int, optional
        L of the tree, when it isn't the number of rows of `Z`.
    random_state : int
        Seed; the result doesn't depend on the number of threads.
    n_threads : int or None
        None uses all processors.

    Returns
    -------
    LabelTree
        One slot a label; leaves of floor or ceil(L / 2^h) labels.
    """
    labels = np.arange(Z.shape[0]) if labels is None else np.asarray(labels)
    if not len(labels):
        raise ValueError("there is no label to cluster: no training document has one")
    started = time.perf_counter()
    height = _height(len(labels), params.max_leaf_size)
    order = labels.astype(np.int64)
    bounds = np.array([0, len(order)])
    parts = kernel_parts(Z)
    for level in range(height):
        bounds = _split_level(parts, Z.shape[1], order, bounds, params, (random_state, level), n_threads)
    tree = LabelTree(_offsets(bounds, params), order.astype(np.int32), n_labels or Z.shape[0])
    logger.info(
        "clustered %d labels into %d clusters of %d to %d in %.1f s", len(labels), tree.n_clusters,
        tree.cluster_sizes().min(), tree.cluster_sizes().max(), time.perf_counter() - started,
    )  # fmt: skip
    return tree


def _height(n_labels: int, max_leaf_size: int) -> int:
    """Number of binary levels so that no leaf exceeds `max_leaf_size`."""
    return max(0, math.ceil(math.log2(n_labels / max_leaf_size)))


def _offsets(leaf_bounds: NDArray[np.int64], params: ClusteringParams) -> tuple[NDArray[np.int64], ...]:
    """Collapse the binary tree bottom-up: the parent of node i is i // B."""
    levels = [leaf_bounds]
    n_nodes = len(leaf_bounds) - 1
    while n_nodes > (params.min_clusters_at_root or params.branching):
        n_parents = -(-n_nodes // params.branching)
        levels.insert(0, np.minimum(np.arange(n_parents + 1) * params.branching, n_nodes))
        n_nodes = n_parents
    return tuple(levels) if n_nodes == 1 else (np.array([0, n_nodes]), *levels)


def _split_level(
    parts: tuple[NDArray[Any], ...],
    n_features: int,
    order: NDArray[np.int64],
    bounds: NDArray[np.int64],
    params: ClusteringParams,
    seed: tuple[int, int],
    n_threads: int | None,
) -> NDArray[np.int64]:
    """Halve every node of a binary level, permuting `order` in place; return the children's bounds."""
    n_nodes = len(bounds) - 1
    seeds = np.random.SeedSequence(seed).generate_state(n_nodes, np.uint64) >> np.uint64(1)
    groups = np.array_split(np.arange(n_nodes), min(n_nodes, 64))

    def halve_group(group: NDArray[np.int64]) -> None:
        centers = np.zeros((n_features, 2), np.float32)
        for node in group:
            members = order[bounds[node] : bounds[node + 1]]
            halve(*parts, members, centers, params.spherical, params.max_iter, int(seeds[node]))

    thread_map(halve_group, groups, n_threads=n_threads)
    children = np.empty(2 * n_nodes + 1, np.int64)
    children[::2] = bounds
    children[1::2] = bounds[:-1] + np.diff(bounds) // 2
    return children
