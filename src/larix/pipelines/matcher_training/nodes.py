"""Train the matcher and score the training instances with it."""

from dataclasses import dataclass, field

from larix.pipelines.rejected_labels import rejected_labels
from larix.pipelines.stage_params import StageParams
from larix.xmc.beam_search import SearchParams
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_solver import SolverParams
from larix.xmc.linear_stages import LinearMatcher
from larix.xmc.negative_sampling import Negatives
from larix.xmc.relevance import RelevanceParams
from larix.xmc.sparse import CSR


@dataclass(frozen=True)
class MatcherTrainingParams(StageParams):
    """How the levels above the labels are learnt.

    Parameters
    ----------
    solver : SolverParams, or one for each level
    negatives : `tfn`, `man`, `usn` or several joined by `+`; or one for each level
        `usn` takes the labels that the corpus rejects.
    relevance : RelevanceParams
        How the values of the labels weigh positives.
    search : SearchParams
        `beam_size` clusters are kept of a training instance when its negatives depend on the matcher.
    """

    solver: SolverParams | tuple[SolverParams, ...] = field(default_factory=SolverParams)
    negatives: Negatives | tuple[Negatives, ...] = "tfn"
    relevance: RelevanceParams = field(default_factory=RelevanceParams)
    search: SearchParams = field(default_factory=SearchParams)


def train_matcher(
    train_instances: CSR,
    train_labels: CSR,
    label_tree: LabelTree,
    params: MatcherTrainingParams,
    random_state: int,
    n_threads: int | None,
    train_rejected: CSR | None = None,
) -> LinearMatcher:
    """Learn to find the clusters of an instance."""
    matcher = LinearMatcher(
        solver=params.solver,
        search=params.search,
        negatives=params.negatives,
        relevance=params.relevance,
        random_state=random_state,
        n_threads=n_threads,
    )
    supplied = rejected_labels(train_rejected, params.negatives)
    return matcher.fit(train_instances, train_labels, label_tree, user_negatives=supplied)
