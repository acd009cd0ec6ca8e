"""Which predictions to show: thresholds that guarantee recall or precision of new documents.

Conformal risk control: let L_i(t) be the loss of document i when the labels with a score of at least t are
shown, a loss within 0..1 that doesn't fall as t moves one way. On n held-out documents take the threshold
furthest that way for which

    (sum_i L_i(t) + 1) / (n + 1) <= 1 - level.

Then the expected loss of a new document is at most 1 - level, whatever the model and the distribution, as
long as new documents are drawn like those held out. The expectation is over both, so that a threshold from a
few documents may by chance be worse.

- Recall: the loss is the share of a document's labels that isn't shown; it rises with t. A document without
  labels loses nothing.
- Precision: the share of wrong labels among those shown may rise and fall as t falls. The loss is therefore
  the largest such share over all thresholds from t upwards, which can only be too careful. Where nothing is
  shown, nothing is lost.

Angelopoulos, Bates, Fisch, Lei, Schuster: Conformal risk control. ICLR 2024, theorem 1 and section 2.
"""

from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from larix.xmc.choice import check_choice
from larix.xmc.estimator import Estimator, check_is_fitted
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.ranked_scores import RankedScores, by_score
from larix.xmc.sparse import CSR, csr_from_parts

Guarantee = Literal["recall", "precision"]
_ROUNDING = 1e-9  # of sums of losses, which are often exactly at a limit


class ConformalThreshold(Estimator):
    """Keeps as many predictions of each document as a guarantee needs, or allows.

    Parameters
    ----------
    guarantee : {"recall", "precision"}
        With "recall" as few predictions are kept as its level allows, with "precision" as many.
    level : float
        Between 0 and 1: the least expected recall or precision of a new document.

    Attributes
    ----------
    threshold_ : float
        Predictions with at least this score are kept; infinite where none may be.
    n_documents_ : int
        Held-out documents it was learnt from.

    Examples
    --------
    >>> import numpy as np
    >>> from larix import ConformalThreshold
    >>> P = np.tile([[0.9, 0.4, 0.1]], (50, 1))
    >>> Y = np.tile([[1, 1, 0]], (50, 1))
    >>> round(ConformalThreshold(guarantee="recall", level=0.9).fit(P, Y).threshold_, 2)
    0.4
    """

    def __init__(self, *, guarantee: Guarantee = "recall", level: float = 0.9) -> None:
        self.guarantee = guarantee
        self.level = level

    def fit(self, P: Any, Y: Any) -> Self:
        """Choose the threshold.

        Parameters
        ----------
        P : matrix, N x L
            Scores of held-out documents, as many a row as there will be to choose from.
        Y : matrix, N x L
            Their labels.

        Raises
        ------
        ValueError
            If no threshold gives the guarantee; the message says what would.
        """
        check_choice("guarantee", self.guarantee, get_args(Guarantee))
        if not 0 < self.level < 1:
            raise ValueError(f"level must lie between 0 and 1, but is {self.level}")
        ranked = RankedScores.of(P, Y)
        n, present = len(ranked.n_true), ranked.present
        losses = _false_shares(ranked) if self.guarantee == "precision" else -_found_shares(ranked)
        order = np.argsort(-ranked.scores[present], kind="stable")
        scores, total = ranked.scores[present][order], np.cumsum(losses[present][order])
        if self.guarantee == "recall":
            total += np.count_nonzero(ranked.n_true)
        ends = np.append(np.diff(scores) != 0, len(scores) > 0)  # equal scores are shown together
        scores, risks = scores[ends], (total[ends] + 1) / (n + 1)
        self.threshold_ = (
            self._lowest(scores, risks, n) if self.guarantee == "precision" else self._highest(scores, risks)
        )
        self.n_documents_ = n
        return self

    def _highest(self, scores: NDArray[np.float64], risks: NDArray[np.float64]) -> float:
        kept = np.flatnonzero(risks <= 1 - self.level + _ROUNDING)
        if len(kept):
            return float(scores[kept[0]])
        reached = 1 - risks.min(initial=1)
        raise ValueError(
            f"an expected recall of {self.level} can't be guaranteed: all predictions together reach "
            f"{reached:.4f}; lower the level, or predict more labels or hold out more documents"
        )

    def _lowest(self, scores: NDArray[np.float64], risks: NDArray[np.float64], n: int) -> float:
        least = np.ceil(1 / (1 - self.level) - _ROUNDING) - 1
        if n < least:
            raise ValueError(
                f"an expected precision of {self.level} needs at least {least:.0f} held-out documents, "
                f"but there are {n}; hold out more, or lower the level"
            )
        kept = np.flatnonzero(risks <= 1 - self.level + _ROUNDING)
        return float(scores[kept[-1]]) if len(kept) else float("inf")

    def transform(self, P: Any) -> CSR:
        """The predictions that are kept, by descending score.

        Parameters
        ----------
        P : matrix, N x L

        Returns
        -------
        csr_array, N x L
        """
        check_is_fitted(self)
        return above(P, self.threshold_)

    def save(self, path: Path | str) -> None:
        """Write the threshold as a folder."""
        check_is_fitted(self)
        metadata = {"params": self.get_params(), "n_documents": self.n_documents_}
        arrays = {"threshold": np.array([self.threshold_])}
        save_folder(path, kind="ConformalThreshold", metadata=metadata, arrays=arrays)

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read a threshold that `save` wrote."""
        folder = load_folder(path, kind="ConformalThreshold", verify=verify)
        conformal = cls(**folder.metadata["params"])
        conformal.threshold_ = float(folder.arrays["threshold"][0])
        conformal.n_documents_ = folder.metadata["n_documents"]
        return conformal


def above(P: Any, threshold: float) -> CSR:
    """The predictions with at least this score, by descending score.

    Parameters
    ----------
    P : matrix, N x L
    threshold : float

    Returns
    -------
    csr_array, N x L
    """
    P = by_score(P)
    kept = P.data >= np.float64(threshold)
    indptr = np.append(0, np.cumsum(kept))[P.indptr]
    return csr_from_parts(P.data[kept], P.indices[kept], indptr, P.shape)


def _found_shares(ranked: RankedScores) -> NDArray[np.float64]:
    """Of each prediction, the share of its document's labels that it finds; shape (N, K)."""
    return ranked.correct / np.maximum(ranked.n_true, 1)[:, None]


def _false_shares(ranked: RankedScores) -> NDArray[np.float64]:
    """By how much each prediction raises the largest share of wrong ones so far; shape (N, K)."""
    shown = np.arange(1, ranked.scores.shape[1] + 1)
    shares = np.cumsum(~ranked.correct, axis=1) / shown
    tied = np.zeros_like(ranked.correct)
    tied[:, :-1] = ranked.scores[:, :-1] == ranked.scores[:, 1:]  # never the last that is shown
    largest = np.maximum.accumulate(np.where(tied, 0, shares), axis=1)
    return np.diff(largest, axis=1, prepend=0)
