"""Ensembles: several models' predictions joined by one of five rules.

PECOS (Yu et al., JMLR 2022) joins trees of different seeds and branchings; X-Transformer and XR-Transformer
join encoders. A label that a model doesn't return counts 0 there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
import scipy.sparse as sp

from larix.xmc.beam_search import SearchParams
from larix.xmc.choice import check_choice
from larix.xmc.estimator import Estimator, check_is_fitted, clone
from larix.xmc.label_tree import LabelTree
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.sparse import CSR, csr_from_parts, top_k_per_row
from larix.xmc.xr_linear import XRLinear

Rule = Literal["average", "rank_average", "sigmoid_average", "softmax_average", "round_robin"]


def combine_predictions(
    predictions: Sequence[CSR], rule: Rule = "average", *, top_k: int | None = None
) -> CSR:
    """Join predictions of the same instances.

    Parameters
    ----------
    predictions : csr_arrays, N x L each
    rule : str
        `average` of scores; `rank_average` of 1 / rank; `sigmoid_average` of 1 / (1 + e^-score);
        `softmax_average` of the softmax over each row's entries; `round_robin` takes the models' labels in
        turn, best first, and scores them 1 / position.
    top_k : int, optional
        Entries kept of a row.

    Returns
    -------
    csr_array, N x L
        Entries of a row by descending score.
    """
    check_choice("rule", rule, get_args(Rule))
    if not predictions:
        raise ValueError("an ensemble needs at least one prediction, but has none")
    if len({P.shape for P in predictions}) > 1:
        raise ValueError(
            f"predictions must have one shape, but have {', '.join(str(P.shape) for P in predictions)}"
        )
    votes = [_votes(P, rule, model, len(predictions)) for model, P in enumerate(predictions)]
    if rule == "round_robin":
        joined = votes[0]
        for other in votes[1:]:
            joined = joined.maximum(other)
    else:
        joined = sum(votes[1:], start=votes[0]) / np.float32(len(votes))
    joined = sp.csr_array(joined)
    return top_k_per_row(joined, top_k or max(1, int(np.diff(joined.indptr).max(initial=1))))


def _votes(P: CSR, rule: Rule, model: int, n_models: int) -> CSR:
    """What one model's predictions count in the sum (or, for round_robin, the maximum)."""
    ordered = top_k_per_row(P, max(1, P.shape[1]))
    counts = np.diff(ordered.indptr)
    rank = np.arange(ordered.nnz) - np.repeat(ordered.indptr[:-1], counts)  # 0 is the best
    if rule == "average":
        values = ordered.data
    elif rule == "rank_average":
        values = 1 / (rank + 1)
    elif rule == "sigmoid_average":
        values = 1 / (1 + np.exp(-ordered.data.astype(np.float64)))
    elif rule == "softmax_average":
        best = np.repeat(ordered.data[np.minimum(ordered.indptr[:-1], max(ordered.nnz - 1, 0))], counts)
        values = np.exp(ordered.data.astype(np.float64) - best)
        rows = np.repeat(np.arange(P.shape[0]), counts)
        values /= np.bincount(rows, values, P.shape[0])[rows]
    else:
        values = 1 / (rank * n_models + model + 1)
    votes = csr_from_parts(values.astype(np.float32), ordered.indices, ordered.indptr, ordered.shape)
    votes.sort_indices()
    return votes


class Ensemble(Estimator):
    """Several XR-Linear models that answer together.

    Parameters
    ----------
    models : sequence of XRLinear
        Unfitted; `fit` trains a clone of each.
    rule : {"average", "rank_average", "sigmoid_average", "softmax_average", "round_robin"}

    Attributes
    ----------
    models_ : list of XRLinear
    tree_, search, n_features_in_
        Those of the first model.
    """

    models_: list[XRLinear]

    def __init__(self, models: Sequence[XRLinear], *, rule: Rule = "average") -> None:
        self.models = models
        self.rule = rule

    def fit(self, X: Any, Y: Any) -> Self:
        """Train every model on the same data."""
        check_choice("rule", self.rule, get_args(Rule))
        if not self.models:
            raise ValueError("an ensemble needs at least one model, but has none")
        self.models_ = [clone(model).fit(X, Y) for model in self.models]
        return self

    @classmethod
    def of(cls, models: Sequence[XRLinear], rule: Rule = "average") -> Self:
        """Join models that are trained already."""
        check_choice("rule", rule, get_args(Rule))
        ensemble = cls([clone(model) for model in models], rule=rule)
        ensemble.models_ = list(models)
        return ensemble

    @property
    def tree_(self) -> LabelTree:
        """Of the first model."""
        return self.models_[0].tree_

    @property
    def search(self) -> SearchParams:
        """Of the first model."""
        return self.models_[0].search

    @property
    def n_features_in_(self) -> int:
        """D, of all models."""
        return self.models_[0].n_features_in_

    def predict(self, X: Any, *, top_k: int | None = None, beam_size: int | None = None) -> CSR:
        """Scores of the best labels, N x L, `top_k` a row by descending score."""
        check_is_fitted(self)
        top_k = top_k or self.search.top_k
        predictions = [model.predict(X, top_k=top_k, beam_size=beam_size) for model in self.models_]
        return combine_predictions(predictions, self.rule, top_k=top_k)

    def size_bytes(self) -> int:
        """Bytes of all weights in memory."""
        check_is_fitted(self)
        return sum(model.size_bytes() for model in self.models_)

    def save(self, path: Path | str) -> None:
        """Write the ensemble as a folder with one child for each model."""
        check_is_fitted(self)
        children = {f"model_{i}": model.save for i, model in enumerate(self.models_)}
        metadata = {"rule": self.rule, "n_models": len(self.models_)}
        save_folder(path, kind="Ensemble", metadata=metadata, children=children)

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read an ensemble that `save` wrote."""
        folder = load_folder(path, kind="Ensemble", verify=verify)
        members = range(folder.metadata["n_models"])
        models = [XRLinear.load(folder.child(f"model_{i}").path, verify=verify) for i in members]
        return cls.of(models, folder.metadata["rule"])
