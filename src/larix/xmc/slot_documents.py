"""Which documents of a label a matcher leads to which of its clusters.

A label that lives in several clusters has its documents spread over them; what they are tells what each
cluster means for the label.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.label_tree import LabelTree
from larix.xmc.sparse import CSR, binarize, check_csr, csr_from_parts, top_k_per_row


@dataclass(frozen=True, eq=False)
class SlotDocuments:
    """Documents of every slot's label that a matcher leads to the slot's cluster.

    Attributes
    ----------
    count : int array, shape (n_slots,)
    best : csr_array, n_slots x N
        Those with the highest scores of the cluster, the highest first.
    """

    count: NDArray[np.int64]
    best: CSR


def documents_of_slots(tree: LabelTree, Y: Any, cluster_scores: Any, n: int) -> SlotDocuments:
    """Find them.

    Parameters
    ----------
    tree : LabelTree
    Y : matrix, N x L
    cluster_scores : matrix, N x K
        Stored where a matcher kept a cluster (`LinearMatcher.predict`).
    n : int
        Most documents told of a slot.
    """
    slots = tree.slots_of_labels(binarize(check_csr(Y, name="Y", n_columns=tree.n_labels)))
    N, K = slots.shape[0], tree.n_clusters
    kept = check_csr(cluster_scores, name="cluster_scores", n_rows=N, n_columns=K)
    rows = np.repeat(np.arange(N), np.diff(slots.indptr))
    wanted = rows * np.int64(K) + tree.slot_cluster()[slots.indices]
    held = np.repeat(np.arange(N), np.diff(kept.indptr)) * np.int64(K) + kept.indices
    place = np.minimum(np.searchsorted(held, wanted), max(len(held) - 1, 0))
    found = held[place] == wanted if len(held) else np.zeros(len(wanted), bool)
    order = np.argsort(slots.indices[found], kind="stable")
    count = np.bincount(slots.indices[found], minlength=tree.n_slots)
    indptr = np.concatenate([[0], np.cumsum(count)])
    scores = kept.data[place[found]][order]
    return SlotDocuments(
        count, top_k_per_row(csr_from_parts(scores, rows[found][order], indptr, (tree.n_slots, N)), n)
    )
