"""Metrics before they are summed up: what every document adds.

P, R, nDCG, PSP and PSnDCG (definitions in `larix.xmc.metrics`) are all ratios of two sums over documents.
Each is kept as what a document gained beside what it could have gained, so that the metric of any sample of
documents follows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from larix.xmc.hits import Hits

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DocumentMetric:
    """A metric that is `sum(gained) / sum(possible)`.

    Attributes
    ----------
    gained, possible : ndarray of float64, shape (N,)
        Of every document; both zero where it does not count.
    """

    gained: Values
    possible: Values

    @property
    def value(self) -> float:
        """The metric over all documents; NaN where nothing was possible."""
        possible = float(self.possible.sum())
        return float(self.gained.sum()) / possible if possible else math.nan


def largest_cutoff(ks: Sequence[int], recall_ks: Sequence[int]) -> int:
    """How far rankings must go.

    Raises
    ------
    ValueError
        If there is no cut-off, or one below 1.
    """
    cutoffs = [*ks, *recall_ks]
    if not cutoffs or min(cutoffs) < 1:
        raise ValueError(f"cut-offs must be given and at least 1, but are {cutoffs}")
    return max(cutoffs)


def document_metrics(
    hits: Hits, inverse_propensities: Values, ks: Sequence[int], recall_ks: Sequence[int]
) -> dict[str, DocumentMetric]:
    """P, nDCG, PSP and PSnDCG at each of `ks`, R at each of `recall_ks`, by document.

    Parameters
    ----------
    hits : Hits
        Ranked to the largest cut-off at least.
    inverse_propensities : ndarray, shape (L,)
    ks, recall_ks : sequence of int

    Returns
    -------
    dict of str to DocumentMetric
    """
    n_true = np.bincount(hits.rows, minlength=hits.n_documents)
    labelled = (n_true > 0).astype(np.float64)
    n_correct = np.cumsum(hits.correct, axis=1)
    discounts = 1 / np.log2(np.arange(2, hits.labels.shape[1] + 2))
    gains = hits.correct * inverse_propensities[hits.labels]
    best_gains = _best_gains(hits, inverse_propensities)
    metrics = {}
    for k in ks:
        cut, all_documents = slice(0, k), np.ones(hits.n_documents)
        metrics[f"P@{k}"] = DocumentMetric(n_correct[:, k - 1] / k, all_documents)
        metrics[f"nDCG@{k}"] = DocumentMetric(_ndcg(hits.correct[:, cut], n_true, discounts[cut]), labelled)
        metrics[f"PSP@{k}"] = DocumentMetric(gains[:, cut].sum(axis=1), best_gains[:, cut].sum(axis=1))
        metrics[f"PSnDCG@{k}"] = DocumentMetric(
            gains[:, cut] @ discounts[cut], best_gains[:, cut] @ discounts[cut]
        )
    for k in recall_ks:
        metrics[f"R@{k}"] = DocumentMetric(n_correct[:, k - 1] / np.maximum(n_true, 1), labelled)
    return metrics


def _ndcg(correct: NDArray[np.bool_], n_true: NDArray[np.int64], discounts: Values) -> Values:
    """DCG over its best value, shape (N,); zero for documents without labels."""
    best = np.cumsum(discounts)[np.clip(n_true, 1, len(discounts)) - 1]
    ndcg: Values = correct @ discounts / best
    return ndcg


def _best_gains(hits: Hits, inverse_propensities: Values) -> Values:
    """Inverse propensities of each document's true labels, falling; shape (N, K), zero beyond the last."""
    weights = inverse_propensities[hits.columns]
    order = np.lexsort((-weights, hits.rows))
    starts = np.searchsorted(hits.rows, np.arange(hits.n_documents))
    places = np.arange(len(order)) - starts[hits.rows]
    kept = places < hits.labels.shape[1]
    best = np.zeros(hits.labels.shape)
    best[hits.rows[kept], places[kept]] = weights[order][kept]
    return best
