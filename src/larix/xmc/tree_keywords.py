"""Words that tell a node of a label tree from its siblings.

A keyword is a feature in which the centre of the labels below a node exceeds that of its parent most: the
direction in which k-means has parted them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from larix.xmc.label_tree import LabelTree
from larix.xmc.sparse import CSR, check_csr, csr_from_parts, normalize_rows, top_k_per_row


def tree_keywords(
    tree: LabelTree, Z: Any, feature_names: Sequence[str], n_keywords: int = 3
) -> list[list[list[str]]]:
    """Keywords of every node above the labels.

    Parameters
    ----------
    tree : LabelTree
    Z : sparse matrix, L x D
        Label representations over named features, e.g. pifa or the features of label names.
    feature_names : sequence of str, length D
        Features with an empty name are passed over.
    n_keywords : int

    Returns
    -------
    list over levels of lists over nodes of lists of str
    """
    Z = check_csr(Z, name="Z", n_rows=tree.n_labels, n_columns=len(feature_names))
    named = np.array([1 if name else 0 for name in feature_names], np.float32)
    Z = check_csr(normalize_rows(Z)[tree.slot_label])
    keywords, above = [], _centres(tree, Z, -1)
    for level in range(tree.depth - 1):
        centres = _centres(tree, Z, level)
        excess = check_csr(centres - above[tree.parent_of(level)])
        excess.data = np.maximum(excess.data, 0) * named[excess.indices]
        excess.eliminate_zeros()
        best = top_k_per_row(excess, n_keywords)
        rows = np.split(best.indices, best.indptr[1:-1])
        keywords.append([[feature_names[feature] for feature in row] for row in rows])
        above = centres
    return keywords


def _centres(tree: LabelTree, Z: CSR, level: int) -> CSR:
    """Sum of the rows below every node, scaled to unit length."""
    bounds = tree.slot_bounds(level)
    ones = np.ones(tree.n_slots, np.float32)
    members = csr_from_parts(ones, np.arange(tree.n_slots), bounds, (len(bounds) - 1, tree.n_slots))
    return normalize_rows(check_csr(members @ Z))
