import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from larix import LinearMatcher, SearchParams, XRLinear, add_labels, evaluate, explain
from larix.interchange.pecos import export_pecos
from larix.xmc.clustering_params import ClusteringParams
from larix.xmc.disentangled_training import cluster_beams, disentangle, train_on
from larix.xmc.disentanglement import (
    DisentanglementParams,
    own_clusters,
    reassign_labels,
    slots_of_positives,
)
from larix.xmc.linear_stages import LinearRanker
from tests.xmc.data import documents, random_tree

N_LABELS = 60
PARAMS = DisentanglementParams(max_clusters_per_label=3, n_folds=2, beam_size=3, budget=None)
SEARCH = SearchParams(beam_size=4, top_k=8)


@pytest.fixture(scope="module")
def data():
    X, Y = documents(500, 80, N_LABELS, seed=11, labels_per_document=3)
    return X[:400], Y[:400], X[400:], Y[400:]


@pytest.fixture(scope="module")
def plain(data):
    model = XRLinear(clustering=ClusteringParams(branching=4, max_leaf_size=6), search=SEARCH)
    return model.fit(*data[:2])


@pytest.fixture(scope="module")
def disentangled(data, plain):
    return disentangle(plain, *data[:2], PARAMS)


def same_predictions(one, other, X):
    P, Q = one.predict(X), other.predict(X)
    return all(np.array_equal(getattr(P, part), getattr(Q, part)) for part in ("indptr", "indices", "data"))


def test_labels_get_further_clusters_and_the_model_works(data, plain, disentangled):
    tree = disentangled.tree_
    n_slots = np.bincount(tree.slot_label, minlength=N_LABELS)
    assert tree.has_overlap
    assert n_slots.max() == 3
    assert (n_slots >= np.bincount(plain.tree_.slot_label, minlength=N_LABELS)).all()
    found = evaluate(disentangled.predict(data[2]), data[3], data[1]).metrics
    assert found["R@10"] > evaluate(plain.predict(data[2]), data[3], data[1]).metrics["R@10"]


def test_settings_stay(plain, disentangled):
    for name in ("search", "representation", "clustering", "solver", "random_state"):
        assert getattr(disentangled, name) == getattr(plain, name)


def test_where_nothing_changes_the_model_stays(data, plain):
    params = DisentanglementParams(max_clusters_per_label=1)
    assert params.changes_nothing
    assert disentangle(plain, *data[:2], params) is plain


@pytest.mark.parametrize("retrain", ["ranker", "both"])
def test_training_on_the_plain_tree_again_gives_the_plain_model(data, plain, retrain):
    X, Y, X_test, _ = data
    matcher, ranker = plain.to_stages()
    params = DisentanglementParams(max_clusters_per_label=1, n_folds=1, negatives="tfn")
    beams = cluster_beams(matcher, X, Y, plain.tree_, beam_size=3)
    same = reassign_labels(plain.tree_, Y, beams, params)
    model = XRLinear.from_stages(*train_on(same, plain.tree_, matcher, ranker, X, Y, beams, params, retrain))
    assert same_predictions(model, plain, X_test)


@pytest.mark.parametrize("retrain", ["ranker", "both"])
def test_one_and_two_threads_give_the_same_bytes(data, plain, retrain):
    params = replace(PARAMS, positives="beam")
    models = []
    for n in (1, 2):
        again = XRLinear(**{**plain.get_params(deep=False), "n_threads": n}).fit(*data[:2])
        models.append(disentangle(again, *data[:2], params, retrain=retrain))
    one, two = models
    assert one.tree_.slot_label.tobytes() == two.tree_.slot_label.tobytes()
    assert {name: a.tobytes() for name, a in one.weights_.arrays().items()} == {
        name: a.tobytes() for name, a in two.weights_.arrays().items()
    }


@pytest.mark.parametrize("method", ["coverage", "scores", "counts", "tied-counts"])
@pytest.mark.parametrize("positives", ["all", "beam", "weighted"])
@pytest.mark.parametrize("negatives", ["beam", "tfn"])
@pytest.mark.parametrize("retrain", ["ranker", "both"])
def test_every_choice_trains_and_predicts(data, plain, method, positives, negatives, retrain):
    params = DisentanglementParams(
        method=method, positives=positives, negatives=negatives, n_folds=1 if method == "counts" else 2,
        keep_own=retrain == "ranker", beam_size=3,
    )  # fmt: skip
    model = disentangle(plain, *data[:2], params, retrain=retrain)
    P = model.predict(data[2])
    assert model.tree_.has_overlap
    assert np.isfinite(P.data).all()
    assert len(np.unique(model.tree_.slot_label)) == len(plain.tree_.slot_label)
    assert evaluate(P, data[3], data[1]).metrics["P@1"] > 0.5


def test_only_the_ranker_is_trained_unless_both_are_wanted(data, plain):
    of_plain = plain.to_stages()[0].weights_.arrays()
    for retrain, stays in (("ranker", True), ("both", False)):
        model = disentangle(plain, *data[:2], PARAMS, retrain=retrain)
        arrays = model.to_stages()[0].weights_.arrays()
        assert all(np.array_equal(arrays[name], of_plain[name]) for name in arrays) == stays


def test_a_tree_of_one_cluster_stays_as_it_is(data):
    model = XRLinear().fit(*data[:2], random_tree(N_LABELS, []))
    assert not disentangle(model, *data[:2], PARAMS).tree_.has_overlap


def test_beams_of_one_fold_are_the_matchers(data, plain):
    matcher, _ = plain.to_stages()
    beams = cluster_beams(matcher, *data[:2], plain.tree_, beam_size=2)
    assert np.array_equal(beams.toarray(), matcher.predict(data[0], beam_size=2).toarray())


def test_beams_of_several_folds_come_from_matchers_that_did_not_see_the_document(data, plain):
    X, Y = data[:2]
    matcher, _ = plain.to_stages()
    beams = cluster_beams(matcher, X, Y, plain.tree_, beam_size=3, n_folds=3, random_state=5)
    fold = np.random.default_rng(5).permutation(X.shape[0]) % 3
    others = LinearMatcher(solver=matcher.solver, search=matcher.search).fit(
        X[fold != 1], Y[fold != 1], plain.tree_
    )
    expected = others.predict(X[fold == 1], beam_size=3)
    np.testing.assert_array_equal(beams[np.flatnonzero(fold == 1)].toarray(), expected.toarray())


def test_beams_of_a_second_round_use_the_positives_of_slots(data, plain):
    X, Y = data[:2]
    matcher, ranker = plain.to_stages()
    params = replace(PARAMS, positives="beam")
    beams = cluster_beams(matcher, X, Y, plain.tree_, beam_size=3, n_folds=2)
    first = reassign_labels(plain.tree_, Y, beams, params)
    targets = slots_of_positives(first.tree, own_clusters(plain.tree_), Y, beams, "beam")
    matcher, _ = train_on(first, plain.tree_, matcher, ranker, X, Y, beams, params, "both")
    again = cluster_beams(matcher, X, Y, first.tree, beam_size=3, n_folds=2, slot_targets=targets)
    without = cluster_beams(matcher, X, Y, first.tree, beam_size=3, n_folds=2)
    assert again.shape == beams.shape
    assert not np.array_equal(again.toarray(), without.toarray())
    second = reassign_labels(plain.tree_, Y, again, params)
    assert np.array_equal(np.unique(second.tree.slot_label), np.unique(plain.tree_.slot_label))


def test_negatives_of_a_slot_are_those_of_its_beams_and_of_labels_at_home_there(data, plain):
    X, Y = data[:2]
    matcher, ranker = plain.to_stages()
    beams = cluster_beams(matcher, X, Y, plain.tree_, beam_size=3, n_folds=2)
    reassigned = reassign_labels(plain.tree_, Y, beams, PARAMS)
    _, trained = train_on(reassigned, plain.tree_, matcher, ranker, X, Y, beams, PARAMS)
    tree, at_home = reassigned.tree, plain.tree_.node_targets(Y)[-2].toarray() > 0
    participants = sp.csr_array((at_home | (beams.toarray() > 0)).astype(np.float32))
    by_hand = LinearRanker(solver=ranker.solver, negatives="man").fit(X, Y, tree, participants)
    for name, array in by_hand.weights_.arrays().items():
        np.testing.assert_array_equal(trained.weights_.arrays()[name], array)


def test_a_disentangled_model_is_saved_and_loaded(data, disentangled, tmp_path):
    disentangled.save(tmp_path / "model")
    loaded = XRLinear.load(tmp_path / "model")
    assert loaded.tree_.slot_label.tolist() == disentangled.tree_.slot_label.tolist()
    assert same_predictions(loaded, disentangled, data[2])


def test_a_disentangled_model_takes_new_labels(data, disentangled):
    X, Y = data[:2]
    rng = np.random.default_rng(3)
    X_new = sp.csr_array(np.where(np.arange(80) < 4, rng.random((20, 80)), 0).astype(np.float32))
    Y_new = sp.csr_array(np.hstack([np.zeros((20, N_LABELS)), np.ones((20, 1))]).astype(np.float32))
    grown = add_labels(disentangled, X_new, Y_new, X=X, Y=Y)
    assert grown.tree_.n_slots == disentangled.tree_.n_slots + 1
    assert (grown.predict(X_new).toarray()[:, N_LABELS] > 0).mean() > 0.8


def test_an_explanation_follows_every_slot_of_a_label(data, disentangled):
    tree = disentangled.tree_
    n_slots = np.bincount(tree.slot_label, minlength=N_LABELS)
    P = disentangled.predict(data[2])
    row, label = next(
        (row, int(label))
        for row in range(P.shape[0])
        for label in P.indices[P.indptr[row] : P.indptr[row + 1]]
        if n_slots[label] == 3
    )
    told = explain(disentangled, data[2][[row]], label)
    assert len(told.paths) == 3
    assert told.score == pytest.approx(float(P[row, label]), rel=2e-3)


def test_further_slots_are_exported_as_pseudo_labels(disentangled, tmp_path):
    export_pecos(disentangled, tmp_path / "pecos")
    told = json.loads((tmp_path / "pecos" / "pseudo_labels.json").read_text())
    n_slots = np.bincount(disentangled.tree_.slot_label, minlength=N_LABELS)
    assert (
        np.bincount(told["pseudo_labels"], minlength=N_LABELS).tolist() == np.maximum(n_slots - 1, 0).tolist()
    )
