"""Train the ranker and join it with the matcher."""

from dataclasses import dataclass, field

import scipy.sparse as sp

from larix.pipelines.rejected_labels import rejected_labels
from larix.pipelines.stage_params import StageParams
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_solver import SolverParams
from larix.xmc.linear_stages import LinearMatcher, LinearRanker
from larix.xmc.negative_sampling import Negatives, asks_for
from larix.xmc.relevance import RelevanceParams
from larix.xmc.sparse import CSR


@dataclass(frozen=True)
class RankingParams(StageParams):
    """How the labels of a cluster are told apart.

    Parameters
    ----------
    solver : SolverParams
    negatives : `tfn`, `man`, `usn` or several joined by `+`
        `usn` takes the labels that the corpus rejects.
    relevance : RelevanceParams
        How the values of the labels weigh positives.
    """

    solver: SolverParams = field(default_factory=SolverParams)
    negatives: Negatives = "tfn"
    relevance: RelevanceParams = field(default_factory=RelevanceParams)


def score_train_clusters(
    matcher: LinearMatcher, train_instances: CSR, label_tree: LabelTree, params: RankingParams
) -> CSR:
    """The matcher's clusters of the training instances, N x K; empty if no negatives come from them."""
    if not asks_for("man", params.negatives):
        return sp.csr_array((train_instances.shape[0], label_tree.n_clusters), dtype="float32")
    return matcher.predict(train_instances)


def train_ranker(
    train_instances: CSR,
    train_labels: CSR,
    label_tree: LabelTree,
    train_cluster_scores: CSR,
    params: RankingParams,
    random_state: int,
    n_threads: int | None,
    train_rejected: CSR | None = None,
) -> LinearRanker:
    """Learn to rank the labels of the clusters that an instance reaches."""
    ranker = LinearRanker(
        solver=params.solver,
        negatives=params.negatives,
        relevance=params.relevance,
        random_state=random_state,
        n_threads=n_threads,
    )
    supplied = rejected_labels(train_rejected, params.negatives)
    return ranker.fit(
        train_instances, train_labels, label_tree, train_cluster_scores, user_negatives=supplied
    )
