"""The label tree, native to overlap: a label may live in several clusters.

Nodes of a level are numbered so that the children of a node are contiguous; a level is therefore one
array of offsets. The last level's nodes are *slots*: a slot is one (cluster, label) pair. A plain
tree is the case of one slot per label, so that training, search and storage know no special case.

Label disentanglement (Liu et al., NeurIPS 2021) is what makes labels own several slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.sparse import CSR, binarize, check_csr, read_only


@dataclass(frozen=True, eq=False)
class LabelTree:
    """Levels of nodes from the root's children down to label slots.

    Parameters
    ----------
    offsets : sequence of int arrays
        `offsets[t]` has one entry more than level t-1 has nodes (level -1 is the root alone);
        node p of level t-1 owns the nodes `offsets[t][p]:offsets[t][p + 1]` of level t.
    slot_label : int array, shape (n_slots,)
        The label of each node of the last level.
    n_labels : int
        L; labels without a slot are allowed (they can't be predicted).

    Raises
    ------
    ValueError
        When the arrays don't describe a tree; the message says which rule broke where.
    """

    offsets: tuple[NDArray[np.int64], ...]
    slot_label: NDArray[np.int32]
    n_labels: int

    def __post_init__(self) -> None:
        offsets = tuple(read_only(level, np.int64) for level in self.offsets)
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "slot_label", read_only(self.slot_label, np.int32))
        _check_tree(offsets, self.slot_label, self.n_labels)

    @property
    def depth(self) -> int:
        """Number of levels, slots included."""
        return len(self.offsets)

    @property
    def n_slots(self) -> int:
        """Number of (cluster, label) pairs."""
        return len(self.slot_label)

    @property
    def n_clusters(self) -> int:
        """K: number of parents of slots."""
        return len(self.offsets[-1]) - 1

    @cached_property
    def has_overlap(self) -> bool:
        """Whether some label owns more than one slot."""
        return self.n_slots > self.n_labels_with_slots

    @cached_property
    def n_labels_with_slots(self) -> int:
        """Number of labels that can be predicted."""
        return len(np.unique(self.slot_label))

    def n_nodes(self, level: int) -> int:
        """Number of nodes of a level; level -1 is the root."""
        return 1 if level == -1 else int(self.offsets[level][-1])

    def parent_of(self, level: int) -> NDArray[np.int64]:
        """The parent (in level - 1) of every node of a level."""
        return np.repeat(np.arange(self.n_nodes(level - 1)), np.diff(self.offsets[level]))

    def slot_cluster(self) -> NDArray[np.int64]:
        """The cluster of every slot, shape (n_slots,)."""
        return self.parent_of(self.depth - 1)

    def slot_bounds(self, level: int) -> NDArray[np.int64]:
        """Slots below the nodes of a level: node n has `bounds[n]:bounds[n + 1]`; level -1 is the root."""
        bounds = np.arange(self.n_nodes(level) + 1)
        for below in self.offsets[level + 1 :]:
            bounds = below[bounds]
        return bounds

    def label_counts(self, level: int) -> NDArray[np.int64]:
        """Number of different labels below every node of a level; level -1 is the root."""
        sizes = np.diff(self.slot_bounds(level))
        node = np.repeat(np.arange(len(sizes)), sizes)
        different = np.unique(node * np.int64(self.n_labels) + self.slot_label)
        return np.bincount(different // self.n_labels, minlength=len(sizes))

    def labels_of_cluster(self, cluster: int) -> NDArray[np.int32]:
        """Labels that live in a cluster."""
        return self.slot_label[self.offsets[-1][cluster] : self.offsets[-1][cluster + 1]]

    def first_of_level(self) -> NDArray[np.int64]:
        """Number of the first node of every level when nodes are counted level after level."""
        return np.cumsum([0, *(self.n_nodes(level) for level in range(self.depth - 1))])

    def all_parents(self) -> NDArray[np.int64]:
        """The parent of every node of every level, counted level after level; -1 is the root."""
        shifts = [-1, *self.first_of_level()]
        return np.concatenate([self.parent_of(level) + shifts[level] for level in range(self.depth)])

    def nodes_above(self, slots: CSR) -> CSR:
        """Slots and all their ancestors: N x n_slots to N x all nodes, level after level."""
        levels = [binarize(slots)]
        for level in range(self.depth - 1, 0, -1):
            levels.insert(0, binarize(check_csr(levels[0] @ self.membership(level), name="slots")))
        return sp.hstack(levels, format="csr")

    def slots_of_labels(self, Y: CSR) -> CSR:
        """N x L to N x n_slots: every entry of a label at each of its slots."""
        slots = np.arange(self.n_slots)
        select = sp.csr_array(
            (np.ones(self.n_slots, np.float32), (self.slot_label, slots)), shape=(self.n_labels, self.n_slots)
        )
        return check_csr(Y @ select, name="Y")

    def cluster_sizes(self) -> NDArray[np.int64]:
        """Number of slots of every cluster, shape (K,)."""
        return np.diff(self.offsets[-1])

    def node_targets(self, Y: CSR) -> list[CSR]:
        """The multi-label problem of every level: N x n_nodes(t), 0/1, root's children first.

        A node is positive for an instance when one of its descendant slots' labels is.
        """
        return [binarize(R) for R in self.node_relevance(self.slots_of_labels(binarize(Y)))]

    def node_relevance(self, slots: CSR) -> list[CSR]:
        """Relevance of every level's nodes, N x n_nodes(t): the sums over their descendant slots."""
        levels = [slots]
        for level in range(self.depth - 1, 0, -1):
            levels.insert(0, check_csr(levels[0] @ self.membership(level), name="Y"))
        return levels

    def membership(self, level: int) -> CSR:
        """C of a level: n_nodes(level) x n_nodes(level - 1), one entry a row."""
        parent = self.parent_of(level)
        return sp.csr_array(
            (np.ones(len(parent), np.float32), parent, np.arange(len(parent) + 1)),
            shape=(len(parent), self.n_nodes(level - 1)),
        )

    def with_slots(
        self, labels: NDArray[Any], clusters: NDArray[Any], n_labels: int | None = None
    ) -> "LabelTree":
        """The same levels above the labels, with other slots: pairs of a label and a cluster.

        Slots of a cluster keep the order in which they are given; `n_labels` is as before unless given.
        """
        ends = np.cumsum(np.bincount(clusters, minlength=self.n_clusters))
        slot_label = labels[np.argsort(clusters, kind="stable")]
        return LabelTree((*self.offsets[:-1], np.append(0, ends)), slot_label, n_labels or self.n_labels)

    def to_chain(self) -> list[CSR]:
        """The usual list of cluster matrices C[t], n_nodes(t) x n_nodes(t-1); the last is L x K."""
        chain = [self.membership(level) for level in range(self.depth)]
        order = sp.csr_array(
            (np.ones(self.n_slots, np.float32), (self.slot_label, np.arange(self.n_slots))),
            shape=(self.n_labels, self.n_slots),
        )
        return [*chain[:-1], check_csr(order @ chain[-1], name="C")]

    @classmethod
    def from_chain(cls, chain: Sequence[Any]) -> "LabelTree":
        """Build a tree from cluster matrices with any numbering of nodes.

        Nodes are renumbered so that siblings are neighbours; among siblings the order stays.

        Raises
        ------
        ValueError
            When shapes don't chain up, or a node above the labels has not exactly one parent.
        """
        return cls.from_chain_with_order(chain)[0]

    @classmethod
    def from_chain_with_order(cls, chain: Sequence[Any]) -> tuple["LabelTree", list[NDArray[Any]]]:
        """The tree, and for every level the old number of each node."""
        orders: list[NDArray[Any]] = [np.zeros(1, np.int64)]
        offsets, n_labels = [], 1
        for level, C in enumerate(chain):
            C = check_csr(C, name=f"chain[{level}]", n_columns=n_labels)
            parents_of_node = np.diff(C.indptr)
            if level < len(chain) - 1 and np.any(parents_of_node != 1):
                node = int(np.flatnonzero(parents_of_node != 1)[0])
                raise ValueError(
                    f"chain[{level}]: every node above the labels must have one parent, "
                    f"but node {node} has {parents_of_node[node]}"
                )
            children = C.T.tocsr()[orders[-1]]
            children.sort_indices()
            offsets.append(children.indptr)
            orders.append(children.indices)
            n_labels = C.shape[0]
        return cls(tuple(offsets), orders[-1], n_labels), orders[1:]

    def save(self, path: Path | str) -> None:
        """Write the tree as a folder."""
        arrays: dict[str, NDArray[Any]] = {f"offsets_{t}": level for t, level in enumerate(self.offsets)}
        metadata = {"depth": self.depth, "n_labels": self.n_labels}
        save_folder(
            path, kind="LabelTree", metadata=metadata, arrays={**arrays, "slot_label": self.slot_label}
        )

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> "LabelTree":
        """Read a tree that `save` wrote."""
        folder = load_folder(path, kind="LabelTree", verify=verify)
        offsets = tuple(folder.arrays[f"offsets_{t}"] for t in range(folder.metadata["depth"]))
        return cls(offsets, folder.arrays["slot_label"], folder.metadata["n_labels"])


def _check_tree(offsets: tuple[NDArray[np.int64], ...], slot_label: NDArray[np.int32], n_labels: int) -> None:
    if not offsets:
        raise ValueError("a label tree must have at least one level, but has none")
    n_parents = 1
    for t, level in enumerate(offsets):
        if len(level) != n_parents + 1 or level[0] != 0 or np.any(np.diff(level) < 0):
            raise ValueError(
                f"offsets[{t}] must rise from 0 over {n_parents + 1} entries (one more than level {t - 1} "
                f"has nodes), but has {len(level)} entries from {level[:1]} with smallest step "
                f"{np.diff(level).min(initial=0)}"
            )
        n_parents = int(level[-1])
    if len(slot_label) != n_parents:
        raise ValueError(f"slot_label must name {n_parents} slots, but names {len(slot_label)}")
    if len(slot_label) and not (slot_label.min() >= 0 and slot_label.max() < n_labels):
        raise ValueError(
            f"slot_label must lie in 0..{n_labels - 1}, but spans {slot_label.min()}..{slot_label.max()}"
        )
    cluster = np.repeat(np.arange(len(offsets[-1]) - 1), np.diff(offsets[-1]))
    pairs = cluster * np.int64(n_labels) + slot_label
    if len(np.unique(pairs)) < len(pairs):
        raise ValueError(
            "a label may own at most one slot in a cluster, but owns two; drop the repeated pair"
        )
