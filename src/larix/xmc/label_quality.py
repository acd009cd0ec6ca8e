"""Quality label by label, and by how often labels occur in training.

The metrics of `larix.xmc.metrics` average over documents. Here the unit is the label: how many of its true
occurrences stand in the top k (recall), and how many of its places in the top k are right (precision).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.hits import rank


@dataclass(frozen=True, eq=False)
class LabelQuality:
    """Counts of every label within the top k, each of shape (L,).

    Attributes
    ----------
    k : int
        Cut-off.
    n_training : ndarray of int
        Training documents with the label.
    n_true : ndarray of int
        Evaluated documents with the label.
    n_predicted : ndarray of int
        Evaluated documents with the label in their top k.
    n_correct : ndarray of int
        Evaluated documents for which both hold.
    """

    k: int
    n_training: NDArray[np.int64]
    n_true: NDArray[np.int64]
    n_predicted: NDArray[np.int64]
    n_correct: NDArray[np.int64]

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of true occurrences found; NaN for labels that are nowhere true."""
        return _share(self.n_correct, self.n_true)

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of predictions that are right; NaN for labels that are never predicted."""
        return _share(self.n_correct, self.n_predicted)

    def worst(self, n: int = 20) -> NDArray[np.int64]:
        """The labels with the most missed true occurrences, worst first, at most `n`.

        Equals are ordered by rising number of true occurrences (so by recall), then by label number. Labels
        without a miss are left out.
        """
        missed = self.n_true - self.n_correct
        order = np.lexsort((np.arange(len(missed)), self.n_true, -missed))[:n]
        return order[missed[order] > 0]


def label_quality(P: Any, Y_true: Any, Y_train: Any, k: int = 5) -> LabelQuality:
    """Count, for every label, training documents, true occurrences, predictions and hits in the top k.

    Parameters
    ----------
    P, Y_true : sparse matrix, shape (N, L)
        Scores and true labels, as in `larix.xmc.metrics.evaluate`.
    Y_train : sparse matrix of shape (N', L) or LabelFrequencies
        Training labels.
    k : int, default 5
        Cut-off.

    Returns
    -------
    LabelQuality

    Raises
    ------
    ValueError
        If shapes disagree, there is no document, or `k` is below 1.
    """
    hits = rank(P, Y_true, Y_train, k)
    n_labels = hits.frequencies.n_labels
    return LabelQuality(
        k=k,
        n_training=hits.frequencies.counts,
        n_true=np.bincount(hits.columns, minlength=n_labels),
        n_predicted=np.bincount(hits.labels[hits.labels >= 0], minlength=n_labels),
        n_correct=np.bincount(hits.labels[hits.correct], minlength=n_labels),
    )


@dataclass(frozen=True)
class FrequencyBin:
    """Labels whose number of training documents lies in `low..high`, taken together.

    Attributes
    ----------
    low, high : int
        First and last number of training documents.
    n_labels : int
        Labels in the bin.
    n_true, n_predicted, n_correct : int
        Sums of the labels' counts.
    recall, precision : float
        `n_correct` over `n_true` and over `n_predicted`; NaN where that is zero.
    """

    low: int
    high: int
    n_labels: int
    n_true: int
    n_predicted: int
    n_correct: int

    @property
    def recall(self) -> float:
        """Share of the bin's true occurrences that were found."""
        return self.n_correct / self.n_true if self.n_true else float("nan")

    @property
    def precision(self) -> float:
        """Share of the bin's predictions that are right."""
        return self.n_correct / self.n_predicted if self.n_predicted else float("nan")


def quality_by_frequency(quality: LabelQuality) -> list[FrequencyBin]:
    """Sum label counts over bins of training frequency: 0, 1, 2-3, 4-7, 8-15 and so on.

    Parameters
    ----------
    quality : LabelQuality
        Counts of every label.

    Returns
    -------
    list of FrequencyBin
        By rising frequency, up to the most frequent label; bins without labels are left out.
    """
    # The bit length of a count numbers its bin: 0 -> 0, 1 -> 1, 2..3 -> 2, 4..7 -> 3.
    number = np.frexp(quality.n_training.astype(np.float64))[1]
    bins = []
    for b in np.unique(number):
        members = number == b
        sums = [int(c[members].sum()) for c in (quality.n_true, quality.n_predicted, quality.n_correct)]
        bins.append(FrequencyBin(2 ** int(b) // 2, 2 ** int(b) - 1, int(members.sum()), *sums))
    return bins


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    share = np.full(len(part), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share
