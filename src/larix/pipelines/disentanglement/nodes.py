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
from larix.pipelines.disentanglement.labels_told import most_gained, told_of_label
from larix.pipelines.disentanglement.params import RoundParams
from larix.pipelines.disentanglement.rounds_made import (
    better,
    ended,
    reason_to_stop,
    summary_of_round,
    train_reassigned,
)
from larix.pipelines.disentanglement.senses_told import told_of_senses
from larix.pipelines.ensemble.nodes import train_model
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams
from larix.pipelines.ranking.nodes import RankingParams
from larix.pipelines.refinement.held_out import held_out_documents
from larix.pipelines.refinement.params import RefinementParams
from larix.reporting import rounds_figure
from larix.serving.given_features import GivenFeatures
from larix.xmc.beam_search import SearchParams
from larix.xmc.disentangled_training import cluster_beams
from larix.xmc.disentanglement import own_clusters, slots_of_positives
from larix.xmc.ensemble import Ensemble
from larix.xmc.label_clusters import view_label
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_stages import LinearMatcher, LinearRanker
from larix.xmc.search_cost import inner_products
from larix.xmc.sparse import CSR
from larix.xmc.text_features import TextFeatures
from larix.xmc.transformer.joint_features import JointFeatures
from larix.xmc.xr_linear import XRLinear

logger = logging.getLogger(__name__)
N_SAMPLED = 1000  # queries that costs are measured on
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
    train_rejected: CSR,
) -> tuple[Ensemble, dict[str, Any]]:
    """A plain model of all training documents but the held-out ones, and how it does on these.

    Without a model, if nothing is learnt from held-out documents or there are too few.
    """
    held = held_out_documents(train_labels, refinement, random_state)
    if not held.any() or (params.reassignment.changes_nothing and not refinement.learns_from_held_out):
        return Ensemble.of([]), {"round": 0}
    X, Y, X_held, Y_held = (M[rows] for rows in (~held, held) for M in (train_instances, train_labels))
    rejected = train_rejected[~held]
    model = train_model(X, Y, label_tree, matcher_training, ranking, random_state, n_threads, rejected)
    model.set_params(search=search)
    found = assess(model, X_held, Y_held, Y)
    return Ensemble.of([model]), {"round": 0, "plain_inner_products": found["inner_products"], **found}


def find_beams(
    train_instances: CSR,
    train_labels: CSR,
    matcher: LinearMatcher,
    label_tree: LabelTree,
    held_out_assessment: dict[str, Any],
    params: RoundParams,
    random_state: int,
    train_rejected: CSR,
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
        slot_targets=targets, rejected=train_rejected, random_state=random_state,
    )  # fmt: skip


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
    train_rejected: CSR,
) -> tuple[Ensemble, dict[str, Any]]:
    """A model without held-out documents and its assessment; those before if they are as good."""
    if not beams.nnz:
        return held_out_model, ended(held_out_assessment)
    held = held_out_documents(train_labels, refinement, random_state)
    X, Y, R, others_beams = (M[~held] for M in (train_instances, train_labels, train_rejected, beams))
    stages = held_out_model.models_[0].to_stages()
    _, *stages = train_reassigned(X, Y, label_tree, *stages, others_beams, params, n_threads, R)
    model, X_held = XRLinear.from_stages(*stages), train_instances[held]
    limit = params.max_cost * held_out_assessment["plain_inner_products"]
    model.set_params(search=narrowed(search, stages[0], model.tree_, X_held, limit))
    return better(
        held_out_model, held_out_assessment, model, assess(model, X_held, train_labels[held], Y), params
    )


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
    train_rejected: CSR,
) -> tuple[LinearMatcher, LinearRanker, NDArray[np.float32]]:
    """Matcher and ranker of the reassigned tree, and what its slots gain; those before if stopped."""
    if new_assessment.get("stopped"):
        return matcher, ranker, np.zeros((ranker.tree_.n_slots, 1), np.float32)
    reassigned, *stages = train_reassigned(
        train_instances, train_labels, label_tree, matcher, ranker, beams, params, n_threads, train_rejected
    )
    return stages[0], stages[1], reassigned.gain[:, None]


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
    corpus: Corpus,
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
        | told_of_senses(model, corpus, test_instances)
        for name, model in (("plain", plain), ("disentangled", last))
    }
    was, now = found["plain"], found["disentangled"]
    logger.info(
        "test documents, trees alone: P@1 %.2f -> %.2f %%, nDCG@5 %.2f -> %.2f %%, R@10 %.2f -> %.2f %%, "
        "%.0f -> %.0f inner products, %.2f clusters a label",
        *(100 * model["metrics"][metric] for metric in ("P@1", "nDCG@5", "R@10") for model in (was, now)),
        was["inner_products"], now["inner_products"], now["slots_per_label"],
    )  # fmt: skip
    rounds = [summary_of_round(n, assessment) for n, assessment in enumerate(assessments)]
    return {
        **found,
        "rounds_kept": assessments[-1]["round"],
        "metric": params.metric,
        "rounds": [tried for tried in rounds if tried is not None],
    }


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
    if slot_gain is None or not ranker.tree_.has_overlap:
        return []
    gain = slot_gain.ravel()
    X, Y = train_instances, train_labels
    labels = most_gained(ranker.tree_, gain, params.n_shown)
    views = {label: view_label(label, matcher, ranker, X, Y, gain=gain) for label in labels}
    names = None if isinstance(text_features, GivenFeatures) else text_features.feature_names()
    return [told_of_label(label, views[label], corpus, names) for label in labels]
