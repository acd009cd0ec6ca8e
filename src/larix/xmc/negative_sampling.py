"""Which instances take part in the problems of a parent's children.

PECOS (Yu et al., JMLR 2022), section 4.2. Teacher-forced negatives (`tfn`) are the instances whose true
labels lie under the parent; matcher-aware negatives (`man`) those whose beam reaches it; user-supplied
negatives (`usn`) those the user names. Positives of a child always take part. X-Transformer (Chang et al.,
KDD 2020), section 3.3, weighs matcher-aware negatives by the matcher's score.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from larix.xmc.label_tree import LabelTree
from larix.xmc.sparse import CSR, binarize, check_csr, csr_from_parts

Negatives = Literal[
    "tfn", "man", "usn", "tfn+man", "tfn+usn", "man+usn", "tfn+man+usn", "man+weighted", "tfn+man+weighted",
]  # fmt: skip

_WEIGHTED = "+weighted"


def asks_for(source: Literal["tfn", "man", "usn"], schemes: Negatives | Sequence[Negatives]) -> bool:
    """Whether a scheme, or one of several, takes negatives from a source."""
    each = (schemes,) if isinstance(schemes, str) else schemes
    return any(source in scheme.split("+") for scheme in each)


def sample_negatives(
    scheme: Negatives, true_parents: CSR, beams: CSR | None = None, supplied: CSR | None = None
) -> CSR:
    """M of a level: N x n_parents, stored where an instance takes part, with its weight as a negative.

    Parameters
    ----------
    scheme : str
        `tfn`, `man`, `usn`, or several joined by `+` for their union, where all weights are 1. With
        `weighted`, those of `man` are the matcher's scores, and 1 below true parents if `tfn` is there.
    true_parents : csr_array, N x n_parents
    beams : csr_array or None
        The matcher's scores of parents on the same instances; needed for `man`.
    supplied : csr_array or None, N x n_parents
        Needed for `usn`.
    """
    sources = {
        "tfn": (true_parents, ""),
        "man": (beams, "the matcher's cluster scores of the training instances"),
        "usn": (supplied, "user_negatives of this level or of one below"),
    }
    joined = None
    for part in scheme.removesuffix(_WEIGHTED).split("+"):
        instances, what = sources[part]
        if instances is None:
            raise ValueError(f"negatives {scheme!r} need {what}; pass them")
        joined = instances if joined is None else joined + instances
    if scheme.endswith(_WEIGHTED):
        return _capped(joined, beams)
    return true_parents if scheme == "tfn" else binarize(joined)


def _capped(weights: CSR, beams: CSR) -> CSR:
    """Weights of at most 1, from scores that are."""
    if beams.nnz and not (beams.data.min() >= 0 and beams.data.max() <= 1):
        raise ValueError(
            "weighted negatives need scores of clusters in 0..1, but the matcher's span "
            f"{beams.data.min():g}..{beams.data.max():g}; choose a post_processor whose scores are products"
        )
    return csr_from_parts(np.minimum(weights.data, 1), weights.indices, weights.indptr, weights.shape)


def negatives_of_levels(tree: LabelTree, given: Mapping[int, Any] | None, n_rows: int) -> list[CSR | None]:
    """User-supplied negatives of every level's parents, carried upwards.

    Parameters
    ----------
    tree : LabelTree
    given : mapping of int to matrix
        Key 0 has N x L instances to learn a label against, key 1 has N x K for the clusters, and so on up;
        what is given below counts above.
    n_rows : int
        N.

    Returns
    -------
    list of csr_array or None
        For the problems of level t, N x n_nodes(t - 1); None at the root, and where nothing is given.
    """
    given = given or {}
    for height in given:
        if not 0 <= height < tree.depth:
            raise ValueError(f"user_negatives must have keys in 0..{tree.depth - 1}, but one is {height}")
    of_parents: list[CSR | None] = [None] * tree.depth
    below: CSR | None = None
    for level in range(tree.depth - 1, -1, -1):
        own = given.get(tree.depth - 1 - level)
        if own is not None:
            last = level == tree.depth - 1
            n_columns = tree.n_labels if last else tree.n_nodes(level)
            own = check_csr(own, name="user_negatives", n_rows=n_rows, n_columns=n_columns)
            own = tree.slots_of_labels(own) if last else own
            below = own if below is None else below + own
        if level < tree.depth - 1:
            of_parents[level + 1] = below
        below = None if below is None or level == 0 else binarize(below @ tree.membership(level))
    return of_parents
