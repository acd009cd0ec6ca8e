"""What a model is worth and costs, on documents it has not seen."""

from dataclasses import replace
from typing import Any

from larix.pipelines.disentanglement.params import CUTOFFS
from larix.xmc.beam_search import SearchParams
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_stages import LinearMatcher
from larix.xmc.metrics import evaluate
from larix.xmc.search_cost import inner_products, widest_beam
from larix.xmc.sparse import CSR
from larix.xmc.xr_linear import XRLinear


def assess(model: XRLinear, X: CSR, Y: CSR, Y_train: CSR) -> dict[str, Any]:
    """Metrics, and what they cost: inner products of a query, beam, slots of a label, bytes."""
    predictions = model.predict(X, top_k=max(CUTOFFS))
    tree, n_slots = model.tree_, model.tree_.n_slots
    matcher, _ = model.to_stages()
    return {
        "metrics": evaluate(predictions, Y, Y_train, CUTOFFS, CUTOFFS).to_dict()["metrics"],
        "inner_products": inner_products(tree, matcher.predict_levels(X)),
        "beam_size": model.search.beam_size,
        "slots_per_label": n_slots / max(1, tree.n_labels_with_slots),
        "size_mb": model.size_bytes() / 2**20,
    }


def narrowed(
    search: SearchParams, matcher: LinearMatcher, tree: LabelTree, X: CSR, limit: float
) -> SearchParams:
    """The search with the widest beam that costs no more than so many inner products."""
    beam = widest_beam(matcher, tree, X, widest=search.beam_size, limit=limit)
    return replace(search, beam_size=beam)
