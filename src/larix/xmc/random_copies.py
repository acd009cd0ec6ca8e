"""Copies of labels in clusters drawn at random: the control for label disentanglement.

Further slots cost inner products and give a label further chances, wherever they are. What a tree of chosen
clusters gains beyond the same number of random copies is due to the choice.
"""

import numpy as np
from numpy.typing import NDArray

from larix.xmc.label_tree import LabelTree


def random_copies(plain: LabelTree, like: LabelTree, *, random_state: int = 0) -> LabelTree:
    """Add random slots to a tree until every label has as many as in another tree.

    Parameters
    ----------
    plain : LabelTree
        Its slots are kept.
    like : LabelTree
        Says how many slots every label gets; has as many labels and clusters, and of no label fewer slots.
    random_state : int
        Seed of the clusters.

    Returns
    -------
    LabelTree
        The levels above the slots are those of `plain`. New slots follow the old ones of their cluster.

    Raises
    ------
    ValueError
        If the trees differ in labels or clusters, or a label has fewer slots in `like`.
    """
    _require_alike(plain, like)
    n_clusters = plain.n_clusters
    extra = _n_slots(like) - _n_slots(plain)
    taken = plain.slot_label * np.int64(n_clusters) + plain.slot_cluster()
    waiting = np.repeat(np.arange(plain.n_labels), extra)
    rng = np.random.default_rng(random_state)
    # Pairs drawn twice or taken already are drawn again; as every label has room, this ends.
    while len(waiting):
        drawn = waiting * np.int64(n_clusters) + rng.integers(n_clusters, size=len(waiting))
        first = np.zeros(len(drawn), bool)
        first[np.unique(drawn, return_index=True)[1]] = True
        new = first & ~np.isin(drawn, taken)
        taken = np.concatenate([taken, drawn[new]])
        waiting = waiting[~new]
    labels, clusters = np.divmod(taken, n_clusters)
    return plain.with_slots(labels, clusters)


def _n_slots(tree: LabelTree) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bincount(tree.slot_label, minlength=tree.n_labels)
    return counts


def _require_alike(plain: LabelTree, like: LabelTree) -> None:
    for what in ("n_labels", "n_clusters"):
        here, there = getattr(plain, what), getattr(like, what)
        if here != there:
            raise ValueError(f"both trees must have one {what}, but have {here} and {there}")
    fewer = np.flatnonzero(_n_slots(like) < _n_slots(plain))
    if len(fewer):
        label = fewer[0]
        raise ValueError(
            f"each label must have at least as many slots as in the plain tree, but label {label} has "
            f"{_n_slots(like)[label]} instead of {_n_slots(plain)[label]}; swap the trees"
        )
