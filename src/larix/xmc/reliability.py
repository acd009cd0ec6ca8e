"""How reliable scores are as probabilities: of predictions with score 0.4, are four in ten right?

Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks. ICML 2017, section 2.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from larix.xmc.ranked_scores import RankedScores


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions with scores in `low..high`: how many, their mean score, and the share that is right."""

    low: float
    high: float
    n: int
    mean_score: float
    share_right: float


@dataclass(frozen=True)
class Reliability:
    """How well scores tell the chance of being right.

    Attributes
    ----------
    bins : list of ReliabilityBin
        Only those that hold predictions.
    brier : float
        Mean squared difference of score and outcome.
    """

    bins: list[ReliabilityBin]
    brier: float

    @property
    def n(self) -> int:
        """Number of predictions."""
        return sum(b.n for b in self.bins)

    @property
    def ece(self) -> float:
        """Expected calibration error: mean gap between score and share, weighted by predictions."""
        return sum(b.n * abs(b.mean_score - b.share_right) for b in self.bins) / self.n

    @property
    def worst_gap(self) -> float:
        """Largest gap of a bin."""
        return max(abs(b.mean_score - b.share_right) for b in self.bins)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"ece": self.ece, "worst_gap": self.worst_gap, "brier": self.brier, "n": self.n,
                "bins": [asdict(b) for b in self.bins]}  # fmt: skip


def reliability(P: Any, Y: Any, *, k: int | None = None, n_bins: int = 10) -> Reliability:
    """Compare scores with outcomes in bins of equal width.

    Parameters
    ----------
    P : matrix, N x L
        Scores within 0..1.
    Y : matrix, N x L
    k : int, optional
        Look only at the first k predictions of every document.
    n_bins : int

    Raises
    ------
    ValueError
        If there is no prediction, or a score lies beyond 0..1.
    """
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, but is {n_bins}")
    ranked = RankedScores.of(P, Y)
    present = ranked.present[:, :k]
    scores, correct = ranked.scores[:, :k][present], ranked.correct[:, :k][present]
    if not len(scores):
        raise ValueError("reliability needs predictions, but P is empty")
    if scores.min() < 0 or scores.max() > 1:
        raise ValueError(
            f"scores must lie in 0..1 to be read as probabilities, but span {scores.min()}..{scores.max()}; "
            "calibrate them first"
        )
    number = np.minimum((scores * n_bins).astype(np.int64), n_bins - 1)
    counts = np.bincount(number, minlength=n_bins)
    sums = np.bincount(number, scores, minlength=n_bins)
    right = np.bincount(number, correct, minlength=n_bins)
    bins = [
        ReliabilityBin(b / n_bins, (b + 1) / n_bins, n, score / n, share / n)
        for b, (n, score, share) in enumerate(
            zip(counts.tolist(), sums.tolist(), right.tolist(), strict=True)
        )
        if n
    ]
    return Reliability(bins, float(np.mean((scores - correct) ** 2)))
