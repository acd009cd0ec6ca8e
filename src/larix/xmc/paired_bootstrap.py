"""Two sets of predictions for the same documents: is the difference more than chance?

Documents are drawn with replacement, as many as there are, and both systems are measured on the same draw;
the interval holds the middle part of the differences of many draws (percentile method). As both systems see
the same documents, easy and hard ones cancel, and differences show that two separate intervals would hide.

References
----------
Efron, Tibshirani. An Introduction to the Bootstrap. 1993, section 13.3 (percentile interval).
Koehn. Statistical Significance Tests for Machine Translation Evaluation. EMNLP 2004 (paired).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.document_metrics import DocumentMetric, document_metrics, largest_cutoff
from larix.xmc.hits import rank
from larix.xmc.label_frequency import PropensityParams

_DRAWS_AT_ONCE = 64


@dataclass(frozen=True)
class PairedDifference:
    """A metric of two systems, and their difference with its interval, as fractions.

    Attributes
    ----------
    first, second : float
        NaN where the metric is undefined.
    low, high : float
        Ends of the interval of `second - first`.
    """

    first: float
    second: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """How much better the second is."""
        return self.second - self.first

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0

    def to_dict(self) -> dict[str, float | None]:
        """Plain JSON content; what is undefined becomes None."""
        values = {**asdict(self), "difference": self.difference}
        return {name: None if math.isnan(value) else value for name, value in values.items()}


def paired_bootstrap(
    P_first: Any,
    P_second: Any,
    Y_true: Any,
    Y_train: Any,
    ks: Sequence[int] = (1, 3, 5),
    recall_ks: Sequence[int] = (10,),
    *,
    propensity: PropensityParams | None = None,
    n_draws: int = 1000,
    confidence: float = 0.95,
    random_state: int = 0,
) -> dict[str, PairedDifference]:
    """Metrics of two sets of predictions, side by side, with intervals of the differences.

    Parameters
    ----------
    P_first, P_second : sparse matrix, shape (N, L)
        Scores of both systems for the same documents.
    Y_true, Y_train, ks, recall_ks, propensity
        As in `larix.xmc.metrics.evaluate`. Coverage is left out, since it is no sum over documents.
    n_draws : int, default 1000
    confidence : float, default 0.95
        Share of draws within the interval.
    random_state : int, default 0
        Seed of the draws.

    Returns
    -------
    dict of str to PairedDifference

    Raises
    ------
    ValueError
        If shapes disagree, there is no document, or a number is out of its range.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> Y = csr_array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
    >>> wrong = csr_array([[0, 1, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0]])
    >>> paired_bootstrap(wrong, Y, Y, Y, ks=[1])["P@1"].difference
    0.75
    """
    if n_draws < 1:
        raise ValueError(f"n_draws must be at least 1, but is {n_draws}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, but is {confidence}; 0.95 is usual")
    first, second = (_by_document(P, Y_true, Y_train, ks, recall_ks, propensity) for P in (P_first, P_second))
    names, tail = list(first), (1 - confidence) / 2
    differences = _drawn_differences(
        [first[name] for name in names], [second[name] for name in names], n_draws, random_state
    )
    low, high = np.quantile(differences, [tail, 1 - tail], axis=0)
    return {
        name: PairedDifference(first[name].value, second[name].value, float(low[i]), float(high[i]))
        for i, name in enumerate(names)
    }


def _by_document(
    P: Any,
    Y_true: Any,
    Y_train: Any,
    ks: Sequence[int],
    recall_ks: Sequence[int],
    propensity: PropensityParams | None,
) -> dict[str, DocumentMetric]:
    hits = rank(P, Y_true, Y_train, largest_cutoff(ks, recall_ks))
    return document_metrics(hits, hits.frequencies.inverse_propensities(propensity), ks, recall_ks)


def _drawn_differences(
    first: list[DocumentMetric], second: list[DocumentMetric], n_draws: int, random_state: int
) -> NDArray[np.float64]:
    """`second - first` of every draw and metric, shape (n_draws, metrics).

    A draw is how often each document is in it; what a system gains in a draw is a product with these counts.
    """
    rng = np.random.default_rng(random_state)
    n_documents = len(first[0].gained)
    sums = [
        np.column_stack([values for metric in system for values in (metric.gained, metric.possible)])
        for system in (first, second)
    ]
    parts = []
    for begin in range(0, n_draws, _DRAWS_AT_ONCE):
        counts = [
            np.bincount(rng.integers(n_documents, size=n_documents), minlength=n_documents)
            for _ in range(min(_DRAWS_AT_ONCE, n_draws - begin))
        ]
        drawn = np.array(counts, np.float64)
        parts.append(_ratios(drawn @ sums[1]) - _ratios(drawn @ sums[0]))
    return np.concatenate(parts)


def _ratios(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gained over possible; zero in a draw where nothing was possible, for either system."""
    gained, possible = sums[:, 0::2], sums[:, 1::2]
    return np.divide(gained, possible, out=np.zeros_like(gained), where=possible > 0)
