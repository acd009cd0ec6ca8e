"""Parameters of the disentanglement stage."""

from dataclasses import dataclass, field
from typing import get_args

from larix.pipelines.stage_params import StageParams
from larix.xmc.choice import check_choice
from larix.xmc.disentangled_training import Retrain
from larix.xmc.disentanglement import DisentanglementParams
from larix.xmc.ranges import check_least, check_positive


@dataclass(frozen=True)
class RoundParams(StageParams):
    """What a round does, and when there is no further one.

    Parameters
    ----------
    reassignment : DisentanglementParams
        `max_clusters_per_label: 1` leaves the plain tree.
    retrain : {"ranker", "both"}
        What is trained on the new tree. With the ranker alone a second round would see the same beams, so
        there is none.
    max_cost : float
        The beam is narrowed until a query costs at most this many times the plain tree's inner products.
    metric : str
        A round is kept if it is better by this on held-out training documents: P, R, nDCG or PSP at 1, 3, 5
        or 10.
    min_improvement : float
        By more than so much, as a fraction.
    n_shown : int
        Labels whose clusters the report shows.
    """

    reassignment: DisentanglementParams = field(default_factory=DisentanglementParams)
    retrain: Retrain = "ranker"
    max_cost: float = 1.2
    metric: str = "R@10"
    min_improvement: float = 0.0
    n_shown: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("retrain", self.retrain, get_args(Retrain))
        check_choice("metric", self.metric, METRICS)
        check_positive(self, "max_cost")
        check_least(self, 0, "min_improvement", "n_shown")


CUTOFFS = (1, 3, 5, 10)
METRICS = tuple(f"{name}@{k}" for name in ("P", "R", "nDCG", "PSP") for k in CUTOFFS)
