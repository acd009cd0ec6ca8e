"""Remember training documents, and learn from held-out ones what scores are worth."""

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.corpora import Corpus
from larix.corpora.corpus import CorpusPart
from larix.pipelines.ensemble.nodes import join_trees, train_again
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams
from larix.pipelines.ranking.nodes import RankingParams
from larix.pipelines.refinement.held_out import held_out_documents
from larix.pipelines.refinement.memory import (
    EmbeddingMemoryParams,
    MemoryPlan,
    plan_memory,
    rows_for_memory,
)
from larix.pipelines.refinement.params import RefinementParams
from larix.xmc.beam_search import SearchParams
from larix.xmc.ensemble import Ensemble
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.matrix import leading_columns
from larix.xmc.refinement import Model, Refinement
from larix.xmc.sparse import CSR

logger = logging.getLogger(__name__)


def predict_held_out(
    train_instances: CSR,
    train_labels: CSR,
    held_out_model: Ensemble,
    ensemble_members: Ensemble,
    matcher_training: MatcherTrainingParams,
    ranking: RankingParams,
    search_settings: dict[str, Any],
    params: RefinementParams,
    random_state: int,
    n_threads: int | None,
    train_rejected: CSR,
    embeddings: EmbeddingMemoryParams | None = None,
    label_embeddings: NDArray[np.float32] | None = None,
    train_memory_embeddings: NDArray[np.float32] | None = None,
) -> tuple[CSR, CSR, dict[str, Any]]:
    """Scores and labels of held-out training documents, from a model and a memory of the others.

    The votes of the memory are chosen with them. Nothing is there if nothing is learnt from them.
    """
    if not (held_out_model.models_ and params.learns_from_held_out):
        return (*((sp.csr_array((0, train_labels.shape[1]), dtype="float32"),) * 2), {})
    held = held_out_documents(train_labels, params, random_state)
    X, Y, rejected = (M[~held] for M in (train_instances, train_labels, train_rejected))
    rows, Y_held = rows_for_memory(train_instances, train_memory_embeddings), train_labels[held]
    members = train_again(ensemble_members, X, Y, matcher_training, ranking, n_threads, rejected)
    model = join_trees(
        [*held_out_model.models_, *members], ensemble_members.rule, SearchParams(**search_settings)
    )
    plan = plan_memory(params, embeddings, label_embeddings, random_state, n_threads)
    others, choice = _choose_votes(
        _untrained(rows[~held], Y, params, plan, n_threads), plan, model, rows[held], Y_held
    )
    return others.rank(model, rows[held], top_k=params.n_candidates), Y_held, choice


def _choose_votes(
    refinement: Refinement, plan: MemoryPlan, model: Model, X: CSR, Y: CSR
) -> tuple[Refinement, dict[str, Any]]:
    """The refinement with the best votes of its memory, and what was tried."""
    memory = refinement.memory
    if memory is None or not plan.is_open:
        return refinement, {}
    P = model.predict(leading_columns(X, model.n_features_in_), top_k=refinement.n_candidates)
    choice = plan.choose(memory, P, X, Y)
    return replace(refinement, memory=memory.set_params(params=plan.chosen(choice).votes)), choice


def _untrained(
    X: CSR,
    Y: CSR,
    params: RefinementParams,
    plan: MemoryPlan,
    n_threads: int | None,
    names: list[str] | None = None,
) -> Refinement:
    """The parts that need no held-out documents."""
    return Refinement(
        memory=plan.remember(X, Y, names, n_threads=n_threads),
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
    embeddings: EmbeddingMemoryParams | None = None,
    label_embeddings: NDArray[np.float32] | None = None,
    train_memory_embeddings: NDArray[np.float32] | None = None,
    random_state: int = 0,
) -> Refinement:
    """Everything that is done to the tree's scores."""
    plan = plan_memory(params, embeddings, label_embeddings, random_state, n_threads).chosen(memory_choice)
    names = _names(corpus.train, params.excerpt_length)
    rows = rows_for_memory(train_instances, train_memory_embeddings)
    refinement = _untrained(rows, train_labels, params, plan, n_threads, names)
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
