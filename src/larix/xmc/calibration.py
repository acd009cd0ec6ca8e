"""Scores as probabilities: isotonic calibration of ranked predictions.

The score of a tree ranks labels, but 0.4 doesn't mean "right in four of ten cases". Isotonic regression
learns that share as a rising step function of the score, from predictions of documents that the model wasn't
trained on. Labels keep their order in every document: where the function is flat, a label is given a
millionth less than the one before it.

Zadrozny, Elkan: Transforming classifier scores into accurate multiclass probability estimates. KDD 2002.
"""

from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from larix.xmc.choice import check_choice
from larix.xmc.estimator import Estimator, check_is_fitted
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.ranked_scores import RankedScores, by_score, pad
from larix.xmc.sparse import CSR, csr_from_parts

Grouping = Literal["rank", "pooled"]
_STEP = 1 - 2.0**-20  # keeps apart what the calibration makes equal; float32 resolves 2**-24


class IsotonicCalibrator(Estimator):
    """Turns scores of ranked predictions into probabilities of being right.

    Parameters
    ----------
    by : {"rank", "pooled"}
        One function for each of the first ranks and one for the rest, or one for all predictions. A first
        label is more often right than a second one with the same score.
    max_rank : int
        With `by="rank"`, ranks beyond this share a function.

    Attributes
    ----------
    functions_ : list of (scores, probabilities)
        Points between which probabilities are interpolated, of each rank; a single one when pooled.

    Examples
    --------
    >>> import numpy as np
    >>> from larix import IsotonicCalibrator
    >>> P = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.2]])
    >>> Y = np.array([[1, 0], [1, 0], [0, 0], [1, 0]])
    >>> IsotonicCalibrator().fit(P, Y).transform(P[:1]).data.astype(float).round(2).tolist()
    [0.67, 0.17]
    """

    def __init__(self, *, by: Grouping = "rank", max_rank: int = 5) -> None:
        self.by = by
        self.max_rank = max_rank

    def fit(self, P: Any, Y: Any) -> Self:
        """Learn from predictions of held-out documents.

        Parameters
        ----------
        P : matrix, N x L
            Scores of documents that the model was not trained on, as many a row as will be calibrated.
        Y : matrix, N x L
            Their labels.

        Raises
        ------
        ValueError
            If there is no prediction, or shapes disagree.
        """
        check_choice("by", self.by, get_args(Grouping))
        if self.max_rank < 1:
            raise ValueError(f"max_rank must be at least 1, but is {self.max_rank}")
        ranked = RankedScores.of(P, Y)
        if not ranked.present.any():
            raise ValueError("calibration needs predictions, but P is empty; predict held-out documents")
        self.functions_ = [
            rising_share(ranked.scores[:, ranks][present], ranked.correct[:, ranks][present])
            for ranks in self._groups(ranked.scores.shape[1])
            if (present := ranked.present[:, ranks]).any()
        ]
        return self

    def transform(self, P: Any) -> CSR:
        """Probabilities of the stored entries of P, in the order they had.

        Parameters
        ----------
        P : matrix, N x L

        Returns
        -------
        csr_array, N x L
            By descending probability, between 0 and 1 and strictly falling in every row.
        """
        check_is_fitted(self)
        P = by_score(P)
        scores = pad(P, P.data, -np.inf)
        probabilities = np.empty_like(scores)
        groups = self._groups(scores.shape[1])
        for number, ranks in enumerate(groups):
            known, shares = self.functions_[min(number, len(self.functions_) - 1)]
            probabilities[:, ranks] = np.interp(scores[:, ranks], known, shares)
        falling = np.minimum.accumulate(probabilities, axis=1) * _STEP ** np.arange(scores.shape[1])
        return csr_from_parts(falling[np.isfinite(scores)].astype(np.float32), P.indices, P.indptr, P.shape)

    def _groups(self, n_ranks: int) -> list[slice]:
        """Ranks that share a function."""
        if self.by == "pooled":
            return [slice(None)]
        single = [slice(rank, rank + 1) for rank in range(min(self.max_rank, n_ranks))]
        return single + ([slice(self.max_rank, None)] if n_ranks > self.max_rank else [])

    def save(self, path: Path | str) -> None:
        """Write the functions as a folder of plain arrays."""
        check_is_fitted(self)
        names = ("scores", "probabilities")
        arrays = {
            f"{name}_{i}": points
            for i, function in enumerate(self.functions_)
            for name, points in zip(names, function, strict=True)
        }
        metadata = {"params": self.get_params(), "n_functions": len(self.functions_)}
        save_folder(path, kind="IsotonicCalibrator", metadata=metadata, arrays=arrays)

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read a calibrator that `save` wrote."""
        folder = load_folder(path, kind="IsotonicCalibrator", verify=verify)
        calibrator = cls(**folder.metadata["params"])
        calibrator.functions_ = [
            check_function(folder.arrays[f"scores_{i}"], folder.arrays[f"probabilities_{i}"])
            for i in range(folder.metadata["n_functions"])
        ]
        return calibrator


Function = tuple[NDArray[np.float64], NDArray[np.float64]]


def rising_share(scores: NDArray[np.float64], correct: NDArray[np.bool_]) -> Function:
    """Isotonic regression of being right on the score.

    A wrong prediction at the highest score and a right one at the lowest are added, so that no probability
    is 0 or 1 by want of examples.
    """
    from sklearn.isotonic import IsotonicRegression  # takes a second to import

    scores = np.concatenate([[scores.max()], scores, [scores.min()]])
    outcomes = np.concatenate([[0.0], correct, [1.0]])
    regression = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, outcomes)
    return regression.X_thresholds_, regression.y_thresholds_


def check_function(scores: NDArray[np.float64], probabilities: NDArray[np.float64]) -> Function:
    """The points of a rising function of probabilities, or a ValueError."""
    whole = len(scores) == len(probabilities) > 0 and np.all(np.diff(scores) > 0)
    if not whole or np.any(np.diff(probabilities) < 0) or not 0 <= probabilities[0] <= probabilities[-1] <= 1:
        raise ValueError("calibration: probabilities within 0..1 must rise with rising scores, but don't")
    return scores, probabilities
