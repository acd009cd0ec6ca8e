"""Losses over candidate nodes.

With margins s, y = +1 for positives and -1 for negatives, and weights c (of a positive the given one, times
its relevance if that counts; of a negative 1),

    squared hinge   c max(0, 1 - y s)^2
    hinge           c max(0, 1 - y s)
    logistic        c ln(1 + exp(-y s)),

averaged over the candidates of an instance, then over the instances of a batch. As candidates are ragged,
nothing is diluted by padding.
"""

from typing import Any, Literal

import numpy as np

from larix.xmc.transformer.candidates import Candidates
from larix.xmc.transformer.libraries import import_torch

Loss = Literal["squared_hinge", "hinge", "logistic"]


def candidate_loss(
    margins: Any,
    candidates: Candidates,
    loss: Loss,
    *,
    weighted: bool = False,
    positive_weight: float = 1.0,
) -> Any:
    """Mean loss of a batch.

    Parameters
    ----------
    margins : tensor, shape (n_pairs,)
        Of the candidates, in their order.
    candidates : Candidates
    loss : {"squared_hinge", "hinge", "logistic"}
    weighted : bool
        Whether a positive counts as much as its relevance says, instead of 1.
    positive_weight : float
        What it counts is multiplied by this.

    Returns
    -------
    tensor
        A single number.
    """
    torch = import_torch()
    relevance = torch.from_numpy(candidates.relevance).to(margins.device)
    signed = torch.where(relevance > 0, margins, -margins)
    if loss == "logistic":
        losses = torch.nn.functional.softplus(-signed)
    else:
        losses = (1 - signed).clamp(min=0) ** (2 if loss == "squared_hinge" else 1)
    weights = positive_weight * (relevance if weighted else torch.ones_like(relevance))
    losses = losses * torch.where(relevance > 0, weights, 1)
    counts = np.bincount(candidates.rows, minlength=candidates.n_rows).astype(np.float32)
    shares = torch.from_numpy(1 / (counts[candidates.rows] * candidates.n_rows)).to(margins.device)
    return (losses * shares).sum()
