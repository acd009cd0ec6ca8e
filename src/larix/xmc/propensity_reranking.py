"""Propensity-aware inference: rare labels are raised at prediction time, without training again.

Frequent labels outrank rare ones that fit as well. Re-ranking by

    log score_l + alpha (log q_l - max_m log q_m),

with q the inverse propensity, trades precision for precision weighted by it: alpha = 0 leaves the ranking,
and where scores are probabilities alpha = 1 orders labels by what they add to PSP@k. Only labels that were
predicted can be raised, so more of them are needed than will be kept.

Wydmuch, Jasinska-Kobus, Babbar, Dembczyński: Propensity-scored probabilistic label trees. SIGIR 2021.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from larix.xmc.label_frequency import LabelFrequencies, PropensityParams
from larix.xmc.metrics import Metrics, evaluate
from larix.xmc.sparse import CSR, check_csr, csr_from_parts, top_k_per_row


def rerank_by_propensity(
    P: Any,
    frequencies: LabelFrequencies,
    alpha: float,
    *,
    top_k: int | None = None,
    propensity: PropensityParams | None = None,
    log_scores: bool = False,
) -> CSR:
    """Weigh scores by inverse propensities and rank again.

    Parameters
    ----------
    P : matrix, N x L
        Scores above 0 (zeros stay), or logarithms of scores.
    frequencies : LabelFrequencies
        Of the L labels in training.
    alpha : float
        How much propensities count; 0 not at all.
    top_k : int, optional
        Labels kept of each row, by default all.
    propensity : PropensityParams, optional
    log_scores : bool
        Scores are logarithms, as those of the post-processors `log-*`.

    Returns
    -------
    csr_array, N x L
        score (q / max q) ** alpha, or its logarithm, by descending score; within 0..1 if P is.

    Raises
    ------
    ValueError
        For negative scores that are no logarithms, a negative `alpha`, or another number of labels.
    """
    if not 0 <= alpha < np.inf:
        raise ValueError(f"alpha must be at least 0 and finite, but is {alpha}")
    P = check_csr(P, name="P", n_columns=frequencies.n_labels)
    if not log_scores and P.nnz and P.data.min() < 0:
        raise ValueError(
            f"scores must not be negative to be weighted, but one is {P.data.min()}; if they are logarithms, "
            "pass log_scores=True, and for margins search with a post-processor other than noop"
        )
    log_q = np.log(frequencies.inverse_propensities(propensity))
    gain = alpha * (log_q - log_q.max(initial=0))[P.indices]
    scores = P.data + gain if log_scores else P.data * np.exp(gain)
    weighted = csr_from_parts(scores.astype(np.float32), P.indices, P.indptr, P.shape)
    return top_k_per_row(weighted, top_k or max(P.shape[1], 1))


@dataclass(frozen=True)
class TradeOff:
    """Metrics at one setting of `alpha`."""

    alpha: float
    metrics: Metrics


def trade_off(
    P: Any,
    Y: Any,
    frequencies: LabelFrequencies,
    alphas: Sequence[float] = (0, 0.1, 0.2, 0.3, 0.5, 0.7, 1),
    *,
    ks: Sequence[int] = (1, 3, 5),
    propensity: PropensityParams | None = None,
) -> list[TradeOff]:
    """Metrics of held-out documents for rising `alpha`; PSP rises at the cost of P.

    Parameters
    ----------
    P : matrix, N x L
        Scores, of several times as many labels as the largest of `ks`.
    Y : matrix, N x L
    frequencies : LabelFrequencies
    alphas : sequence of float
    ks : sequence of int
    propensity : PropensityParams, optional
    """
    points = []
    for alpha in alphas:
        reranked = rerank_by_propensity(P, frequencies, alpha, top_k=max(ks), propensity=propensity)
        metrics = evaluate(reranked, Y, frequencies, ks, ks, propensity=propensity).metrics
        points.append(TradeOff(alpha, metrics))
    return points
