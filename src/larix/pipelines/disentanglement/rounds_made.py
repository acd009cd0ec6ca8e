"""What rounds share: when there is no further one, how one is trained, and whether it is kept."""

import logging
from typing import Any

from larix.pipelines.disentanglement.params import RoundParams
from larix.xmc.disentangled_training import train_on
from larix.xmc.disentanglement import Reassignment, reassign_labels
from larix.xmc.ensemble import Ensemble
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_stages import LinearMatcher, LinearRanker
from larix.xmc.sparse import CSR
from larix.xmc.xr_linear import XRLinear

logger = logging.getLogger(__name__)
_TOLD = ("metrics", "inner_products", "beam_size", "slots_per_label", "size_mb")


def reason_to_stop(assessment: dict[str, Any], params: RoundParams) -> str | None:
    """Why there is no further round, or None."""
    if params.reassignment.changes_nothing:
        return "labels keep the one cluster they have"
    if "metrics" not in assessment:
        return "there are too few documents to hold out, so nothing could tell whether it helps"
    if assessment.get("stopped"):
        return "the one before was no better"
    if assessment["round"] and params.retrain == "ranker":
        return "the matcher has not changed"
    return None


def train_reassigned(
    X: CSR,
    Y: CSR,
    label_tree: LabelTree,
    matcher: LinearMatcher,
    ranker: LinearRanker,
    beams: CSR,
    params: RoundParams,
    n_threads: int | None,
    rejected: CSR,
) -> tuple[Reassignment, LinearMatcher, LinearRanker]:
    """The labels reassigned by the beams, and matcher and ranker of the new tree."""
    reassigned = reassign_labels(label_tree, Y, beams, params.reassignment, n_threads=n_threads)
    stages = train_on(
        reassigned, label_tree, matcher, ranker, X, Y, beams, params.reassignment, params.retrain, rejected
    )
    return reassigned, *stages


def better(
    model_before: Ensemble,
    before: dict[str, Any],
    model: XRLinear,
    tried: dict[str, Any],
    params: RoundParams,
) -> tuple[Ensemble, dict[str, Any]]:
    """The model and its assessment if they are better than those before; those before otherwise."""
    was, now = (found["metrics"][params.metric] for found in (before, tried))
    logger.info(
        "round %d, held-out documents: %s %.2f -> %.2f %%, %.0f -> %.0f inner products, beam %d -> %d",
        before["round"] + 1, params.metric, 100 * was, 100 * now,
        before["inner_products"], tried["inner_products"], before["beam_size"], tried["beam_size"],
    )  # fmt: skip
    if now <= was + params.min_improvement:
        return model_before, {**ended(before), "tried": tried}
    return Ensemble.of([model]), {**before, **tried, "round": before["round"] + 1}


def ended(assessment: dict[str, Any]) -> dict[str, Any]:
    """An assessment after which there is no further round."""
    return {name: value for name, value in assessment.items() if name != "tried"} | {"stopped": True}


def summary_of_round(n: int, assessment: dict[str, Any]) -> dict[str, Any] | None:
    """What a round came to on held-out documents; None if there was none."""
    found = assessment.get("tried", assessment)
    kept = assessment["round"] == n
    if "metrics" not in found or not (kept or "tried" in assessment):
        return None
    return {"round": n, "kept": kept, **{name: found[name] for name in _TOLD}}
