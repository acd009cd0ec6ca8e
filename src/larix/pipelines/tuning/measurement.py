"""What a trained model is worth, and what it costs, with one setting of its search and refinement."""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from larix.pipelines.disentanglement.assessment import narrowed
from larix.pipelines.refinement.memory import MemoryPlan, plan_memory
from larix.pipelines.tuning.linear_path import LinearPath, Trained
from larix.pipelines.tuning.linear_settings import LinearSettings
from larix.tuning.product_store import Product
from larix.xmc.beam_search import SearchParams
from larix.xmc.document_memory import DocumentMemory, MemoryParams, compare_blends
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.metrics import evaluate
from larix.xmc.propensity_reranking import rerank_by_propensity
from larix.xmc.refinement import Refinement
from larix.xmc.search_cost import inner_products
from larix.xmc.sparse import CSR, check_csr
from larix.xmc.voting import blend, vote
from larix.xmc.xr_linear import XRLinear

N_COUNTED = 1000  # documents that inner products are counted on
N_TIMED = 300  # documents that are timed
N_REPEATS = 3
CUTOFFS = (1, 3, 5, 10)


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A model that may answer, with its search, its scores of validation documents and its cost."""

    model: XRLinear
    scores: CSR
    inner_products: float


def measure(
    path: LinearPath, trained: Trained, settings: LinearSettings, ks: Sequence[int]
) -> dict[str, float]:
    """Qualities at these cut-offs and others, and costs, on the validation documents."""
    params = settings.refinement
    plain = _candidate(trained.models[0], settings.search, trained, settings)
    chosen = _last_kept(path, trained, settings, plain)
    memory, nearest = _memory(path, trained, params.memory)
    votes, P = None, chosen.scores
    if memory is not None and nearest is not None:
        plan = plan_memory(params)
        votes = _votes(plan, memory, nearest, P, path)
        P = blend(P, vote(nearest, memory.Y_, votes.temperature), votes.weight, top_k=params.n_candidates)
    frequencies = LabelFrequencies.of(path.Y)
    if params.propensity_alpha:
        P = rerank_by_propensity(P, frequencies, params.propensity_alpha)
    cutoffs = sorted({*CUTOFFS, *ks} - {0})
    found = evaluate(P, path.Y_validation, frequencies, cutoffs, cutoffs).metrics
    refinement = Refinement(
        memory=None if memory is None else _with_votes(memory, votes),
        alpha=params.propensity_alpha, frequencies=frequencies, n_candidates=params.n_candidates,
    )  # fmt: skip
    return {
        **{name: value for name, value in found.items() if not name.startswith("coverage")},
        "milliseconds": milliseconds(path, trained, chosen.model, refinement),
        "inner_products": chosen.inner_products,
        "size_mb": (chosen.model.size_bytes() + (0 if memory is None else memory.size_bytes())) / 2**20,
    }


def _candidate(
    model: XRLinear, search: SearchParams, trained: Trained, settings: LinearSettings
) -> _Candidate:
    X = trained.features["validation_instances"]
    searched = copy.copy(model).set_params(search=search)
    matcher, _ = searched.to_stages()
    cost = inner_products(searched.tree_, matcher.predict_levels(X[:N_COUNTED]))
    top_k = max(settings.refinement.n_candidates, *CUTOFFS)
    return _Candidate(searched, searched.predict(X, top_k=top_k), cost)


def _last_kept(path: LinearPath, trained: Trained, settings: LinearSettings, plain: _Candidate) -> _Candidate:
    """The last round that is better than the one before, as a run would keep it."""
    params, kept = settings.disentanglement, plain
    X = trained.features["validation_instances"][:N_COUNTED]
    for model in trained.models[1:]:
        matcher, _ = model.to_stages()
        limit = params.max_cost * plain.inner_products
        search = narrowed(settings.search, matcher, model.tree_, X, limit)
        tried = _candidate(model, search, trained, settings)
        was, now = (_quality(path, candidate, params.metric) for candidate in (kept, tried))
        if now <= was + params.min_improvement:
            return kept
        kept = tried
    return kept


def _quality(path: LinearPath, candidate: _Candidate, metric: str) -> float:
    k = int(metric.partition("@")[2])
    return evaluate(candidate.scores, path.Y_validation, path.Y, [k], [k]).metrics[metric]


def _memory(
    path: LinearPath, trained: Trained, params: MemoryParams | None
) -> tuple[DocumentMemory | None, CSR | None]:
    """The memory of the training documents, and the nearest ones of every validation document."""
    if params is None:
        return None, None
    made_of: dict[str, Any] = {"features": trained.features, "max_df": params.max_df}

    def remember() -> dict[str, Any]:
        X = trained.features["train_instances"]
        return {"memory": DocumentMemory(params, n_threads=path.n_threads).fit(X, path.Y)}

    memory = copy.copy(path.store.get("memory", made_of, remember)["memory"])
    memory.set_params(params=params, n_threads=path.n_threads)

    def look() -> dict[str, Any]:
        nearest = memory.neighbours(trained.features["validation_instances"], params.k)
        return {"nearest": check_csr(nearest)}  # in the order in which it comes back from disk

    nearest: Product = path.store.get("neighbours", {**made_of, "k": params.k}, look)
    return memory, nearest["nearest"]


@dataclass(frozen=True, eq=False)
class _Known:
    """A memory whose neighbours are known already, as far as choosing votes is concerned."""

    params: MemoryParams
    Y_: CSR
    nearest: CSR

    def neighbours(self, X: Any, k: int) -> CSR:  # noqa: ARG002 (as a memory has it)
        return self.nearest


def _votes(plan: MemoryPlan, memory: DocumentMemory, nearest: CSR, P: CSR, path: LinearPath) -> MemoryParams:
    """How much votes count: chosen as a run does, or as given."""
    given = memory.params or MemoryParams()
    if not plan.is_open:
        return given
    known: Any = _Known(given, memory.Y_, nearest)
    tried = compare_blends(
        known, P, P, path.Y_validation, ks=[given.k], weights=plan.weights, temperatures=plan.temperatures
    )
    return tried[0].params


def _with_votes(memory: DocumentMemory, votes: MemoryParams | None) -> DocumentMemory:
    return copy.copy(memory).set_params(params=votes)


def milliseconds(path: LinearPath, trained: Trained, model: XRLinear, refinement: Refinement) -> float:
    """CPU time of one document from text to scores, in one thread.

    The least of some repetitions, since other work on a machine can only add to it.
    """
    part = path.split.corpus.test
    texts = None if part.texts is None else part.texts[:N_TIMED]
    features = copy.copy(trained.features["text_features"])
    single = copy.copy(model).set_params(n_threads=1)
    if refinement.memory is not None:
        refinement = replace(refinement, memory=copy.copy(refinement.memory).set_params(n_threads=1))
    seconds: list[float] = []
    for _ in range(N_REPEATS):
        started = time.thread_time()
        if texts is None:
            X = features.transform(part.features[:N_TIMED])
        else:
            X = features.set_params(n_threads=1).transform(texts)
        refinement.rank(single, X, top_k=10)
        seconds.append(time.thread_time() - started)
    return 1000 * min(seconds) / int(X.shape[0])
