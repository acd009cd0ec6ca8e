"""Parameters of the refinement stage."""

from dataclasses import dataclass, field

from larix.pipelines.stage_params import StageParams
from larix.xmc.calibration import Grouping, IsotonicCalibrator
from larix.xmc.conformal import ConformalThreshold, Guarantee
from larix.xmc.document_memory import MemoryParams
from larix.xmc.ranges import check_least


@dataclass(frozen=True)
class CalibrationParams:
    """How scores become probabilities; see `larix.xmc.calibration.IsotonicCalibrator`.

    Parameters
    ----------
    by : {"rank", "pooled"}
    max_rank : int
    """

    by: Grouping = "rank"
    max_rank: int = 5

    def calibrator(self) -> IsotonicCalibrator:
        """One to be fitted."""
        return IsotonicCalibrator(by=self.by, max_rank=self.max_rank)


@dataclass(frozen=True)
class ThresholdParams:
    """Which labels are shown; see `larix.xmc.conformal.ConformalThreshold`.

    Parameters
    ----------
    guarantee : {"recall", "precision"}
    level : float
    """

    guarantee: Guarantee = "precision"
    level: float = 0.8

    def threshold(self) -> ConformalThreshold:
        """One to be fitted."""
        return ConformalThreshold(guarantee=self.guarantee, level=self.level)


@dataclass(frozen=True)
class RefinementParams(StageParams):
    """What is done to the tree's scores before they are shown.

    Parameters
    ----------
    memory : MemoryParams or None
        The nearest training documents vote.
    memory_weights : tuple of float
        The weight of the votes is chosen among these, by nDCG@10 of held-out documents, if there are such;
        with none of them it is that of `memory`.
    propensity_alpha : float
        How much rare labels are raised; 0 leaves the ranking.
    calibration : CalibrationParams or None
        Scores become probabilities.
    threshold : ThresholdParams or None
        Only labels above a threshold are shown.
    held_out_share : float
        Of the training documents, from which calibration and threshold are learnt with a second model.
    n_candidates : int
        Labels asked of the tree for each document.
    excerpt_length : int
        Letters of a training document's text kept in the memory, to be told in explanations; 0 keeps none.
    """

    memory: MemoryParams | None = field(default_factory=MemoryParams)
    memory_weights: tuple[float, ...] = (0.05, 0.1, 0.2, 0.3, 0.5)
    propensity_alpha: float = 0.0
    calibration: CalibrationParams | None = field(default_factory=CalibrationParams)
    threshold: ThresholdParams | None = None
    held_out_share: float = 0.1
    n_candidates: int = 20
    excerpt_length: int = 80

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.held_out_share < 1:
            raise ValueError(f"held_out_share must lie between 0 and 1, but is {self.held_out_share}")
        if not all(0 <= weight <= 1 for weight in self.memory_weights):
            raise ValueError(f"memory_weights must lie in 0..1, but are {list(self.memory_weights)}")
        check_least(self, 0, "excerpt_length")

    @property
    def learns_from_held_out(self) -> bool:
        """Whether documents are held out."""
        return self.calibration is not None or self.threshold is not None
