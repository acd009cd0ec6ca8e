"""The refinement stage: what is held out, remembered and learnt."""

import logging
from dataclasses import asdict

import numpy as np
import pytest
import scipy.sparse as sp

from larix.corpora import corpus_from_texts
from larix.pipelines.disentanglement.nodes import train_without_held_out
from larix.pipelines.disentanglement.params import RoundParams
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams
from larix.pipelines.ranking.nodes import RankingParams
from larix.pipelines.refinement.nodes import learn_refinement, predict_held_out
from larix.pipelines.refinement.params import RefinementParams
from larix.xmc.beam_search import SearchParams
from larix.xmc.ensemble import Ensemble
from larix.xmc.metrics import evaluate
from larix.xmc.xr_linear import XRLinear
from tests.xmc.data import documents, random_tree

N = 1500


@pytest.fixture(scope="module")
def data():
    X, Y = documents(N, 60, 30, seed=1)
    labels = [
        [f"{label:02}" for label in Y.indices[a:b]] for a, b in zip(Y.indptr[:-1], Y.indptr[1:], strict=True)
    ]
    corpus = corpus_from_texts([f"a text with number {i}" for i in range(N)], labels, [], [])
    return corpus, X, Y, random_tree(30, [5], seed=1)


def held_out(data, params, **given):
    _, X, Y, tree = data
    X, Y = given.get("X", X), given.get("Y", Y)
    training, search = (MatcherTrainingParams(), RankingParams()), SearchParams()
    plain = RoundParams(reassignment={"max_clusters_per_label": 1})
    none_rejected = sp.csr_array(Y.shape)
    model, _ = train_without_held_out(X, Y, tree, *training, search, params, plain, 0, None, none_rejected)
    return predict_held_out(
        X, Y, model, Ensemble.of([]), *training, asdict(search), params, 0, None, none_rejected
    )


def test_scores_are_those_of_documents_that_the_model_does_not_know(data):
    params = RefinementParams()
    scores, labels, choice = held_out(data, params)
    assert scores.shape == labels.shape == (150, 30)
    assert np.diff(scores.indptr).max() == params.n_candidates
    without, _, nothing = held_out(data, RefinementParams(memory=None))
    assert not np.array_equal(scores.indices, without.indices)
    assert nothing == {}
    refinement = learn_refinement(data[0], data[1], data[2], scores, labels, choice, params, None)
    P = refinement.predict(XRLinear().fit(data[1], data[2], data[3]), data[1][:20], top_k=5)
    assert 0 < P.data.min() <= P.data.max() < 1
    assert refinement.memory.index_.n_rows == N
    assert refinement.memory.names_[3] == f"{data[0].train.ids[3]}: a text with number 3"


def test_nothing_is_held_out_if_nothing_is_learnt_from_it(data):
    params = RefinementParams(calibration=None, memory=None)
    scores, labels, choice = held_out(data, params)
    assert scores.shape == labels.shape == (0, 30)
    refinement = learn_refinement(data[0], data[1], data[2], scores, labels, choice, params, None)
    assert (refinement.memory, refinement.calibrator, refinement.threshold) == (None, None, None)


def test_too_few_documents_leave_scores_uncalibrated_and_say_so(data, caplog):
    with caplog.at_level(logging.WARNING):
        scores, labels, choice = held_out(data, RefinementParams(), X=data[1][:500], Y=data[2][:500])
    assert "nothing is learnt from held-out documents: that needs 100 of them" in caplog.text
    assert scores.shape[0] == labels.shape[0] == 0
    refinement = learn_refinement(data[0], data[1], data[2], scores, labels, choice, RefinementParams(), None)
    assert refinement.calibrator is None
    assert refinement.memory is not None


def test_a_threshold_and_propensities_take_part(data):
    params = RefinementParams(
        propensity_alpha=0.3, threshold={"guarantee": "precision", "level": 0.7}, held_out_share=0.3
    )
    refinement = learn_refinement(data[0], data[1], data[2], *held_out(data, params), params, None)
    assert refinement.alpha == 0.3
    assert refinement.frequencies.n_documents == N
    assert refinement.threshold.level == 0.7
    assert refinement.threshold.n_documents_ == 225


def test_the_weight_of_the_memory_is_the_best_tried(data):
    params = RefinementParams(memory_weights=(0.0, 0.3, 1.0))
    scores, labels, choice = held_out(data, params)
    tried = {row["weight"]: row["nDCG@10"] for row in choice["tried"]}
    assert set(tried) == {0.0, 0.3, 1.0}
    assert tried[choice["weight"]] == max(tried.values())
    assert evaluate(scores, labels, data[2], [10]).metrics["nDCG@10"] == pytest.approx(max(tried.values()))
    memory = learn_refinement(data[0], data[1], data[2], scores, labels, choice, params, None).memory
    assert memory.weight == choice["weight"]
    fixed = RefinementParams(memory_weights=())
    assert held_out(data, fixed)[2] == {}
    assert learn_refinement(data[0], data[1], data[2], scores, labels, {}, fixed, None).memory.weight == 0.1


@pytest.mark.parametrize(
    ("length", "name"), [(0, "{id}"), (6, "{id}: a text…"), (99, "{id}: a text with number 0")]
)
def test_excerpts_are_as_long_as_wished(data, length, name):
    corpus, X, Y, _ = data
    params = RefinementParams(calibration=None, excerpt_length=length)
    nothing = sp.csr_array((0, 30), dtype=np.float32)
    memory = learn_refinement(corpus, X, Y, nothing, nothing, {}, params, None).memory
    assert memory.names_[0] == name.format(id=corpus.train.ids[0])
