"""Cluster label representations into a label tree.

PECOS (Yu et al., JMLR 2022), section 3.1. Two families: balanced k-means from the top (`bisection`), and
merging of nearest neighbours from the bottom (`neighbor_grouping`).
"""

import itertools
import logging
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.bisection import Bisection, fan_outs
from larix.xmc.clustering_params import ClusteringParams, SamplingParams
from larix.xmc.label_tree import LabelTree
from larix.xmc.matrix import Matrix, check_matrix
from larix.xmc.neighbor_grouping import group_by_neighbors

__all__ = ["ClusteringParams", "SamplingParams", "cluster_labels"]

logger = logging.getLogger(__name__)


def cluster_labels(
    Z: Any,
    params: ClusteringParams = ClusteringParams(),  # noqa: B008 (frozen)
    *,
    labels: NDArray[Any] | None = None,
    n_labels: int | None = None,
    random_state: int = 0,
    n_threads: int | None = None,
) -> LabelTree:
    """Cluster labels into a tree.

    Parameters
    ----------
    Z : sparse or dense matrix, L x d
        Label representations.
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
        One slot a label.

    Raises
    ------
    ValueError
        If there is no label.
    """
    Z = check_matrix(Z, name="Z")
    labels = np.arange(Z.shape[0]) if labels is None else np.asarray(labels)
    if not len(labels):
        raise ValueError("there is no label to cluster: no training document has one")
    started = time.perf_counter()
    labels = labels.astype(np.int64)
    if params.family == "neighbors":
        offsets, order = group_by_neighbors(Z, labels, params, random_state=random_state, n_threads=n_threads)
    else:
        offsets, order = _halve(Z, labels, params, random_state, n_threads)
    tree = LabelTree(offsets, order.astype(np.int32), n_labels or Z.shape[0])
    logger.info(
        "clustered %d labels into %d clusters of %d to %d in %.1f s", len(labels), tree.n_clusters,
        tree.cluster_sizes().min(), tree.cluster_sizes().max(), time.perf_counter() - started,
    )  # fmt: skip
    return tree


def _halve(
    Z: Matrix, labels: NDArray[np.int64], params: ClusteringParams, random_state: int, n_threads: int | None
) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.int64]]:
    """Offsets and slots of a tree by balanced k-means."""
    fans = fan_outs(len(labels), params)
    order, bounds = Bisection(Z, params, random_state, n_threads).run(labels, fans)
    n_nodes = itertools.accumulate([1, *fans[:-1]], lambda a, b: a * b)
    levels = [np.arange(n + 1) * fan for n, fan in zip(n_nodes, fans, strict=False)]
    return (*levels, bounds), order
