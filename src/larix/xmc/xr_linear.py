"""XR-Linear: matcher and ranker in one estimator, with a search through all levels at once.

PECOS (Yu et al., JMLR 2022), sections 3 and 4.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from larix.xmc.beam_search import SearchParams, SearchPlan, merge_slots
from larix.xmc.choice import per_level
from larix.xmc.chunked_weights import ChunkedWeights
from larix.xmc.clustering import ClusteringParams, cluster_labels
from larix.xmc.estimator import check_is_fitted
from larix.xmc.label_representation import Representation, represent_labels
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_solver import SolverParams
from larix.xmc.linear_stages import (
    LinearMatcher,
    LinearModel,
    LinearRanker,
    Schemes,
    Solvers,
    check_pair,
    check_schemes,
)
from larix.xmc.negative_sampling import Negatives, asks_for
from larix.xmc.relevance import RelevanceParams
from larix.xmc.sparse import CSR, check_csr


class XRLinear(LinearModel):
    """Extreme multi-label classifier on sparse features.

    Parameters
    ----------
    representation : str, RepresentationParams, or an object or function of one's own
        What clustering sees of a label (`larix.xmc.label_representation`). One's own is saved by name alone.
    clustering : ClusteringParams
    solver : SolverParams, or one for each level
    search : SearchParams
    matcher_negatives : `tfn`, `man`, `usn` or several joined by `+`; or one for each level above the labels
    ranker_negatives : `tfn`, `man`, `usn` or several joined by `+`
    relevance : RelevanceParams
        How the values of Y weigh positives.
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
        solver: Solvers = SolverParams(),  # noqa: B008
        search: SearchParams = SearchParams(),  # noqa: B008
        matcher_negatives: Schemes = "tfn",
        ranker_negatives: Negatives = "tfn",
        relevance: RelevanceParams = RelevanceParams(),  # noqa: B008
        n_threads: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.representation = representation
        self.clustering = clustering
        self.solver = solver
        self.search = search
        self.matcher_negatives = matcher_negatives
        self.ranker_negatives = ranker_negatives
        self.relevance = relevance
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        Y: Any,
        tree: LabelTree | None = None,
        *,
        label_features: Any = None,
        user_negatives: Mapping[int, Any] | None = None,
    ) -> Self:
        """Index the labels (unless a tree is given), then train matcher and ranker.

        Parameters
        ----------
        X : matrix, N x D
            Sparse or dense, real and finite; float32 inside.
        Y : matrix, N x L
            Non-zero where a label belongs to an instance.
        tree : LabelTree, optional
            Labels without a training instance get no slot when the tree is made here.
        label_features : matrix, L x d, optional
            Features of the labels' texts, for representations that use them.
        user_negatives : mapping of int to matrix, optional
            For `usn`: see `larix.xmc.negative_sampling.negatives_of_levels`.
        """
        X, Y = check_pair(X, Y, tree)
        if tree is None:
            Z = represent_labels(
                X, Y, self.representation, label_features=label_features,
                random_state=self.random_state, n_threads=self.n_threads,
            )  # fmt: skip
            seen = np.unique(Y.indices[Y.data != 0])
            tree = cluster_labels(
                Z, self.clustering, labels=seen, random_state=self.random_state, n_threads=self.n_threads
            )
        matcher, ranker = self._stages(tree.depth)
        matcher.fit(X, Y, tree, user_negatives=user_negatives)
        beams = matcher.predict(X) if asks_for("man", self.ranker_negatives) else None
        ranker.fit(X, Y, tree, beams, user_negatives=user_negatives)
        return self._compose(matcher, ranker, let_go=True)

    @classmethod
    def from_stages(cls, matcher: LinearMatcher, ranker: LinearRanker) -> Self:
        """Join a matcher and a ranker that were trained on the same tree.

        The matcher's beam and post-processors lead down to the ranker's post-processor, `top_k` and `merge`.
        """
        n_above = ranker.tree_.depth - 1
        solvers = (*per_level(matcher.solver, n_above, "solver"), *per_level(ranker.solver, 1, "solver"))
        post_processors = (
            *per_level(matcher.search.post_processor, n_above, "post_processor"),
            *per_level(ranker.search.post_processor, 1, "post_processor"),
        )
        model = cls(
            solver=solvers if len(set(solvers)) > 1 else solvers[0],
            search=replace(
                ranker.search, beam_size=matcher.search.beam_size,
                post_processor=post_processors if len(set(post_processors)) > 1 else post_processors[0],
            ),
            matcher_negatives=matcher.negatives, ranker_negatives=check_schemes(ranker.negatives, 1)[0],
            relevance=ranker.relevance, n_threads=ranker.n_threads, random_state=ranker.random_state,
        )  # fmt: skip
        return model._compose(matcher, ranker)

    def to_stages(self) -> tuple[LinearMatcher, LinearRanker]:
        """The levels above the labels and the last one, each as a model of its own."""
        check_is_fitted(self)
        tree = self.tree_
        first_cluster = self.weights_.n_parents - tree.n_clusters
        matcher, ranker = self._stages(tree.depth)
        matcher._set_learnt(tree, self.weights_.of_parents(0, first_cluster))
        ranker._set_learnt(tree, self.weights_.of_parents(first_cluster, self.weights_.n_parents))
        return matcher, ranker

    def _stages(self, depth: int) -> tuple[LinearMatcher, LinearRanker]:
        """Matcher and ranker with this model's settings, without weights."""
        solvers = per_level(self.solver, depth, "solver")
        post_processors = per_level(self.search.post_processor, depth, "post_processor")
        shared: dict[str, Any] = {
            "relevance": self.relevance,
            "n_threads": self.n_threads,
            "random_state": self.random_state,
        }
        matcher = LinearMatcher(
            solver=solvers[:-1],
            search=replace(self.search, post_processor=post_processors[:-1], merge="max"),
            negatives=self.matcher_negatives, **shared,
        )  # fmt: skip
        ranker = LinearRanker(
            solver=solvers[-1], search=replace(self.search, post_processor=post_processors[-1]),
            negatives=self.ranker_negatives, **shared,
        )  # fmt: skip
        return matcher, ranker

    def _compose(self, matcher: LinearMatcher, ranker: LinearRanker, *, let_go: bool = False) -> Self:
        """Join the stages' weights; `let_go` takes them from the stages, so that memory holds them once."""
        tree = ranker.tree_
        if [len(level) for level in matcher.tree_.offsets] != [len(level) for level in tree.offsets]:
            raise ValueError(
                "matcher and ranker must share one label tree, but theirs differ; train them on the same"
            )
        stages = (matcher, ranker) if tree.depth > 1 else (ranker,)
        weights = (vars(stage).pop("weights_") if let_go else stage.weights_ for stage in stages)
        return self._set_learnt(tree, ChunkedWeights.concatenate(weights))

    def predict(
        self,
        X: Any,
        *,
        top_k: int | None = None,
        beam_size: int | None = None,
        labels: ArrayLike | None = None,
    ) -> CSR:
        """Scores of the best labels.

        Parameters
        ----------
        X : matrix, N x D
        top_k, beam_size : int, optional
            Instead of those of `search`.
        labels : int array-like, optional
            Search among these labels alone: branches to others are pruned, so the beam stays on these.

        Returns
        -------
        csr_array, N x L
            `top_k` entries a row by descending score.
        """
        X, search = self._check_X(X), self.search
        allowed = None if labels is None else self._branches_to(np.asarray(labels))
        return self._plan().run(
            X, beam_size or search.beam_size, top_k or search.top_k, allowed=allowed, n_threads=self.n_threads
        )

    def score_selected(self, X: Any, selected: Any) -> CSR:
        """Scores of selected labels, wherever a search would have ended.

        Parameters
        ----------
        X : matrix, N x D
        selected : matrix, N x L
            Non-zero where a label's score is wanted.

        Returns
        -------
        csr_array, N x L
            Stored where `selected` is and the label has a slot, by ascending label.
        """
        X, tree = self._check_X(X), self.tree_
        selected = check_csr(selected, name="selected", n_rows=X.shape[0], n_columns=tree.n_labels)
        nodes = tree.nodes_above(tree.slots_of_labels(selected))
        scored = self._plan().score(X, nodes, tree.all_parents(), tree.first_of_level(), self.n_threads)
        return merge_slots(scored, tree.slot_label, tree.n_labels, self.search.merge)

    def _plan(self) -> SearchPlan:
        """The search through all levels, made once for each setting of it."""
        search, tree = self.search, self.tree_
        if search not in self._plans:
            self._plans[search] = SearchPlan(
                self.weights_, 1, per_level(search.post_processor, tree.depth, "post_processor"),
                tree.slot_label, tree.n_labels, search.merge if tree.has_overlap else None,
            )  # fmt: skip
        return self._plans[search]

    def _branches_to(self, labels: NDArray[Any]) -> NDArray[np.bool_]:
        n_labels = self.tree_.n_labels
        if labels.dtype.kind not in "iu" or labels.ndim != 1 or not len(labels):
            raise ValueError(f"labels must be a list of label numbers, but is {labels!r:.60}")
        if labels.min() < 0 or labels.max() >= n_labels:
            raise ValueError(f"labels must lie in 0..{n_labels - 1}, but span {labels.min()}..{labels.max()}")
        wanted = np.zeros((1, n_labels), np.float32)
        wanted[0, labels] = 1
        nodes = self.tree_.nodes_above(self.tree_.slots_of_labels(check_csr(wanted)))
        allowed: NDArray[np.bool_] = nodes.toarray().ravel() > 0
        return allowed
