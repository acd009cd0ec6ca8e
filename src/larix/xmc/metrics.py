r"""Ranking metrics of extreme classification over sparse predictions.

A prediction is a row of scores; its stored entries are ranked by falling score, ties by label number, and
what is not stored is not predicted. For document i with true labels T_i and predicted labels r_i1, r_i2, ...:

- P@k = 1/N sum_i |{r_i1..r_ik} & T_i| / k, over all N documents;
- R@k = mean of |{r_i1..r_ik} & T_i| / |T_i|, over documents that have labels;
- nDCG@k = mean of sum_{j<=k} [r_ij in T_i] / log2(j + 1), divided by its best value, over the same documents;
- PSP@k = sum_i sum_{j<=k} [r_ij in T_i] q(r_ij), divided by the best that any ranking could reach, where q
  is the inverse propensity; PSnDCG@k is the same with the discount 1 / log2(j + 1);
- coverage@k = share of the labels true of some document that are right in the top k of at least one.

Labels unseen in training stay in T_i, so they count as missed. The metrics of head, torso and tail take only
that band's labels as relevant and leave the rankings as they are. The P@k of the three bands therefore add up
to the P@k of all labels, while the other metrics are averages over the documents that have such labels.

References
----------
Jain, Prabhu, Varma. Extreme Multi-label Loss Functions for Recommendation, Tagging, Ranking & Other Missing
Label Applications. KDD 2016 (PSP and PSnDCG).
Järvelin, Kekäläinen. Cumulated Gain-Based Evaluation of IR Techniques. TOIS 2002 (DCG).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.document_metrics import document_metrics, largest_cutoff
from larix.xmc.hits import Hits, rank
from larix.xmc.label_frequency import BANDS, PropensityParams

Metrics = dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one set of predictions, as fractions; NaN where nothing is there to average over.

    Attributes
    ----------
    metrics : dict of str to float
        `"P@1"`, `"nDCG@5"`, `"PSP@5"`, `"PSnDCG@5"`, `"coverage@5"`, `"R@10"`, ... over all labels.
    by_frequency : dict of str to dict
        The same for `"head"`, `"torso"` and `"tail"` labels.
    counts : dict of str to int
        Sizes behind the metrics: documents, labels, occurrences, and those of labels unseen in training.
    """

    metrics: Metrics
    by_frequency: Mapping[str, Metrics]
    counts: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON content; what is undefined becomes None."""
        return {
            "metrics": _plain(self.metrics),
            "by_frequency": {band: _plain(metrics) for band, metrics in self.by_frequency.items()},
            "counts": dict(self.counts),
        }


def _plain(metrics: Metrics) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in metrics.items()}


def evaluate(
    P: Any,
    Y_true: Any,
    Y_train: Any,
    ks: Sequence[int] = (1, 3, 5),
    recall_ks: Sequence[int] = (10,),
    *,
    propensity: PropensityParams | None = None,
) -> Evaluation:
    """Evaluate sparse predictions, over all labels and apart for head, torso and tail.

    Parameters
    ----------
    P : sparse matrix, shape (N, L)
        Scores; higher is better, of any sign. Ties go to the lower label.
    Y_true : sparse matrix, shape (N, L)
        True labels; every stored value but zero counts.
    Y_train : sparse matrix of shape (N', L) or LabelFrequencies
        Training labels, from which bands and propensities come.
    ks : sequence of int, default (1, 3, 5)
        Cut-offs of P, nDCG, PSP, PSnDCG and coverage.
    recall_ks : sequence of int, default (10,)
        Cut-offs of R.
    propensity : PropensityParams, optional
        Constants of the propensity model.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If shapes disagree, there is no document, or a cut-off is below 1.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> P = csr_array([[0.9, 0.5, 0.0], [0.0, 0.2, 0.7]])
    >>> Y = csr_array([[1, 0, 1], [0, 1, 0]])
    >>> evaluate(P, Y, Y, ks=[1, 2], recall_ks=[2]).metrics["P@1"]
    0.5
    """
    hits = rank(P, Y_true, Y_train, largest_cutoff(ks, recall_ks))
    inverse = hits.frequencies.inverse_propensities(propensity)
    bands = hits.frequencies.bands()
    by_frequency = {name: _metrics(hits.among(bands[name]), inverse, ks, recall_ks) for name in BANDS}
    return Evaluation(_metrics(hits, inverse, ks, recall_ks), by_frequency, _counts(hits, bands))


def curves(
    P: Any, Y_true: Any, Y_train: Any, max_k: int = 10, *, propensity: PropensityParams | None = None
) -> dict[str, list[float]]:
    """P, R, nDCG, PSP, PSnDCG and coverage for every cut-off from 1 to `max_k`.

    Parameters
    ----------
    P, Y_true, Y_train, propensity
        As in `evaluate`.
    max_k : int, default 10
        Last cut-off.

    Returns
    -------
    dict of str to list of float
        `"k"`, `"P"`, `"R"`, `"nDCG"`, `"PSP"`, `"PSnDCG"` and `"coverage"`, each of length `max_k`.
    """
    ks = range(1, max_k + 1)
    hits = rank(P, Y_true, Y_train, max_k)
    metrics = _metrics(hits, hits.frequencies.inverse_propensities(propensity), ks, ks)
    names = ("P", "R", "nDCG", "PSP", "PSnDCG", "coverage")
    return {"k": [float(k) for k in ks], **{name: [metrics[f"{name}@{k}"] for k in ks] for name in names}}


def _metrics(
    hits: Hits, inverse_propensities: NDArray[np.float64], ks: Sequence[int], recall_ks: Sequence[int]
) -> Metrics:
    of_documents = document_metrics(hits, inverse_propensities, ks, recall_ks)
    coverage = {f"coverage@{k}": _coverage(hits, k) for k in ks}
    return {name: metric.value for name, metric in of_documents.items()} | coverage


def _coverage(hits: Hits, k: int) -> float:
    found = np.unique(hits.labels[:, :k][hits.correct[:, :k]])
    true_labels = np.unique(hits.columns)
    return len(found) / len(true_labels) if len(true_labels) else math.nan


def _counts(hits: Hits, bands: Mapping[str, NDArray[np.bool_]]) -> dict[str, int]:
    unseen = hits.frequencies.counts == 0
    true_labels = np.unique(hits.columns)
    counts = {
        "documents": hits.n_documents,
        "documents_without_labels": hits.n_documents - len(np.unique(hits.rows)),
        "documents_without_predictions": int((hits.labels[:, 0] < 0).sum()),
        "labels": hits.frequencies.n_labels,
        "labels_unseen_in_training": int(unseen.sum()),
        "true_labels": len(true_labels),
        "true_labels_unseen_in_training": int(unseen[true_labels].sum()),
        "true_occurrences": len(hits.columns),
        "true_occurrences_unseen_in_training": int(unseen[hits.columns].sum()),
    }
    for name, band in bands.items():
        counts[f"{name}_labels"] = int(band.sum())
        counts[f"{name}_true_occurrences"] = int(band[hits.columns].sum())
    return counts
