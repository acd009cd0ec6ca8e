"""The disentanglement stage: rounds are tried on held-out documents, kept or passed on, and told."""

import json
import logging
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp

from larix.corpora import LabelPairParams, corpus_from_texts, pair_labels
from larix.pipeline_registry import register_pipelines
from larix.pipelines.disentanglement import nodes
from larix.pipelines.disentanglement.params import RoundParams
from larix.pipelines.disentanglement.rounds import DEFAULT_ROUNDS, n_rounds, set_rounds
from larix.pipelines.disentanglement.rounds_made import reason_to_stop
from larix.pipelines.disentanglement.senses_told import told_of_senses
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams, train_matcher
from larix.pipelines.ranking.nodes import RankingParams, train_ranker
from larix.pipelines.refinement.params import RefinementParams
from larix.xmc.beam_search import SearchParams
from larix.xmc.search_cost import inner_products
from larix.xmc.xr_linear import XRLinear
from tests.xmc.data import documents, random_tree

N, L = 1500, 30
SEARCH, REFINEMENT = SearchParams(beam_size=3, top_k=5), RefinementParams()
TRAINING = (MatcherTrainingParams(), RankingParams())
NONE = sp.csr_array((N, L), dtype=np.float32)
"""No rejected labels."""
OFF = {"max_clusters_per_label": 1}
ALWAYS = RoundParams(reassignment={"budget": 3.0, "n_folds": 2, "beam_size": 3}, metric="R@10", max_cost=9.0)


@pytest.fixture(scope="module")
def plain():
    """Data, the plain tree, its matcher and ranker, and its model without held-out documents."""
    X, Y = documents(N, 60, L, seed=1)
    tree = random_tree(L, [5], seed=1)
    matcher = train_matcher(X, Y, tree, TRAINING[0], 0, None)
    ranker = train_ranker(X, Y, tree, None, TRAINING[1], 0, None)
    held_out = nodes.train_without_held_out(X, Y, tree, *TRAINING, SEARCH, REFINEMENT, ALWAYS, 0, None, NONE)
    return X, Y, tree, matcher, ranker, *held_out


def as_corpus(Y):
    """Training documents, and the same as test documents, with the labels of Y."""
    labels = [[f"{label:02}" for label in Y[[i]].indices] for i in range(Y.shape[0])]
    texts = [f"text {i}" for i in range(Y.shape[0])]
    return corpus_from_texts(texts, labels, texts, labels)


def run_round(plain, params):
    X, Y, tree, matcher, ranker, model, assessment = plain
    beams = nodes.find_beams(X, Y, matcher, tree, assessment, params, 0, NONE)
    tried = nodes.try_round(X, Y, tree, beams, model, assessment, SEARCH, REFINEMENT, params, 0, None, NONE)
    made = nodes.train_round(X, Y, tree, matcher, ranker, beams, tried[1], params, None, NONE)
    return beams, *tried, *made


def test_a_better_round_is_kept_with_its_tree(plain):
    params = replace(ALWAYS, metric="P@1")
    worse = dict(plain[-1], metrics={**plain[-1]["metrics"], "P@1": -1.0})
    _, model, assessment, matcher, ranker, gain = run_round((*plain[:-1], worse), params)
    assert assessment["round"] == 1
    assert "stopped" not in assessment
    assert ranker.tree_.has_overlap
    assert matcher is plain[3]
    assert model.models_[0].tree_.has_overlap
    assert gain.shape == (ranker.tree_.n_slots, 1)
    assert assessment["plain_inner_products"] == plain[-1]["inner_products"]


def test_a_round_that_is_no_better_passes_on_what_it_was_given(plain):
    best = dict(plain[-1], metrics={**plain[-1]["metrics"], "R@10": 2.0})
    _, model, assessment, matcher, ranker, _ = run_round((*plain[:-1], best), ALWAYS)
    assert assessment["round"] == 0
    assert assessment["stopped"]
    assert assessment["tried"]["slots_per_label"] > 1
    assert (model, matcher, ranker) == (plain[5], plain[3], plain[4])
    beams, model, after, *_ = run_round((*plain[:-1], assessment), ALWAYS)
    assert beams.nnz == 0
    assert "tried" not in after
    assert model is plain[5]


@pytest.mark.parametrize(
    ("assessment", "params", "reason"),
    [
        (
            {"round": 0, "metrics": {}},
            {"reassignment": {"max_clusters_per_label": 1}},
            "keep the one cluster",
        ),
        ({"round": 0}, {}, "too few documents to hold out"),
        ({"round": 1, "metrics": {}, "stopped": True}, {}, "no better"),
        ({"round": 1, "metrics": {}}, {}, "matcher has not changed"),
    ],
)
def test_rounds_end_for_a_reason(assessment, params, reason):
    assert reason in reason_to_stop(assessment, RoundParams(**params))


def test_a_second_round_needs_a_matcher_trained_again(plain):
    params = replace(ALWAYS, retrain="both", reassignment=replace(ALWAYS.reassignment, positives="beam"))
    assert reason_to_stop({"round": 1, "metrics": {}}, params) is None
    worse = dict(plain[-1], metrics={**plain[-1]["metrics"], "R@10": -1.0})
    _, model, assessment, matcher, ranker, _ = run_round((*plain[:-1], worse), params)
    assert matcher.tree_.has_overlap
    again = (*plain[:3], matcher, ranker, model, dict(assessment, metrics={"R@10": -1.0}))
    assert run_round(again, params)[2]["round"] == 2


def test_nothing_changes_where_labels_keep_one_cluster(plain):
    off = RoundParams(reassignment=OFF)
    beams, model, assessment, matcher, ranker, _ = run_round(plain, off)
    assert (beams.nnz, assessment["round"]) == (0, 0)
    assert (model, matcher, ranker) == (plain[5], plain[3], plain[4])
    X, _, tree, *_ = plain
    assert nodes.match_beam(X, tree, matcher, matcher, ranker, SEARCH, off) == asdict(SEARCH)


def test_the_beam_is_narrowed_to_what_a_query_may_cost(plain):
    X, Y, tree, matcher, *_ = plain
    beams = matcher.predict(X, beam_size=3)
    made = nodes.train_round(X, Y, tree, matcher, plain[4], beams, {"round": 1}, ALWAYS, None, NONE)
    wide = SearchParams(beam_size=5)
    narrow = nodes.match_beam(X, tree, matcher, *made[:2], wide, replace(ALWAYS, max_cost=1.0))
    assert narrow["beam_size"] < 5
    cost = inner_products(made[1].tree_, matcher.predict_levels(X, beam_size=narrow["beam_size"]))
    assert cost <= inner_products(tree, matcher.predict_levels(X, beam_size=5))
    assert nodes.match_beam(X, tree, matcher, *made[:2], wide, ALWAYS) == asdict(wide)


def test_trees_and_rounds_are_compared_and_labels_told(plain, caplog):
    X, Y, _, matcher, ranker, _, assessment = plain
    worse = dict(assessment, metrics={**assessment["metrics"], "R@10": -1.0})
    *_, after, _, new_ranker, gain = run_round((*plain[:-1], worse), ALWAYS)
    corpus = as_corpus(Y)
    with caplog.at_level(logging.INFO):
        compared = nodes.compare_on_test(
            corpus, matcher, ranker, matcher, new_ranker, Y, X[:200], Y[:200], SEARCH, asdict(SEARCH), ALWAYS,
            assessment, after,
        )  # fmt: skip
    assert "test documents, trees alone: P@1" in caplog.text
    assert json.loads(json.dumps(compared)) == compared
    assert compared["plain"]["slots_per_label"] == 1 < compared["disentangled"]["slots_per_label"]
    assert compared["disentangled"]["inner_products"] > compared["plain"]["inner_products"]
    assert [(told["round"], told["kept"]) for told in compared["rounds"]] == [(0, True), (1, True)]
    assert nodes.draw_rounds(compared).axes[0].get_title(loc="left") == "R@10, %"
    features = SimpleNamespace(feature_names=lambda: [f"word {d}" for d in range(X.shape[1])])
    told = nodes.show_labels(corpus, features, X, Y, matcher, new_ranker, ALWAYS, gain)
    assert 0 < len(told) <= ALWAYS.n_shown
    assert all(len(label["clusters"]) > 1 for label in told)
    first = told[0]["clusters"][0]
    assert first["gain"] >= told[0]["clusters"][1]["gain"]
    assert first["features"][0].startswith("word ")
    assert first["documents"][0].startswith("text ")
    assert nodes.show_labels(corpus, features, X, Y, matcher, ranker, ALWAYS) == []


def test_senses_are_told_where_the_corpus_knows_them(plain):
    X, Y, _, matcher, ranker, *_ = plain
    model = XRLinear.from_stages(matcher, ranker)
    assert told_of_senses(model, as_corpus(Y), X) == {}
    merged = pair_labels(as_corpus(Y), LabelPairParams(share=1.0))
    tree = random_tree(merged.train.labels.shape[1], [5], seed=1)
    told = told_of_senses(XRLinear().fit(X, merged.train.labels, tree), merged, X)
    assert told["sense_recall"]["single"]["occurrences"] == told["sense_recall"]["unseen"]["occurrences"] == 0
    assert told["sense_recall"]["dominant"]["R@10"] > 0.5
    assert told["sense_separation"] == {
        "labels": 15, "labels_of_several_slots": 0, "strict": 0.0, "routed": 0.0,
    }  # fmt: skip


@pytest.fixture
def rounds():
    yield set_rounds
    set_rounds(DEFAULT_ROUNDS)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_stages_read_what_the_last_round_made(rounds, n):
    rounds(n)
    pipelines = register_pipelines()
    last = f"round_{n}_" if n else ""
    assert {f"{last}matcher", f"{last}ranker"} <= pipelines["evaluation"].inputs()
    assert f"{last}held_out_model" in pipelines["refinement"].inputs()
    assert {f"round_{k}.train_round" for k in range(1, n + 1)} == {
        node.name for node in pipelines["disentanglement"].nodes if node.name.endswith("train_round")
    }
    assert pipelines["__default__"].inputs() >= {"stage_seconds"}


@pytest.mark.parametrize("n", [-1, 1.5, "2", True, None])
def test_the_number_of_rounds_is_a_whole_number(n):
    with pytest.raises(ValueError, match=r"disentanglement_rounds in globals\.yml must be a whole number"):
        set_rounds(n)
    assert n_rounds() == DEFAULT_ROUNDS


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"retrain": "matcher"}, "retrain must be one of ranker, both"),
        ({"metric": "nDCG@4"}, "metric must be one of"),
        ({"max_cost": 0}, "max_cost must be positive, but is 0"),
        ({"min_improvement": -1}, "min_improvement must not be negative"),
        ({"n_shown": -1}, "n_shown must not be negative"),
    ],
)
def test_parameters_are_checked(params, error):
    with pytest.raises(ValueError, match=error):
        RoundParams(**params)
