"""Predictions of labels taken as predictions of senses, by the slot that serves each document.

A model that knows labels only can be held against the finer truth: each slot of a label stands for the sense
of most of the training documents that go to it, and a predicted label stands for the sense of the slot that
the document goes to. With one slot a label stands for one sense, mostly the most frequent; what is gained
over that is what further slots tell of the senses.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from larix.xmc.label_senses import check_senses, sense_ranks
from larix.xmc.label_tree import LabelTree
from larix.xmc.slot_routing import SlotRouting
from larix.xmc.sparse import CSR, check_csr


def senses_of_slots(tree: LabelTree, beams: Any, senses: Any, sense_labels: ArrayLike) -> NDArray[np.int64]:
    """The sense that each slot stands for.

    Parameters
    ----------
    tree : LabelTree
        With K clusters.
    beams : matrix, N x K
        Scores of the clusters kept for each training document; what is not stored is not kept.
    senses : matrix, N x S
        Non-zero where a training document has a sense.
    sense_labels : int array, shape (S,)
        The label of every sense.

    Returns
    -------
    int array, shape (n_slots,)
        The sense of most documents that go to the slot; of equals, and for slots to which none goes, the more
        frequent one of the label. -1 for labels without a sense.

    Raises
    ------
    ValueError
        If shapes disagree, or a sense belongs to no label of the tree.
    """
    beams = check_csr(beams, name="beams", n_columns=tree.n_clusters)
    senses, owners = check_senses(senses, sense_labels, tree.n_labels, n_rows=beams.shape[0])
    rows = np.repeat(np.arange(senses.shape[0]), np.diff(senses.indptr))
    routing = SlotRouting.of(tree, beams, rows, owners[senses.indices])
    n_senses = max(senses.shape[1], 1)
    pairs, of = np.unique(routing.slot * n_senses + senses.indices[routing.pair], return_inverse=True)
    documents = np.bincount(of, routing.parts(), minlength=len(pairs))
    slot, sense = np.divmod(pairs[documents > 0], n_senses)
    by_frequency = np.lexsort((sense_ranks(senses, owners)[sense], -documents[documents > 0], slot))
    found = _dominant(senses, owners, tree.n_labels)[tree.slot_label]
    first = by_frequency[np.unique(slot[by_frequency], return_index=True)[1]]
    found[slot[first]] = sense[first]
    return found


def predict_senses(P: Any, tree: LabelTree, beams: Any, slot_senses: NDArray[np.int64], n_senses: int) -> CSR:
    """Predictions of labels as predictions of senses.

    Parameters
    ----------
    P : matrix, N x L
        Scores of labels.
    tree : LabelTree
        With K clusters.
    beams : matrix, N x K
        Scores of the clusters kept for each document.
    slot_senses : int array, shape (n_slots,)
        From `senses_of_slots`.
    n_senses : int
        S.

    Returns
    -------
    csr_array, N x S
        Each score of a label at the sense of the slot that the document goes to, the first of equals. A label
        none of whose clusters is kept keeps its score at the sense of its first slot.

    Raises
    ------
    ValueError
        If shapes disagree.

    Examples
    --------
    >>> from larix import LabelTree
    >>> tree = LabelTree(([0, 2], [0, 1, 2]), [0, 0], n_labels=1)
    >>> beams, senses = [[0.9, 0.1], [0.2, 0.8]], [[1, 0], [0, 1]]
    >>> slots = senses_of_slots(tree, beams, senses, [0, 0])
    >>> predict_senses([[0.5], [0.25]], tree, beams, slots, 2).toarray().tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    P = check_csr(P, name="P", n_columns=tree.n_labels)
    beams = check_csr(beams, name="beams", n_rows=P.shape[0], n_columns=tree.n_clusters)
    rows = np.repeat(np.arange(P.shape[0]), np.diff(P.indptr))
    routing = SlotRouting.of(tree, beams, rows, P.indices.astype(np.int64))
    best_first = np.lexsort((routing.slot, -routing.score, routing.pair))
    first = best_first[np.unique(routing.pair[best_first], return_index=True)[1]]
    pair, sense = routing.pair[first], slot_senses[routing.slot[first]]
    known = sense >= 0
    pair, sense = pair[known], sense[known]
    indptr = np.searchsorted(rows[pair], np.arange(P.shape[0] + 1))
    return check_csr(sp.csr_array((P.data[pair], sense, indptr), shape=(P.shape[0], n_senses)), name="P")


def _dominant(senses: CSR, owners: NDArray[np.int64], n_labels: int) -> NDArray[np.int64]:
    """The most frequent sense of every label, -1 where there is none, shape (L,)."""
    dominant = np.full(n_labels, -1)
    top = np.flatnonzero(sense_ranks(senses, owners) == 0)
    dominant[owners[top]] = top
    return dominant
