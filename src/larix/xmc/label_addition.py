"""New labels without training everything again.

A slot is inserted into the cluster that the matcher finds for a new label's documents, so that a search
reaches it, and the slots of that cluster alone are trained. Levels above stay as they are, and so do, to the
bit, the weights and scores of labels in other clusters.

Because the problems of a level are independent given the tree (PECOS, Yu et al., JMLR 2022, section 4), a
new slot's weights are those that training the whole last level on the same documents would give, within the
solver's tolerance. What stays behind is the matcher: it has not seen the new documents.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.chunked_weights import ChunkedWeights
from larix.xmc.estimator import clone
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_stages import LinearMatcher, LinearRanker, check_schemes, true_clusters
from larix.xmc.negative_sampling import Negatives, asks_for, sample_negatives
from larix.xmc.sparse import CSR, binarize, check_csr, csr_from_parts, top_k_per_row
from larix.xmc.xr_linear import XRLinear

logger = logging.getLogger(__name__)


def add_labels(
    model: XRLinear,
    X_new: Any,
    Y_new: Any,
    *,
    X: Any = None,
    Y: Any = None,
    retrain_siblings: bool | None = None,
    clusters_per_label: int = 1,
) -> XRLinear:
    """A model that knows further labels.

    Parameters
    ----------
    model : XRLinear
        With L labels; stays as it is.
    X_new : matrix, N' x D
        Documents of the new labels, and others that may speak against them.
    Y_new : matrix, N' x (L + n)
        Their labels: the known ones, then the n new ones.
    X, Y : matrix, N x D and N x L, optional
        Earlier training documents. Those that reach the clusters of new labels speak against these; without
        them only the new documents do.
    retrain_siblings : bool, optional
        Train the old slots of these clusters again, with the new documents; by default if `X` is given.
    clusters_per_label : int
        Slots of a new label. A second one makes up for a matcher that wasn't trained on its documents.

    Returns
    -------
    XRLinear
        With L + n labels. Where `model` has weights of 16 bits it has 32; `rounded` makes them 16 again.

    Raises
    ------
    ValueError
        If there is no new label, one has no document, or shapes disagree.
    """
    tree, n_old = model.tree_, model.tree_.n_labels
    X_new = check_csr(X_new, name="X_new", n_columns=model.n_features_in_)
    Y_new = check_csr(Y_new, name="Y_new", n_rows=X_new.shape[0])
    _check_new(Y_new, n_old)
    if (X is None) != (Y is None) or (retrain_siblings and X is None):
        raise ValueError("earlier documents need both X and Y, and siblings can't be trained again without")
    matcher, ranker = model.to_stages()
    places = place_labels(matcher, X_new, Y_new[:, n_old:], clusters_per_label)
    X_all, Y_all = (X_new, Y_new) if X is None else _join(X, Y, X_new, Y_new, n_old)
    retrain = X is not None if retrain_siblings is None else retrain_siblings
    new_tree, clusters = _insert_slots(tree, places), np.unique(places.indices)
    scheme = "tfn+man" if X is None else check_schemes(ranker.negatives, 1)[0]
    problem = _Problem(new_tree, clusters, 0 if retrain else n_old)
    trained = problem.train(X_all, Y_all, ranker, problem.participants(X_all, Y_all, matcher, scheme))
    weights = _splice(ranker.weights_, clusters, trained, keep_old=not retrain)
    levels = [matcher.weights_, weights] if tree.depth > 1 else [weights]
    logger.info("added %d labels to %d clusters", Y_new.shape[1] - n_old, len(clusters))
    grown: XRLinear = clone(model)
    return grown._set_learnt(new_tree, ChunkedWeights.concatenate(levels))


def place_labels(matcher: LinearMatcher, X: CSR, Y: CSR, clusters_per_label: int = 1) -> CSR:
    """The clusters that the matcher finds first for most of a label's documents.

    Parameters
    ----------
    matcher : LinearMatcher
    X : csr_array, N x D
    Y : csr_array, N x n
        Documents of the labels to place.
    clusters_per_label : int

    Returns
    -------
    csr_array, n x K
        The sum of 1 / rank over documents, for the best clusters of each label in descending order.
    """
    if clusters_per_label < 1:
        raise ValueError(f"clusters_per_label must be at least 1, but is {clusters_per_label}")
    found = matcher.predict(X, beam_size=max(matcher.search.beam_size, clusters_per_label))
    # Ranks rather than scores, which may be products, logarithms or margins.
    ranks = 1 + np.arange(found.nnz) - np.repeat(found.indptr[:-1], np.diff(found.indptr))
    by_rank = csr_from_parts((1 / ranks).astype(np.float32), found.indices, found.indptr, found.shape)
    return top_k_per_row(check_csr(binarize(Y).T.tocsr() @ check_csr(by_rank)), clusters_per_label)


@dataclass(frozen=True, eq=False)
class _Problem:
    """What is to be learnt: slots of some clusters, those of labels before `first_label` left out."""

    tree: LabelTree
    clusters: NDArray[np.int64]
    first_label: int

    def participants(self, X: CSR, Y: CSR, matcher: LinearMatcher, scheme: Negatives) -> CSR:
        """Documents that take part in the problems of the clusters, N x n_clusters."""
        beams = matcher.predict(X)[:, self.clusters] if asks_for("man", scheme) else None
        return check_csr(sample_negatives(scheme, true_clusters(X, Y, self.tree)[:, self.clusters], beams))

    def train(self, X: CSR, Y: CSR, ranker: LinearRanker, participants: CSR) -> ChunkedWeights:
        """Weights of the slots."""
        tree = self._subtree()
        if ranker.relevance.counts(last_level=True):
            Y = self._normalized(Y, ranker)
        rows = np.flatnonzero(np.diff(participants.indptr) + np.diff(tree.slots_of_labels(Y).indptr))
        learner: LinearRanker = clone(ranker)
        learner.set_params(negatives="man+weighted", relevance=replace(ranker.relevance, norm="none"))
        return learner.fit(X[rows], Y[rows], tree, participants[rows]).weights_

    def _subtree(self) -> LabelTree:
        families = [self.tree.labels_of_cluster(cluster) for cluster in self.clusters]
        families = [labels[labels >= self.first_label] for labels in families]
        ends = np.cumsum([0, *map(len, families)])
        top = np.array([0, len(families)])
        return LabelTree((top, ends), np.concatenate(families), self.tree.n_labels)

    def _normalized(self, Y: CSR, ranker: LinearRanker) -> CSR:
        """Relevance as training the whole level normalises it: over all of a document's slots."""
        slots = self.tree.slots_of_labels(Y)
        norms = ranker.relevance.normalize(slots)
        factor = np.divide(norms.data, slots.data, out=np.zeros_like(slots.data), where=slots.data != 0)
        of_row = np.zeros(Y.shape[0], np.float32)
        of_row[np.repeat(np.arange(Y.shape[0]), np.diff(slots.indptr))] = factor
        return csr_from_parts(Y.data * np.repeat(of_row, np.diff(Y.indptr)), Y.indices, Y.indptr, Y.shape)


def _check_new(Y_new: CSR, n_old: int) -> None:
    if Y_new.shape[1] <= n_old:
        raise ValueError(
            f"Y_new must have the {n_old} known labels and then new ones as columns, "
            f"but has {Y_new.shape[1]} columns"
        )
    documents = np.bincount(binarize(Y_new).indices, minlength=Y_new.shape[1])[n_old:]
    if not documents.all():
        label = n_old + int(np.flatnonzero(documents == 0)[0])
        raise ValueError(f"every new label needs a document, but label {label} has none; leave it out")


def _join(X: Any, Y: Any, X_new: CSR, Y_new: CSR, n_old: int) -> tuple[CSR, CSR]:
    """Earlier and new documents, with the columns of all labels."""
    X = check_csr(X, name="X", n_columns=X_new.shape[1])
    Y = check_csr(Y, name="Y", n_rows=X.shape[0], n_columns=n_old)
    Y = csr_from_parts(Y.data, Y.indices, Y.indptr, (Y.shape[0], Y_new.shape[1]))
    return sp.vstack([X, X_new], format="csr"), sp.vstack([Y, Y_new], format="csr")


def _insert_slots(tree: LabelTree, places: CSR) -> LabelTree:
    """New labels behind the old ones of their clusters."""
    new_labels = tree.n_labels + np.repeat(np.arange(places.shape[0]), np.diff(places.indptr))
    clusters = np.concatenate([tree.slot_cluster(), places.indices])
    labels = np.concatenate([tree.slot_label, new_labels])
    return tree.with_slots(labels, clusters, tree.n_labels + places.shape[0])


def _splice(
    old: ChunkedWeights, clusters: NDArray[np.int64], trained: ChunkedWeights, *, keep_old: bool
) -> ChunkedWeights:
    """The weights of all clusters, those of `clusters` replaced or, to keep the old, extended."""
    pieces, at = [], 0
    for i, cluster in enumerate(clusters.tolist()):
        family = trained.of_parents(i, i + 1)
        if keep_old:
            both = [old.of_parents(cluster, cluster + 1).to_csc(), family.to_csc()]
            W = sp.hstack(both, format="csc")
            family = ChunkedWeights.from_csc(W, np.array([0, W.shape[1]]), bias=old.bias)
        pieces += [old.of_parents(at, cluster), family]
        at = cluster + 1
    return ChunkedWeights.concatenate([*pieces, old.of_parents(at, old.n_parents)])
