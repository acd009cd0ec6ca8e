"""What a system finds and what it costs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.disentanglement.corpora import StudyCorpus
from larix import XRLinear, combine_predictions
from larix.xmc.hits import rank
from larix.xmc.search_cost import inner_products
from larix.xmc.sense_recall import sense_recall
from larix.xmc.sense_separation import sense_separation
from larix.xmc.sparse import CSR, check_csr, top_k_per_row

METRICS = ("P@1", "nDCG@5", "PSP@5", "R@10")
TOP_K = 10

Shares = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Of every metric its gains and best gains by document; the metric is the ratio of their sums."""


@dataclass(frozen=True, eq=False)
class System:
    """Trained models whose scores are averaged, the beam of each, and the CPU seconds of all training."""

    models: tuple[XRLinear, ...]
    beams: tuple[int, ...]
    cpu_s: float


def by_document(P: CSR, corpus: StudyCorpus) -> Shares:
    """Gains of every document; all documents have labels."""
    Y = corpus.test.Y
    hits = rank(P, Y, corpus.train.Y, TOP_K)
    n_true = np.diff(Y.indptr).astype(float)
    discounts = 1 / np.log2(np.arange(2, 7))
    best = np.cumsum(discounts)[np.minimum(n_true, 5).astype(int) - 1]
    inverse = hits.frequencies.inverse_propensities(None)
    gains = (hits.correct[:, :5] * inverse[hits.labels[:, :5]]).sum(axis=1)
    weighted = check_csr(Y * inverse[None, :].astype(np.float32), name="Y")
    best_gains = np.asarray(top_k_per_row(weighted, 5).sum(axis=1), float)
    ones = np.ones(len(n_true))
    return {
        "P@1": (hits.correct[:, 0].astype(float), ones),
        "nDCG@5": ((hits.correct[:, :5] @ discounts) / best, ones),
        "PSP@5": (gains, best_gains),
        "R@10": (hits.correct.sum(axis=1) / n_true, ones),
    }


def predict(system: System, X: CSR, n_threads: int | None = None) -> CSR:
    """The best labels of every row."""
    predictions = []
    for model, beam in zip(system.models, system.beams, strict=True):
        predictions.append(model.set_params(n_threads=n_threads).predict(X, beam_size=beam, top_k=TOP_K))
    return predictions[0] if len(predictions) == 1 else combine_predictions(predictions, top_k=TOP_K)


def measure(system: System, corpus: StudyCorpus) -> tuple[dict[str, Any], Shares]:
    """Figures of a system, and its gains by document."""
    started = time.process_time()
    P = predict(system, corpus.test.X, n_threads=1)
    seconds = time.process_time() - started
    shares = by_document(P, corpus)
    tree = system.models[0].tree_
    figures: dict[str, Any] = {name: float(got.sum() / best.sum()) for name, (got, best) in shares.items()}
    figures |= {
        "inner_products": cost(system.models, system.beams, corpus.test.X),
        "cpu_s": system.cpu_s,
        "model_mb": sum(model.size_bytes() for model in system.models) / 1e6,
        "slots": tree.n_slots / len(np.unique(tree.slot_label)),
        "ms": 1000 * seconds / P.shape[0],
        "beams": list(system.beams),
    }
    if corpus.sense_labels is not None:
        groups = sense_recall(P, corpus.test.senses, corpus.train.senses, corpus.sense_labels, k=TOP_K)
        figures["senses"] = {name: group[f"R@{TOP_K}"] for name, group in groups.to_dict().items()}
    return figures, shares


def separation(system: System, corpus: StudyCorpus, beams: CSR, beam_size: int) -> dict[str, float | None]:
    """Shares of labels whose senses are told apart: by out-of-fold beams of training documents, and on test
    documents by beams of the same width."""
    model = system.models[0]
    found = model.to_stages()[0].predict(corpus.test.X, beam_size=beam_size)
    told: dict[str, float | None] = {}
    for part, held, documents in (("train", beams, corpus.train), ("test", found, corpus.test)):
        result = sense_separation(model.tree_, held, documents.senses, corpus.sense_labels).to_dict()
        told |= {f"{part}_strict": result["strict"], f"{part}_routed": result["routed"]}
    return told


def cost(models: Sequence[XRLinear], beams: Sequence[int], X: CSR) -> float:
    """Inner products of a query."""
    total = 0.0
    for model, beam in zip(models, beams, strict=True):
        matcher, _ = model.to_stages()
        total += inner_products(model.tree_, matcher.predict_levels(X, beam_size=beam))
    return total


def difference(ours: Sequence[Shares], theirs: Sequence[Shares], metric: str) -> tuple[float, float]:
    """Difference of means over seeds, and its standard error over documents, paired."""
    gains = [np.mean([shares[metric][0] for shares in who], axis=0) for who in (ours, theirs)]
    best = ours[0][metric][1]
    by_row = gains[0] - gains[1]
    # A ratio of sums: what is left of each row beside its part of the mean difference.
    ratio = by_row.sum() / best.sum()
    left = by_row - ratio * best
    return float(ratio), float(np.sqrt((left**2).sum()) / best.sum())
