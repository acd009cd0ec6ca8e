"""How good a label tree is: balance, similarity within clusters, and whether searches find their way.

Balance is the spread of the numbers of labels below the nodes of a level. Similarity within clusters is the
cosine of two labels that share one, beside that of two labels at random. The recall of a level is the share
of true labels that have an ancestor among the nodes which a search kept there; the last one bounds what
any ranker can reach.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.kept_paths import kept_paths
from larix.xmc.label_tree import LabelTree
from larix.xmc.matrix import Matrix, check_matrix, is_dense
from larix.xmc.sparse import csr_from_parts, row_norms


@dataclass(frozen=True)
class LevelQuality:
    """One level of nodes above the labels.

    Attributes
    ----------
    level : int
        0 are the root's children.
    n_nodes : int
    fewest_children, most_children : int
        On the next level; for clusters these are labels.
    fewest_labels, mean_labels, most_labels : number
        Below a node.
    variation : float
        Standard deviation of the labels below a node, divided by their mean; 0 is perfect balance.
    """

    level: int
    n_nodes: int
    fewest_children: int
    most_children: int
    fewest_labels: int
    mean_labels: float
    most_labels: int
    variation: float


@dataclass(frozen=True)
class TreeQuality:
    """What can be said about a tree.

    Attributes
    ----------
    n_labels : int
        With a place in the tree.
    levels : tuple of LevelQuality
        Those above the labels; none for a flat tree.
    similarity : float or None
        Mean cosine of a label with another one of its cluster. None where no cluster has two labels of which
        something is known.
    random_similarity : float or None
        The same with any other label.
    """

    n_labels: int
    levels: tuple[LevelQuality, ...]
    similarity: float | None
    random_similarity: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON content."""
        return asdict(self)

    def summary(self) -> str:
        """The clusters in one line."""
        told = f"{self.n_labels:,} labels in a flat tree"
        if self.levels:
            clusters = self.levels[-1]
            told = (
                f"{clusters.n_nodes:,} clusters of {clusters.fewest_labels} to {clusters.most_labels} labels "
                f"(variation {clusters.variation:.2f})"
            )
        if self.similarity is None:
            return told
        return f"{told}; cosine {self.similarity:.3f} within clusters, {self.random_similarity:.3f} at random"

    def lines(self) -> list[str]:
        """For people to read."""
        told = [
            f"level {q.level + 1}: {q.n_nodes:,} nodes over {q.fewest_labels:,} to {q.most_labels:,} labels "
            f"(variation {q.variation:.2f}), {q.fewest_children} to {q.most_children} children"
            for q in self.levels
        ]
        if self.similarity is not None:
            told.append(
                f"labels of a cluster have cosine {self.similarity:.3f}, any two {self.random_similarity:.3f}"
            )
        return told or ["a flat tree"]


def tree_quality(tree: LabelTree, Z: Any) -> TreeQuality:
    """Balance of a tree, and similarity of the labels within its clusters.

    Parameters
    ----------
    tree : LabelTree
    Z : sparse or dense matrix, L x d
        Label representations; rows of any length. Zero rows take no part in similarities.
    """
    similarity, at_random = cluster_similarity(tree, check_matrix(Z, name="Z", n_rows=tree.n_labels))
    levels = tuple(_level_quality(tree, level) for level in range(tree.depth - 1))
    return TreeQuality(len(np.unique(tree.slot_label)), levels, similarity, at_random)


def _level_quality(tree: LabelTree, level: int) -> LevelQuality:
    labels, children = np.diff(tree.slot_bounds(level)), np.diff(tree.offsets[level + 1])
    return LevelQuality(
        level=level,
        n_nodes=tree.n_nodes(level),
        fewest_children=int(children.min()),
        most_children=int(children.max()),
        fewest_labels=int(labels.min()),
        mean_labels=float(labels.mean()),
        most_labels=int(labels.max()),
        variation=float(labels.std() / max(labels.mean(), 1e-12)),
    )


def cluster_similarity(tree: LabelTree, Z: Matrix) -> tuple[float | None, float | None]:
    """Mean cosine of a label with another of its cluster, and with any other label.

    The unit rows z of a group of n add up to S, and |S|^2 = n + sum over pairs i != j of z_i . z_j; so the
    mean cosine of a label with the others of its group is (|S|^2 - n) / (n (n - 1)), without a look at pairs.
    """
    norms = np.linalg.norm(Z, axis=1) if is_dense(Z) else row_norms(Z)
    known = norms[tree.slot_label] > 0
    n = np.diff(np.concatenate([[0], np.cumsum(known)])[tree.offsets[-1]])
    several = n > 1
    if not several.any():
        return None, None
    sums = _sums_of_unit_rows(tree, Z, norms)
    squared = np.square(np.linalg.norm(sums, axis=1) if is_dense(sums) else row_norms(sums), dtype=np.float64)
    within = (squared[several] - n[several]) / (n[several] - 1)
    n_all, total = known.sum(), np.asarray(sums.sum(axis=0), np.float64)
    at_random = (total @ total - n_all) / (n_all * (n_all - 1))
    return float(within.sum() / n[several].sum()), float(at_random)


def _sums_of_unit_rows(tree: LabelTree, Z: Matrix, norms: NDArray[np.float32]) -> Matrix:
    """Of the labels of every cluster, K x d."""
    own = norms[tree.slot_label]
    scale = np.divide(1.0, own, out=np.zeros(len(own)), where=own > 0)
    shape = (tree.n_clusters, tree.n_labels)
    sums: Matrix = csr_from_parts(scale, tree.slot_label, tree.offsets[-1], shape) @ Z
    return sums


def path_recall(tree: LabelTree, Y: Any, beams: Sequence[Any]) -> list[float]:
    """Share of true labels that have an ancestor in the beam, for every level above the labels.

    Parameters
    ----------
    tree : LabelTree
    Y : matrix, N x L
        True labels; those without a place in the tree are never found.
    beams : sequence of matrices, N x n_nodes(level), root's children first
        Stored where a search kept a node (`LinearMatcher.predict_levels`).

    Returns
    -------
    list of float
        One a level; NaN if there is no true label.

    Raises
    ------
    ValueError
        If there isn't one matrix for each level, or a shape doesn't fit.
    """
    return kept_paths(tree, Y, beams).recall()


def describe_paths(recall: Sequence[float], beam_size: int) -> str:
    """The recall of paths in one line."""
    if not recall:
        return "a flat tree has no paths to keep"
    shares = ", ".join(f"{100 * share:.1f}" for share in recall)
    return f"beams of {beam_size} keep {shares} % of true labels, level by level down to the clusters"
