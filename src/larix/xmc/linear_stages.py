"""The separable stages of XR-Linear: a linear matcher of clusters and a linear ranker of labels.

PECOS (Yu et al., JMLR 2022), sections 3 and 4. `LinearMatcher` learns the levels above the labels and gives
cluster scores; `LinearRanker` learns the slots of the clusters and takes any matcher's scores.
`larix.xmc.xr_linear` joins the two.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
import scipy.sparse as sp

from larix.xmc.beam_search import SearchParams, SearchPlan
from larix.xmc.choice import check_choice, per_level
from larix.xmc.chunked_weights import ChunkedWeights
from larix.xmc.clustering import ClusteringParams
from larix.xmc.estimator import Estimator, check_is_fitted, clone
from larix.xmc.label_representation import RepresentationParams
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_solver import SolverParams, train_level
from larix.xmc.negative_sampling import Negatives, asks_for, negatives_of_levels, sample_negatives
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.relevance import RelevanceParams
from larix.xmc.sparse import CSR, binarize, check_csr, is_canonical_csr

logger = logging.getLogger(__name__)

Solvers = SolverParams | Sequence[SolverParams]
Schemes = Negatives | Sequence[Negatives]


class LinearModel(Estimator):
    """What the stages and their composition share: a tree, weights, a folder on disk."""

    tree_: LabelTree
    weights_: ChunkedWeights
    n_features_in_: int

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn's tools may expect: sparse rows in, a matrix of labels."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        tags.target_tags.single_output = False
        tags.target_tags.two_d_labels = True
        tags.target_tags.multi_output = True
        return tags

    def size_bytes(self) -> int:
        """Bytes of the weights in memory."""
        check_is_fitted(self)
        return self.weights_.size_bytes

    def save(self, path: Path | str) -> None:
        """Write the model as a folder, whole or not at all."""
        check_is_fitted(self)
        given = self.get_params(deep=False)
        del given["n_threads"]  # the machine's, not the model's: with any number the bytes are the same
        params = {name: _plain(value) for name, value in given.items()}
        save_folder(
            path,
            kind=type(self).__name__,
            metadata={"n_features": self.n_features_in_, "bias": self.weights_.bias, "params": params},
            arrays=self.weights_.arrays(),
            children={"tree": self.tree_.save},
        )

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read a model that `save` wrote; `verify` checks digests."""
        folder = load_folder(path, kind=cls.__name__, verify=verify)
        model = cls(**{name: _from_plain(name, value) for name, value in folder.metadata["params"].items()})
        tree = LabelTree.load(folder.child("tree").path, verify=verify)
        weights = ChunkedWeights(folder.metadata["n_features"], folder.metadata["bias"], **folder.arrays)
        return model._set_learnt(tree, weights)

    def rounded(self) -> Self:
        """The same model with weights of 16 bits instead of 32: smaller, and all but the same scores."""
        check_is_fitted(self)
        model: Self = clone(self)
        return model._set_learnt(self.tree_, self.weights_.rounded())

    def _set_learnt(self, tree: LabelTree, weights: ChunkedWeights) -> Self:
        self.tree_, self.weights_, self.n_features_in_ = tree, weights, weights.n_features
        self._plans: dict[SearchParams, SearchPlan] = {}
        return self

    def _check_X(self, X: Any) -> CSR:
        if not hasattr(self, "weights_"):
            check_is_fitted(self)
        n_features = self.n_features_in_
        if is_canonical_csr(X, n_columns=n_features):
            return X
        X = check_csr(X)
        if X.shape[1] != n_features:
            raise ValueError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting {n_features} features "
                "as input"
            )
        return X


class _LinearStage(LinearModel):
    """Parameters and training that matcher and ranker share."""

    def __init__(
        self,
        *,
        solver: Solvers = SolverParams(),  # noqa: B008 (frozen)
        search: SearchParams = SearchParams(),  # noqa: B008
        negatives: Schemes = "tfn",
        relevance: RelevanceParams = RelevanceParams(),  # noqa: B008
        n_threads: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.solver = solver
        self.search = search
        self.negatives = negatives
        self.relevance = relevance
        self.n_threads = n_threads
        self.random_state = random_state

    def _targets(self, Y: CSR, tree: LabelTree, slot_targets: Any) -> tuple[list[CSR], list[CSR]]:
        """Every level's problem as a pattern, and with the weights that training uses."""
        slots = tree.slots_of_labels(Y)
        if slot_targets is not None:
            slots = check_csr(slot_targets, name="slot_targets", n_rows=Y.shape[0], n_columns=tree.n_slots)
        plain = [binarize(R) for R in tree.node_relevance(binarize(slots))]
        if self.relevance.mode == "none":
            return plain, plain
        if (slots.data < 0).any():
            raise ValueError("relevance must not be negative, but Y has negative values; drop or shift them")
        levels = [self.relevance.normalize(R) for R in tree.node_relevance(slots)]
        weighted = [self.relevance.counts(last_level=level == tree.depth - 1) for level in range(tree.depth)]
        return plain, [R if use else P for R, P, use in zip(levels, plain, weighted, strict=True)]

    def _train(
        self, X: CSR, targets: CSR, instances: CSR, tree: LabelTree, level: int, solver: SolverParams
    ) -> ChunkedWeights:
        started = time.perf_counter()
        description = f"training level {level + 1} of {tree.depth} ({tree.n_nodes(level):,} nodes)"
        weights = train_level(
            X, targets, instances, tree.offsets[level], solver,
            weighted=self.relevance.counts(last_level=level == tree.depth - 1),
            random_state=self.random_state + level, n_threads=self.n_threads, description=description,
        )  # fmt: skip
        seconds = time.perf_counter() - started
        logger.info("%s: %s weights, %.1f s", description, f"{len(weights.weights):,}", seconds)
        return weights


class LinearMatcher(_LinearStage):
    """The levels of XR-Linear above the labels: from instances to scores of clusters.

    Parameters
    ----------
    solver : SolverParams, or one for each level
    search : SearchParams
        `beam_size` clusters are kept at every level and returned; `top_k` and `merge` play no part.
    negatives : `tfn`, `man`, `usn` or several joined by `+`; or one for each level
        The first level has no parents to choose by, so every instance takes part.
    relevance : RelevanceParams
        How the values of Y weigh positives.
    n_threads : int or None
        None uses all processors.
    random_state : int

    Attributes
    ----------
    tree_ : LabelTree
    weights_ : ChunkedWeights
        Of all levels but the last.
    """

    def fit(
        self,
        X: Any,
        Y: Any,
        tree: LabelTree,
        *,
        user_negatives: Mapping[int, Any] | None = None,
        slot_targets: Any = None,
    ) -> Self:
        """Learn the weights of every level above the labels.

        Parameters
        ----------
        X : matrix, N x D
        Y : matrix, N x L
        tree : LabelTree
        user_negatives : mapping of int to matrix, optional
            For `usn`: see `larix.xmc.negative_sampling.negatives_of_levels`.
        slot_targets : matrix, N x n_slots, optional
            For which of its labels' slots an instance is positive, if not for all of them.
        """
        X, Y = check_pair(X, Y, tree)
        n_levels = tree.depth - 1
        solvers, schemes = per_level(self.solver, n_levels, "solver"), check_schemes(self.negatives, n_levels)
        targets, weighted = self._targets(Y, tree, slot_targets)
        supplied = negatives_of_levels(tree, user_negatives, X.shape[0])
        levels: list[ChunkedWeights] = []
        for level in range(n_levels):
            true_parents = targets[level - 1] if level else root_of(X)
            beams = None
            if level and asks_for("man", schemes[level]):
                beams = self._search(
                    ChunkedWeights.concatenate(levels), level, tree, X, self.search.beam_size
                )
            scheme = schemes[level] if level else "tfn"
            instances = sample_negatives(scheme, true_parents, beams, supplied[level])
            levels.append(self._train(X, weighted[level], instances, tree, level, solvers[level]))
        return self._set_learnt(tree, ChunkedWeights.concatenate(levels) if levels else _no_weights(X))

    def predict(self, X: Any, *, beam_size: int | None = None) -> CSR:
        """Scores of the best clusters, N x K, `beam_size` a row by descending score."""
        X = self._check_X(X)
        if self.tree_.depth == 1:
            return root_of(X)
        return self._search(
            self.weights_, self.tree_.depth - 1, self.tree_, X, beam_size or self.search.beam_size
        )

    def predict_levels(self, X: Any, *, beam_size: int | None = None) -> list[CSR]:
        """Scores of the nodes that a search keeps, N x n_nodes(level) a level; the last is `predict`."""
        X, tree = self._check_X(X), self.tree_
        parents = [0, *np.cumsum([tree.n_nodes(level - 1) for level in range(tree.depth - 1)]).tolist()]
        return [
            self._search(
                self.weights_.of_parents(0, parents[n]), n, tree, X, beam_size or self.search.beam_size
            )
            for n in range(1, tree.depth)
        ]

    def _search(self, weights: ChunkedWeights, n_levels: int, tree: LabelTree, X: CSR, beam_size: int) -> CSR:
        post_processors = per_level(self.search.post_processor, tree.depth - 1, "post_processor")[:n_levels]
        nodes = np.arange(tree.n_nodes(n_levels - 1), dtype=np.int32)
        plan = SearchPlan(weights, 1, post_processors, nodes, len(nodes))
        return plan.run(X, beam_size, beam_size, n_threads=self.n_threads)


class LinearRanker(_LinearStage):
    """The last level of XR-Linear: from instances and cluster scores to scores of labels.

    Parameters
    ----------
    solver : SolverParams
    search : SearchParams
        `post_processor`, `top_k` and `merge` count; a beam is what the matcher gives.
    negatives : `tfn`, `man`, `usn` or several joined by `+`
    relevance : RelevanceParams
    n_threads : int or None
    random_state : int

    Attributes
    ----------
    tree_ : LabelTree
    weights_ : ChunkedWeights
        Of the slots.
    """

    def fit(
        self,
        X: Any,
        Y: Any,
        tree: LabelTree,
        cluster_scores: Any = None,
        *,
        user_negatives: Mapping[int, Any] | None = None,
        slot_targets: Any = None,
    ) -> Self:
        """Learn the weights of every slot.

        Parameters
        ----------
        X : matrix, N x D
        Y : matrix, N x L
        tree : LabelTree
        cluster_scores : matrix, N x K, optional
            A matcher's scores of the training instances; needed for `man`.
        user_negatives : mapping of int to matrix, optional
            For `usn`: key 0 has N x L instances to learn a label against, key 1 N x K for its cluster.
        slot_targets : matrix, N x n_slots, optional
            For which of its labels' slots an instance is positive, if not for all of them.
        """
        X, Y = check_pair(X, Y, tree)
        (solver,), (scheme,) = per_level(self.solver, 1, "solver"), check_schemes(self.negatives, 1)
        targets, weighted = self._targets(Y, tree, slot_targets)
        true_clusters = targets[-2] if tree.depth > 1 else root_of(X)
        if cluster_scores is not None:
            cluster_scores = self._check_scores(cluster_scores, X, tree)
        supplied = negatives_of_levels(tree, user_negatives, X.shape[0])[-1]
        instances = sample_negatives(scheme, true_clusters, cluster_scores, supplied)
        return self._set_learnt(tree, self._train(X, weighted[-1], instances, tree, tree.depth - 1, solver))

    def predict(self, X: Any, cluster_scores: Any, *, top_k: int | None = None) -> CSR:
        """Scores of the best labels, N x L, `top_k` a row by descending score.

        Parameters
        ----------
        X : matrix, N x D
        cluster_scores : matrix, N x K
            Only slots of stored clusters are scored.
        top_k : int, optional
        """
        X, tree = self._check_X(X), self.tree_
        start = self._check_scores(cluster_scores, X, tree)
        post_processors = per_level(self.search.post_processor, 1, "post_processor")
        plan = SearchPlan(
            self.weights_, tree.n_clusters, post_processors, tree.slot_label, tree.n_labels,
            self.search.merge if tree.has_overlap else None,
        )  # fmt: skip
        return plan.run(X, 1, top_k or self.search.top_k, start=start, n_threads=self.n_threads)

    def _check_scores(self, cluster_scores: Any, X: CSR, tree: LabelTree) -> CSR:
        return check_csr(cluster_scores, name="cluster_scores", n_rows=X.shape[0], n_columns=tree.n_clusters)


def check_pair(X: Any, Y: Any, tree: LabelTree | None = None) -> tuple[CSR, CSR]:
    """Training matrices in canonical form, agreeing with each other and with the tree."""
    X = check_csr(X, name="X")
    if Y is None:
        raise ValueError(
            "training requires y to be passed, but the target y is None; give the label matrix Y"
        )
    for axis, what in enumerate(("sample", "feature")):
        if not X.shape[axis]:
            raise ValueError(f"X has 0 {what}(s) (shape={X.shape}) while a minimum of 1 is required.")
    return X, check_csr(Y, name="Y", n_rows=X.shape[0], n_columns=None if tree is None else tree.n_labels)


def check_schemes(negatives: Schemes, n_levels: int) -> tuple[Negatives, ...]:
    """The scheme of every level."""
    schemes: tuple[Negatives, ...] = per_level(negatives, n_levels, "negatives")
    for scheme in schemes:
        check_choice("negatives", scheme, get_args(Negatives))
    return schemes


def root_of(X: CSR) -> CSR:
    """N x 1 of ones: every instance reaches the root."""
    n = X.shape[0]
    return sp.csr_array((np.ones(n, np.float32), np.zeros(n, np.int32), np.arange(n + 1)), shape=(n, 1))


def true_clusters(X: CSR, Y: CSR, tree: LabelTree) -> CSR:
    """N x K, stored where an instance has a label of the cluster; a tree of one level has the root alone."""
    return tree.node_targets(Y)[-2] if tree.depth > 1 else root_of(X)


def _no_weights(X: CSR) -> ChunkedWeights:
    """The matcher of a tree with one level."""
    return ChunkedWeights.from_csc(sp.csc_array((X.shape[1] + 1, 0)), np.zeros(1, np.int64), bias=0.0)


_PARAMS = {
    "clustering": ClusteringParams,
    "relevance": RelevanceParams,
    "representation": RepresentationParams,
    "search": SearchParams,
    "solver": SolverParams,
}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if type(value) in _PARAMS.values():
        return asdict(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return getattr(value, "__name__", type(value).__name__)  # a representation of one's own: by name alone


def _from_plain(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_from_plain(name, item) for item in value)
    return _PARAMS[name](**value) if isinstance(value, dict) else value
