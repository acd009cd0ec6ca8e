"""Which nodes of a level an instance is trained against.

XR-Transformer (Zhang et al., NeurIPS 2021), section 3.2: the children of the parents that take part (those of
true labels, those that the matcher found, or both), and all positives. Candidates are drawn for one batch at
a time, as ragged rows; there is no table of all instances, and none of a fixed width.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from larix.xmc.label_tree import LabelTree
from larix.xmc.sparse import CSR


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs of the rows of a batch and nodes of a level, ordered by row and node.

    Attributes
    ----------
    rows : int64 array, shape (n_pairs,)
        Numbers within the batch.
    nodes : int64 array, shape (n_pairs,)
    relevance : float32 array, shape (n_pairs,)
        Above 0 for a positive, 0 for a negative.
    n_rows : int
        Of the batch.
    """

    rows: NDArray[np.int64]
    nodes: NDArray[np.int64]
    relevance: NDArray[np.float32]
    n_rows: int

    def share(self, rank: int, size: int) -> "Candidates":
        """Pairs of every `size`-th row from row `rank` on, numbered within these."""
        kept = np.flatnonzero(self.rows % size == rank)
        n_rows = len(range(rank, self.n_rows, size))
        return Candidates(self.rows[kept] // size, self.nodes[kept], self.relevance[kept], n_rows)

    def at_most(self, limit: int, rng: np.random.Generator) -> "Candidates":
        """No more than `limit` candidates a row: positives first, the others drawn without replacement."""
        # Random numbers in 0..1 order the pairs of a row; those of positives are lowered below 0.
        order = np.lexsort((rng.random(len(self.rows)) - (self.relevance > 0), self.rows))
        counts = np.bincount(self.rows, minlength=self.n_rows)
        place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = np.sort(order[place < limit])
        return Candidates(self.rows[kept], self.nodes[kept], self.relevance[kept], self.n_rows)


@dataclass(frozen=True, eq=False)
class CandidateSampler:
    """Draws the candidates of a level's batches.

    Parameters
    ----------
    tree : LabelTree
    level : int
    parents : csr_array, N x n_nodes(level - 1)
        Stored where a parent's children are candidates of an instance; N x 1 at the root.
    relevance : csr_array, N x n_nodes(level)
        Of the nodes to instances, stored where they are positive.
    limit : int
        Most candidates of an instance. Positives are kept before others, and count.

    Raises
    ------
    ValueError
        If shapes disagree, or the limit isn't positive.
    """

    tree: LabelTree
    level: int
    parents: CSR
    relevance: CSR
    limit: int

    def __post_init__(self) -> None:
        n_parents = 1 if self.level == 0 else self.tree.n_nodes(self.level - 1)
        expected = (self.relevance.shape[0], n_parents)
        if self.parents.shape != expected or self.relevance.shape[1] != self.n_nodes:
            raise ValueError(
                f"level {self.level} has {n_parents} parents and {self.n_nodes} nodes, but the matrices of "
                f"parents and relevance are {self.parents.shape} and {self.relevance.shape}"
            )
        if self.limit < 1:
            raise ValueError(f"limit must be at least 1, but is {self.limit}")

    @property
    def n_nodes(self) -> int:
        """Nodes of the level."""
        return self.tree.n_nodes(self.level)

    def draw(self, batch: NDArray[np.integer], rng: np.random.Generator) -> Candidates:
        """Candidates of the instances of a batch."""
        parents, positives = self.parents[batch], self.relevance[batch]
        offsets = self.tree.offsets[self.level]
        begins, sizes = offsets[parents.indices], np.diff(offsets)[parents.indices]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        of_parents = np.repeat(_rows(parents), sizes) * self.n_nodes + np.repeat(begins, sizes) + within
        of_positives = _rows(positives) * self.n_nodes + positives.indices
        pairs = np.union1d(of_parents, of_positives)
        relevance = np.zeros(len(pairs), np.float32)
        relevance[np.searchsorted(pairs, of_positives)] = positives.data
        rows, nodes = np.divmod(pairs, self.n_nodes)
        return Candidates(rows, nodes, relevance, len(batch)).at_most(self.limit, rng)


def _rows(X: CSR) -> NDArray[np.int64]:
    """Row of every stored entry."""
    return np.repeat(np.arange(X.shape[0], dtype=np.int64), np.diff(X.indptr))
