"""Do a label's clusters tell its senses apart?

Label disentanglement (Liu et al., NeurIPS 2021) lets a label live in several clusters, in the hope that
each serves another sense of it. Where the true sense of every document is known, two measures say whether
that came true; both are about the clusters that the matcher keeps for a document, its beam.

Of a label's senses the two with the most documents are compared, its halves A and B. A document of both
halves counts for neither. A label takes part if both halves have a document; if it has one slot, nothing is
separated.

- *strict*: some slot's cluster is in more than half of A's beams and in less than half of B's, and some
  other slot's cluster the other way round;
- *routed*: a document goes to the slot of the label whose cluster its beam holds with the highest score, in
  equal parts where several do, and nowhere if it holds none. More of A goes to one slot than to any other or
  nowhere, and more of B to another slot.

Copies placed anywhere also separate some labels, so a share means something beside that of `random_copies`
only.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from larix.xmc.label_senses import check_senses, sense_ranks
from larix.xmc.label_tree import LabelTree
from larix.xmc.slot_routing import SlotRouting
from larix.xmc.sparse import CSR, check_csr

_MAJORITY = 0.5
_DECIMALS = 9  # equal sums of parts of documents are equal in whatever order they are added
_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class SenseSeparation:
    """Which labels are separated.

    Attributes
    ----------
    labels : int array, shape (n,)
        The labels that take part, rising.
    n_slots : int array, shape (n,)
        Slots of each.
    strict, routed : bool array, shape (n,)
        Whether its halves are separated in this sense.
    """

    labels: NDArray[np.int64]
    n_slots: NDArray[np.int64]
    strict: NDArray[np.bool_]
    routed: NDArray[np.bool_]

    def to_dict(self) -> dict[str, float | None]:
        """Number of labels, of those with several slots, and the shares of all that are separated."""
        n = len(self.labels)
        return {
            "labels": n,
            "labels_of_several_slots": int((self.n_slots > 1).sum()),
            "strict": float(self.strict.mean()) if n else None,
            "routed": float(self.routed.mean()) if n else None,
        }


def sense_separation(tree: LabelTree, beams: Any, senses: Any, sense_labels: ArrayLike) -> SenseSeparation:
    """Measure how far the clusters of labels tell their senses apart.

    Parameters
    ----------
    tree : LabelTree
        With K clusters.
    beams : matrix, N x K
        Scores of the clusters kept for each document; what is not stored is not kept.
    senses : matrix, N x S
        Non-zero where a document has a sense.
    sense_labels : int array, shape (S,)
        The label of every sense.

    Returns
    -------
    SenseSeparation

    Raises
    ------
    ValueError
        If shapes disagree, or a sense belongs to no label of the tree.

    Examples
    --------
    Label 0 lives in both clusters, and each sense's documents reach one of them:

    >>> from larix import LabelTree
    >>> tree = LabelTree(([0, 2], [0, 1, 3]), [0, 0, 1], n_labels=2)
    >>> beams, senses = [[0.9, 0], [0, 0.8]], [[1, 0, 0], [0, 1, 0]]
    >>> sense_separation(tree, beams, senses, [0, 0, 1]).to_dict()
    {'labels': 1, 'labels_of_several_slots': 1, 'strict': 1.0, 'routed': 1.0}
    """
    beams = check_csr(beams, name="beams", n_columns=tree.n_clusters)
    senses, owners = check_senses(senses, sense_labels, tree.n_labels, n_rows=beams.shape[0])
    halves = _Halves.of(senses, owners, tree.n_labels)
    routing = SlotRouting.of(tree, beams, halves.rows, halves.labels)
    held = _shares(tree, routing, halves, routing.held.astype(np.float64))
    own = (held > _MAJORITY) & (held[:, ::-1] < _MAJORITY)
    strict = _for_both_halves(tree, own)
    goal = _goals(tree, _shares(tree, routing, halves, routing.parts()).round(_DECIMALS))
    routed = _for_both_halves(tree, goal)
    routed[tree.slot_label[goal.all(axis=1)]] = False  # one slot is the goal of both halves
    labels = np.flatnonzero((halves.n_documents > 0).all(axis=1))
    n_slots = np.bincount(tree.slot_label, minlength=tree.n_labels)
    return SenseSeparation(labels, n_slots[labels], strict[labels], routed[labels])


@dataclass(frozen=True, eq=False)
class _Halves:
    """Every document of just one of a label's two most frequent senses: row, label and half (0 or 1)."""

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    sides: NDArray[np.int64]
    n_documents: NDArray[np.int64]
    """Of every label's halves, shape (L, 2)."""

    @classmethod
    def of(cls, senses: CSR, owners: NDArray[np.int64], n_labels: int) -> "_Halves":
        ranks = sense_ranks(senses, owners)
        rows = np.repeat(np.arange(senses.shape[0]), np.diff(senses.indptr))
        of_halves = ranks[senses.indices] < 2
        rows, kept = rows[of_halves], senses.indices[of_halves]
        labels, sides = owners[kept], ranks[kept]
        _, pair, n_sides = np.unique(rows * n_labels + labels, return_inverse=True, return_counts=True)
        alone = n_sides[pair] == 1
        rows, labels, sides = rows[alone], labels[alone], sides[alone]
        n_documents = np.bincount(2 * labels + sides, minlength=2 * n_labels).reshape(-1, 2)
        return cls(rows, labels, sides, n_documents)


def _shares(
    tree: LabelTree, routing: SlotRouting, halves: _Halves, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights at slots summed over the documents of each half, divided by their number: n_slots x 2."""
    at = 2 * routing.slot + halves.sides[routing.pair]
    sums = np.bincount(at, weights, minlength=2 * tree.n_slots).reshape(-1, 2)
    shares: NDArray[np.float64] = sums / np.maximum(halves.n_documents[tree.slot_label], 1)
    return shares


def _goals(tree: LabelTree, shares: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Slots to which more of a half goes than to any other of its label, or nowhere: n_slots x 2."""
    best, gone = np.zeros((tree.n_labels, 2)), np.zeros((tree.n_labels, 2))
    np.maximum.at(best, tree.slot_label, shares)
    np.add.at(gone, tree.slot_label, shares)
    nowhere = (1 - gone)[tree.slot_label]
    highest = (shares == best[tree.slot_label]) & (shares > nowhere + _TINY)
    n_highest = np.zeros((tree.n_labels, 2), np.int64)
    np.add.at(n_highest, tree.slot_label, highest)
    goals: NDArray[np.bool_] = highest & (n_highest[tree.slot_label] == 1)
    return goals


def _for_both_halves(tree: LabelTree, slots: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Labels of which some slot is marked for A and some for B: n_slots x 2 to (L,)."""
    found: NDArray[np.bool_] = np.zeros((tree.n_labels, 2), np.bool_)
    np.logical_or.at(found, tree.slot_label, slots)
    return np.logical_and(found[:, 0], found[:, 1])
