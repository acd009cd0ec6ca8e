"""Rounds of label disentanglement: find beams, see on held-out documents whether it helps, train.

A round is judged by a model that has not seen the held-out documents and whose labels were reassigned
without them. If it is no better than the one before, it passes on what it was given.
"""

import logging
from dataclasses import asdict
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.corpora import Corpus
from larix.pipelines.disentanglement.assessment import assess, narrowed
from larix.pipelines.disentanglement.params import RoundParams
from larix.pipelines.ensemble.nodes import train_model
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams
from larix.pipelines.ranking.nodes import RankingParams
from larix.pipelines.refinement.held_out import held_out_documents
from larix.pipelines.refinement.params import RefinementParams
from larix.reporting import rounds_figure
from larix.serving.given_features import GivenFeatures
from larix.xmc.beam_search import SearchParams
from larix.xmc.disentangled_training import cluster_beams, train_on
from larix.xmc.disentanglement import Reassignment, own_clusters, reassign_labels, slots_of_positives
from larix.xmc.ensemble import Ensemble
from larix.xmc.label_clusters import SlotView, view_label
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_stages import LinearMatcher, LinearRanker
from larix.xmc.search_cost import inner_products
from larix.xmc.sparse import CSR
from larix.xmc.text_features import TextFeatures
from larix.xmc.transformer.joint_features import JointFeatures
from larix.xmc.xr_linear import XRLinear

logger = logging.getLogger(__name__)
N_SAMPLED = 1000  # queries that costs are measured on
LETTERS_SHOWN = 120
TOLD_OF_ROUNDS = ("metrics", "inner_products", "beam_size", "slots_per_label", "size_mb")
Figure = Any
"""A matplotlib figure, which shall not be imported for an annotation."""


def train_without_held_out(
    train_instances: CSR,
    train_labels: CSR,
    label_tree: LabelTree,
    matcher_training: MatcherTrainingParams,
    ranking: RankingParams,
    search: SearchParams,
    refinement: RefinementParams,
    params: RoundParams,
    random_state: int,
    n_threads: int | None,
) -> tuple[Ensemble, dict[str, Any]]:
    """A plain model of all training documents but the held-out ones, and how it does on these.

    Without a model, if nothing is learnt from held-out documents or there are too few.
    """
    held = held_out_documents(train_labels, refinement, random_state)
    if not held.any() or (params.reassignment.changes_nothing and not refinement.learns_from_held_out):
        return Ensemble.of([]), {"round": 0}
    X, Y, X_held, Y_held = (M[rows] for rows in (~held, held) for M in (train_instances, train_labels))
    model = train_model(X, Y, label_tree, matcher_training, ranking, random_state, n_threads)
    model.set_params(search=search)
    return Ensemble.of([model]), {"round": 0, **assess(model, X_held, Y_held, Y)}


def find_beams(
    train_instances: CSR,
    train_labels: CSR,
    matcher: LinearMatcher,
    label_tree: LabelTree,
    held_out_assessment: dict[str, Any],
    params: RoundParams,
    random_state: int,
) -> CSR:
    """Clusters of training documents by matchers that have not seen them, N x K; none if rounds are over."""
    over = reason_to_stop(held_out_assessment, params)
    if over:
        logger.info("no further round: %s", over)
        return sp.csr_array((train_instances.shape[0], label_tree.n_clusters), dtype="float32")
    tree, wanted, targets = matcher.tree_, params.reassignment, None
    if tree.has_overlap:  # the matcher of a round before
        own, kept = own_clusters(label_tree), matcher.predict(train_instances, beam_size=wanted.beam_size)
        targets = slots_of_positives(tree, own, train_labels, kept, wanted.positives)
    return cluster_beams(
        matcher, train_instances, train_labels, tree, beam_size=wanted.beam_size, n_folds=wanted.n_folds,
        slot_targets=targets, random_state=random_state,
    )  # fmt: skip


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


def try_round(
    train_instances: CSR,
    train_labels: CSR,
    label_tree: LabelTree,
    beams: CSR,
    held_out_model: Ensemble,
    held_out_assessment: dict[str, Any],
    search: SearchParams,
    refinement: RefinementParams,
    params: RoundParams,
    random_state: int,
    n_threads: int | None,
) -> tuple[Ensemble, dict[str, Any]]:
    """A model without held-out documents and its assessment; those before if they are as good."""
    if not beams.nnz:
        passed_on = {name: value for name, value in held_out_assessment.items() if name != "tried"}
        return held_out_model, {**passed_on, "stopped": True}
    held = held_out_documents(train_labels, refinement, random_state)
    X, Y, X_held, Y_held = (M[rows] for rows in (~held, held) for M in (train_instances, train_labels))
    before = held_out_model.models_[0].to_stages()
    _, *stages = _trained(X, Y, label_tree, *before, beams[~held], params, n_threads)
    plain_cost = held_out_assessment.get("plain_inner_products", held_out_assessment["inner_products"])
    model = XRLinear.from_stages(*stages)
    model.set_params(search=narrowed(search, stages[0], model.tree_, X_held, params.max_cost * plain_cost))
    tried = assess(model, X_held, Y_held, Y)
    was, now = (found["metrics"][params.metric] for found in (held_out_assessment, tried))
    logger.info(
        "round %d, held-out documents: %s %.2f -> %.2f %%, %.0f -> %.0f inner products, beam %d -> %d",
        held_out_assessment["round"] + 1, params.metric, 100 * was, 100 * now,
        held_out_assessment["inner_products"], tried["inner_products"],
        held_out_assessment["beam_size"], tried["beam_size"],
    )  # fmt: skip
    if now <= was + params.min_improvement:
        return held_out_model, {**held_out_assessment, "stopped": True, "tried": tried}
    after = {"round": held_out_assessment["round"] + 1, "plain_inner_products": plain_cost}
    return Ensemble.of([model]), {**after, **tried}


def train_round(
    train_instances: CSR,
    train_labels: CSR,
    label_tree: LabelTree,
    matcher: LinearMatcher,
    ranker: LinearRanker,
    beams: CSR,
    new_assessment: dict[str, Any],
    params: RoundParams,
    n_threads: int | None,
) -> tuple[LinearMatcher, LinearRanker, NDArray[np.float32]]:
    """Matcher and ranker of the reassigned tree, and what its slots gain; those before if stopped."""
    if new_assessment.get("stopped"):
        return matcher, ranker, np.zeros((ranker.tree_.n_slots, 1), np.float32)
    reassigned, *stages = _trained(
        train_instances, train_labels, label_tree, matcher, ranker, beams, params, n_threads
    )
    return stages[0], stages[1], reassigned.gain[:, None]


def _trained(
    X: CSR,
    Y: CSR,
    label_tree: LabelTree,
    matcher: LinearMatcher,
    ranker: LinearRanker,
    beams: CSR,
    params: RoundParams,
    n_threads: int | None,
) -> tuple[Reassignment, LinearMatcher, LinearRanker]:
    reassigned = reassign_labels(label_tree, Y, beams, params.reassignment, n_threads=n_threads)
    stages = train_on(
        reassigned, label_tree, matcher, ranker, X, Y, beams, params.reassignment, params.retrain
    )
    return reassigned, *stages


def match_beam(
    train_instances: CSR,
    label_tree: LabelTree,
    plain_matcher: LinearMatcher,
    matcher: LinearMatcher,
    ranker: LinearRanker,
    search: SearchParams,
    params: RoundParams,
) -> dict[str, Any]:
    """How the last tree is searched: as asked for, but no wider than `max_cost` allows."""
    if not ranker.tree_.has_overlap:
        return asdict(search)
    sample = train_instances[:N_SAMPLED]
    cost = inner_products(label_tree, plain_matcher.predict_levels(sample, beam_size=search.beam_size))
    return asdict(narrowed(search, matcher, ranker.tree_, sample, params.max_cost * cost))


def compare_on_test(
    plain_matcher: LinearMatcher,
    plain_ranker: LinearRanker,
    matcher: LinearMatcher,
    ranker: LinearRanker,
    train_labels: CSR,
    test_instances: CSR,
    test_labels: CSR,
    search: SearchParams,
    search_settings: dict[str, Any],
    params: RoundParams,
    *assessments: dict[str, Any],
) -> dict[str, Any]:
    """The plain tree beside the last one on test documents, before anything is done to their scores."""
    plain = XRLinear.from_stages(plain_matcher, plain_ranker).set_params(search=search)
    last = XRLinear.from_stages(matcher, ranker).set_params(search=SearchParams(**search_settings))
    found = {
        name: assess(model, test_instances, test_labels, train_labels)
        for name, model in (("plain", plain), ("disentangled", last))
    }
    was, now = found["plain"], found["disentangled"]
    logger.info(
        "test documents, trees alone: P@1 %.2f -> %.2f %%, nDCG@5 %.2f -> %.2f %%, R@10 %.2f -> %.2f %%, "
        "%.0f -> %.0f inner products, %.2f clusters a label",
        *(100 * model["metrics"][metric] for metric in ("P@1", "nDCG@5", "R@10") for model in (was, now)),
        was["inner_products"], now["inner_products"], now["slots_per_label"],
    )  # fmt: skip
    rounds = [_of_round(n, assessment) for n, assessment in enumerate(assessments)]
    return {
        **found,
        "rounds_kept": assessments[-1]["round"],
        "metric": params.metric,
        "rounds": [tried for tried in rounds if tried is not None],
    }


def _of_round(n: int, assessment: dict[str, Any]) -> dict[str, Any] | None:
    """What a round came to on held-out documents; None if there was none."""
    found = assessment.get("tried", assessment)
    kept = assessment["round"] == n
    if "metrics" not in found or not (kept or "tried" in assessment):
        return None
    return {"round": n, "kept": kept, **{name: found[name] for name in TOLD_OF_ROUNDS}}


def draw_rounds(disentanglement: dict[str, Any]) -> Figure:
    """The metric that decides, and the cost of a query, over rounds."""
    return rounds_figure(disentanglement["rounds"], disentanglement["metric"])


def show_labels(
    corpus: Corpus,
    text_features: TextFeatures | JointFeatures | GivenFeatures,
    train_instances: CSR,
    train_labels: CSR,
    matcher: LinearMatcher,
    ranker: LinearRanker,
    params: RoundParams,
    slot_gain: NDArray[np.float32] | None = None,
) -> list[dict[str, Any]]:
    """The labels that gained most from further clusters, with what they are in each."""
    tree = ranker.tree_
    if slot_gain is None or not tree.has_overlap:
        return []
    gain = slot_gain.ravel()
    best, total = np.zeros(tree.n_labels), np.zeros(tree.n_labels)
    np.maximum.at(best, tree.slot_label, gain)
    np.add.at(total, tree.slot_label, gain)
    chosen = np.argsort(best - total, kind="stable")[: params.n_shown]
    names = None if isinstance(text_features, GivenFeatures) else text_features.feature_names()
    texts = corpus.train.texts or corpus.train.ids

    def told(view: SlotView) -> dict[str, Any]:
        return {
            "cluster": view.cluster,
            "gain": view.gain,
            "neighbours": [corpus.label_names[label] for label in view.neighbours],
            "features": [str(feature) if names is None else names[feature] for feature, _ in view.features],
            "documents": [texts[row][:LETTERS_SHOWN] for row in view.documents],
        }

    return [
        {
            "label": corpus.label_ids[label],
            "name": corpus.label_names[label],
            "clusters": [
                told(view)
                for view in view_label(label, matcher, ranker, train_instances, train_labels, gain=gain)
            ],
        }
        for label in chosen.tolist()
        if total[label] > best[label]
    ]
