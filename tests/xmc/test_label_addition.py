import numpy as np
import pytest
import scipy.sparse as sp

from larix import ClusteringParams, LinearRanker, SolverParams, XRLinear, add_labels, evaluate
from larix.xmc.label_addition import place_labels
from larix.xmc.relevance import RelevanceParams
from tests.xmc.data import documents, random_tree

OLD = 50  # of 60 labels
SETTINGS = {
    "clustering": ClusteringParams(branching=4, max_leaf_size=6),
    "solver": SolverParams(Cp=2.0, eps=1e-4, max_iter=2000, threshold=0),
}


@pytest.fixture(scope="module")
def data():
    """Documents without and with the last ten labels, and further ones."""
    X, Y = documents(900, 80, 60, seed=0)
    has_new = np.diff(Y[:, OLD:].indptr) > 0
    test = np.arange(900) >= 700
    return (
        (X[~has_new & ~test], Y[~has_new & ~test][:, :OLD]),
        (X[has_new & ~test], Y[has_new & ~test]),
        (X[test], Y[test]),
    )


@pytest.fixture(scope="module")
def model(data):
    return XRLinear(**SETTINGS).fit(*data[0])


def score_all(model, X):
    return model.score_selected(X, np.ones((X.shape[0], model.tree_.n_labels))).toarray()


def touched_clusters(old, new):
    return np.flatnonzero(new.tree_.cluster_sizes() - old.tree_.cluster_sizes())


def test_new_labels_are_found_in_new_documents(data, model):
    (X, Y), new, (X_test, Y_test) = data
    grown = add_labels(model, *new, X=X, Y=Y)
    of_new = np.diff(Y_test[:, OLD:].indptr) > 0
    P = grown.predict(X_test[of_new])
    assert P.shape[1] == 60
    found = evaluate(P[:, OLD:], Y_test[of_new][:, OLD:], Y_test[:, OLD:]).metrics["R@10"]
    assert found > 0.8
    before, after = (
        evaluate(m.predict(X_test)[:, :OLD], Y_test[:, :OLD], Y).metrics["P@1"] for m in (model, grown)
    )
    assert after > before - 0.05


def test_the_tree_only_gains_slots(data, model):
    (X, Y), new, _ = data
    old, tree = model.tree_, add_labels(model, *new, X=X, Y=Y).tree_
    assert tree.n_slots == old.n_slots + 10
    assert sorted(tree.slot_label[tree.slot_label >= OLD]) == list(range(OLD, 60))
    assert tree.slot_label[tree.slot_label < OLD].tolist() == old.slot_label.tolist()
    assert all(np.array_equal(a, b) for a, b in zip(tree.offsets[:-1], old.offsets[:-1], strict=True))


@pytest.mark.parametrize("retrain", [True, False])
def test_scores_of_labels_in_other_clusters_stay_to_the_bit(data, model, retrain):
    (X, Y), (X_new, Y_new), (X_test, _) = data
    one = Y_new[:, [*range(OLD), OLD + 3]]
    rows = np.diff(one[:, [OLD]].indptr) > 0
    grown = add_labels(model, X_new[rows], one[rows], X=X, Y=Y, retrain_siblings=retrain)
    (cluster,) = touched_clusters(model, grown)
    siblings = np.isin(np.arange(OLD), grown.tree_.labels_of_cluster(cluster))
    assert 0 < siblings.sum() < OLD
    before, after = score_all(model, X_test), score_all(grown, X_test)[:, :OLD]
    assert before[:, ~siblings].tobytes() == after[:, ~siblings].tobytes()
    assert (before[:, siblings].tobytes() == after[:, siblings].tobytes()) is (not retrain)


@pytest.mark.parametrize("retrain", [True, False])
def test_weights_are_those_of_training_the_whole_level(data, model, retrain):
    (X, Y), (X_new, Y_new), _ = data
    grown = add_labels(model, X_new, Y_new, X=X, Y=Y, retrain_siblings=retrain)
    wider = sp.hstack([Y, sp.csr_array((X.shape[0], 10))], format="csr")
    everything = sp.vstack([X, X_new], format="csr"), sp.vstack([wider, Y_new], format="csr")
    whole = LinearRanker(solver=SETTINGS["solver"]).fit(*everything, grown.tree_)
    _, ranker = grown.to_stages()
    new_slots = grown.tree_.slot_label >= OLD
    in_touched = np.isin(grown.tree_.slot_cluster(), touched_clusters(model, grown))
    compared = in_touched if retrain else new_slots
    np.testing.assert_allclose(
        ranker.weights_.to_csc()[:, compared].toarray(),
        whole.weights_.to_csc()[:, compared].toarray(),
        atol=2e-3,
    )


def test_without_earlier_documents_only_new_slots_are_trained(data, model):
    _, new, (X_test, _) = data
    grown = add_labels(model, *new)
    assert score_all(model, X_test).tobytes() == score_all(grown, X_test)[:, :OLD].tobytes()
    P = grown.predict(new[0], top_k=5)
    assert evaluate(P[:, OLD:], new[1][:, OLD:], new[1][:, OLD:]).metrics["R@10"] > 0.7


def test_labels_go_where_the_matcher_leads_their_documents(data, model):
    X, Y = data[0]
    matcher, _ = model.to_stages()
    places = place_labels(matcher, X, Y)
    own = np.empty(OLD, int)
    own[model.tree_.slot_label] = model.tree_.slot_cluster()
    seen = np.bincount(Y.indices, minlength=OLD) > 0
    assert np.mean(places.indices[seen] == own[seen]) > 0.8


def test_a_label_may_go_into_several_clusters(data, model):
    (X, Y), new, (X_test, _) = data
    grown = add_labels(model, *new, X=X, Y=Y, clusters_per_label=3)
    assert np.bincount(grown.tree_.slot_label)[OLD:].tolist() == [3] * 10
    assert grown.tree_.has_overlap
    P = grown.predict(X_test)
    assert all(len(set(row)) == len(row) for row in np.split(P.indices, P.indptr[1:-1]))


@pytest.mark.parametrize("fan_outs", [[], [7], [3, 9]])
@pytest.mark.parametrize("negatives", ["tfn", "tfn+man"])
def test_every_shape_of_tree_and_scheme_grows(data, fan_outs, negatives):
    (X, Y), new, (X_test, _) = data
    tree = random_tree(OLD, fan_outs, seed=2, n_copies=0 if not fan_outs else 8)
    small = XRLinear(ranker_negatives=negatives).fit(X, Y, tree)
    grown = add_labels(small, *new, X=X, Y=Y)
    assert grown.predict(X_test, top_k=60).indices.max() >= OLD
    again = add_labels(grown, X_test[:5], sp.csr_array(np.eye(5, 61, 60, dtype=np.float32)))
    assert again.tree_.n_labels == 61


@pytest.mark.parametrize("mode", ["induced", "ranker-only"])
def test_relevance_weighs_as_in_the_whole_level(data, mode):
    (X, Y), (X_new, Y_new), _ = data
    rng = np.random.default_rng(0)
    Y, Y_new = Y.copy(), Y_new.copy()
    Y.data, Y_new.data = (rng.integers(1, 4, len(M.data)).astype(np.float32) for M in (Y, Y_new))
    relevance = RelevanceParams(mode=mode, norm="l1")
    small = XRLinear(**SETTINGS, relevance=relevance).fit(X, Y, random_tree(OLD, [6], seed=3, n_copies=6))
    grown = add_labels(small, X_new, Y_new, X=X, Y=Y)
    wider = sp.hstack([Y, sp.csr_array((X.shape[0], 10))], format="csr")
    everything = sp.vstack([X, X_new], format="csr"), sp.vstack([wider, Y_new], format="csr")
    whole = LinearRanker(solver=SETTINGS["solver"], relevance=relevance).fit(*everything, grown.tree_)
    in_touched = np.isin(grown.tree_.slot_cluster(), touched_clusters(small, grown))
    np.testing.assert_allclose(
        grown.to_stages()[1].weights_.to_csc()[:, in_touched].toarray(),
        whole.weights_.to_csc()[:, in_touched].toarray(),
        atol=2e-3,
    )


def test_a_cluster_may_outgrow_a_chunk_of_weights(data):
    X, Y = data[0]
    flat = XRLinear().fit(X, Y, random_tree(OLD, []))
    new = sp.csr_array((np.ones(220, np.float32), (np.arange(220), OLD + np.arange(220))), shape=(220, 270))
    grown = add_labels(flat, X[:220], new)
    assert grown.weights_.first_chunk.tolist() == [0, 2]
    assert score_all(flat, X[:9]).tobytes() == score_all(grown, X[:9])[:, :OLD].tobytes()


def test_a_grown_model_is_saved_and_loaded(data, model, tmp_path):
    (X, Y), new, (X_test, _) = data
    grown = add_labels(model, *new, X=X, Y=Y)
    grown.save(tmp_path / "model")
    loaded = XRLinear.load(tmp_path / "model")
    assert loaded.predict(X_test).data.tobytes() == grown.predict(X_test).data.tobytes()
    assert model.tree_.n_labels == OLD


def test_bad_additions_are_refused(data, model):
    (X, _), (X_new, Y_new), _ = data
    with pytest.raises(ValueError, match="50 known labels and then new ones as columns, but has 50 columns"):
        add_labels(model, X_new, Y_new[:, :OLD])
    empty = sp.hstack([Y_new, sp.csr_array((X_new.shape[0], 1))], format="csr")
    with pytest.raises(ValueError, match="every new label needs a document, but label 60 has none"):
        add_labels(model, X_new, empty)
    with pytest.raises(ValueError, match="earlier documents need both X and Y"):
        add_labels(model, X_new, Y_new, X=X)
    with pytest.raises(ValueError, match="siblings can't be trained again without"):
        add_labels(model, X_new, Y_new, retrain_siblings=True)
    with pytest.raises(ValueError, match="clusters_per_label must be at least 1, but is 0"):
        add_labels(model, X_new, Y_new, clusters_per_label=0)
    with pytest.raises(ValueError, match="X_new must have 80 columns, but has 79"):
        add_labels(model, X_new[:, :79], Y_new)


def test_a_model_of_16_bits_grows_and_keeps_its_scores(data, model):
    (X, Y), new, (X_test, _) = data
    small = model.rounded()
    grown = add_labels(small, *new, X=X, Y=Y, retrain_siblings=False)
    before, after = score_all(small, X_test), score_all(grown, X_test)[:, :OLD]
    touched = grown.tree_.slot_label[np.isin(grown.tree_.slot_cluster(), touched_clusters(small, grown))]
    others = np.setdiff1d(np.arange(OLD), touched)
    assert len(others)
    assert before[:, others].tobytes() == after[:, others].tobytes()
    np.testing.assert_allclose(before, after, rtol=1e-4, atol=1e-7)
    assert grown.rounded().size_bytes() < grown.size_bytes()
