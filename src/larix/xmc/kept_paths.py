"""Which ways through a label tree a search kept: how often for every slot, and for every label.

A document that has a label is a chance to find it. The search keeps the way to a slot, at some level, if the
slot's ancestor there is among the nodes in its beam; it keeps the way to the label if it does so for any of
the label's slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.label_tree import LabelTree
from larix.xmc.sparse import CSR, binarize, check_csr


@dataclass(frozen=True, eq=False)
class KeptPaths:
    """Documents by how far down the tree the search came for them; level 0 are the root's children.

    Attributes
    ----------
    n_true : int array, shape (L,)
        Documents that have the label.
    of_slots : int array, shape (depth - 1, n_slots)
        Those of them for which the slot's ancestor at a level was kept.
    of_labels : int array, shape (depth - 1, L)
        Those for which an ancestor of any slot of the label was.
    """

    n_true: NDArray[np.int64]
    of_slots: NDArray[np.int64]
    of_labels: NDArray[np.int64]

    def recall(self) -> list[float]:
        """Share of true labels that were still in reach at each level; NaN if there is none."""
        total = self.n_true.sum()
        return [float(found / total) if total else float("nan") for found in self.of_labels.sum(axis=1)]


def kept_paths(tree: LabelTree, Y: Any, beams: Sequence[Any]) -> KeptPaths:
    """Count the ways that were kept.

    Parameters
    ----------
    tree : LabelTree
    Y : matrix, N x L
        True labels; those without a place in the tree are never found.
    beams : sequence of matrices, N x n_nodes(level), root's children first
        Stored where a search kept a node (`LinearMatcher.predict_levels`).

    Raises
    ------
    ValueError
        If there isn't one matrix for each level above the labels, or a shape doesn't fit.
    """
    Y = binarize(check_csr(Y, name="Y", n_columns=tree.n_labels))
    if len(beams) != tree.depth - 1:
        raise ValueError(f"beams must be one for each of {tree.depth - 1} levels, but are {len(beams)}")
    slots = tree.slots_of_labels(Y)
    of_slots = np.zeros((tree.depth - 1, tree.n_slots), np.int64)
    of_labels = np.zeros((tree.depth - 1, tree.n_labels), np.int64)
    for level, beam in enumerate(beams):
        kept = _kept(tree, slots, beam, level)
        of_slots[level] = np.bincount(slots.indices[kept], minlength=tree.n_slots)
        found = np.unique(_keys(slots.indptr, tree.slot_label[slots.indices], tree.n_labels)[kept])
        of_labels[level] = np.bincount(found % tree.n_labels, minlength=tree.n_labels)
    return KeptPaths(np.bincount(Y.indices, minlength=tree.n_labels), of_slots, of_labels)


def _kept(tree: LabelTree, slots: CSR, beam: Any, level: int) -> NDArray[np.bool_]:
    """For every stored (document, slot), whether the slot's ancestor is in the document's beam."""
    n_nodes = tree.n_nodes(level)
    beam = check_csr(beam, name=f"beams[{level}]", n_rows=slots.shape[0], n_columns=n_nodes)
    node_of_slot = np.repeat(np.arange(n_nodes), np.diff(tree.slot_bounds(level)))
    return np.isin(
        _keys(slots.indptr, node_of_slot[slots.indices], n_nodes), _keys(beam.indptr, beam.indices, n_nodes)
    )


def _keys(indptr: NDArray[Any], columns: NDArray[Any], n_columns: int) -> NDArray[np.int64]:
    """One number for each (row, column)."""
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    keys: NDArray[np.int64] = rows * np.int64(n_columns) + columns
    return keys
