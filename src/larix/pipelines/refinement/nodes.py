"""Remember training documents, and learn from held-out ones what scores are worth."""

import logging
from dataclasses import replace
from typing import Any

import scipy.sparse as sp

from larix.corpora import Corpus
from larix.corpora.corpus import CorpusPart
from larix.pipelines.ensemble.nodes import join_trees, train_model
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams
from larix.pipelines.ranking.nodes import RankingParams
from larix.pipelines.refinement.params import RefinementParams
from larix.xmc.beam_search import SearchParams
from larix.xmc.document_memory import DocumentMemory, compare_blends
from larix.xmc.ensemble import Ensemble
from larix.xmc.held_out import hold_out
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.label_tree import LabelTree
from larix.xmc.refinement import Model, Refinement
from larix.xmc.sparse import CSR

logger = logging.getLogger(__name__)
FEWEST_HELD_OUT = 100


def predict_held_out(
    train_instances: CSR,
    train_labels: CSR,
    label_tree: LabelTree,
    ensemble_members: Ensemble,
    matcher_training: MatcherTrainingParams,
    ranking: RankingParams,
    search: SearchParams,
    params: RefinementParams,
    random_state: int,
    n_threads: int | None,
) -> tuple[CSR, CSR, dict[str, Any]]:
    """Scores and labels of held-out training documents, from a model and a memory of the others.

    The weight of the memory is chosen with them. Nothing is there if nothing is learnt from them.
    """
    held = hold_out(train_labels, params.held_out_share, random_state=random_state)
    if not _are_enough(int(held.sum()), params):
        return (*((sp.csr_array((0, train_labels.shape[1]), dtype="float32"),) * 2), {})
    X, Y, X_held, Y_held = (M[rows] for rows in (~held, held) for M in (train_instances, train_labels))
    trees = [(label_tree, random_state), *((m.tree_, m.random_state) for m in ensemble_members.models_)]
    models = [train_model(X, Y, tree, matcher_training, ranking, seed, n_threads) for tree, seed in trees]
    model = join_trees(models, ensemble_members.rule, search)
    others, choice = _choose_weight(_untrained(X, Y, params, n_threads), model, X_held, Y_held, params)
    return others.rank(model, X_held, top_k=params.n_candidates), Y_held, choice


def _choose_weight(
    refinement: Refinement, model: Model, X: CSR, Y: CSR, params: RefinementParams
) -> tuple[Refinement, dict[str, Any]]:
    """The refinement with the best weight of its memory, and what was tried."""
    memory = refinement.memory
    if memory is None or params.memory is None or not params.memory_weights:
        return refinement, {}
    P = model.predict(X, top_k=params.n_candidates)
    grid = {"ks": [params.memory.k], "temperatures": [params.memory.temperature]}
    tried = compare_blends(memory, P, X, Y, weights=params.memory_weights, **grid)
    best = tried[0]
    logger.info("votes count %.0f %%: nDCG@10 %.2f %% of held-out documents", 100 * best.params.weight,
                100 * best.quality)  # fmt: skip
    choice = {
        "weight": best.params.weight,
        "tried": [{"weight": blend.params.weight, "nDCG@10": blend.quality} for blend in tried],
    }
    return replace(refinement, memory=memory.set_params(params=best.params)), choice


def _are_enough(n_held_out: int, params: RefinementParams) -> bool:
    if params.learns_from_held_out and n_held_out < FEWEST_HELD_OUT:
        logger.warning(
            "scores stay uncalibrated: that needs %d held-out documents, but without losing a label only %d "
            "can be held out", FEWEST_HELD_OUT, n_held_out,
        )  # fmt: skip
    return params.learns_from_held_out and n_held_out >= FEWEST_HELD_OUT


def _untrained(
    X: CSR, Y: CSR, params: RefinementParams, n_threads: int | None, names: list[str] | None = None
) -> Refinement:
    """The parts that need no held-out documents."""
    memory = params.memory and DocumentMemory(params.memory, n_threads=n_threads).fit(X, Y, names)
    return Refinement(
        memory=memory,
        alpha=params.propensity_alpha,
        frequencies=LabelFrequencies.of(Y) if params.propensity_alpha else None,
        n_candidates=params.n_candidates,
    )


def learn_refinement(
    corpus: Corpus,
    train_instances: CSR,
    train_labels: CSR,
    held_out_scores: CSR,
    held_out_labels: CSR,
    memory_choice: dict[str, Any],
    params: RefinementParams,
    n_threads: int | None,
) -> Refinement:
    """Everything that is done to the tree's scores."""
    if params.memory and memory_choice:
        params = replace(params, memory=replace(params.memory, weight=memory_choice["weight"]))
    names = _names(corpus.train, params.excerpt_length)
    refinement = _untrained(train_instances, train_labels, params, n_threads, names)
    if not held_out_scores.shape[0]:
        return refinement
    return refinement.learn(
        held_out_scores,
        held_out_labels,
        calibrator=params.calibration and params.calibration.calibrator(),
        threshold=params.threshold and params.threshold.threshold(),
    )


def _names(part: CorpusPart, excerpt_length: int) -> list[str]:
    """Identifiers of documents, with the beginning of their texts."""
    if part.texts is None or not excerpt_length:
        return list(part.ids)
    return [
        f"{name}: {text if len(text) <= excerpt_length else text[:excerpt_length].rstrip() + '…'}"
        for name, text in zip(part.ids, part.texts, strict=True)
    ]
