"""Look at the label tree of a classifier from all sides: names, weights, documents, and searches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from larix.serving.given_features import GivenFeatures
from larix.serving.tree_names import tree_names
from larix.xmc.ensemble import Ensemble
from larix.xmc.kept_paths import kept_paths
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_stages import LinearMatcher
from larix.xmc.slot_documents import SlotDocuments, documents_of_slots
from larix.xmc.sparse import CSR, binarize, check_csr, csr_from_parts
from larix.xmc.strongest_features import strongest_features
from larix.xmc.tree_view import TreeView

if TYPE_CHECKING:
    from larix.serving.suggester import Suggester


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Documents as the classifier's model reads them.

    Parameters
    ----------
    X : matrix, N x D
    Y : matrix, N x L
    texts : sequence of str, length N, optional
        Without them documents have numbers.
    """

    X: Any
    Y: Any
    texts: Sequence[str] | None = None


def view_tree(
    classifier: "Suggester",
    *,
    training: LabelledRows | None = None,
    unseen: LabelledRows | None = None,
    n_keywords: int = 3,
    n_features: int = 6,
    n_documents: int = 2,
) -> TreeView:
    """Gather what can be told of the tree, of the first one if there are several.

    Parameters
    ----------
    classifier : Suggester
    training : LabelledRows, optional
        Training documents; they show what labels mean in each of their clusters.
    unseen : LabelledRows, optional
        Documents that the model was not trained on; they show where searches lose their way.
    n_keywords, n_features, n_documents : int
        Most of each that are told of a node, or of a label in a cluster.
    """
    model = classifier.model.models_[0] if isinstance(classifier.model, Ensemble) else classifier.model
    tree, matcher = model.tree_, model.to_stages()[0]
    words = getattr(classifier.features, "text_features", classifier.features)  # an embedding has no words
    named = None if isinstance(words, GivenFeatures) else words.feature_names()
    belonging: dict[str, Any] = {}
    if training is not None:
        slots = tree.slots_of_labels(check_csr(training.Y, name="Y"))
        belonging = {"X": training.X, "positives": tree.nodes_above(slots)}
    return TreeView(
        tree,
        tree_names(classifier, n_keywords),
        classifier.frequencies.counts,
        strongest_features(model.weights_, n_features, n_leading=named and len(named), **belonging),
        named,
        None if unseen is None else kept_paths(tree, unseen.Y, matcher.predict_levels(unseen.X)),
        None if training is None else _documents(tree, matcher, training, n_documents),
        () if training is None else training.texts or _Numbers(training.X.shape[0]),
    )


class _Numbers(Sequence[str]):
    """Names of documents that have no texts."""

    def __init__(self, n: int) -> None:
        self._n = n

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, number: Any) -> Any:
        return f"document {number + 1:,}"


def _documents(tree: LabelTree, matcher: LinearMatcher, training: LabelledRows, n: int) -> SlotDocuments:
    """Of labels in several clusters alone: of the others there is nothing to compare."""
    X, Y = check_csr(training.X, name="X"), binarize(check_csr(training.Y, name="Y"))
    several = np.bincount(tree.slot_label, minlength=tree.n_labels) > 1
    Y = _of_columns(Y, several)
    rows = np.flatnonzero(np.diff(Y.indptr))
    found = documents_of_slots(tree, Y[rows], matcher.predict(X[rows]), n)
    best = found.best
    shape = (tree.n_slots, X.shape[0])
    return SlotDocuments(found.count, csr_from_parts(best.data, rows[best.indices], best.indptr, shape))


def _of_columns(Y: CSR, kept: Any) -> CSR:
    Y = Y.copy()
    Y.data = Y.data * kept[Y.indices]
    Y.eliminate_zeros()
    return Y
