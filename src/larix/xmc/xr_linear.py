"""XR-Linear: a recursive linear matcher and a one-vs-rest ranker over a label tree.

PECOS (Yu et al., JMLR 2022), sections 3 and 4. The stages stay separable: `LinearMatcher` learns the levels
above the labels and gives cluster scores, `LinearRanker` learns the slots of the clusters and takes any
matcher's scores, `XRLinear` is the composition with a search through all levels at once.
"""

import logging
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from larix.xmc.beam_search import SearchParams, SearchPlan
from larix.xmc.choice import check_choice
from larix.xmc.chunked_weights import ChunkedWeights
from larix.xmc.clustering import ClusteringParams, cluster_labels
from larix.xmc.label_representation import Representation, represent_labels
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_solver import SolverParams, train_level
from larix.xmc.negative_sampling import Negatives, sample_negatives
from larix.xmc.persistence import SavedFolder, load_folder, save_folder
from larix.xmc.sparse import CSR, check_csr

logger = logging.getLogger(__name__)


class _LinearStage(BaseEstimator):
    """What matcher, ranker and their composition share: a tree, weights, a folder on disk."""

    tree_: LabelTree
    weights_: ChunkedWeights
    n_features_in_: int

    def size_bytes(self) -> int:
        """Bytes of the weights in memory."""
        check_is_fitted(self)
        return self.weights_.size_bytes

    def save(self, path: Path | str) -> None:
        """Write the model as a folder, whole or not at all."""
        check_is_fitted(self)
        save_folder(
            path,
            kind=type(self).__name__,
            metadata={
                "n_features": self.n_features_in_,
                "bias": self.weights_.bias,
                "params": _plain_params(self),
            },
            arrays=self.weights_.arrays(),
            children={"tree": self.tree_.save},
        )

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read a model that `save` wrote; `verify` checks digests."""
        folder = load_folder(path, kind=cls.__name__, verify=verify)
        model = cls(**_params_from_plain(folder))
        tree = LabelTree.load(folder.child("tree").path, verify=verify)
        weights = ChunkedWeights(folder.metadata["n_features"], folder.metadata["bias"], **folder.arrays)
        return model._set_learnt(tree, weights)

    def _set_learnt(self, tree: LabelTree, weights: ChunkedWeights) -> Self:
        self.tree_, self.weights_, self.n_features_in_ = tree, weights, weights.n_features
        return self

    def _check_X(self, X: Any) -> CSR:
        check_is_fitted(self)
        return check_csr(X, n_columns=self.n_features_in_)


class LinearMatcher(_LinearStage):
    """The levels of XR-Linear above the labels: from instances to scores of clusters.

    Parameters
    ----------
    solver : SolverParams
    search : SearchParams
        `beam_size` clusters are kept at every level and returned; `top_k` and `merge` play no part.
    negatives : {"tfn", "man", "tfn+man"}
    n_threads : int or None
        None uses all processors.
    random_state : int

    Attributes
    ----------
    tree_ : LabelTree
    weights_ : ChunkedWeights
        Of all levels but the last.
    """

    def __init__(
        self,
        *,
        solver: SolverParams = SolverParams(),  # noqa: B008 (frozen)
        search: SearchParams = SearchParams(),  # noqa: B008
        negatives: Negatives = "tfn",
        n_threads: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.solver = solver
        self.search = search
        self.negatives = negatives
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(self, X: Any, Y: Any, tree: LabelTree) -> Self:
        """Learn the weights of every level above the labels.

        Parameters
        ----------
        X : matrix, N x D
        Y : matrix, N x L
        tree : LabelTree
        """
        check_choice("negatives", self.negatives, get_args(Negatives))
        X, Y = check_pair(X, Y, tree)
        targets = tree.node_targets(Y)
        levels: list[ChunkedWeights] = []
        for level in range(tree.depth - 1):
            true_parents = targets[level - 1] if level else _root(X)
            beams = None
            if level and self.negatives != "tfn":
                beams = self._plan(levels, tree).run(
                    X, self.search.beam_size, self.search.beam_size, n_threads=self.n_threads
                )
            instances = sample_negatives(self.negatives if level else "tfn", true_parents, beams)
            levels.append(_train(self, X, targets[level], instances, tree, level))
        return self._set_learnt(
            tree, ChunkedWeights.concatenate(levels) if levels else _no_weights(X, self.solver)
        )

    def predict(self, X: Any, *, beam_size: int | None = None) -> CSR:
        """Scores of the best clusters, N x K, `beam_size` a row by descending score."""
        X = self._check_X(X)
        beam_size = beam_size or self.search.beam_size
        if self.tree_.depth == 1:
            return _root(X)
        return self._plan([self.weights_], self.tree_).run(X, beam_size, beam_size, n_threads=self.n_threads)

    def _plan(self, levels: list[ChunkedWeights], tree: LabelTree) -> SearchPlan:
        weights = ChunkedWeights.concatenate(levels)
        depth = (
            next(t for t in range(tree.depth) if sum(map(tree.n_nodes, range(t + 1))) == weights.n_nodes) + 1
        )
        nodes = np.arange(tree.n_nodes(depth - 1), dtype=np.int32)
        return SearchPlan(weights, 1, (self.search.post_processor,) * depth, nodes, len(nodes))


class LinearRanker(_LinearStage):
    """The last level of XR-Linear: from instances and cluster scores to scores of labels.

    Parameters
    ----------
    solver : SolverParams
    search : SearchParams
        `post_processor`, `top_k` and `merge` count; a beam is what the matcher gives.
    negatives : {"tfn", "man", "tfn+man"}
    n_threads : int or None
    random_state : int

    Attributes
    ----------
    tree_ : LabelTree
    weights_ : ChunkedWeights
        Of the slots.
    """

    def __init__(
        self,
        *,
        solver: SolverParams = SolverParams(),  # noqa: B008 (frozen)
        search: SearchParams = SearchParams(),  # noqa: B008
        negatives: Negatives = "tfn",
        n_threads: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.solver = solver
        self.search = search
        self.negatives = negatives
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(self, X: Any, Y: Any, tree: LabelTree, cluster_scores: Any = None) -> Self:
        """Learn the weights of every slot.

        Parameters
        ----------
        X : matrix, N x D
        Y : matrix, N x L
        tree : LabelTree
        cluster_scores : matrix, N x K, optional
            A matcher's scores of the training instances; needed for matcher-aware negatives.
        """
        check_choice("negatives", self.negatives, get_args(Negatives))
        X, Y = check_pair(X, Y, tree)
        targets = tree.node_targets(Y)
        true_clusters = targets[-2] if tree.depth > 1 else _root(X)
        if cluster_scores is not None:
            cluster_scores = check_csr(
                cluster_scores, name="cluster_scores", n_rows=X.shape[0], n_columns=tree.n_clusters
            )
        instances = sample_negatives(self.negatives, true_clusters, cluster_scores)
        return self._set_learnt(tree, _train(self, X, targets[-1], instances, tree, tree.depth - 1))

    def predict(self, X: Any, cluster_scores: Any, *, top_k: int | None = None) -> CSR:
        """Scores of the best labels, N x L, `top_k` a row by descending score.

        Parameters
        ----------
        X : matrix, N x D
        cluster_scores : matrix, N x K
            Only slots of stored clusters are scored.
        top_k : int, optional
        """
        X = self._check_X(X)
        start = check_csr(
            cluster_scores, name="cluster_scores", n_rows=X.shape[0], n_columns=self.tree_.n_clusters
        )
        tree = self.tree_
        plan = SearchPlan(
            self.weights_, tree.n_clusters, (self.search.post_processor,), tree.slot_label, tree.n_labels,
            self.search.merge if tree.has_overlap else None,
        )  # fmt: skip
        return plan.run(X, 1, top_k or self.search.top_k, start=start, n_threads=self.n_threads)


class XRLinear(_LinearStage):
    """Extreme multi-label classifier on sparse features.

    Parameters
    ----------
    representation : {"pifa", "pii"}
        What clustering sees of a label.
    clustering : ClusteringParams
    solver : SolverParams
    search : SearchParams
    matcher_negatives, ranker_negatives : {"tfn", "man", "tfn+man"}
        Of the levels above the labels and of the last level.
    n_threads : int or None
        None uses all processors; results don't depend on it.
    random_state : int

    Attributes
    ----------
    tree_ : LabelTree
    weights_ : ChunkedWeights
        Of all levels.
    n_features_in_ : int

    References
    ----------
    Yu, Zhong, Zhang, Chang, Dhillon: PECOS: Prediction for Enormous and Correlated Output Spaces.
    JMLR 23 (2022).

    Examples
    --------
    >>> import numpy as np
    >>> from larix import XRLinear
    >>> X = np.eye(4, dtype=np.float32)
    >>> Y = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    >>> XRLinear().fit(X, Y).predict(X, top_k=1).indices.tolist()
    [0, 0, 1, 1]
    """

    def __init__(
        self,
        *,
        representation: Representation = "pifa",
        clustering: ClusteringParams = ClusteringParams(),  # noqa: B008 (frozen)
        solver: SolverParams = SolverParams(),  # noqa: B008
        search: SearchParams = SearchParams(),  # noqa: B008
        matcher_negatives: Negatives = "tfn",
        ranker_negatives: Negatives = "tfn",
        n_threads: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.representation = representation
        self.clustering = clustering
        self.solver = solver
        self.search = search
        self.matcher_negatives = matcher_negatives
        self.ranker_negatives = ranker_negatives
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(self, X: Any, Y: Any, tree: LabelTree | None = None) -> Self:
        """Index the labels (unless a tree is given), then train matcher and ranker.

        Parameters
        ----------
        X : matrix, N x D
            Sparse or dense, real and finite; float32 inside.
        Y : matrix, N x L
            Non-zero where a label belongs to an instance.
        tree : LabelTree, optional
            Labels without a training instance get no slot when the tree is made here.
        """
        X, Y = check_pair(X, Y, tree)
        if tree is None:
            Z = represent_labels(X, Y, self.representation)
            seen = np.unique(Y.indices[Y.data != 0])
            tree = cluster_labels(
                Z, self.clustering, labels=seen, random_state=self.random_state, n_threads=self.n_threads
            )
        shared: dict[str, Any] = {
            "solver": self.solver,
            "search": self.search,
            "n_threads": self.n_threads,
            "random_state": self.random_state,
        }
        matcher = LinearMatcher(negatives=self.matcher_negatives, **shared).fit(X, Y, tree)
        beams = None if self.ranker_negatives == "tfn" else matcher.predict(X)
        ranker = LinearRanker(negatives=self.ranker_negatives, **shared).fit(X, Y, tree, beams)
        return self._compose(matcher, ranker)

    @classmethod
    def from_stages(cls, matcher: LinearMatcher, ranker: LinearRanker) -> Self:
        """Join a matcher and a ranker that were trained on the same tree."""
        model = cls(
            solver=ranker.solver, search=ranker.search, matcher_negatives=matcher.negatives,
            ranker_negatives=ranker.negatives, n_threads=ranker.n_threads, random_state=ranker.random_state,
        )  # fmt: skip
        return model._compose(matcher, ranker)

    def _compose(self, matcher: LinearMatcher, ranker: LinearRanker) -> Self:
        tree = ranker.tree_
        if [len(level) for level in matcher.tree_.offsets] != [len(level) for level in tree.offsets]:
            raise ValueError(
                "matcher and ranker must share one label tree, but theirs differ; train them on the same"
            )
        levels = [matcher.weights_, ranker.weights_] if tree.depth > 1 else [ranker.weights_]
        return self._set_learnt(tree, ChunkedWeights.concatenate(levels))

    def predict(self, X: Any, *, top_k: int | None = None, beam_size: int | None = None) -> CSR:
        """Scores of the best labels.

        Parameters
        ----------
        X : matrix, N x D
        top_k, beam_size : int, optional
            Instead of those of `search`.

        Returns
        -------
        csr_array, N x L
            `top_k` entries a row by descending score.
        """
        X, tree, search = self._check_X(X), self.tree_, self.search
        plan = SearchPlan(
            self.weights_, 1, (search.post_processor,) * tree.depth, tree.slot_label, tree.n_labels,
            search.merge if tree.has_overlap else None,
        )  # fmt: skip
        return plan.run(X, beam_size or search.beam_size, top_k or search.top_k, n_threads=self.n_threads)


def check_pair(X: Any, Y: Any, tree: LabelTree | None = None) -> tuple[CSR, CSR]:
    """Training matrices in canonical form, agreeing with each other and with the tree."""
    X = check_csr(X, name="X")
    return X, check_csr(Y, name="Y", n_rows=X.shape[0], n_columns=None if tree is None else tree.n_labels)


def _root(X: CSR) -> CSR:
    """N x 1 of ones: every instance reaches the root."""
    n = X.shape[0]
    return sp.csr_array((np.ones(n, np.float32), np.zeros(n, np.int32), np.arange(n + 1)), shape=(n, 1))


def _no_weights(X: CSR, solver: SolverParams) -> ChunkedWeights:
    """The matcher of a tree with one level."""
    return ChunkedWeights.from_csc(sp.csc_array((X.shape[1] + 1, 0)), np.zeros(1, np.int64), bias=solver.bias)


def _train(
    stage: LinearMatcher | LinearRanker, X: CSR, targets: CSR, instances: CSR, tree: LabelTree, level: int
) -> ChunkedWeights:
    started = time.perf_counter()
    description = f"training level {level + 1} of {tree.depth} ({tree.n_nodes(level):,} nodes)"
    weights = train_level(
        X, targets, instances, tree.offsets[level], stage.solver,
        random_state=stage.random_state + level, n_threads=stage.n_threads, description=description,
    )  # fmt: skip
    logger.info(
        "%s: %s weights, %.1f s", description, f"{len(weights.weights):,}", time.perf_counter() - started
    )
    return weights


_PARAM_TYPES = {"clustering": ClusteringParams, "solver": SolverParams, "search": SearchParams}


def _plain_params(model: BaseEstimator) -> dict[str, Any]:
    params = model.get_params(deep=False)
    return {name: asdict(value) if name in _PARAM_TYPES else value for name, value in params.items()}


def _params_from_plain(folder: SavedFolder) -> dict[str, Any]:
    return {
        name: _PARAM_TYPES[name](**value) if name in _PARAM_TYPES else value
        for name, value in folder.metadata["params"].items()
    }
