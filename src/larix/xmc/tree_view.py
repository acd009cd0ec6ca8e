"""All that can be told of a label tree, node by node and label by label, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from larix.xmc.kept_paths import KeptPaths
from larix.xmc.label_tree import LabelTree
from larix.xmc.slot_documents import SlotDocuments
from larix.xmc.sparse import CSR
from larix.xmc.tree_export import TreeNames


@dataclass(frozen=True, eq=False)
class TreeView:
    """What a reader of the tree may want to know.

    Parameters
    ----------
    tree : LabelTree
    names : TreeNames
        Of labels and, as far as words are known, of nodes.
    n_training : int array, shape (L,)
        Training documents of every label.
    features : csr_array, all nodes x D
        The strongest features of every node, slots included, level after level.
    feature_names : sequence of str or None
        None if features have numbers alone.
    kept : KeptPaths or None
        How a search did on documents that the model has not seen.
    documents : SlotDocuments or None
        Training documents by slot.
    texts : sequence of str
        Of the documents that `documents` counts.

    Raises
    ------
    ValueError
        If a part describes another tree.
    """

    tree: LabelTree
    names: TreeNames
    n_training: NDArray[Any]
    features: CSR
    feature_names: Sequence[str] | None = None
    kept: KeptPaths | None = None
    documents: SlotDocuments | None = None
    texts: Sequence[str] = ()

    def __post_init__(self) -> None:
        tree = self.tree
        n_nodes = sum(tree.n_nodes(level) for level in range(tree.depth))
        sizes = [
            ("n_training", len(self.n_training), tree.n_labels, "labels"),
            ("features", self.features.shape[0], n_nodes, "nodes"),
        ]
        if self.kept is not None:
            sizes.append(("kept", self.kept.of_slots.shape[1], tree.n_slots, "slots"))
        if self.documents is not None:
            sizes.append(("documents", len(self.documents.count), tree.n_slots, "slots"))
            sizes.append(("texts", len(self.texts), self.documents.best.shape[1], "documents"))
        for name, found, wanted, what in sizes:
            if found != wanted:
                raise ValueError(
                    f"{name} must describe the {wanted} {what} of the tree, but describes {found}; "
                    "make it with the same classifier"
                )
