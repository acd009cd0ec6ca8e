"""Training on labels that live in several clusters.

The procedure of Liu et al. (NeurIPS 2021): train matcher and ranker on a plain tree, see which clusters the
matcher keeps for training instances, reassign the labels (`larix.xmc.disentanglement`), train again. Beside
the paper: beams may come from matchers that have not seen the instances, and the ranker may learn from the
instances that these beams bring to a cluster.
"""

from dataclasses import replace
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from larix.xmc.beam_search import SearchParams
from larix.xmc.disentanglement import (
    DisentanglementParams,
    Reassignment,
    own_clusters,
    reassign_labels,
    slots_of_positives,
)
from larix.xmc.estimator import clone
from larix.xmc.held_out import out_of_fold
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_stages import LinearMatcher, LinearRanker, check_pair, true_clusters
from larix.xmc.negative_sampling import asks_for, sample_negatives
from larix.xmc.relevance import RelevanceParams
from larix.xmc.sparse import CSR
from larix.xmc.xr_linear import XRLinear

Retrain = Literal["ranker", "both"]


class ClusterMatcher(Protocol):
    """A matcher as far as its beams are concerned; a scikit-learn estimator, so that it can be cloned."""

    search: SearchParams

    def fit(
        self, X: Any, Y: Any, tree: LabelTree, *, user_negatives: Any = None, slot_targets: Any = None
    ) -> Self:
        """Learn to find the clusters of an instance."""

    def predict(self, X: Any, *, beam_size: int | None = None) -> CSR:
        """Scores of the best clusters, N x K."""


def cluster_beams(
    matcher: ClusterMatcher,
    X: CSR,
    Y: CSR,
    tree: LabelTree,
    *,
    beam_size: int,
    n_folds: int = 1,
    slot_targets: CSR | None = None,
    rejected: CSR | None = None,
    random_state: int = 0,
) -> CSR:
    """The matcher's clusters of training instances, N x K.

    Parameters
    ----------
    matcher : ClusterMatcher
        Fitted on these instances, if there is one fold.
    X : csr_array, N x D
    Y : csr_array, N x L
    tree : LabelTree
    beam_size : int
        Clusters kept of an instance.
    n_folds : int
        With more than 1, an instance is scored by a matcher that was trained on the other folds.
    slot_targets : csr_array, N x n_slots, optional
        For which of its labels' slots an instance is positive, if not for all of them.
    rejected : csr_array, N x L, optional
        User-supplied negatives, for a matcher that learns from them.
    random_state : int
        Of the folds.
    """
    if n_folds == 1:
        return matcher.predict(X, beam_size=beam_size)
    narrow = clone(matcher).set_params(search=replace(matcher.search, beam_size=beam_size))

    def fit(others: NDArray[np.int64]) -> ClusterMatcher:
        further: dict[str, Any] = {} if slot_targets is None else {"slot_targets": slot_targets[others]}
        if rejected is not None and rejected.nnz:
            further["user_negatives"] = {0: rejected[others]}
        fitted: ClusterMatcher = clone(narrow).fit(X[others], Y[others], tree, **further)
        return fitted

    return out_of_fold(fit, X, n_folds=n_folds, random_state=random_state)


def train_on(
    reassigned: Reassignment,
    plain: LabelTree,
    matcher: LinearMatcher,
    ranker: LinearRanker,
    X: CSR,
    Y: CSR,
    beams: CSR,
    params: DisentanglementParams,
    retrain: Retrain = "ranker",
    rejected: CSR | None = None,
) -> tuple[LinearMatcher, LinearRanker]:
    """Matcher and ranker of the reassigned tree.

    Parameters
    ----------
    reassigned : Reassignment
    plain : LabelTree
        The tree that labels were reassigned in.
    matcher, ranker : LinearMatcher, LinearRanker
        Of the plain tree; their settings count, and the matcher's weights unless it is trained again.
    X : csr_array, N x D
    Y : csr_array, N x L
    beams : csr_array, N x K
    params : DisentanglementParams
    retrain : {"ranker", "both"}
    rejected : csr_array, N x L, optional
        User-supplied negatives, for stages that learn from them.
    """
    tree = reassigned.tree
    targets = slots_of_positives(tree, own_clusters(plain), Y, beams, params.positives)
    weighted = params.positives == "weighted"
    relevance = {"relevance": RelevanceParams(mode="induced", norm="none")} if weighted else {}
    supplied = {0: rejected} if rejected is not None and rejected.nnz else None
    if retrain == "both":
        matcher = clone(matcher).set_params(**relevance)
        matcher.fit(X, Y, tree, user_negatives=supplied, slot_targets=targets)
    participants, scheme = None, "tfn"
    if params.negatives != "tfn":
        participants, scheme = sample_negatives("tfn+man", true_clusters(X, Y, plain), beams), "man"
    if asks_for("usn", ranker.negatives):
        scheme += "+usn"
    learner: LinearRanker = clone(ranker).set_params(negatives=scheme, **relevance)
    learner.fit(X, Y, tree, participants, user_negatives=supplied, slot_targets=targets)
    return matcher, learner


def disentangle(
    model: XRLinear,
    X: Any,
    Y: Any,
    params: DisentanglementParams = DisentanglementParams(),  # noqa: B008 (frozen)
    *,
    retrain: Retrain = "ranker",
) -> XRLinear:
    """A model whose labels may live in several clusters; one round.

    Parameters
    ----------
    model : XRLinear
        Fitted on a plain tree, with these instances.
    X : matrix, N x D
    Y : matrix, N x L
    params : DisentanglementParams
    retrain : {"ranker", "both"}
        What is trained on the new tree.

    Returns
    -------
    XRLinear
        `model` itself where nothing would change.

    References
    ----------
    Liu, Chang, Yu, Hsieh, Dhillon: Label Disentanglement in Partition-based Extreme Multilabel
    Classification. NeurIPS 2021.
    """
    if params.changes_nothing:
        return model
    X, Y = check_pair(X, Y, model.tree_)
    matcher, ranker = model.to_stages()
    beams = cluster_beams(
        matcher, X, Y, model.tree_, beam_size=params.beam_size, n_folds=params.n_folds,
        random_state=model.random_state,
    )  # fmt: skip
    reassigned = reassign_labels(model.tree_, Y, beams, params, n_threads=model.n_threads)
    stages = train_on(reassigned, model.tree_, matcher, ranker, X, Y, beams, params, retrain)
    kept = {name: getattr(model, name) for name in ("representation", "clustering", "search")}
    disentangled: XRLinear = XRLinear.from_stages(*stages).set_params(**kept)
    return disentangled
