"""Which slot of a label serves a document: the one whose cluster its beam holds with the highest score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from larix.xmc.label_tree import LabelTree
from larix.xmc.sparse import CSR


@dataclass(frozen=True, eq=False)
class SlotRouting:
    """Pairs of a document and a label, each beside every slot of the label.

    Attributes
    ----------
    n_pairs : int
        Number of pairs.
    pair : int array, shape (m,)
        A pair, rising.
    slot : int array, shape (m,)
        A slot of the pair's label.
    held : bool array, shape (m,)
        Whether the document's beam holds the slot's cluster.
    score : float array, shape (m,)
        Of that cluster; minus infinity where it is not held.
    """

    n_pairs: int
    pair: NDArray[np.int64]
    slot: NDArray[np.int64]
    held: NDArray[np.bool_]
    score: NDArray[np.float64]

    @classmethod
    def of(
        cls, tree: LabelTree, beams: CSR, rows: NDArray[np.int64], labels: NDArray[np.int64]
    ) -> "SlotRouting":
        """Look the slots of `labels` up in the beams (canonical, N x K) of the documents `rows`."""
        slots = np.argsort(tree.slot_label, kind="stable")
        bounds = np.searchsorted(tree.slot_label[slots], np.arange(tree.n_labels + 1))
        n_slots = np.diff(bounds)[labels]
        pair = np.repeat(np.arange(len(rows)), n_slots)
        within = np.arange(len(pair)) - np.repeat(np.cumsum(n_slots) - n_slots, n_slots)
        slot = slots[np.repeat(bounds[labels], n_slots) + within]
        wanted = rows[pair] * tree.n_clusters + tree.slot_cluster()[slot]
        kept = np.repeat(np.arange(beams.shape[0]), np.diff(beams.indptr)) * tree.n_clusters + beams.indices
        at = np.searchsorted(kept, wanted)
        held = np.append(kept, -1)[at] == wanted
        return cls(len(rows), pair, slot, held, np.where(held, np.append(beams.data, 0)[at], -np.inf))

    def parts(self) -> NDArray[np.float64]:
        """The part of each pair that goes to each slot, shape (m,): equal parts where several are best."""
        best = np.full(self.n_pairs, -np.inf)
        np.maximum.at(best, self.pair, self.score)
        chosen = self.held & (self.score == best[self.pair])
        n_chosen = np.bincount(self.pair, chosen, minlength=self.n_pairs)
        parts: NDArray[np.float64] = chosen / np.maximum(n_chosen, 1)[self.pair]
        return parts
